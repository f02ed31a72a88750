import { readdirSync } from 'node:fs';
import { errnoCode } from '../base/index.ts';
import { type Fd, type FileStat, fgetxattr, fstatat, O, openat2, RESOLVE } from '../sys/index.ts';

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

/** Opens a directory that we made ourselves. */
export function openDirectory(path: string): Fd {
  return openat2(path, '.', { flags: O.RDONLY | O.DIRECTORY });
}

/** Opens the directory `name` in `parent`, or undefined when it went or became something else: a container may be at work. */
export function openChild(parent: Fd, name: string): Fd | undefined {
  return unlessGone(() =>
    openat2(parent, name, {
      flags: O.RDONLY | O.DIRECTORY | O.NOFOLLOW,
      resolve: RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS,
    }),
  );
}

/** What `name` in `parent` is, links not followed; undefined when there is no such name. */
export function statChild(parent: Fd, name: string): FileStat | undefined {
  return unlessGone(() => fstatat(parent, name));
}

/** The names in a directory, sorted. By its descriptor, so that a swapped name on the way leads nowhere. */
export function names(directory: Fd): string[] {
  return readdirSync(`/proc/self/fd/${directory.fd}`).sort();
}

function unlessGone<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (thrown) {
    const code = errnoCode((thrown as Error).cause);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return undefined;
    throw thrown;
  }
}
