import { mkdirSync, mkdtempSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { isKind, KeyedLock, type Logger, newId, span, UndoStack, WharfError } from '../../base/index.ts';
import type { MountSpec, Snapshotter } from '../../snapshot/types.ts';
import {
  type Fd,
  fchmodat,
  fstatat,
  mkdirat,
  mknodat,
  mount,
  O,
  openat2,
  RESOLVE,
  statfs,
  symlinkat,
  umount,
  unlinkat,
} from '../../sys/index.ts';

const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;

/** Mount points every container needs, parents first. Docker makes the files 0755. */
const ENTRIES: readonly { path: string; kind: 'directory' | 'file' | 'link'; target?: string }[] = [
  { path: 'dev', kind: 'directory' },
  { path: 'dev/pts', kind: 'directory' },
  { path: 'dev/shm', kind: 'directory' },
  { path: 'dev/console', kind: 'file' },
  { path: 'proc', kind: 'directory' },
  { path: 'sys', kind: 'directory' },
  { path: 'etc', kind: 'directory' },
  { path: 'etc/hosts', kind: 'file' },
  { path: 'etc/hostname', kind: 'file' },
  { path: 'etc/resolv.conf', kind: 'file' },
  { path: 'etc/mtab', kind: 'link', target: '/proc/mounts' },
  { path: '.dockerenv', kind: 'file' },
];

/** Begins the keys of init layers that are being made. */
export const HALF_MADE_INIT = 'init-';

const locks = new WeakMap<Snapshotter, KeyedLock>();

export interface InitLayerDeps {
  snapshotter: Snapshotter;
  /** The daemon's data directory; short-lived mounts are made below its `tmp`. */
  dataRoot: string;
  log: Logger;
}

/** Name of the layer that stands between an image's layers and its containers. An image without layers has chainID ''. */
export function initLayerKey(chainId: string): string {
  return `${chainId || 'empty'}-init`;
}

/**
 * The init layer of an image chain, made at first use. It holds real directories and files at the places where a
 * container's own mounts go, so that links in the image can't send them elsewhere, and containers need no more than one
 * `prepare`. Returns its snapshot key.
 */
export async function ensureInitLayer(deps: InitLayerDeps, chainId: string): Promise<string> {
  using _ = span('create.layer', '');
  const key = initLayerKey(chainId);
  if (deps.snapshotter.stat(key)) return key;
  let lock = locks.get(deps.snapshotter);
  if (!lock) {
    lock = new KeyedLock();
    locks.set(deps.snapshotter, lock);
  }
  await lock.with(key, async () => {
    if (!deps.snapshotter.stat(key)) await makeInitLayer(deps, key, chainId);
  });
  return key;
}

/** Removes the init layer of a chain whose image goes; nothing happens while containers stand on it or when there is none. */
export async function removeInitLayer(
  deps: Pick<InitLayerDeps, 'snapshotter'>,
  chainId: string,
): Promise<void> {
  const key = initLayerKey(chainId);
  if (!deps.snapshotter.stat(key)) return;
  try {
    await deps.snapshotter.remove(key);
  } catch (thrown) {
    if (!isKind(thrown, 'conflict') && !isKind(thrown, 'not-found')) throw thrown;
  }
}

async function makeInitLayer(deps: InitLayerDeps, key: string, chainId: string): Promise<void> {
  const active = `${HALF_MADE_INIT}${newId().slice(0, 16)}`;
  await using undo = new UndoStack(deps.log);
  await deps.snapshotter.prepare(active, chainId || undefined);
  undo.push('drop the unfinished init layer', () => deps.snapshotter.remove(active));
  await withMounted(deps, deps.snapshotter.mount(active), async (root) => fillInitLayer(root));
  await deps.snapshotter.commit(key, active);
  undo.commit();
}

/** Runs `work` with that filesystem mounted at a directory of its own, and takes it away after. */
export async function withMounted<T>(
  deps: Pick<InitLayerDeps, 'dataRoot'>,
  spec: MountSpec,
  work: (root: string) => Promise<T>,
): Promise<T> {
  const parent = join(deps.dataRoot, 'tmp');
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const target = mkdtempSync(join(parent, 'mount-'));
  try {
    mountAt(spec, target);
    try {
      return await work(target);
    } finally {
      umount(target, { detach: true });
    }
  } finally {
    rmdirSync(target);
  }
}

/** Where filesystems are mounted just long enough to be opened; made at the start, as a full disk has no room for a folder. */
export const OPENING_PLACE = 'tmp/opening';

/**
 * The root of that filesystem, which goes with this O_PATH descriptor, whatever becomes of this process. Errors: `exhausted`
 * where it is to be written to and there is no room for what an overlay needs: the kernel mounts it read-only then.
 */
export function openMounted(deps: Pick<InitLayerDeps, 'dataRoot'>, spec: MountSpec): Fd {
  const target = join(deps.dataRoot, OPENING_PLACE);
  mkdirSync(target, { recursive: true, mode: 0o700 });
  mountAt(spec, target);
  try {
    if (!spec.flags.includes('ro') && statfs(target).restrictions.includes('ro'))
      throw new WharfError('exhausted', 'no space left on device: no room for a work folder of overlay');
    return openat2(target, '.', { flags: O.PATH | O.DIRECTORY });
  } finally {
    umount(target, { detach: true });
  }
}

function mountAt(spec: MountSpec, target: string): void {
  const bind = spec.flags.includes('bind') || spec.flags.includes('rbind');
  mount({
    source: spec.source,
    target,
    ...(bind ? {} : { type: spec.type }),
    flags: spec.flags,
    data: spec.options.join(','),
  });
}

/** Makes what is missing in the root directory `root` and replaces what is of another kind; links are never followed. */
export function fillInitLayer(root: string): void {
  using top = openat2(root, '.', { flags: O.RDONLY | O.DIRECTORY | O.CLOEXEC });
  for (const entry of ENTRIES) {
    const [name, directory] = entry.path.split('/').reverse() as [string, string?];
    if (directory === undefined) {
      ensureEntry(top, name, entry);
      continue;
    }
    using parent = openat2(top, directory, {
      flags: O.RDONLY | O.DIRECTORY | O.NOFOLLOW | O.CLOEXEC,
      resolve: RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS,
    });
    ensureEntry(parent, name, entry);
  }
}

function ensureEntry(parent: Fd, name: string, entry: (typeof ENTRIES)[number]): void {
  const kind = kindOf(parent, name);
  if (entry.kind === 'link') {
    if (kind === undefined) symlinkat(entry.target as string, parent, name);
    return;
  }
  const wanted = entry.kind === 'directory' ? S_IFDIR : S_IFREG;
  if (kind === wanted) return;
  if (kind === S_IFDIR) {
    // A directory where a file belongs: an image that does so is broken, and its mount would fail anyway.
    unlinkat(parent, name, { directory: true });
  } else if (kind !== undefined) {
    unlinkat(parent, name);
  }
  if (entry.kind === 'directory') mkdirat(parent, name, 0o755);
  else mknodat(parent, name, S_IFREG | 0o755);
  fchmodat(parent, name, 0o755);
}

function kindOf(parent: Fd, name: string): number | undefined {
  try {
    return fstatat(parent, name).mode & S_IFMT;
  } catch (thrown) {
    if (isKind(thrown, 'not-found')) return undefined;
    throw thrown;
  }
}
