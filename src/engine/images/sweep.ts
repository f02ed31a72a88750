import { type Clock, isKind, type Logger } from '../../base/index.ts';
import type { ContentStore, Leases } from '../../content/index.ts';
import { type Digest, isDigest } from '../../oci/index.ts';
import type { Snapshotter } from '../../snapshot/index.ts';
import { EXTRACT_PREFIX } from './layers.ts';
import type { ImageStore } from './store.ts';

/** A download that was cut is kept so long for somebody to go on with it, in milliseconds. */
const CUT_DOWNLOAD_MS = 7 * 24 * 3600 * 1000;

export interface SweepDeps {
  images: ImageStore;
  content: ContentStore;
  snapshots: Snapshotter;
  leases: Leases;
  /** Others who keep blobs in the same content store: true for those that they need. */
  others: readonly ((digest: Digest) => boolean)[];
  clock: Clock;
  log: Logger;
}

/**
 * Removes every layer and blob that no image needs, no container stands on and no work in progress has leased, unpackings
 * that a crash left, and downloads that were cut a week ago. Runs beside any other work. Never fails: what could not be
 * removed is logged and stays for the next one.
 */
export async function sweepContent(deps: SweepDeps): Promise<void> {
  await logged(deps, async () => {
    await sweepLayers(deps);
    for await (const { digest } of deps.content.list()) await sweepBlob(deps, digest);
    await sweepDownloads(deps);
  });
}

/** As `sweepContent` for layers; of blobs it looks only at these. For who knows what may have become unneeded. */
export async function sweepAmong(deps: SweepDeps, keys: Iterable<string>): Promise<void> {
  await logged(deps, async () => {
    await sweepLayers(deps);
    for (const key of keys) if (isDigest(key)) await sweepBlob(deps, key);
  });
}

async function logged(deps: SweepDeps, sweep: () => Promise<void>): Promise<void> {
  try {
    await sweep();
  } catch (error) {
    deps.log.error('content that nothing needs could not be swept', { error });
  }
}

async function sweepLayers(deps: SweepDeps): Promise<void> {
  for (let removed = true; removed; ) {
    removed = false;
    const all = deps.snapshots.list();
    const parents = new Set(all.map((snapshot) => snapshot.parent));
    for (const { key, kind } of all) {
      if (parents.has(key) || (kind === 'active' && !key.startsWith(EXTRACT_PREFIX))) continue;
      removed = (await removeLayer(deps, key)) || removed;
    }
  }
}

/** Looks anew and removes in one turn of the loop. False when it is needed, or somebody came to stand on it. */
async function removeLayer(deps: SweepDeps, key: string): Promise<boolean> {
  try {
    if (!deps.snapshots.stat(key) || deps.leases.has(key) || deps.images.needed().layers.has(key))
      return false;
    await deps.snapshots.remove(key);
    return true;
  } catch (thrown) {
    if (!isKind(thrown, 'conflict'))
      deps.log.warn('a layer could not be removed', { layer: key, error: thrown });
    return false;
  }
}

async function sweepBlob(deps: SweepDeps, digest: Digest): Promise<void> {
  if (deps.leases.has(digest) || deps.images.needed().blobs.has(digest)) return;
  if (deps.others.some((needs) => needs(digest))) return;
  await deps.content.remove(digest);
}

async function sweepDownloads(deps: SweepDeps): Promise<void> {
  const oldest = Number(deps.clock.nowNanos() / 1_000_000n) - CUT_DOWNLOAD_MS;
  await dropDownloads(deps, ({ modified }) => modified <= oldest);
}

/**
 * Drops every download that was cut, however lately, unless a pull goes on with it now; uploads to the registry are not its
 * business. Returns the bytes that they had. Never fails, as `sweepContent`.
 */
export async function dropCutDownloads(deps: SweepDeps): Promise<number> {
  let bytes = 0;
  await logged(deps, async () => {
    bytes = await dropDownloads(deps, () => true);
  });
  return bytes;
}

async function dropDownloads(
  { content, leases }: SweepDeps,
  passes: (download: { modified: number }) => boolean,
): Promise<number> {
  let bytes = 0;
  for await (const { key, size, modified } of content.ingests()) {
    const digest = key.replace('-', ':');
    if (!isDigest(digest) || !passes({ modified }) || leases.has(digest)) continue;
    try {
      if (await content.dropIngest(key)) bytes += size;
    } catch (thrown) {
      // Somebody has it open.
      if (!isKind(thrown, 'conflict')) throw thrown;
    }
  }
  return bytes;
}
