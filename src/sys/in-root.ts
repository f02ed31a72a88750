import { fchmodSync, readSync } from 'node:fs';
import { WharfError } from '../base/index.ts';
import { fchownat, fstatat, mkdirat, readlinkat } from './at.ts';
import { isErrno } from './errno.ts';
import { type Fd, O } from './fd.ts';
import { openat2, openInRoot, RESOLVE } from './openat2.ts';

const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;
/** As many as the kernel follows in one lookup. */
const MAX_LINKS = 40;

/**
 * Opens the directory `path` inside `root`, making what is missing of it with `mode` (whatever the umask) and `owner`.
 * Links are followed inside the root alone; a link that points at nothing has its target made. Existing directories
 * are left as they are. Throws ENOTDIR where a component is something else.
 */
export function mkdirAllInRoot(
  root: Fd | string,
  path: string,
  mode: number,
  owner?: { uid: number; gid: number },
): Fd {
  const opened = typeof root === 'string' ? openat2(root, '.', { flags: O.PATH | O.DIRECTORY }) : undefined;
  try {
    return makeAll(opened ?? (root as Fd), path, mode, owner);
  } finally {
    opened?.close();
  }
}

function makeAll(root: Fd, path: string, mode: number, owner?: { uid: number; gid: number }): Fd {
  const directory = O.RDONLY | O.DIRECTORY;
  const whole = openOrUndefined(root, path, directory);
  if (whole) return whole;
  let missing = components(path);
  // The part that exists. The kernel resolves it from the root each time, so it cannot lead outside.
  let done: string[] = [];
  let links = 0;
  for (let name = missing.shift(); name !== undefined; name = missing.shift()) {
    const here = [...done, name];
    using present = openOrUndefined(root, here.join('/'), O.PATH | O.DIRECTORY);
    if (present) {
      done = here;
      continue;
    }
    using parent = openInRoot(root, done.join('/'), directory);
    const link = makeOne(parent, name, mode, owner);
    if (link === undefined) {
      done = here;
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) throw new WharfError('invalid', `too many links in ${path}`);
    missing = [...components(link), ...missing];
    if (link.startsWith('/')) done = [];
  }
  return openInRoot(root, done.join('/'), directory);
}

/** Makes one directory; when a dangling link stands there, returns its text. */
function makeOne(
  parent: Fd,
  name: string,
  mode: number,
  owner?: { uid: number; gid: number },
): string | undefined {
  try {
    mkdirat(parent, name, mode);
  } catch (thrown) {
    if (!isErrno(thrown, 'EEXIST')) throw thrown;
    const type = fstatat(parent, name).mode & S_IFMT;
    return type === S_IFLNK ? readlinkat(parent, name) : undefined;
  }
  const resolve = RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS | RESOLVE.NO_XDEV;
  using made = openat2(parent, name, { flags: O.RDONLY | O.DIRECTORY | O.NOFOLLOW, resolve });
  if (owner) fchownat(made, '', owner.uid, owner.gid);
  fchmodSync(made.fd, mode);
  return undefined;
}

function components(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

function openOrUndefined(root: Fd, path: string, flags: number): Fd | undefined {
  try {
    return openInRoot(root, path, flags);
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT')) return undefined;
    throw thrown;
  }
}

/**
 * Reads a file that an image or a container controls, resolved inside `root`. Undefined when it is missing. `invalid`
 * when it is not a regular file, is longer than `maxBytes`, or leads through a forbidden link. Never blocks on a FIFO
 * and never opens a device: the type is looked at before the file is opened for reading.
 */
export function readFileInRoot(root: Fd | string, path: string, maxBytes: number): Buffer | undefined {
  using found = openFile(root, path);
  if (!found) return undefined;
  const stat = fstatat(found, '');
  if ((stat.mode & S_IFMT) !== S_IFREG) throw new WharfError('invalid', `${path} is not a regular file`);
  if (stat.size > maxBytes) throw tooLarge(path, maxBytes);
  // The descriptor's own link: the very inode looked at, whatever now bears the name.
  using readable = openat2('/proc/self/fd', String(found.fd), { flags: O.RDONLY | O.NONBLOCK | O.NOCTTY });
  return readBounded(readable, path, stat.size, maxBytes);
}

function openFile(root: Fd | string, path: string): Fd | undefined {
  try {
    return openInRoot(root, path, O.PATH);
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT', 'ENOTDIR')) return undefined;
    if (!isErrno(thrown, 'ELOOP', 'EXDEV', 'ENAMETOOLONG')) throw thrown;
    throw new WharfError('invalid', `${path} leads through a forbidden link`, { cause: thrown });
  }
}

/** Files of /proc and those that grow say a smaller size than they have; hence the loop, and one byte too many. */
function readBounded(file: Fd, path: string, size: number, maxBytes: number): Buffer {
  let buffer = Buffer.allocUnsafe(Math.min(size, maxBytes) + 1);
  for (let length = 0; ; ) {
    const got = readSync(file.fd, buffer, length, buffer.length - length, null);
    length += got;
    if (length > maxBytes) throw tooLarge(path, maxBytes);
    if (got === 0) return buffer.subarray(0, length);
    if (length === buffer.length) {
      const larger = Buffer.allocUnsafe(Math.min(buffer.length * 2 + 4096, maxBytes + 1));
      buffer.copy(larger);
      buffer = larger;
    }
  }
}

function tooLarge(path: string, maxBytes: number): WharfError {
  return new WharfError('invalid', `${path} is larger than ${maxBytes} bytes`);
}
