import { isKind, type Logger } from '../../base/index.ts';
import type { ContentStore } from '../../content/index.ts';
import type { Snapshotter } from '../../snapshot/index.ts';
import type { ImageStore } from './store.ts';

export interface SweepDeps {
  images: ImageStore;
  content: ContentStore;
  snapshots: Snapshotter;
  log: Logger;
}

/**
 * Keeps content that is on its way in from being swept: while work is held, a sweep that is asked for waits, and runs
 * when the last of it has ended.
 */
export class SweepGate {
  private active = 0;
  private waiting: (() => Promise<void>) | undefined;

  /** Runs `work`, which brings in blobs or layers that no image names yet. */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    this.active++;
    try {
      return await work();
    } finally {
      this.active--;
      await this.runWaiting();
    }
  }

  /** Runs `sweep` now if nothing is held, else once the last holder is done. */
  async sweep(sweep: () => Promise<void>): Promise<void> {
    this.waiting = sweep;
    await this.runWaiting();
  }

  private async runWaiting(): Promise<void> {
    const sweep = this.waiting;
    if (!sweep || this.active > 0) return;
    this.waiting = undefined;
    await sweep();
  }
}

/** Removes every layer and blob that no image needs and no container stands on. */
export async function sweepContent(deps: SweepDeps): Promise<void> {
  await sweepLayers(deps);
  await sweepBlobs(deps);
}

async function sweepLayers(deps: SweepDeps): Promise<void> {
  const needed = new Set<string>();
  for (const image of deps.images.all()) {
    for (const layer of image.layers) needed.add(layer.chainId);
    const top = image.layers.at(-1);
    if (top) needed.add(`${top.chainId}-init`);
  }
  for (let removed = true; removed; ) {
    removed = false;
    const all = deps.snapshots.list();
    const parents = new Set(all.map((snapshot) => snapshot.parent));
    for (const snapshot of all) {
      if (snapshot.kind !== 'layer' || needed.has(snapshot.key) || parents.has(snapshot.key)) continue;
      removed = (await removeLayer(deps, snapshot.key)) || removed;
    }
  }
}

/** False when a container came to stand on it in the meantime. */
async function removeLayer(deps: SweepDeps, key: string): Promise<boolean> {
  try {
    await deps.snapshots.remove(key);
    return true;
  } catch (thrown) {
    if (!isKind(thrown, 'conflict'))
      deps.log.warn('a layer could not be removed', { layer: key, error: thrown });
    return false;
  }
}

async function sweepBlobs(deps: SweepDeps): Promise<void> {
  const needed = new Set<string>();
  for (const image of deps.images.all()) {
    needed.add(image.manifest.digest).add(image.config.digest);
    for (const layer of image.layers) needed.add(layer.blob.digest);
  }
  for await (const { digest } of deps.content.list()) {
    if (!needed.has(digest)) await deps.content.remove(digest);
  }
}
