import { mkdirSync } from 'node:fs';
import type { MountSpec } from '../../snapshot/types.ts';
import { type Fd, O, openat2 } from '../../sys/index.ts';
import type { MountOps } from '../containers/index.ts';

/**
 * Mounts a filesystem on `target` and takes it out of the tree again in one turn: what is left is the descriptor (O_PATH) of
 * its root, and it is gone with that, whatever becomes of the daemon.
 */
export function mountDetached(
  mounts: Pick<MountOps, 'mount' | 'unmount'>,
  spec: MountSpec,
  target: string,
): Fd {
  mkdirSync(target, { recursive: true, mode: 0o700 });
  mounts.mount(spec, target);
  try {
    return openRoot(target);
  } finally {
    mounts.unmount(target);
  }
}

/** O_PATH descriptor of a directory. */
export function openRoot(path: string): Fd {
  return openat2(path, '.', { flags: O.PATH | O.DIRECTORY });
}
