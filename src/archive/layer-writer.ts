import { errnoCode } from '../base/index.ts';
import {
  type Fd,
  type FileStat,
  fsetxattr,
  fstatat,
  mkdirat,
  mknodat,
  O,
  openat2,
  openInRoot,
  utimensat,
} from '../sys/index.ts';
import {
  checkOwner,
  EntryMaker,
  guarded,
  isDirectory,
  type LinkSource,
  NODE_TYPES,
  ONE_NAME,
} from './entry-maker.ts';
import { cleanPath, layerPath } from './entry-path.ts';
import { refuse } from './limits.ts';
import { OpenDirectories } from './open-directories.ts';
import type { TarSink } from './tar-decoder.ts';
import type { TarHeader } from './types.ts';

const S_IFMT = 0o170000;
const OPAQUE_XATTR = 'trusted.overlay.opaque';

/** `overlay` writes whiteouts in overlayfs's form; `plain` takes names that look like whiteouts as they are. */
export type WhiteoutForm = 'overlay' | 'plain';

/**
 * Writes the entries of an archive below a directory, and nowhere else: every parent is opened from the root's descriptor
 * with links resolved inside it, and the last name is made, replaced or linked by a call that follows nothing.
 */
export class LayerWriter implements TarSink, Disposable {
  private readonly root: Fd;
  private readonly form: WhiteoutForm;
  private readonly directories: OpenDirectories;
  /** Times of directories, set at the end: what is made in them would change them. */
  private readonly directoryTimes = new Map<string, bigint>();
  private readonly maker: EntryMaker;

  constructor(root: string, form: WhiteoutForm) {
    this.root = openat2(root, '.', { flags: O.RDONLY | O.DIRECTORY });
    this.directories = new OpenDirectories(this.root);
    this.form = form;
    this.maker = new EntryMaker(this.root, {
      linkSource: (header) => this.linkSource(header),
    });
  }

  entry(header: TarHeader): void {
    this.directories.closeForgotten();
    checkOwner(header);
    guarded(header, () => this.write(header));
  }

  data(bytes: Uint8Array): void {
    const header = this.maker.underWay;
    if (header) guarded(header, () => this.maker.data(bytes));
  }

  end(): void {
    const header = this.maker.underWay;
    if (header) guarded(header, () => this.maker.end());
  }

  /** Apparent bytes of the files and symbolic links that are there now, hard links once: what Docker calls a layer's size. */
  get fileBytes(): number {
    return this.maker.fileBytes;
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
    this.maker[Symbol.dispose]();
    this.root.close();
  }

  private write(header: TarHeader): void {
    const place = this.form === 'overlay' ? layerPath(header.name) : plainPath(header.name);
    if (place.kind === 'skip') return;
    if (place.kind === 'root') {
      if (header.type !== 'directory') refuse(`the root can't be a ${header.type}`);
      this.maker.settle(this.root, header);
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
      this.maker.create(parent, name, header);
    } catch (thrown) {
      if (errnoCode((thrown as Error).cause) !== 'EEXIST') throw thrown;
      if (header.type === 'link' && this.maker.isItself(parent, name, header)) return;
      this.clear(parent, name);
      this.maker.create(parent, name, header);
    }
  }

  private linkSource(header: TarHeader): LinkSource {
    const parts = cleanPath(header.linkName);
    const name = parts.pop();
    if (name === undefined) refuse(`the link ${JSON.stringify(header.name)} has no target`);
    return { directory: openInRoot(this.root, parts.join('/'), O.PATH | O.DIRECTORY), name };
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
      this.maker.settle(made, header);
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
    this.maker.clear(parent, name);
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

function plainPath(entryName: string): { kind: 'root' } | { kind: 'entry'; parent: string; name: string } {
  const parts = cleanPath(entryName);
  const name = parts.pop();
  return name === undefined ? { kind: 'root' } : { kind: 'entry', parent: parts.join('/'), name };
}

function isWhiteout(stat: FileStat): boolean {
  return (stat.mode & S_IFMT) === NODE_TYPES.char && stat.rdevMajor === 0 && stat.rdevMinor === 0;
}
