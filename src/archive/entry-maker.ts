import { fchmodSync, fchownSync, fstatSync, ftruncateSync, readFileSync, writeSync } from 'node:fs';
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
  mknodat,
  O,
  openat2,
  RESOLVE,
  removeTree,
  symlinkat,
  utimensat,
} from '../sys/index.ts';
import { isOverlayXattr } from './entry-path.ts';
import { refuse } from './limits.ts';
import type { TarHeader } from './types.ts';

const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
/** Type bits of nodes. */
export const NODE_TYPES = { fifo: 0o010000, char: 0o020000, block: 0o060000 } as const;
const DEFAULT_ACL = 'system.posix_acl_default';
/** Resolution of a single name. */
export const ONE_NAME = RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS;
/** Filesystems without such attributes, or a namespace that may not set them: the file is good without. */
const XATTR_REFUSED = new Set(['ENOTSUP', 'EOPNOTSUPP', 'EPERM']);
/** The unit in which zeros are looked for: what filesystems allocate. */
const PAGE = 4096;
const ZEROS = Buffer.alloc(PAGE);

/** Where a hard link's other name is. */
export interface LinkSource {
  directory: Fd;
  name: string;
}

/** How entries are made. */
export interface MakerOptions {
  /** Opens the folder of a hard link's target; the maker closes it. */
  linkSource: (header: TarHeader) => LinkSource;
}

/** Makes the entries of an archive, each by its name in an open folder, by calls that follow nothing. */
export class EntryMaker implements Disposable {
  /** Apparent bytes of the files and symbolic links that are there now, hard links once. */
  fileBytes = 0;
  private readonly options: MakerOptions;
  /** The file under way, and what it lacks of its header. */
  private file:
    | { fd: Fd; header: TarHeader; owner: boolean; mode: boolean; at: number; written: number }
    | undefined;
  /** Bits that a new file never gets. */
  private readonly umask = processUmask();
  /** True while new files get exactly the mode they are made with: no default ACL was seen (acl(5)). */
  private exactModes: boolean;
  private groups = new WeakMap<Fd, number>();

  /** The root is asked for a default ACL, which what is made in it would inherit. */
  constructor(root: Fd, options: MakerOptions) {
    this.options = options;
    this.exactModes = fgetxattr(root, DEFAULT_ACL) === undefined;
  }

  /** Makes anything but a folder. Errors: EEXIST where the name is taken. */
  create(parent: Fd, name: string, header: TarHeader): void {
    switch (header.type) {
      case 'file':
        this.begin(parent, name, header);
        return;
      case 'link': {
        const source = this.options.linkSource(header);
        using from = source.directory;
        linkat(from, source.name, parent, name);
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

  /** Content of the file under way. Errors are those of `node:fs`. */
  data(bytes: Uint8Array): void {
    if (this.file) this.writeSparse(this.file, bytes);
  }

  /** The header of the file under way, if there is one. */
  get underWay(): TarHeader | undefined {
    return this.file?.header;
  }

  /** Ends the file under way: its owner, mode, attributes and times, in an order in which none undoes another. */
  end(): void {
    if (!this.file) return;
    using fd = this.file.fd;
    const { header, owner, mode, written } = this.file;
    this.file = undefined;
    // It ends in a hole.
    if (written < header.size) ftruncateSync(fd.fd, header.size);
    if (owner) fchownSync(fd.fd, header.uid, header.gid);
    if (mode) fchmodSync(fd.fd, header.mode);
    if (header.xattrs.size > 0) this.attributes(fd, header);
    utimensat(fd, '', { atimeNs: header.mtimeNs, mtimeNs: header.mtimeNs });
  }

  /** Owner before mode, because chown clears setuid; attributes after both, because chown clears file capabilities. */
  settle(folder: Fd, header: TarHeader): void {
    fchownSync(folder.fd, header.uid, header.gid);
    // It may be open by another path, too: all are asked again.
    if (header.gid !== 0) this.groups = new WeakMap();
    fchmodSync(folder.fd, header.mode);
    if (header.xattrs.size > 0) this.attributes(folder, header);
  }

  /** Removes what has the name, with all that is in it. */
  clear(parent: Fd, name: string): void {
    removeTree(parent, name, (gone) => {
      // A file with another name stays.
      if (gone.nlink === 1) this.fileBytes -= gone.size;
    });
  }

  /** True when a hard link's source is what has the name already. */
  isItself(parent: Fd, name: string, header: TarHeader): boolean {
    const source = this.options.linkSource(header);
    using from = source.directory;
    const [one, other] = [fstatat(from, source.name), fstatat(parent, name)];
    return one.ino === other.ino && one.devMajor === other.devMajor && one.devMinor === other.devMinor;
  }

  [Symbol.dispose](): void {
    this.file?.fd.close();
  }

  private begin(parent: Fd, name: string, header: TarHeader): void {
    const flags = O.WRONLY | O.CREAT | O.EXCL | O.NOFOLLOW;
    const exact = this.exactModes && (header.mode & ~0o777) === 0 && (header.mode & this.umask) === 0;
    const mode = exact ? header.mode : 0o600;
    const fd = openat2(parent, name, { flags, mode, resolve: ONE_NAME });
    this.file = { fd, header, owner: !this.isOwnerOfNew(parent, header), mode: !exact, at: 0, written: 0 };
    this.fileBytes += header.size;
  }

  private write(
    file: { fd: Fd; at: number; written: number },
    bytes: Uint8Array,
    from: number,
    to: number,
  ): void {
    for (let at = from; at < to; ) {
      const wrote = writeSync(file.fd.fd, bytes, at, to - at, file.at);
      at += wrote;
      file.at += wrote;
      file.written = file.at;
    }
  }

  /** Steps over pages of zeros; they are holes, for the file is new. */
  private writeSparse(file: { fd: Fd; at: number; written: number }, bytes: Uint8Array): void {
    let from = 0;
    for (let at = 0; at < bytes.byteLength; ) {
      const end = Math.min(bytes.byteLength, at + PAGE - ((file.at + at - from) % PAGE));
      if (isZero(bytes, at, end)) {
        this.write(file, bytes, from, at);
        file.at += end - at;
        from = end;
      }
      at = end;
    }
    this.write(file, bytes, from, bytes.byteLength);
  }

  /** A new file is this process's, or its directory's group's when that is setgid (inode(7)): most need no other owner. */
  private isOwnerOfNew(parent: Fd, { uid, gid }: TarHeader): boolean {
    if (uid !== 0 || gid !== 0 || process.geteuid?.() !== 0 || process.getegid?.() !== 0) return false;
    let group = this.groups.get(parent);
    if (group === undefined) {
      group = fstatSync(parent.fd).gid;
      this.groups.set(parent, group);
    }
    return group === 0;
  }

  private attributes(fd: Fd, header: TarHeader): void {
    if (header.xattrs.has(DEFAULT_ACL)) this.exactModes = false;
    setXattrs(header, (name, value) => fsetxattr(fd, name, value));
  }
}

/** What an archive asks for that the filesystem can't do. */
const IMPOSSIBLE = new Set(
  'ENOTDIR EISDIR ELOOP ENOENT EPERM ENAMETOOLONG EXDEV EINVAL EMLINK ERANGE E2BIG'.split(' '),
);
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'EFBIG']);

/** Runs a step of an entry; refusals of the system become `invalid` where the archive is to blame, `exhausted` where room is. */
export function guarded(header: TarHeader, step: () => void): void {
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
export function checkOwner({ name, uid, gid }: TarHeader): void {
  if ([uid, gid].some((id) => id < 0 || id >= 0xffffffff))
    refuse(`${JSON.stringify(name.slice(0, 200))} has the owner ${uid}:${gid}, which is none`);
}

/** True for a folder. */
export function isDirectory(stat: FileStat): boolean {
  return (stat.mode & S_IFMT) === S_IFDIR;
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

/** From /proc: Node's own way changes it for a moment, for all threads. */
function processUmask(): number {
  const text = /^Umask:\s*([0-7]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return text === undefined ? 0o777 : Number.parseInt(text, 8);
}

function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  // Nearly all data shows at its first byte.
  return bytes[from] === 0 && ZEROS.compare(bytes, from, to, 0, to - from) === 0;
}
