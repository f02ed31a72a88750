import { readSync } from 'node:fs';
import { constants } from 'node:os';
import { WharfError } from '../base/index.ts';
import {
  duplicateFd,
  encodeName,
  type Fd,
  type FileStat,
  fgetxattr,
  flistxattr,
  fstatat,
  O,
  openat2,
  readlinkat,
  readNames,
  seekData,
  systemError,
} from '../sys/index.ts';
import { isOverlayXattr, refuseWhiteoutName } from './entry-path.ts';
import { encodeHeader, padding } from './tar-format.ts';
import type { TarEntryType, TarHeader } from './types.ts';
import { below, openName, type ViewMount } from './view.ts';
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
/** Labels of the host's own security modules mean nothing elsewhere. */
const HOST_XATTRS = new Set(['security.selinux', 'security.ima', 'security.evm', 'system.nfs4_acl']);
const BILLION = 1_000_000_000n;
/** PATH_MAX. */
const MAX_PATH = 4096;
const BLOCK_OF_STAT = 512;

/** How a tree is packed. */
export interface PackRules {
  /** `tree`: all as it is. `overlay-upper`: overlayfs's whiteouts and opaque marks become those of a layer. */
  mode: 'tree' | 'overlay-upper';
  /** Later times become this one, nanoseconds since 1970. */
  clampTimeNs?: bigint | undefined;
  /** Leaves out the fractions of times, as Docker does: nearly every entry fits into one header block then. */
  wholeSeconds?: boolean | undefined;
}

interface Folder {
  fd: Fd;
  names: string[];
  at: number;
  /** Before each name in the tar. */
  prefix: string;
  /** In the view; only kept where there are mounts. */
  path: string;
}

/** A file whose content is under way. */
interface Content {
  fd: Fd;
  size: number;
  at: number;
  /** Where data begins again; `at` is in a hole before that. */
  data: number;
  sparse: boolean;
}

/**
 * Packs a tree by descriptors alone, so that one that changes meanwhile can't lead elsewhere: the caller adds what is to
 * be packed and fills pieces until nothing comes. Sorted by name, parents first; the same tree gives the same bytes.
 * Sockets are left out. A file that shrinks meanwhile is filled with zeros, one that grows is cut, as GNU tar does.
 */
export class TreePacker implements Disposable {
  private readonly rules: PackRules;
  private readonly mounts: ReadonlyMap<string, ViewMount>;
  private readonly folders: Folder[] = [];
  private readonly proc = openat2('/proc/self/fd', '.', { flags: O.PATH | O.DIRECTORY });
  /** The first name of a file that has several. */
  private readonly linked = new Map<string, string>();
  private pending: Buffer = Buffer.alloc(0);
  private content: Content | undefined;
  private ended = false;

  constructor(rules: PackRules, mounts: ReadonlyMap<string, ViewMount> = new Map()) {
    this.rules = rules;
    this.mounts = mounts;
  }

  /** Adds what the descriptor is, by that name; `path` is its place in the view. Called before the first piece. */
  addEntry(found: Fd, name: string, path: string): void {
    const stat = fstatat(found, '');
    const type = TYPES.get(stat.mode & S_IFMT);
    if (type) this.entry(found, stat, type, name, path);
  }

  /** Adds what is in a folder, each name behind the prefix. Called before the first piece. */
  addContents(folder: Fd, prefix: string, path: string): void {
    this.enter(this.reopen(folder, O.RDONLY | O.DIRECTORY, prefix), prefix, path);
  }

  /** Fills a piece. Returns its bytes; fewer than it has room for, or none, at the end. */
  fill(piece: Buffer): number {
    let at = 0;
    while (at < piece.length) {
      if (this.pending.length > 0) {
        const took = this.pending.copy(piece, at);
        this.pending = this.pending.subarray(took);
        at += took;
      } else if (this.content) at += this.read(this.content, piece, at);
      else if (!this.next()) break;
    }
    return at;
  }

  [Symbol.dispose](): void {
    this.content?.fd.close();
    for (const { fd } of this.folders.splice(0)) fd.close();
    this.proc.close();
  }

  /** Goes on to the next entry, or to the end mark; false behind that. */
  private next(): boolean {
    const folder = this.folders.at(-1);
    if (!folder) {
      if (this.ended) return false;
      this.ended = true;
      this.pending = endOfTar();
      return true;
    }
    const name = folder.names[folder.at];
    folder.at += 1;
    if (name === undefined) {
      this.folders.pop();
      folder.fd.close();
    } else this.child(folder, name);
    return true;
  }

  private child(folder: Folder, name: string): void {
    // Deeper than any path may be: bounds the descriptors that are held.
    if (folder.prefix.length + name.length > MAX_PATH)
      throw systemError('open', folder.prefix.slice(0, 200), constants.errno.ENAMETOOLONG);
    const path = this.mounts.size > 0 ? below(folder.path, name) : '';
    const mount = this.mounts.get(path);
    using found = mount ? duplicateFd(mount.fd) : openName(folder.fd, name);
    // Gone since the folder was read.
    if (!found) return;
    const stat = fstatat(found, '');
    const type = TYPES.get(stat.mode & S_IFMT);
    if (!type) return;
    if (this.isOverlay) refuseWhiteoutName(folder.prefix + name, type === 'directory');
    if (this.isOverlay && type === 'char' && stat.rdevMajor === 0 && stat.rdevMinor === 0)
      this.pending = encodeHeader(this.blank(`${folder.prefix}.wh.${name}`));
    else this.entry(found, stat, type, folder.prefix + name, path);
  }

  private get isOverlay(): boolean {
    return this.rules.mode === 'overlay-upper';
  }

  private entry(found: Fd, stat: FileStat, type: TarEntryType, name: string, path: string): void {
    if (type !== 'directory' && stat.nlink > 1) {
      const inode = `${stat.devMajor}:${stat.devMinor}:${stat.ino}`;
      const first = this.linked.get(inode);
      if (first !== undefined) {
        const header = this.header(found, stat, type, name);
        this.pending = encodeHeader({ ...header, type: 'link', linkName: first, size: 0 });
        return;
      }
      this.linked.set(inode, name);
    }
    const header = this.header(found, stat, type, name);
    if (type === 'file') this.file(found, stat, header);
    else if (type === 'directory') this.directory(found, header, path);
    else {
      if (type !== 'symlink') header.xattrs = xattrsOf(found);
      this.pending = encodeHeader(header);
    }
  }

  private file(found: Fd, stat: FileStat, header: TarHeader): void {
    const fd = this.reopen(found, O.RDONLY | O.NONBLOCK, header.name);
    const { size } = stat;
    this.content = { fd, size, at: 0, data: 0, sparse: stat.blocks * BLOCK_OF_STAT < size };
    header.xattrs = xattrsOf(fd);
    this.pending = encodeHeader(header);
    if (size === 0) this.endContent();
  }

  private directory(found: Fd, header: TarHeader, path: string): void {
    const fd = this.reopen(found, O.RDONLY | O.DIRECTORY, header.name);
    header.xattrs = xattrsOf(fd);
    if (!header.name.endsWith('/')) header.name += '/';
    this.pending = encodeHeader(header);
    this.enter(fd, header.name, path);
  }

  private enter(fd: Fd, prefix: string, path: string): void {
    const opaque = this.isOverlay && fgetxattr(fd, 'trusted.overlay.opaque')?.toString('latin1') === 'y';
    if (opaque)
      this.pending = Buffer.concat([this.pending, encodeHeader(this.blank(`${prefix}.wh..wh..opq`))]);
    const names = readNames(fd);
    for (const missing of this.mountsIn(path)) if (!names.includes(missing)) names.push(missing);
    this.folders.push({ fd, names: inOrder(names), at: 0, prefix, path });
  }

  /** Names of a folder that only a mount puts there. */
  private mountsIn(folder: string): string[] {
    const start = below(folder, '');
    const inside = [...this.mounts.keys()].filter((path) => path.startsWith(start));
    return inside
      .map((path) => path.slice(start.length))
      .filter((name) => name !== '' && !name.includes('/'));
  }

  private read(content: Content, piece: Buffer, from: number): number {
    const room = Math.min(content.size - content.at, piece.length - from);
    if (content.sparse && content.at >= content.data)
      content.data = seekData(content.fd, content.at) ?? content.size;
    const hole = Math.min(content.data - content.at, room);
    const got = hole > 0 ? 0 : readSync(content.fd.fd, piece, from, room, content.at);
    const zeros = hole > 0 ? hole : got === 0 ? room : 0;
    if (zeros > 0) piece.fill(0, from, from + zeros);
    content.at += got + zeros;
    if (content.at === content.size) this.endContent();
    return got + zeros;
  }

  private endContent(): void {
    const { content } = this;
    this.content = undefined;
    content?.fd.close();
    if (content && content.size > 0) this.pending = padding(content.size);
  }

  private header(found: Fd, stat: FileStat, type: TarEntryType, name: string): TarHeader {
    const isNode = type === 'char' || type === 'block';
    return {
      name,
      type,
      linkName: type === 'symlink' ? readlinkat(found, '') : '',
      mode: stat.mode & 0o7777,
      uid: stat.uid,
      gid: stat.gid,
      size: type === 'file' ? stat.size : 0,
      mtimeNs: this.time(stat.mtimeNs),
      devMajor: isNode ? stat.rdevMajor : 0,
      devMinor: isNode ? stat.rdevMinor : 0,
      xattrs: new Map(),
    };
  }

  private time(ns: bigint): bigint {
    const { clampTimeNs, wholeSeconds } = this.rules;
    const time = clampTimeNs !== undefined && ns > clampTimeNs ? clampTimeNs : ns;
    return wholeSeconds ? time - (((time % BILLION) + BILLION) % BILLION) : time;
  }

  /** The very inode of a path descriptor, opened for reading; `name` is for the error. */
  private reopen(found: Fd, flags: number, name: string): Fd {
    try {
      return openat2(this.proc, String(found.fd), { flags });
    } catch (thrown) {
      const { errno } = (WharfError.from(thrown).cause ?? {}) as { errno?: number };
      throw errno === undefined ? thrown : systemError('open', name, -errno);
    }
  }

  private blank(name: string): TarHeader {
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

/** By their bytes. That is JavaScript's own order, but for what takes two units, or stands behind those. */
function inOrder(names: string[]): string[] {
  if (!names.some((name) => /[\ud800-\uffff]/.test(name))) return names.sort();
  return names.sort((a, b) => Buffer.compare(encodeName(a), encodeName(b)));
}
