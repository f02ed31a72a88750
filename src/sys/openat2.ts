import { constants } from 'node:os';
import { cString, errnoName, lastErrno, systemError } from './errno.ts';
import { AT_FDCWD, Fd, O } from './fd.ts';
import { syscallPath } from './libc.ts';

/** `openat2(2)`: how a path is resolved. */
export const RESOLVE = { NO_XDEV: 1, NO_MAGICLINKS: 2, NO_SYMLINKS: 4, BENEATH: 8, IN_ROOT: 16 } as const;

const SYS_openat2 = 437;
const OPEN_HOW_SIZE = 24;
/**
 * The kernel gives EAGAIN when any rename or mount on the machine raced with `..`; it asks for another try. Where much is
 * renamed, as by sweeps and tests beside each other, 64 were not enough once; a try takes a microsecond or two.
 */
const MAX_TRIES = 4096;

/** Flags of `open(2)`; O_CLOEXEC is always added. `mode` counts with O_CREAT only. */
export interface OpenHow {
  flags: number;
  mode?: number;
  resolve?: number;
}

/** Opens `path` from `dir` (a descriptor, or a trusted path). Throws the errno of `openat2(2)`. */
export function openat2(dir: Fd | string, path: string, how: OpenHow): Fd {
  if (typeof dir !== 'string') return new Fd(openFrom(dir.fd, path, how));
  using opened = new Fd(openFrom(AT_FDCWD, dir, { flags: O.PATH | O.DIRECTORY }));
  return new Fd(openFrom(opened.fd, path, how));
}

/**
 * Opens a path that an image or a container controls: links, absolute ones and `..` among them, are resolved as if
 * `root` were `/`, and magic links of /proc are refused (ELOOP). The result lies inside `root`.
 */
export function openInRoot(root: Fd | string, path: string, flags: number, mode = 0): Fd {
  return openat2(root, path === '' ? '.' : path, {
    flags,
    mode,
    resolve: RESOLVE.IN_ROOT | RESOLVE.NO_MAGICLINKS,
  });
}

function openFrom(dirFd: number, path: string, how: OpenHow): number {
  const request = Buffer.alloc(OPEN_HOW_SIZE);
  request.writeBigUInt64LE(BigInt(how.flags | O.CLOEXEC), 0);
  // The kernel refuses a mode (EINVAL) unless something may be created.
  request.writeBigUInt64LE(BigInt(how.flags & O.CREAT ? (how.mode ?? 0) : 0), 8);
  request.writeBigUInt64LE(BigInt(how.resolve ?? 0), 16);
  for (let left = MAX_TRIES; ; left--) {
    const fd = syscallPath(SYS_openat2, dirFd, cString(path), request, OPEN_HOW_SIZE, 0, 0);
    if (fd >= 0) return fd;
    const errno = lastErrno();
    const again = errno === constants.errno.EAGAIN || errno === constants.errno.EINTR;
    if (!again || left === 0 || !(how.resolve || errno === constants.errno.EINTR)) {
      throw systemError(
        'openat2',
        path,
        errno,
        errnoName(errno) === 'ELOOP' ? 'too many or forbidden links' : undefined,
      );
    }
  }
}
