import { setImmediate } from 'node:timers/promises';
import type { Fd, FileStat } from '../sys/index.ts';
import type { Usage } from './types.ts';
import { isDirectory, names, openChild, openDirectory, statChild } from './walk.ts';

/** The event loop gets its turn after so many names. */
const TURN = 4096;

/** A directory on the way down, and its directories that were not looked at yet. */
interface Level {
  name: string;
  ino: bigint;
  pending: string[];
}

/**
 * Disk use of a tree: allocated blocks in bytes, hard links once, the top directory included, other filesystems left out.
 * However deep a container makes it, few descriptors are open at a time. What is moved about meanwhile may be missed.
 */
export async function diskUsage(path: string): Promise<Usage> {
  using top = openDirectory(path);
  const own = statChild(top, '.');
  if (!own) return { bytes: 0, inodes: 0 };
  const tally = new Tally(own);
  const levels: Level[] = [{ name: '', ino: own.ino, pending: await tally.add(top) }];
  let here = openDirectory(path);
  try {
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const name = level.pending.pop();
      const next = name === undefined ? ascend(top, here, levels) : openChild(here, name);
      if (!next) continue;
      here.close();
      here = next;
      if (name === undefined) continue;
      levels.push({ name, ino: statChild(here, '.')?.ino ?? 0n, pending: await tally.add(here) });
    }
  } finally {
    here.close();
  }
  return tally.usage;
}

/** Leaves a directory for the one above. Where that is another by now, what it was is sought from the top. */
function ascend(top: Fd, here: Fd, levels: Level[]): Fd | undefined {
  levels.pop();
  const above = levels.at(-1);
  if (!above) return undefined;
  const parent = openDirectory(`/proc/self/fd/${here.fd}/..`);
  if (statChild(parent, '.')?.ino === above.ino) return parent;
  parent.close();
  return descend(top, levels);
}

/** Goes down the way again by its names; levels that are not there any more are dropped. */
function descend(top: Fd, levels: Level[]): Fd {
  let here = openDirectory(`/proc/self/fd/${top.fd}`);
  for (const [depth, { name, ino }] of levels.entries()) {
    if (depth === 0) continue;
    const child = openChild(here, name);
    if (!child || statChild(child, '.')?.ino !== ino) {
      child?.close();
      levels.length = depth;
      break;
    }
    here.close();
    here = child;
  }
  return here;
}

/** What was counted so far. */
class Tally {
  readonly usage: Usage;
  private readonly linked = new Set<bigint>();
  private readonly device: FileStat;

  constructor(top: FileStat) {
    this.usage = { bytes: top.blocks * 512, inodes: 1 };
    this.device = top;
  }

  /** Counts what is in a directory; returns the names of the directories there. */
  async add(directory: Fd): Promise<string[]> {
    const below: string[] = [];
    for (const [at, name] of names(directory).entries()) {
      if (at % TURN === 0) await setImmediate();
      const stat = statChild(directory, name);
      if (stat && this.count(stat) && isDirectory(stat)) below.push(name);
    }
    return below;
  }

  private count(stat: FileStat): boolean {
    if (stat.devMajor !== this.device.devMajor || stat.devMinor !== this.device.devMinor) return false;
    if (!isDirectory(stat) && stat.nlink > 1) {
      if (this.linked.has(stat.ino)) return false;
      this.linked.add(stat.ino);
    }
    this.usage.bytes += stat.blocks * 512;
    this.usage.inodes += 1;
    return true;
  }
}
