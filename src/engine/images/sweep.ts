import { isKind, type Logger } from '../../base/index.ts';
import type { ContentStore } from '../../content/index.ts';
import type { Snapshotter } from '../../snapshot/index.ts';
import { EXTRACT_PREFIX } from './layers.ts';
import type { ImageStore } from './store.ts';

export interface SweepDeps {
  images: ImageStore;
  content: ContentStore;
  snapshots: Snapshotter;
  log: Logger;
}

/**
 * Removes every layer and blob that no image needs and no container stands on, and unpackings that a crash left. Called
 * through the gate, so that nothing is being brought in. Never fails: what could not be removed is logged and stays for
 * the next one.
 */
export async function sweepContent(deps: SweepDeps): Promise<void> {
  try {
    await sweepLayers(deps);
    await sweepBlobs(deps);
  } catch (error) {
    deps.log.error('content that nothing needs could not be swept', { error });
  }
}

async function sweepLayers(deps: SweepDeps): Promise<void> {
  const needed = new Set<string>();
  for (const image of deps.images.all()) {
    for (const layer of image.layers) needed.add(layer.chainId);
    const top = image.layers.at(-1);
    if (top) needed.add(`${top.chainId}-init`);
  }
  for (const { key, kind } of deps.snapshots.list()) {
    if (kind === 'active' && key.startsWith(EXTRACT_PREFIX)) await removeLayer(deps, key);
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
