import { type Clock, isKind, type Logger } from '../../base/index.ts';
import type { ContentStore, Leases } from '../../content/index.ts';
import { type Digest, isDigest } from '../../oci/index.ts';
import type { Snapshotter } from '../../snapshot/index.ts';
import { EXTRACT_PREFIX } from './layers.ts';
import type { ImageStore, Needed } from './store.ts';

/** A download that was cut is kept so long for somebody to go on with it, in milliseconds. */
const CUT_DOWNLOAD_MS = 7 * 24 * 3600 * 1000;
/** Files take whole blocks of this many bytes on the usual filesystems. */
const BLOCK = 4096;

export interface SweepDeps {
  images: ImageStore;
  content: ContentStore;
  snapshots: Snapshotter;
  leases: Leases;
  /** Others who keep blobs in the same content store: true for those that they need. */
  others: readonly ((digest: Digest) => boolean)[];
  clock: Clock;
  log: Logger;
  /** Bytes that a layer takes on disk, by its key. Absent where nobody asks what comes free. */
  layerBytes?: (key: string) => Promise<number>;
}

/** Bytes that a file of that size takes on disk. */
export function wholeBlocks(bytes: number): number {
  return Math.ceil(bytes / BLOCK) * BLOCK;
}

/**
 * Removes every layer and blob that no image needs, no container stands on and no work in progress has leased, unpackings
 * that a crash left, and downloads that were cut a week ago. Runs beside any other work. Returns the bytes of disk that came
 * free. Never fails: what could not be removed is logged and stays for the next one.
 */
export async function sweepContent(deps: SweepDeps): Promise<number> {
  return logged(deps, async (freed) => {
    await sweepLayers(deps, freed);
    for await (const { digest } of deps.content.list()) await sweepBlob(deps, digest, freed);
    await dropDownloads(deps, isForgotten(deps.clock), freed);
  });
}

/** As `sweepContent` for layers; of blobs it looks only at these. For who knows what may have become unneeded. */
export async function sweepAmong(deps: SweepDeps, keys: Iterable<string>): Promise<number> {
  return logged(deps, async (freed) => {
    await sweepLayers(deps, freed);
    for (const key of keys) if (isDigest(key)) await sweepBlob(deps, key, freed);
  });
}

/** What came free so far: whoever fails half way has freed the first half. */
interface Freed {
  bytes: number;
}

async function logged(deps: SweepDeps, sweep: (freed: Freed) => Promise<void>): Promise<number> {
  const freed = { bytes: 0 };
  try {
    await sweep(freed);
  } catch (error) {
    deps.log.error('content that nothing needs could not be swept', { error });
  }
  return freed.bytes;
}

async function sweepLayers(deps: SweepDeps, freed: Freed): Promise<void> {
  for (let removed = true; removed; ) {
    removed = false;
    const all = deps.snapshots.list();
    const parents = new Set(all.map((snapshot) => snapshot.parent));
    for (const { key, kind } of all) {
      if (parents.has(key) || (kind === 'active' && !key.startsWith(EXTRACT_PREFIX))) continue;
      removed = (await removeLayer(deps, key, freed)) || removed;
    }
  }
}

/** Looks anew and removes in one turn of the loop. False when it is needed, or somebody came to stand on it. */
async function removeLayer(deps: SweepDeps, key: string, freed: Freed): Promise<boolean> {
  const stays = () =>
    !deps.snapshots.stat(key) || deps.leases.has(key) || deps.images.needed().layers.has(key);
  try {
    if (stays()) return false;
    const bytes = (await deps.layerBytes?.(key)) ?? 0;
    if (stays()) return false;
    await deps.snapshots.remove(key);
    freed.bytes += bytes;
    return true;
  } catch (thrown) {
    if (!isKind(thrown, 'conflict'))
      deps.log.warn('a layer could not be removed', { layer: key, error: thrown });
    return false;
  }
}

async function sweepBlob(deps: SweepDeps, digest: Digest, freed: Freed): Promise<void> {
  if (isHeld(deps, digest, deps.images.needed())) return;
  const found = await deps.content.stat(digest);
  if (!found || isHeld(deps, digest, deps.images.needed())) return;
  if (await deps.content.remove(digest)) freed.bytes += wholeBlocks(found.size);
}

/** Whether an image, work in progress or somebody else needs a blob. */
export function isHeld(deps: Pick<SweepDeps, 'leases' | 'others'>, digest: Digest, needed: Needed): boolean {
  return deps.leases.has(digest) || needed.blobs.has(digest) || deps.others.some((needs) => needs(digest));
}

/** Whether a download was cut so long ago that nobody will go on with it. */
export function isForgotten(clock: Clock): (download: { modified: number }) => boolean {
  const oldest = Number(clock.nowNanos() / 1_000_000n) - CUT_DOWNLOAD_MS;
  return ({ modified }) => modified <= oldest;
}

/** The blob that an ingest downloads; undefined for uploads to the registry. */
export function downloaded(key: string): Digest | undefined {
  const digest = key.replace('-', ':');
  return isDigest(digest) ? digest : undefined;
}

/**
 * Drops every download that was cut, however lately, unless a pull goes on with it now; uploads to the registry are not its
 * business. Returns the bytes of disk that came free. Never fails, as `sweepContent`.
 */
export async function dropCutDownloads(deps: SweepDeps): Promise<number> {
  return logged(deps, (freed) => dropDownloads(deps, () => true, freed));
}

async function dropDownloads(
  { content, leases }: SweepDeps,
  passes: (download: { modified: number }) => boolean,
  freed: Freed,
): Promise<void> {
  for await (const { key, size, modified } of content.ingests()) {
    const digest = downloaded(key);
    if (!digest || !passes({ modified }) || leases.has(digest)) continue;
    try {
      if (await content.dropIngest(key)) freed.bytes += wholeBlocks(size);
    } catch (thrown) {
      // Somebody has it open.
      if (!isKind(thrown, 'conflict')) throw thrown;
    }
  }
}
