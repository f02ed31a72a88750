import { fchmodSync, fchownSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { errnoCode, WharfError } from '../base/index.ts';
import {
  type Fd,
  type FileStat,
  fchmodat,
  fchownat,
  fgetxattr,
  fsetxattr,
  fstatat,
  linkat,
  lsetxattr,
  mkdirat,
  mknodat,
  O,
  openat2,
  openInRoot,
  RESOLVE,
  symlinkat,
  unlinkat,
  utimensat,
} from '../sys/index.ts';
import { cleanPath, isOverlayXattr, layerPath } from './entry-path.ts';
import { refuse } from './limits.ts';
import { OpenDirectories } from './open-directories.ts';
import type { TarSink } from './tar-decoder.ts';
import type { TarHeader } from './types.ts';

const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const NODE_TYPES = { fifo: 0o010000, char: 0o020000, block: 0o060000 } as const;
const OPAQUE_XATTR = 'trusted.overlay.opaque';
const DEFAULT_ACL = 'system.posix_acl_default';
const ONE_NAME = RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS;
/** Filesystems without such attributes, or a namespace that may not set them: the file is good without. */
const XATTR_REFUSED = new Set(['ENOTSUP', 'EOPNOTSUPP', 'EPERM']);

/** `overlay` writes whiteouts in overlayfs's form; `plain` takes names that look like whiteouts as they are. */
export type WhiteoutForm = 'overlay' | 'plain';

/**
 * Writes the entries of an archive below a directory, and nowhere else: every parent is opened from the root's descriptor
 * with links resolved inside it, and the last name is made, replaced or linked by a call that follows nothing.
 */
export class LayerWriter implements TarSink, Disposable {
  /** Apparent bytes of the files and symbolic links that are there now, hard links once: what Docker calls a layer's size. */
  fileBytes = 0;
  private readonly root: Fd;
  private readonly form: WhiteoutForm;
  private readonly directories: OpenDirectories;
  /** Times of directories, set at the end: what is made in them would change them. */
  private readonly directoryTimes = new Map<string, bigint>();
  /** The file under way, and what it lacks of its header. */
  private file: { fd: Fd; header: TarHeader; owner: boolean; mode: boolean } | undefined;
  /** Bits that a new file never gets. */
  private readonly umask = processUmask();
  /** True while new files get exactly the mode they are made with: no default ACL was seen (acl(5)). */
  private exactModes: boolean;

  constructor(root: string, form: WhiteoutForm) {
    this.root = openat2(root, '.', { flags: O.RDONLY | O.DIRECTORY });
    this.directories = new OpenDirectories(this.root);
    this.form = form;
    this.exactModes = fgetxattr(this.root, DEFAULT_ACL) === undefined;
  }

  entry(header: TarHeader): void {
    this.directories.closeForgotten();
    checkOwner(header);
    guarded(header, () => this.write(header));
  }

  data(bytes: Uint8Array): void {
    if (!this.file) return;
    const { fd, header } = this.file;
    guarded(header, () => {
      for (let at = 0; at < bytes.byteLength; ) at += writeSync(fd.fd, bytes, at, bytes.byteLength - at);
    });
  }

  end(): void {
    if (!this.file) return;
    using fd = this.file.fd;
    const { header, owner, mode } = this.file;
    this.file = undefined;
    guarded(header, () => {
      if (owner) fchownSync(fd.fd, header.uid, header.gid);
      if (mode) fchmodSync(fd.fd, header.mode);
      if (header.xattrs.size > 0) this.attributes(fd, header);
      utimensat(fd, '', { atimeNs: header.mtimeNs, mtimeNs: header.mtimeNs });
    });
  }

  /** Sets the times of directories. Called once, after the last entry. */
  finish(): void {
    for (const [path, time] of this.directoryTimes) {
      using directory = this.existing(path);
      if (directory) utimensat(directory, '', { atimeNs: time, mtimeNs: time });
    }
  }

  [Symbol.dispose](): void {
    this.directories[Symbol.dispose]();
    this.file?.fd.close();
    this.root.close();
  }

  private write(header: TarHeader): void {
    const place = this.form === 'overlay' ? layerPath(header.name) : plainPath(header.name);
    if (place.kind === 'skip') return;
    if (place.kind === 'root') {
      if (header.type !== 'directory') refuse(`the root can't be a ${header.type}`);
      this.ownerModeAndAttributes(this.root, header);
      this.directoryTimes.set('.', header.mtimeNs);
      return;
    }
    const parent = this.directories.open(place.parent);
    const path = place.parent === '' || place.kind === 'opaque' ? '' : `${place.parent}/`;
    if (place.kind === 'opaque') fsetxattr(parent, OPAQUE_XATTR, Buffer.from('y'));
    else if (place.kind === 'whiteout') this.whiteout(parent, place.name);
    else if (header.type === 'directory') this.directory(parent, place.name, path + place.name, header);
    else this.make(parent, place.name, header);
  }

  /** Makes anything but a directory. A name that is taken makes room: the last entry of a name wins. */
  private make(parent: Fd, name: string, header: TarHeader): void {
    try {
      this.create(parent, name, header);
    } catch (thrown) {
      if (errnoCode((thrown as Error).cause) !== 'EEXIST') throw thrown;
      if (header.type === 'link' && this.isItself(parent, name, header)) return;
      this.clear(parent, name);
      this.create(parent, name, header);
    }
  }

  private create(parent: Fd, name: string, header: TarHeader): void {
    switch (header.type) {
      case 'file': {
        const flags = O.WRONLY | O.CREAT | O.EXCL | O.NOFOLLOW;
        const exact = this.exactModes && (header.mode & ~0o777) === 0 && (header.mode & this.umask) === 0;
        const mode = exact ? header.mode : 0o600;
        const fd = openat2(parent, name, { flags, mode, resolve: ONE_NAME });
        this.file = { fd, header, owner: !this.isOwnerOfNew(parent, header), mode: !exact };
        this.fileBytes += header.size;
        return;
      }
      case 'link': {
        const target = this.linkTarget(header);
        using from = target.directory;
        linkat(from, target.name, parent, name);
        return;
      }
      case 'symlink':
        if (header.linkName === '') refuse(`the link ${JSON.stringify(header.name)} has no target`);
        symlinkat(header.linkName, parent, name);
        this.fileBytes += Buffer.byteLength(header.linkName);
        break;
      default:
        mknodat(parent, name, NODE_TYPES[header.type as 'fifo'] | 0o600, header.devMajor, header.devMinor);
        break;
    }
    if (!this.isOwnerOfNew(parent, header)) fchownat(parent, name, header.uid, header.gid);
    if (header.type !== 'symlink') fchmodat(parent, name, header.mode);
    if (header.xattrs.size > 0)
      setXattrs(header, (key, value) => lsetxattr(`/proc/self/fd/${parent.fd}/${name}`, key, value));
    utimensat(parent, name, { atimeNs: header.mtimeNs, mtimeNs: header.mtimeNs });
  }

  /** A new file is this process's, or its directory's group's when that is setgid (inode(7)): most need no other owner. */
  private isOwnerOfNew(parent: Fd, { uid, gid }: TarHeader): boolean {
    if (uid !== 0 || gid !== 0 || process.geteuid?.() !== 0 || process.getegid?.() !== 0) return false;
    return this.directories.groupOf(parent) === 0;
  }

  /** Owner before mode, because chown clears setuid; attributes after both, because chown clears file capabilities. */
  private ownerModeAndAttributes(fd: Fd, header: TarHeader): void {
    fchownSync(fd.fd, header.uid, header.gid);
    if (header.gid !== 0) this.directories.regrouped();
    fchmodSync(fd.fd, header.mode);
    if (header.xattrs.size > 0) this.attributes(fd, header);
  }

  private attributes(fd: Fd, header: TarHeader): void {
    if (header.xattrs.has(DEFAULT_ACL)) this.exactModes = false;
    setXattrs(header, (name, value) => fsetxattr(fd, name, value));
  }

  private linkTarget(header: TarHeader): { directory: Fd; name: string } {
    const parts = cleanPath(header.linkName);
    const name = parts.pop();
    if (name === undefined) refuse(`the link ${JSON.stringify(header.name)} has no target`);
    return { directory: openInRoot(this.root, parts.join('/'), O.PATH | O.DIRECTORY), name };
  }

  private isItself(parent: Fd, name: string, header: TarHeader): boolean {
    const target = this.linkTarget(header);
    using from = target.directory;
    const [one, other] = [fstatat(from, target.name), fstatat(parent, name)];
    return one.ino === other.ino && one.devMajor === other.devMajor && one.devMinor === other.devMinor;
  }

  private directory(parent: Fd, name: string, path: string, header: TarHeader): void {
    let opaque = false;
    try {
      mkdirat(parent, name, 0o700);
    } catch (thrown) {
      if (errnoCode((thrown as Error).cause) !== 'EEXIST') throw thrown;
      const stat = fstatat(parent, name);
      if (!isDirectory(stat)) {
        // A whiteout came first: what lies below must stay hidden.
        opaque = this.form === 'overlay' && isWhiteout(stat);
        this.clear(parent, name);
        mkdirat(parent, name, 0o700);
      }
    }
    const made = openat2(parent, name, { flags: O.RDONLY | O.DIRECTORY | O.NOFOLLOW, resolve: ONE_NAME });
    try {
      this.ownerModeAndAttributes(made, header);
      if (opaque) fsetxattr(made, OPAQUE_XATTR, Buffer.from('y'));
    } catch (thrown) {
      made.close();
      throw thrown;
    }
    this.directories.remember(path, made);
    this.directoryTimes.set(path, header.mtimeNs);
  }

  /** A whiteout deletes from the layers below alone: what this layer brought itself stays (image-spec `layer.md`). */
  private whiteout(parent: Fd, name: string): void {
    try {
      mknodat(parent, name, NODE_TYPES.char, 0, 0);
    } catch (thrown) {
      if (errnoCode((thrown as Error).cause) !== 'EEXIST') throw thrown;
      if (!isDirectory(fstatat(parent, name))) return;
      using directory = openat2(parent, name, {
        flags: O.RDONLY | O.DIRECTORY | O.NOFOLLOW,
        resolve: ONE_NAME,
      });
      fsetxattr(directory, OPAQUE_XATTR, Buffer.from('y'));
    }
  }

  private clear(parent: Fd, name: string): void {
    // Any open path may have led through what goes now.
    this.directories.forget();
    this.fileBytes -= removeTree(parent, name);
  }

  private existing(path: string): Fd | undefined {
    try {
      return openInRoot(this.root, path, O.PATH | O.DIRECTORY | O.NOFOLLOW);
    } catch (thrown) {
      const code = errnoCode((thrown as Error).cause) ?? '';
      if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(code)) return undefined;
      throw thrown;
    }
  }
}

/** What an archive asks for that the filesystem can't do. */
const IMPOSSIBLE = new Set(
  'ENOTDIR EISDIR ELOOP ENOENT EPERM ENAMETOOLONG EXDEV EINVAL EMLINK ERANGE E2BIG'.split(' '),
);
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'EFBIG']);

/** Runs a step of an entry; refusals of the system become `invalid` where the archive is to blame, `exhausted` where room is. */
function guarded(header: TarHeader, step: () => void): void {
  try {
    step();
  } catch (thrown) {
    const code = errnoCode(thrown) ?? errnoCode((thrown as Error).cause) ?? '';
    const what = `${JSON.stringify(header.name.slice(0, 200))} can't be unpacked: ${(thrown as Error).message}`;
    if (IMPOSSIBLE.has(code)) refuse(what);
    if (FULL.has(code)) throw new WharfError('exhausted', `archive: ${what}`, { cause: thrown });
    throw WharfError.from(thrown);
  }
}

/** The kernel takes 32 bits, and the last number for "leave it as it is" (chown(2)). */
function checkOwner({ name, uid, gid }: TarHeader): void {
  if ([uid, gid].some((id) => id < 0 || id >= 0xffffffff))
    refuse(`${JSON.stringify(name.slice(0, 200))} has the owner ${uid}:${gid}, which is none`);
}

function plainPath(entryName: string): { kind: 'root' } | { kind: 'entry'; parent: string; name: string } {
  const parts = cleanPath(entryName);
  const name = parts.pop();
  return name === undefined ? { kind: 'root' } : { kind: 'entry', parent: parts.join('/'), name };
}

function setXattrs(header: TarHeader, set: (name: string, value: Buffer) => void): void {
  for (const [name, value] of header.xattrs) {
    if (isOverlayXattr(name)) continue;
    try {
      set(name, value);
    } catch (thrown) {
      if (!XATTR_REFUSED.has(errnoCode((thrown as Error).cause) ?? '')) throw thrown;
    }
  }
}

/** Returns the bytes of the files and links that are gone with it; a file with another name stays. */
function removeTree(parent: Fd, name: string): number {
  const stat = fstatat(parent, name);
  if (!isDirectory(stat)) {
    unlinkat(parent, name);
    return stat.nlink === 1 ? stat.size : 0;
  }
  let bytes = 0;
  {
    using directory = openat2(parent, name, {
      flags: O.RDONLY | O.DIRECTORY | O.NOFOLLOW,
      resolve: ONE_NAME,
    });
    for (const child of readdirSync(`/proc/self/fd/${directory.fd}`)) bytes += removeTree(directory, child);
  }
  unlinkat(parent, name, { directory: true });
  return bytes;
}

/** From /proc: Node's own way changes it for a moment, for all threads. */
function processUmask(): number {
  const text = /^Umask:\s*([0-7]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return text === undefined ? 0o777 : Number.parseInt(text, 8);
}

function isDirectory(stat: FileStat): boolean {
  return (stat.mode & S_IFMT) === S_IFDIR;
}

function isWhiteout(stat: FileStat): boolean {
  return (stat.mode & S_IFMT) === NODE_TYPES.char && stat.rdevMajor === 0 && stat.rdevMinor === 0;
}
