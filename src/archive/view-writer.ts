import { constants } from 'node:os';
import { errnoCode, WharfError } from '../base/index.ts';
import {
  duplicateFd,
  type Fd,
  fchmodat,
  fchownat,
  fstatat,
  isErrno,
  mkdirat,
  O,
  openat2,
  systemError,
  utimensat,
} from '../sys/index.ts';
import { checkOwner, EntryMaker, isDirectory, type LinkSource, ONE_NAME } from './entry-maker.ts';
import type { TarSink } from './tar-decoder.ts';
import type { TarHeader } from './types.ts';
import { below, type Located, type ResolvedView, walk } from './view.ts';

/** How entries are placed. */
export interface PlacementRules {
  /** Whether a folder may be replaced by something else, and something else by a folder. */
  overwriteDirNonDir: boolean;
  /** Whom all entries belong to, instead of whom the archive names. */
  owner?: { uid: number; gid: number } | undefined;
  /** The name of the view's root in texts. */
  title: string;
}

const MOST_OPEN = 64;
/** Mode of folders that the archive doesn't name. */
const IMPLIED_MODE = 0o755;

/**
 * Writes the entries of an archive into a view, and nowhere else: the folder of each is walked to inside the view, and its
 * name is made, replaced or linked by a call that follows nothing. An entry replaces what has its name, unless both are
 * folders. What a mount covers stays as it is.
 */
export class ViewWriter implements TarSink, Disposable {
  private readonly view: ResolvedView;
  private readonly rules: PlacementRules;
  private readonly root: Located;
  private readonly maker: EntryMaker;
  /** Folders that were written to lately, by their cleaned names in the archive. */
  private readonly folders = new Map<string, Located & { fd: Fd }>();
  /** Set at the end: what is made in a folder would change its times. */
  private readonly folderTimes = new Map<string, bigint>();

  constructor(view: ResolvedView, rules: PlacementRules) {
    this.view = view;
    this.rules = rules;
    this.root = walk(view, '/', { followLast: true });
    this.maker = new EntryMaker(this.root.fd as Fd, {
      linkSource: (header) => this.linkSource(header),
    });
  }

  entry(header: TarHeader): void {
    const { owner } = this.rules;
    const placed = owner ? { ...header, ...owner } : header;
    checkOwner(placed);
    const parts = components(header.name, `invalid entry name ${JSON.stringify(header.name)}`);
    const name = parts.pop();
    // The folder that is copied into keeps what it is.
    if (name === undefined) return;
    const folder = this.open(parts.join('/'));
    if (folder.readOnly) throw systemError('openat', header.name, constants.errno.EROFS);
    const path = below(folder.path, name);
    if (header.type === 'directory') this.directory(folder, name, path, placed);
    else this.make(folder.fd, name, path, placed);
  }

  data(bytes: Uint8Array): void {
    try {
      this.maker.data(bytes);
    } catch (thrown) {
      throw asSystemError(thrown, this.maker.underWay);
    }
  }

  end(): void {
    this.maker.end();
  }

  /** Sets the times of folders. Called once, after the last entry. */
  finish(): void {
    for (const [path, time] of this.folderTimes) {
      using place = walk(this.view, path, { followLast: false });
      if (place.fd && place.stat && isDirectory(place.stat))
        utimensat(place.fd, '', { atimeNs: time, mtimeNs: time });
    }
  }

  [Symbol.dispose](): void {
    this.maker[Symbol.dispose]();
    this.forget();
    this.root[Symbol.dispose]();
  }

  /** Makes anything but a folder. */
  private make(parent: Fd, name: string, path: string, header: TarHeader): void {
    this.refuseMount(path, header, 'directory');
    try {
      this.maker.create(parent, name, header);
    } catch (thrown) {
      if (!isErrno(thrown, 'EEXIST')) throw thrown;
      if (header.type === 'link' && this.maker.isItself(parent, name, header)) return;
      if (!this.rules.overwriteDirNonDir && isDirectory(fstatat(parent, name)))
        this.refuseReplacement('directory', 'non-directory', header);
      this.maker.clear(parent, name);
      this.maker.create(parent, name, header);
    }
  }

  private directory(folder: Located & { fd: Fd }, name: string, path: string, header: TarHeader): void {
    using made = this.mounted(path, header) ?? this.openDirectory(folder.fd, name, path, header);
    this.maker.settle(made, header);
    this.folderTimes.set(path, header.mtimeNs);
  }

  private openDirectory(parent: Fd, name: string, path: string, header: TarHeader): Fd {
    try {
      mkdirat(parent, name, 0o700);
    } catch (thrown) {
      if (!isErrno(thrown, 'EEXIST')) throw thrown;
      if (!isDirectory(fstatat(parent, name))) {
        if (!this.rules.overwriteDirNonDir) this.refuseReplacement('non-directory', 'directory', header);
        this.refuseMount(path, header);
        this.maker.clear(parent, name);
        mkdirat(parent, name, 0o700);
      }
    }
    return openat2(parent, name, { flags: O.RDONLY | O.DIRECTORY | O.NOFOLLOW, resolve: ONE_NAME });
  }

  /** The folder that is mounted there, for what the archive says of it. */
  private mounted(path: string, header: TarHeader): Fd | undefined {
    const mount = this.view.mounts.get(path);
    if (!mount) return undefined;
    if (mount.readOnly) throw systemError('chmod', header.name, constants.errno.EROFS);
    if (!isDirectory(fstatat(mount.fd, ''))) this.refuseMount(path, header, 'non-directory');
    // The descriptor may be of O_PATH, by which nothing is changed.
    using held = duplicateFd(mount.fd);
    return openat2('/proc/self/fd', String(held.fd), { flags: O.RDONLY | O.DIRECTORY });
  }

  /** What is mounted, or has a mount beneath, stays: removing it would take the mount from the container that has it. */
  private refuseMount(path: string, header: TarHeader, kind?: 'directory' | 'non-directory'): void {
    const inside = `${path}/`;
    for (const [at, mount] of this.view.mounts) {
      if (at !== path && !at.startsWith(inside)) continue;
      // What must not be replaced for its kind is told first, as in Docker.
      const found = isDirectory(fstatat(mount.fd, '')) ? 'directory' : 'non-directory';
      if (at === path && found === kind && !this.rules.overwriteDirNonDir)
        this.refuseReplacement(kind, kind === 'directory' ? 'non-directory' : 'directory', header);
      throw systemError('unlinkat', header.name, constants.errno.EBUSY);
    }
  }

  private refuseReplacement(old: string, next: string, header: TarHeader): never {
    const name = JSON.stringify(components(header.name, '').join('/'));
    throw new WharfError(
      'internal',
      `cannot overwrite ${old} ${name} with ${next} ${JSON.stringify(this.rules.title)}`,
    );
  }

  private open(path: string): Located & { fd: Fd } {
    if (path === '') return this.root as Located & { fd: Fd };
    const known = this.folders.get(path);
    if (known) return known;
    const opened = walk(this.view, path, {
      followLast: true,
      make: (parent, name, readOnly) => this.makeImplied(parent, name, readOnly),
    });
    if (!opened.fd || !opened.stat || !isDirectory(opened.stat)) {
      opened[Symbol.dispose]();
      throw systemError('openat', path, constants.errno.ENOTDIR);
    }
    const [oldest] = this.folders.keys();
    if (this.folders.size >= MOST_OPEN && oldest !== undefined) this.close(oldest);
    const folder = opened as Located & { fd: Fd };
    this.folders.set(path, folder);
    return folder;
  }

  private makeImplied(parent: Fd, name: string, readOnly: boolean): void {
    if (readOnly) throw systemError('mkdirat', name, constants.errno.EROFS);
    try {
      mkdirat(parent, name, IMPLIED_MODE);
    } catch (thrown) {
      if (isErrno(thrown, 'EEXIST')) return;
      throw thrown;
    }
    const { uid, gid } = this.rules.owner ?? { uid: 0, gid: 0 };
    fchownat(parent, name, uid, gid);
    fchmodat(parent, name, IMPLIED_MODE);
  }

  private linkSource(header: TarHeader): LinkSource {
    const parts = components(header.linkName, `invalid hardlink target ${JSON.stringify(header.linkName)}`);
    const name = parts.pop();
    if (name === undefined)
      throw new WharfError('internal', `invalid hardlink target ${JSON.stringify(header.linkName)}`);
    using folder = walk(this.view, parts.join('/'), { followLast: true });
    if (!folder.fd) throw systemError('link', header.linkName, constants.errno.ENOENT);
    return { directory: duplicateFd(folder.fd), name };
  }

  private close(path: string): void {
    this.folders.get(path)?.[Symbol.dispose]();
    this.folders.delete(path);
  }

  private forget(): void {
    for (const path of [...this.folders.keys()]) this.close(path);
  }
}

/** A name's components, `..` resolved by its letters. Errors: `internal` with that text for one that leads out. */
function components(name: string, text: string): string[] {
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) throw new WharfError('internal', text);
  }
  return parts;
}

function asSystemError(thrown: unknown, header: TarHeader | undefined): unknown {
  const code = errnoCode(thrown);
  const errno = code === undefined ? undefined : constants.errno[code as 'EIO'];
  return errno === undefined ? thrown : systemError('write', header?.name ?? '', errno);
}
