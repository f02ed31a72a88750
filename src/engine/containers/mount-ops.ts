import { closeSync, mkdirSync, openSync, rmdirSync, statSync, unlinkSync } from 'node:fs';
import { mount, mountInfo, statfs, umountIfMounted, umountLater } from '../../sys/index.ts';
import { openSubpath } from '../volumes/index.ts';
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
    unmountLater: umountLater,
    mountsBelow(directory) {
      return mountInfo()
        .map((one) => one.mountPoint)
        .filter((point) => point === directory || point.startsWith(`${directory}/`))
        .sort((a, b) => b.length - a.length);
    },
    bindBeneath,
    // crun does not know `nosymfollow`.
    restrictions: (path) => statfs(path).restrictions.filter((word) => word !== 'nosymfollow'),
  };
}

/**
 * The path belongs to whoever writes the volume: it is resolved by the kernel beneath the root and never out of it, and
 * what is bound is the descriptor, so that a swap afterwards changes nothing.
 */
function bindBeneath(root: string, path: string, target: string): void {
  using source = openSubpath(root, path);
  const fdPath = `/proc/self/fd/${source.fd}`;
  // The last run's, of the other kind when the volume's has changed.
  removeEmpty(target);
  if (statSync(fdPath).isDirectory()) mkdirSync(target, { recursive: true, mode: 0o700 });
  else closeSync(openSync(target, 'a', 0o600));
  mount({ source: fdPath, target, flags: ['rbind'] });
}

/** Never recursive: a mount that was left there must not cost the files it shows. */
function removeEmpty(path: string): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory()) rmdirSync(path);
  else if (stat) unlinkSync(path);
}
