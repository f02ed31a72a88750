import { setImmediate } from 'node:timers/promises';
import { type FileStat, TreeCursor } from '../sys/index.ts';
import type { ChangeKind } from './types.ts';
import { isDirectory, isOpaque, isWhiteout, names, statChild } from './walk.ts';

const BILLION = 1_000_000_000n;

export interface Change {
  path: string;
  kind: ChangeKind;
}

/** A directory on the way from the top to where the comparison is. */
interface Level {
  path: string;
  /** Directories of the upper tree that were not looked at yet. */
  pending: string[];
  /** The directories that lie below this one and are seen through it, nearest first. */
  lower: TreeCursor[];
  /** True when nothing below shines through: names that are missing here were deleted. */
  whole: boolean;
  /** What this directory itself is, should something in it have changed. */
  self: ChangeKind | 'same';
  changed: boolean;
}

/**
 * What `upper` changed against the directories `lower` (nearest first), by path, sorted, as `docker diff` shows it: a
 * directory counts as modified when something in it did change, a copied file whose attributes are as before does not.
 * However deep a container made its tree, each directory takes few descriptors.
 */
export async function treeChanges(upper: string, lower: string[]): Promise<Change[]> {
  using cursors = new DisposableStack();
  const open = (path: string) => cursors.use(new TreeCursor(path));
  const comparison = new Comparison(open(upper), lower.map(open));
  // One turn of the loop for each directory: a large tree must not make other requests wait.
  while (comparison.step()) await setImmediate();
  return comparison.changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}

class Comparison {
  readonly changes: Change[] = [];
  private readonly upper: TreeCursor;
  private readonly levels: Level[] = [];

  constructor(upper: TreeCursor, lower: TreeCursor[]) {
    this.upper = upper;
    this.begin({ path: '', pending: [], lower, whole: false, self: 'same', changed: false });
  }

  /** Goes on by a directory. False when all was looked at. */
  step(): boolean {
    const level = this.levels.at(-1);
    if (!level) return false;
    const name = level.pending.pop();
    if (name === undefined) this.leave(level);
    else this.enter(level, name);
    return true;
  }

  /** Looks at all in the directory where the cursors are. */
  private begin(level: Level): void {
    this.levels.push(level);
    const present = new Set(names(this.upper.here));
    for (const name of present) this.compareEntry(level, name);
    if (!level.whole) return;
    const below = new Set(level.lower.flatMap(({ here }) => names(here)));
    for (const name of below) {
      if (!present.has(name) && statBelow(level.lower, name)) this.add(level, name, 'deleted');
    }
  }

  private compareEntry(level: Level, name: string): void {
    const stat = statChild(this.upper.here, name);
    if (!stat) return;
    if (isDirectory(stat)) {
      level.pending.push(name);
      return;
    }
    const below = statBelow(level.lower, name);
    if (isWhiteout(stat)) {
      if (below) this.add(level, name, 'deleted');
    } else if (!below) this.add(level, name, 'added');
    else if (differs(stat, below)) this.add(level, name, 'modified');
  }

  private enter(level: Level, name: string): void {
    const stat = statChild(this.upper.here, name);
    if (!stat || !isDirectory(stat) || !this.upper.enter(name)) return;
    const below = statBelow(level.lower, name);
    this.begin({
      path: `${level.path}/${name}`,
      pending: [],
      lower: enterBelow(level.lower, name),
      whole: level.whole || isOpaque(this.upper.here),
      self: selfChange(stat, below),
      changed: false,
    });
  }

  private leave(level: Level): void {
    this.levels.pop();
    const above = this.levels.at(-1);
    if (!above) return;
    const self = level.self === 'same' && level.changed ? 'modified' : level.self;
    if (self !== 'same') {
      this.changes.push({ path: level.path, kind: self });
      above.changed = true;
    }
    this.upper.leave();
    for (const cursor of level.lower) cursor.leave();
    this.dropMoved();
  }

  /** Directories that the container moved away meanwhile are not looked at any more. */
  private dropMoved(): void {
    while (this.levels.length > this.upper.depth + 1) {
      for (const cursor of this.levels.pop()?.lower ?? []) cursor.leave();
    }
  }

  private add(level: Level, name: string, kind: ChangeKind): void {
    this.changes.push({ path: `${level.path}/${name}`, kind });
    level.changed = true;
  }
}

/** What a name is below. */
function statBelow(lower: TreeCursor[], name: string): FileStat | undefined {
  for (const { here } of lower) {
    const found = statChild(here, name);
    if (found) return isWhiteout(found) ? undefined : found;
  }
  return undefined;
}

/** Moves into the directories that merge into the one of this name. */
function enterBelow(lower: TreeCursor[], name: string): TreeCursor[] {
  const entered: TreeCursor[] = [];
  for (const cursor of lower) {
    const found = statChild(cursor.here, name);
    if (!found) continue;
    if (!isDirectory(found) || !cursor.enter(name)) break;
    entered.push(cursor);
    if (isOpaque(cursor.here)) break;
  }
  return entered;
}

function selfChange(stat: FileStat, below: FileStat | undefined): ChangeKind | 'same' {
  if (!below) return 'added';
  return differs(stat, below) ? 'modified' : 'same';
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
