import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { isKind, WharfError } from '../../base/index.ts';
import { mount, mountInfo, O, openat2, RESOLVE, umountIfMounted } from '../../sys/index.ts';
import type { MountOps } from './lifecycle-deps.ts';

/** The mount operations of this host. */
export function hostMountOps(): MountOps {
  return {
    mount(spec, target) {
      const { type, source, flags, options } = spec;
      mount({ source, target, type, flags, data: options.join(',') });
    },
    unmount(target) {
      umountIfMounted(target, { detach: true });
    },
    mountsBelow(directory) {
      return mountInfo()
        .map((one) => one.mountPoint)
        .filter((point) => point === directory || point.startsWith(`${directory}/`))
        .sort((a, b) => b.length - a.length);
    },
    bindBeneath,
  };
}

/**
 * The path belongs to whoever writes the volume: it is resolved by the kernel beneath the root without any link, and
 * what is bound is the descriptor, so that a swap afterwards changes nothing.
 */
function bindBeneath(root: string, path: string, target: string): void {
  const relative = path.replace(/^\/+/, '');
  try {
    using source = openat2(root, relative, {
      flags: O.PATH | O.CLOEXEC,
      resolve: RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS | RESOLVE.NO_MAGICLINKS,
    });
    const fdPath = `/proc/self/fd/${source.fd}`;
    if (statSync(fdPath).isDirectory()) mkdirSync(target, { recursive: true, mode: 0o700 });
    else closeSync(openSync(target, 'a', 0o600));
    mount({ source: fdPath, target, flags: ['rbind'] });
  } catch (thrown) {
    if (!isKind(thrown, 'not-found')) throw WharfError.from(thrown);
    throw new WharfError('invalid', `cannot access path ${path}: no such file or directory`, {
      cause: thrown,
    });
  }
}
