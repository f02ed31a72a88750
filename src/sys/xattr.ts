import { check, cString, errnoName, isErrno, lastErrno, systemError } from './errno.ts';
import { type Fd, fdNumber } from './fd.ts';
import { libcFunction } from './libc.ts';

type Target = string | number;
type Get = (target: Target, name: string, value: Buffer | null, size: number) => number;
type List = (target: Target, names: Buffer | null, size: number) => number;
type Set = (target: Target, name: string, value: Buffer, size: number, flags: number) => number;
type Remove = (target: Target, name: string) => number;

interface Calls {
  get: Get;
  list: List;
  set: Set;
  remove: Remove;
}

function calls(prefix: string, target: string): Calls {
  return {
    get: libcFunction(`long ${prefix}getxattr(${target}, const char *name, void *value, size_t size)`),
    list: libcFunction(`long ${prefix}listxattr(${target}, void *names, size_t size)`),
    set: libcFunction(
      `int ${prefix}setxattr(${target}, const char *name, const void *value, size_t size, int flags)`,
    ),
    remove: libcFunction(`int ${prefix}removexattr(${target}, const char *name)`),
  };
}

const byLink = calls('l', 'const char *path');
const byFd = calls('f', 'int fd');
const byPath = calls('', 'const char *path');

/** An extended attribute of a path (a link itself), or undefined where it has none of that name. */
export function lgetxattr(path: string, name: string): Buffer | undefined {
  return read(byLink, cString(path), path, name);
}

/** Sets an extended attribute of a path (a link itself), whether it exists or not. */
export function lsetxattr(path: string, name: string, value: Uint8Array): void {
  check(
    byLink.set(cString(path), cString(name), asBuffer(value), value.length, 0),
    'lsetxattr',
    `${name} ${path}`,
  );
}

/** The names of a path's extended attributes (a link's own); none on a file system without them. */
export function llistxattr(path: string): string[] {
  return list(byLink, cString(path), path);
}

/** Removes an extended attribute; ENODATA when there is none. */
export function lremovexattr(path: string, name: string): void {
  check(byLink.remove(cString(path), cString(name)), 'lremovexattr', `${name} ${path}`);
}

/** As `lgetxattr`, of an open file; a descriptor opened with O_PATH will do. */
export function fgetxattr(fd: Fd | number, name: string): Buffer | undefined {
  const number = fdNumber(fd);
  return orThroughProc(number, (way, target) => read(way, target, `descriptor ${number}`, name));
}

/** As `lsetxattr`, of an open file; a descriptor opened with O_PATH will do. */
export function fsetxattr(fd: Fd | number, name: string, value: Uint8Array): void {
  const number = fdNumber(fd);
  orThroughProc(number, (way, target) => {
    const result = way.set(target, cString(name), asBuffer(value), value.length, 0);
    check(result, 'fsetxattr', `${name} descriptor ${number}`);
  });
}

/** As `llistxattr`, of an open file; a descriptor opened with O_PATH will do. */
export function flistxattr(fd: Fd | number): string[] {
  const number = fdNumber(fd);
  return orThroughProc(number, (way, target) => list(way, target, `descriptor ${number}`));
}

/** As `lremovexattr`, of an open file; a descriptor opened with O_PATH will do. */
export function fremovexattr(fd: Fd | number, name: string): void {
  const number = fdNumber(fd);
  orThroughProc(number, (way, target) => {
    check(way.remove(target, cString(name)), 'fremovexattr', `${name} descriptor ${number}`);
  });
}

/** The f-calls refuse an O_PATH descriptor (EBADF); its link in /proc leads to the same inode. */
function orThroughProc<T>(fd: number, work: (way: Calls, target: Target) => T): T {
  try {
    return work(byFd, fd);
  } catch (thrown) {
    if (!(fd >= 0 && isErrno(thrown, 'EBADF'))) throw thrown;
    return work(byPath, `/proc/self/fd/${fd}`);
  }
}

function read(way: Calls, target: Target, subject: string, name: string): Buffer | undefined {
  const value = sized((buffer) => way.get(target, cString(name), buffer, buffer?.length ?? 0));
  if (typeof value !== 'number') return value;
  if (errnoName(value) === 'ENODATA' || isUnsupported(value)) return undefined;
  throw systemError('getxattr', `${name} ${subject}`, value);
}

function list(way: Calls, target: Target, subject: string): string[] {
  const names = sized((buffer) => way.list(target, buffer, buffer?.length ?? 0));
  if (typeof names !== 'number') return names.toString('utf8').split('\0').filter(Boolean);
  if (isUnsupported(names)) return [];
  throw systemError('listxattr', subject, names);
}

/** Most values are short: one call. ERANGE asks for the size and tries again, since it may grow between. The errno on failure. */
function sized(call: (buffer: Buffer | null) => number): Buffer | number {
  for (let buffer = Buffer.alloc(256); ; ) {
    const length = call(buffer);
    if (length >= 0) return buffer.subarray(0, length);
    const errno = lastErrno();
    if (errnoName(errno) !== 'ERANGE') return errno;
    const needed = call(null);
    if (needed < 0) return lastErrno();
    buffer = Buffer.alloc(needed + 64);
  }
}

function isUnsupported(errno: number): boolean {
  return errno === 95; // EOPNOTSUPP, which has two names
}

function asBuffer(value: Uint8Array): Buffer {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
