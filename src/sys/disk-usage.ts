import { setImmediate } from 'node:timers/promises';
import { type FileStat, fstatat } from './at.ts';
import { isErrno } from './errno.ts';
import type { Fd } from './fd.ts';
import { readNames } from './file-name.ts';
import { TreeCursor } from './tree-cursor.ts';

const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;

/** The event loop gets its turn after so many names. */
const TURN = 4096;

/** What a tree takes: bytes of allocated blocks, and its files, directories and others. */
export interface DiskUsage {
  bytes: number;
  inodes: number;
}

/**
 * Disk use of a tree: allocated blocks in bytes, hard links once, the top directory included, other filesystems left out.
 * However deep a container makes it, few descriptors are open at a time. What is moved about meanwhile may be missed.
 */
export async function diskUsage(path: string): Promise<DiskUsage> {
  using cursor = new TreeCursor(path);
  const tally = new Tally(fstatat(cursor.here, ''));
  /** The directories that were not looked at yet, of each directory from the top to the cursor. */
  const pending = [await tally.add(cursor.here)];
  for (let below = pending.at(-1); below !== undefined; below = pending.at(-1)) {
    const name = below.pop();
    if (name === undefined) {
      pending.pop();
      if (pending.length > 0) cursor.leave();
      pending.length = Math.min(pending.length, cursor.depth + 1);
    } else if (cursor.enter(name)) pending.push(await tally.add(cursor.here));
  }
  return tally.usage;
}

/** What was counted so far. */
class Tally {
  readonly usage: DiskUsage;
  private readonly linked = new Set<bigint>();
  private readonly device: FileStat;

  constructor(top: FileStat) {
    this.usage = { bytes: top.blocks * 512, inodes: 1 };
    this.device = top;
  }

  /** Counts what is in a directory; returns the names of the directories there. */
  async add(directory: Fd): Promise<string[]> {
    const below: string[] = [];
    for (const [at, name] of readNames(directory).entries()) {
      if (at % TURN === 0) await setImmediate();
      const stat = statChild(directory, name);
      if (stat && this.count(stat) && isFolder(stat)) below.push(name);
    }
    return below;
  }

  private count(stat: FileStat): boolean {
    if (stat.devMajor !== this.device.devMajor || stat.devMinor !== this.device.devMinor) return false;
    if (!isFolder(stat) && stat.nlink > 1) {
      if (this.linked.has(stat.ino)) return false;
      this.linked.add(stat.ino);
    }
    this.usage.bytes += stat.blocks * 512;
    this.usage.inodes += 1;
    return true;
  }
}

function isFolder(stat: FileStat): boolean {
  return (stat.mode & S_IFMT) === S_IFDIR;
}

function statChild(parent: Fd, name: string): FileStat | undefined {
  try {
    return fstatat(parent, name);
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT')) return undefined;
    throw thrown;
  }
}
