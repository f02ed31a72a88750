import { posix } from 'node:path';
import { locate, type TreeView, type ViewMount } from '../../archive/index.ts';
import { type Fd, fstatat, isErrno, mkdirat, mknodat } from '../../sys/index.ts';

const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const TARGET_MODE = 0o755;

/**
 * Makes the folders and files that a stopped container's mounts will be put on, where the image has none, as a start would:
 * a path that leads through a mount needs them. Where that can't be done the mount is not seen.
 */
export function makeMountTargets(root: Fd, mounts: readonly ViewMount[]): void {
  for (const mount of mounts) {
    const over = mounts.filter(({ path }) => mount.path.startsWith(`${path}/`));
    try {
      makeTarget({ root: root.fd, mounts: over }, mount);
    } catch (thrown) {
      if (!isErrno(thrown, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'EROFS', 'EEXIST')) throw thrown;
    }
  }
}

function makeTarget(view: TreeView, { path, fd }: ViewMount): void {
  const walk = { followLast: true, make: makeFolder };
  if ((fstatat(fd, '').mode & S_IFMT) === S_IFDIR) {
    locate(view, path, walk)[Symbol.dispose]();
    return;
  }
  using folder = locate(view, posix.dirname(path), walk);
  using place = locate(view, path, { followLast: true });
  if (!place.fd && folder.fd && !folder.readOnly) {
    mknodat(folder.fd, posix.basename(path), S_IFREG | TARGET_MODE);
  }
}

function makeFolder(parent: Fd, name: string, readOnly: boolean): void {
  if (!readOnly) mkdirat(parent, name, TARGET_MODE);
}
