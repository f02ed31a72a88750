import type { Digest } from '../../oci/index.ts';
import type { ImageLayer, ImageStore } from './store.ts';

/** Layers remembered that no record names yet. */
const KEPT = 1000;

/** What is known of layers that are here: those just made, and those of recorded images. A chainID always means the same files. */
export class MadeLayers {
  private readonly images: Pick<ImageStore, 'all'>;
  private readonly recent = new Map<Digest, ImageLayer>();

  constructor(images: Pick<ImageStore, 'all'>) {
    this.images = images;
  }

  add(layer: ImageLayer): void {
    if (this.recent.size >= KEPT) this.recent.delete(this.recent.keys().next().value as Digest);
    this.recent.set(layer.chainId, layer);
  }

  find(chainId: Digest): ImageLayer | undefined {
    const recent = this.recent.get(chainId);
    if (recent) return recent;
    for (const { layers } of this.images.all()) {
      const found = layers.find((layer) => layer.chainId === chainId);
      if (found) return found;
    }
    return undefined;
  }
}
