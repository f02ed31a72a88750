import { setImmediate } from 'node:timers/promises';
import type { Fd, FileStat } from '../sys/index.ts';
import type { ChangeKind } from './types.ts';
import { isDirectory, isOpaque, isWhiteout, names, openChild, openDirectory, statChild } from './walk.ts';

const BILLION = 1_000_000_000n;

export interface Change {
  path: string;
  kind: ChangeKind;
}

interface Place {
  path: string;
  upper: Fd;
  /** The directories that lie below this one and are seen through it, nearest first. */
  lower: Fd[];
  /** True when nothing below shines through: names that are missing here were deleted. */
  whole: boolean;
}

/**
 * What `upper` changed against the directories `lower` (nearest first), by path, sorted, as `docker diff` shows it: a
 * directory counts as modified when something in it did change, a copied file whose attributes are as before does not.
 */
export async function treeChanges(upper: string, lower: string[]): Promise<Change[]> {
  const changes: Change[] = [];
  const opened: Fd[] = [];
  try {
    for (const path of [upper, ...lower]) opened.push(openDirectory(path));
    await compare({ path: '', upper: opened[0] as Fd, lower: opened.slice(1), whole: false }, changes);
  } finally {
    for (const directory of opened) directory.close();
  }
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function compare(place: Place, changes: Change[]): Promise<boolean> {
  // One turn of the loop for each directory: a large tree must not make other requests wait.
  await setImmediate();
  const before = changes.length;
  const present = new Set(names(place.upper));
  for (const name of present) await compareEntry(place, name, changes);
  if (place.whole) {
    const gone = new Set(place.lower.flatMap(names).filter((name) => !present.has(name)));
    for (const name of gone) {
      using below = lookBelow(place.lower, name);
      if (below.stat) changes.push({ path: `${place.path}/${name}`, kind: 'deleted' });
    }
  }
  return changes.length > before;
}

async function compareEntry(place: Place, name: string, changes: Change[]): Promise<void> {
  const path = `${place.path}/${name}`;
  const stat = statChild(place.upper, name);
  if (!stat) return;
  using below = lookBelow(place.lower, name);
  if (isWhiteout(stat)) {
    if (below.stat) changes.push({ path, kind: 'deleted' });
    return;
  }
  using directory = isDirectory(stat) ? openChild(place.upper, name) : undefined;
  if (!directory) {
    if (!below.stat) changes.push({ path, kind: 'added' });
    else if (differs(stat, below.stat)) changes.push({ path, kind: 'modified' });
    return;
  }
  const whole = place.whole || isOpaque(directory);
  const inside = await compare({ path, upper: directory, lower: below.directories, whole }, changes);
  if (!below.stat) changes.push({ path, kind: 'added' });
  else if (inside || differs(stat, below.stat)) changes.push({ path, kind: 'modified' });
}

/** What a name is below, and, when it is a directory, all that merge into it. */
function lookBelow(
  lower: Fd[],
  name: string,
): { stat: FileStat | undefined; directories: Fd[] } & Disposable {
  const directories: Fd[] = [];
  let stat: FileStat | undefined;
  for (const layer of lower) {
    const found = statChild(layer, name);
    if (!found) continue;
    if (isWhiteout(found)) break;
    stat ??= found;
    const directory = isDirectory(found) ? openChild(layer, name) : undefined;
    if (!directory) break;
    directories.push(directory);
    if (isOpaque(directory)) break;
  }
  return {
    stat,
    directories,
    [Symbol.dispose]() {
      for (const directory of directories) directory.close();
    },
  };
}

/** A directory's size and time change with its entries, which are reported by themselves. */
function differs(a: FileStat, b: FileStat): boolean {
  if (a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid) return true;
  if (a.rdevMajor !== b.rdevMajor || a.rdevMinor !== b.rdevMinor) return true;
  return !isDirectory(a) && (a.size !== b.size || !sameTime(a.mtimeNs, b.mtimeNs));
}

/** Layers have times in whole seconds: one without a fraction counts as the same second, as in Docker. */
function sameTime(a: bigint, b: bigint): boolean {
  return a === b || ((a % BILLION === 0n || b % BILLION === 0n) && a / BILLION === b / BILLION);
}
