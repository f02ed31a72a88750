import { type FileStat, fstatat, unlinkat } from './at.ts';
import { isErrno } from './errno.ts';
import type { Fd } from './fd.ts';
import { readNames } from './file-name.ts';
import { TreeCursor } from './tree-cursor.ts';

const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;

/** How a tree is removed. */
export interface RemovalOptions {
  /** Is told of each file and link that is gone, as it was before. */
  onFile?: (stat: FileStat) => void;
  /** A step ends before a file of more bytes on the disk: filesystems take their time for those. */
  largest?: number;
}

/**
 * Removes a file, or a folder with all below it, by descriptors: never through a link, never what is mounted there, and with
 * few descriptors however deep it is. What can't be removed stays, and the rest goes nevertheless. Errors: the first of these;
 * `not-found` when there is nothing of that name.
 */
export function removeTree(parent: Fd, name: string, onFile?: (stat: FileStat) => void): void {
  using removal = new TreeRemoval(parent, name, onFile ? { onFile } : {});
  removal.step(Number.POSITIVE_INFINITY);
}

/** The removal of `name` in `parent` (which stays open meanwhile) by steps. */
export class TreeRemoval implements Disposable {
  private readonly parent: Fd;
  private readonly name: string;
  private readonly options: RemovalOptions;
  private cursor: TreeCursor | undefined;
  /** The folders from the top to the cursor, and what is still to be removed in each. */
  private readonly levels: { name: string; pending: string[] }[] = [];
  private failure: unknown;

  constructor(parent: Fd, name: string, options: RemovalOptions = {}) {
    this.parent = parent;
    this.name = name;
    this.options = options;
  }

  /** Goes on for so many names. True when there is no more to do. Errors, at the end: the first thing that can't be removed. */
  step(names: number): boolean {
    if (!this.cursor) {
      const what = this.removeFile(this.parent, this.name);
      if (what !== 'folder') return what === 'gone';
      this.cursor = new TreeCursor(this.parent, this.name);
      this.levels.push({ name: this.name, pending: readNames(this.cursor.here) });
    }
    for (let left = names; left > 0 && this.levels.length > 0; left--) {
      if (!this.advance(this.cursor)) return false;
    }
    if (this.levels.length > 0) return false;
    if (this.failure !== undefined) throw this.failure;
    return true;
  }

  [Symbol.dispose](): void {
    this.cursor?.[Symbol.dispose]();
  }

  /** Removes one name, or goes into it, or removes the folder that is empty now. False before a file that is too large. */
  private advance(cursor: TreeCursor): boolean {
    const { pending } = this.levels.at(-1) as { pending: string[] };
    const name = pending.pop();
    try {
      if (name === undefined) {
        this.removeEmptied(cursor);
        return true;
      }
      const what = this.removeFile(cursor.here, name);
      if (what === 'large') {
        pending.push(name);
        return false;
      }
      if (what === 'gone') return true;
      if (cursor.enter(name)) this.levels.push({ name, pending: readNames(cursor.here) });
      // A mount, which the system refuses to remove, or something that took the folder's place.
      else unlinkat(cursor.here, name, { directory: true });
    } catch (thrown) {
      if (!isErrno(thrown, 'ENOENT')) this.failure ??= thrown;
    }
    return true;
  }

  private removeEmptied(cursor: TreeCursor): void {
    const { name } = this.levels.pop() as { name: string };
    if (this.levels.length === 0) {
      unlinkat(this.parent, name, { directory: true });
      return;
    }
    cursor.leave();
    // Folders that somebody moved away meanwhile are not below the top any more.
    const isThere = cursor.depth + 1 === this.levels.length;
    this.levels.length = cursor.depth + 1;
    if (isThere) unlinkat(cursor.here, name, { directory: true });
  }

  private removeFile(folder: Fd, name: string): 'gone' | 'large' | 'folder' {
    const { onFile, largest } = this.options;
    const stat = onFile || largest !== undefined ? fstatat(folder, name) : undefined;
    if (stat && (stat.mode & S_IFMT) === S_IFDIR) return 'folder';
    if (stat && largest !== undefined && stat.blocks * 512 > largest) return 'large';
    try {
      unlinkat(folder, name);
    } catch (thrown) {
      if (isErrno(thrown, 'EISDIR')) return 'folder';
      throw thrown;
    }
    if (stat) onFile?.(stat);
    return 'gone';
  }
}
