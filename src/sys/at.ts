import { check, cString } from './errno.ts';
import { type Fd, fdNumber } from './fd.ts';
import { decodeName } from './file-name.ts';
import { libcFunction } from './libc.ts';

/**
 * The `*at` calls: a directory descriptor and a name in it. None follows a link in the last place; a name with slashes
 * is resolved by the kernel as usual, so names from an archive must be single components below an `openInRoot` directory.
 */
type Dir = Fd | number;

const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_REMOVEDIR = 0x200;
const AT_EMPTY_PATH = 0x1000;

const mkdiratCall = libcFunction<[number, string, number]>(
  'int mkdirat(int dir, const char *path, uint mode)',
);
const mknodatCall = libcFunction<[number, string, number, bigint]>(
  'int mknodat(int dir, const char *path, uint mode, uint64_t device)',
);
const symlinkatCall = libcFunction<[string, number, string]>(
  'int symlinkat(const char *target, int dir, const char *path)',
);
const linkatCall = libcFunction<[number, string, number, string, number]>(
  'int linkat(int oldDir, const char *oldPath, int newDir, const char *newPath, int flags)',
);
const unlinkatCall = libcFunction<[number, string, number]>(
  'int unlinkat(int dir, const char *path, int flags)',
);
const renameat2Call = libcFunction<[number, string, number, string, number]>(
  'int renameat2(int oldDir, const char *oldPath, int newDir, const char *newPath, uint flags)',
);
const fchownatCall = libcFunction<[number, string, number, number, number]>(
  'int fchownat(int dir, const char *path, uint uid, uint gid, int flags)',
);
const fchmodatCall = libcFunction<[number, string, number, number]>(
  'int fchmodat(int dir, const char *path, uint mode, int flags)',
);
const utimensatCall = libcFunction<[number, string, Buffer, number]>(
  'int utimensat(int dir, const char *path, const void *times, int flags)',
);
const readlinkatCall = libcFunction<[number, string, Buffer, number]>(
  'long readlinkat(int dir, const char *path, void *buffer, size_t size)',
);
const statxCall = libcFunction<[number, string, number, number, Buffer]>(
  'int statx(int dir, const char *path, int flags, uint mask, void *result)',
);

/** Makes a directory; the umask applies to `mode`. */
export function mkdirat(dir: Dir, name: string, mode: number): void {
  check(mkdiratCall(fdNumber(dir), cString(name), mode), 'mkdirat', name);
}

/** Makes a node of any type; `mode` carries the type bits (S_IFIFO, S_IFCHR …). The umask applies. */
export function mknodat(dir: Dir, name: string, mode: number, major = 0, minor = 0): void {
  check(mknodatCall(fdNumber(dir), cString(name), mode, makeDevice(major, minor)), 'mknodat', name);
}

/** Makes a symbolic link `name` with that text. */
export function symlinkat(target: string, dir: Dir, name: string): void {
  check(symlinkatCall(cString(target), fdNumber(dir), cString(name)), 'symlinkat', name);
}

/** Makes a hard link; a symbolic link as source is linked itself. An empty `oldName` links the descriptor `oldDir`. */
export function linkat(oldDir: Dir, oldName: string, newDir: Dir, newName: string): void {
  const flags = oldName === '' ? AT_EMPTY_PATH : 0;
  const result = linkatCall(fdNumber(oldDir), cString(oldName), fdNumber(newDir), cString(newName), flags);
  check(result, 'linkat', `${oldName} ${newName}`);
}

/** Removes a name; with `directory` an empty directory. */
export function unlinkat(dir: Dir, name: string, options: { directory?: boolean } = {}): void {
  const flags = options.directory ? AT_REMOVEDIR : 0;
  check(unlinkatCall(fdNumber(dir), cString(name), flags), 'unlinkat', name);
}

/** Renames; `noReplace` fails with EEXIST where the target exists, `exchange` swaps the two. */
export function renameat2(
  oldDir: Dir,
  oldName: string,
  newDir: Dir,
  newName: string,
  options: { noReplace?: boolean; exchange?: boolean } = {},
): void {
  const flags = (options.noReplace ? 1 : 0) | (options.exchange ? 2 : 0);
  const result = renameat2Call(fdNumber(oldDir), cString(oldName), fdNumber(newDir), cString(newName), flags);
  check(result, 'renameat2', `${oldName} ${newName}`);
}

/** Changes the owner of `name`, or of the descriptor itself for an empty name; a link is changed itself. */
export function fchownat(dir: Dir, name: string, uid: number, gid: number): void {
  const result = fchownatCall(fdNumber(dir), cString(name), uid, gid, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH);
  check(result, 'fchownat', name);
}

/** Changes the permission bits of `name`; a symbolic link is refused (ENOTSUP), as it has none. */
export function fchmodat(dir: Dir, name: string, mode: number): void {
  check(fchmodatCall(fdNumber(dir), cString(name), mode, AT_SYMLINK_NOFOLLOW), 'fchmodat', name);
}

/** Used again by every call: they are synchronous. */
const timespecs = Buffer.alloc(32);

/** Sets times (nanoseconds since 1970) of `name`, or of the descriptor for an empty name; a link is changed itself. */
export function utimensat(dir: Dir, name: string, times: { atimeNs: bigint; mtimeNs: bigint }): void {
  writeTimespec(timespecs, 0, times.atimeNs);
  writeTimespec(timespecs, 16, times.mtimeNs);
  const flags = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
  const result = utimensatCall(fdNumber(dir), cString(name), timespecs, flags);
  check(result, 'utimensat', name);
}

/** The text of a symbolic link; an empty name reads the link that the descriptor (O_PATH|O_NOFOLLOW) is. */
export function readlinkat(dir: Dir, name: string): string {
  const buffer = Buffer.allocUnsafe(4096);
  const length = check(
    readlinkatCall(fdNumber(dir), cString(name), buffer, buffer.length),
    'readlinkat',
    name,
  );
  return decodeName(buffer.subarray(0, length));
}

/** What `statx(2)` says of a file. `mode` has the type bits; times are nanoseconds since 1970. */
export interface FileStat {
  mode: number;
  uid: number;
  gid: number;
  size: number;
  blocks: number;
  nlink: number;
  ino: bigint;
  devMajor: number;
  devMinor: number;
  rdevMajor: number;
  rdevMinor: number;
  atimeNs: bigint;
  mtimeNs: bigint;
  ctimeNs: bigint;
}

/** Attributes of `name`, or of the descriptor for an empty name; a link in the last place is not followed. */
export function fstatat(dir: Dir, name: string): FileStat {
  const raw = Buffer.alloc(256);
  const basicStats = 0x7ff;
  const result = statxCall(
    fdNumber(dir),
    cString(name),
    AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH,
    basicStats,
    raw,
  );
  check(result, 'statx', name);
  return {
    nlink: raw.readUInt32LE(16),
    uid: raw.readUInt32LE(20),
    gid: raw.readUInt32LE(24),
    mode: raw.readUInt16LE(28),
    ino: raw.readBigUInt64LE(32),
    size: Number(raw.readBigUInt64LE(40)),
    blocks: Number(raw.readBigUInt64LE(48)),
    atimeNs: readTimespec(raw, 64),
    ctimeNs: readTimespec(raw, 96),
    mtimeNs: readTimespec(raw, 112),
    rdevMajor: raw.readUInt32LE(128),
    rdevMinor: raw.readUInt32LE(132),
    devMajor: raw.readUInt32LE(136),
    devMinor: raw.readUInt32LE(140),
  };
}

/** glibc's `makedev`. */
function makeDevice(major: number, minor: number): bigint {
  const [M, m] = [BigInt(major), BigInt(minor)];
  return ((M & 0xfffff000n) << 32n) | ((M & 0xfffn) << 8n) | ((m & 0xffffff00n) << 12n) | (m & 0xffn);
}

const BILLION = 1_000_000_000n;

function writeTimespec(into: Buffer, offset: number, nanos: bigint): void {
  // The fraction is never negative, before 1970 as well.
  const fraction = ((nanos % BILLION) + BILLION) % BILLION;
  into.writeBigInt64LE((nanos - fraction) / BILLION, offset);
  into.writeBigInt64LE(fraction, offset + 8);
}

function readTimespec(raw: Buffer, offset: number): bigint {
  return raw.readBigInt64LE(offset) * BILLION + BigInt(raw.readUInt32LE(offset + 8));
}
