import { fstatat } from './at.ts';
import { isErrno } from './errno.ts';
import { type Fd, O } from './fd.ts';
import { openat2, RESOLVE } from './openat2.ts';

const FOLDER = O.RDONLY | O.DIRECTORY;
/** One name, and nowhere else: no link is followed, and no mount is entered. */
const ONE_NAME = RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS | RESOLVE.NO_XDEV;

/**
 * A place in a folder tree that moves up and down by single names. A container can make trees that are deeper than any path
 * and than the descriptors of a process: this holds two, and a third while it moves. It never leaves its top, whoever renames
 * meanwhile.
 */
export class TreeCursor implements Disposable {
  private readonly top: Fd;
  private place: Fd;
  private readonly way: { name: string; ino: bigint }[] = [];
  private readonly topIno: bigint;

  /** Errors: those of `openat2(2)` for the folder `name` in `parent`, or at a path of ours. */
  constructor(parent: Fd | string, name = '.') {
    const resolve = name === '.' ? 0 : ONE_NAME;
    this.top = openat2(parent, name, { flags: FOLDER | O.NOFOLLOW, resolve });
    this.place = openat2(this.top, '.', { flags: FOLDER });
    this.topIno = fstatat(this.top, '').ino;
  }

  /** The folder it is in; closed by the next move. */
  get here(): Fd {
    return this.place;
  }

  /** How many folders below the top. */
  get depth(): number {
    return this.way.length;
  }

  /** Moves into a folder here. False when there is none of that name (any more), or when it is a mount. */
  enter(name: string): boolean {
    const child = openFolder(this.place, name);
    if (!child) return false;
    this.way.push({ name, ino: fstatat(child, '').ino });
    this.moveTo(child);
    return true;
  }

  /**
   * Moves to the folder above. Where this one was moved away meanwhile, that one is sought from the top by the names of the
   * way; if it is gone as well, the cursor comes to rest in what is left of the way: its `depth` tells.
   */
  leave(): void {
    this.way.pop();
    const parent = openat2(this.place, '..', { flags: FOLDER });
    const expected = this.way.at(-1)?.ino ?? this.topIno;
    if (fstatat(parent, '').ino === expected) {
      this.moveTo(parent);
      return;
    }
    parent.close();
    this.moveTo(openat2(this.top, '.', { flags: FOLDER }));
    const way = this.way.splice(0);
    for (const { name, ino } of way) {
      if (!this.enter(name)) return;
      if (this.way.at(-1)?.ino === ino) continue;
      this.leave();
      return;
    }
  }

  [Symbol.dispose](): void {
    this.place.close();
    this.top.close();
  }

  private moveTo(folder: Fd): void {
    this.place.close();
    this.place = folder;
  }
}

function openFolder(parent: Fd, name: string): Fd | undefined {
  try {
    return openat2(parent, name, { flags: FOLDER | O.NOFOLLOW, resolve: ONE_NAME });
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EXDEV')) return undefined;
    throw thrown;
  }
}
