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

  /** The layer, if possible as it is packed in that blob. */
  find(chainId: Digest, blob?: Digest): ImageLayer | undefined {
    let other: ImageLayer | undefined;
    for (const layer of this.known(chainId)) {
      if (blob === undefined || layer.blob.digest === blob) return layer;
      other ??= layer;
    }
    return other;
  }

  private *known(chainId: Digest): Iterable<ImageLayer> {
    const recent = this.recent.get(chainId);
    if (recent) yield recent;
    for (const { layers } of this.images.all()) {
      for (const layer of layers) if (layer.chainId === chainId) yield layer;
    }
  }
}
