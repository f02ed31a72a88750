import { read as readCallback, readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import { WharfError } from '../base/index.ts';
import {
  type Fd,
  type FileStat,
  fgetxattr,
  flistxattr,
  fstatat,
  O,
  openat2,
  RESOLVE,
  readlinkat,
} from '../sys/index.ts';
import { isOverlayXattr } from './entry-path.ts';
import { encodeHeader, padding } from './tar-format.ts';
import type { TarEntryType, TarHeader } from './types.ts';
import { endOfTar } from './write-tar.ts';

const S_IFMT = 0o170000;
const TYPES = new Map<number, TarEntryType>([
  [0o100000, 'file'],
  [0o040000, 'directory'],
  [0o120000, 'symlink'],
  [0o020000, 'char'],
  [0o060000, 'block'],
  [0o010000, 'fifo'],
]);
const CHUNK = 1 << 18;
/** Labels of the host's own security modules mean nothing elsewhere. */
const HOST_XATTRS = new Set(['security.selinux', 'security.ima', 'security.evm', 'system.nfs4_acl']);
const read = promisify(readCallback);

/** How a directory is packed. */
export interface PackOptions {
  /** `tree`: all as it is. `overlay-upper`: overlayfs's whiteouts and opaque marks become those of a layer. */
  mode: 'tree' | 'overlay-upper';
  /** Put before each name, without slashes around it. */
  prefix?: string;
}

interface Packing {
  options: PackOptions;
  /** The first name of a file that has several. */
  linked: Map<string, string>;
}

/**
 * Packs what is in a directory, by descriptors alone, so that a tree that changes meanwhile can't lead elsewhere. Sorted by
 * name, parents first; the same tree gives the same bytes. Sockets are left out. The root itself has no entry.
 */
export async function* packTree(
  dir: string | Fd,
  options: PackOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const opened = typeof dir === 'string' ? openat2(dir, '.', { flags: O.RDONLY | O.DIRECTORY }) : undefined;
  try {
    const prefix = options.prefix ? `${options.prefix}/` : '';
    yield* packDirectory(opened ?? (dir as Fd), prefix, { options, linked: new Map() });
  } finally {
    opened?.close();
  }
  yield endOfTar();
}

async function* packDirectory(
  directory: Fd,
  prefix: string,
  packing: Packing,
): AsyncGenerator<Uint8Array, void, undefined> {
  const overlay = packing.options.mode === 'overlay-upper';
  if (overlay && fgetxattr(directory, 'trusted.overlay.opaque')?.toString('latin1') === 'y') {
    yield encodeHeader(blank(`${prefix}.wh..wh..opq`));
  }
  for (const name of readdirSync(`/proc/self/fd/${directory.fd}`).sort(byBytes)) {
    using found = openEntry(directory, name);
    if (!found) continue;
    const stat = fstatat(found, '');
    const type = TYPES.get(stat.mode & S_IFMT);
    if (!type) continue;
    if (overlay && type === 'char' && stat.rdevMajor === 0 && stat.rdevMinor === 0) {
      yield encodeHeader(blank(`${prefix}.wh.${name}`));
      continue;
    }
    yield* packEntry({ found, stat, type, path: prefix + name }, packing);
  }
}

async function* packEntry(
  { found, stat, type, path }: { found: Fd; stat: FileStat; type: TarEntryType; path: string },
  packing: Packing,
): AsyncGenerator<Uint8Array, void, undefined> {
  const header = headerOf(found, stat, type, path);
  if (type !== 'directory' && stat.nlink > 1) {
    const inode = `${stat.devMajor}:${stat.devMinor}:${stat.ino}`;
    const first = packing.linked.get(inode);
    if (first !== undefined) {
      yield encodeHeader({ ...header, type: 'link', linkName: first, size: 0, xattrs: new Map() });
      return;
    }
    packing.linked.set(inode, path);
  }
  yield encodeHeader(header);
  if (type === 'directory') {
    using inside = reopen(found, O.RDONLY | O.DIRECTORY);
    yield* packDirectory(inside, `${path}/`, packing);
  } else if (header.size > 0) yield* content(found, header.size);
}

/** Exactly `size` bytes: a file that shrinks meanwhile is filled with zeros, one that grows is cut, as GNU tar does. */
async function* content(found: Fd, size: number): AsyncGenerator<Uint8Array, void, undefined> {
  using file = reopen(found, O.RDONLY | O.NONBLOCK);
  for (let at = 0; at < size; ) {
    const want = Math.min(CHUNK, size - at);
    const { bytesRead, buffer } = await read(file.fd, Buffer.allocUnsafe(want), 0, want, at);
    if (bytesRead === 0) buffer.fill(0);
    const got = bytesRead === 0 ? want : bytesRead;
    yield buffer.subarray(0, got);
    at += got;
  }
  const fill = padding(size);
  if (fill.length > 0) yield fill;
}

function headerOf(found: Fd, stat: FileStat, type: TarEntryType, path: string): TarHeader {
  return {
    name: type === 'directory' ? `${path}/` : path,
    type,
    linkName: type === 'symlink' ? readlinkat(found, '') : '',
    mode: stat.mode & 0o7777,
    uid: stat.uid,
    gid: stat.gid,
    size: type === 'file' ? stat.size : 0,
    mtimeNs: stat.mtimeNs,
    devMajor: type === 'char' || type === 'block' ? stat.rdevMajor : 0,
    devMinor: type === 'char' || type === 'block' ? stat.rdevMinor : 0,
    xattrs: type === 'symlink' ? new Map() : xattrsOf(found),
  };
}

function xattrsOf(found: Fd): Map<string, Buffer> {
  const xattrs = new Map<string, Buffer>();
  for (const name of flistxattr(found)) {
    if (isOverlayXattr(name) || HOST_XATTRS.has(name)) continue;
    const value = fgetxattr(found, name);
    if (value) xattrs.set(name, value);
  }
  return xattrs;
}

/** A descriptor of whatever the name is, without opening it for reading: a FIFO or a device must not be touched. */
function openEntry(directory: Fd, name: string): Fd | undefined {
  try {
    return openat2(directory, name, { flags: O.PATH | O.NOFOLLOW, resolve: RESOLVE.BENEATH });
  } catch (thrown) {
    if (thrown instanceof WharfError && thrown.kind === 'not-found') return undefined;
    throw thrown;
  }
}

/** The very inode of a path descriptor, opened for reading. */
function reopen(found: Fd, flags: number): Fd {
  return openat2('/proc/self/fd', String(found.fd), { flags });
}

function blank(name: string): TarHeader {
  return {
    name,
    type: 'file',
    linkName: '',
    mode: 0o600,
    uid: 0,
    gid: 0,
    size: 0,
    mtimeNs: 0n,
    devMajor: 0,
    devMinor: 0,
    xattrs: new Map(),
  };
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
