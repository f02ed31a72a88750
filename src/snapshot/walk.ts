import { type Fd, type FileStat, fgetxattr, fstatat, isErrno, readNames } from '../sys/index.ts';

const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const S_IFCHR = 0o020000;

/** True for a directory. */
export function isDirectory(stat: FileStat): boolean {
  return (stat.mode & S_IFMT) === S_IFDIR;
}

/** True for overlay's mark of a deleted name: a character device 0:0 (kernel, filesystems/overlayfs.rst, "whiteouts"). */
export function isWhiteout(stat: FileStat): boolean {
  return (stat.mode & S_IFMT) === S_IFCHR && stat.rdevMajor === 0 && stat.rdevMinor === 0;
}

/** True for a directory that hides what lies below it. */
export function isOpaque(directory: Fd): boolean {
  return fgetxattr(directory, 'trusted.overlay.opaque')?.toString('latin1') === 'y';
}

/** What `name` in `parent` is, links not followed; undefined when there is no such name. */
export function statChild(parent: Fd, name: string): FileStat | undefined {
  try {
    return fstatat(parent, name);
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw thrown;
  }
}

/** The names in a directory, sorted. By its descriptor, so that a swapped name on the way leads nowhere. */
export function names(directory: Fd): string[] {
  return readNames(directory).sort();
}
