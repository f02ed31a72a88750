import type { ContainerSummary, ImageSummary, Volume } from '../../api/index.ts';
import type { ImageRecord } from '../images/index.ts';

export interface DiskUsageDeps {
  images: () => ImageRecord[];
  imageSummaries: () => ImageSummary[];
  /** All containers, with sizes. */
  containers: () => Promise<ContainerSummary[]>;
  /** All volumes, with usage. */
  volumes: () => Promise<Volume[]>;
}

/** The document of `GET /system/df`; `types` limits it (`container`, `image`, `volume`, `build-cache`), empty means all. */
export async function diskUsage(deps: DiskUsageDeps, types: string[]): Promise<Record<string, unknown>> {
  const wants = (type: string) => types.length === 0 || types.includes(type);
  const [containers, volumes] = await Promise.all([
    wants('container') ? deps.containers() : null,
    wants('volume') ? deps.volumes() : null,
  ]);
  return {
    LayersSize: wants('image') ? layersSize(deps.images()) : 0,
    Images: wants('image') ? deps.imageSummaries() : null,
    Containers: containers,
    Volumes: volumes,
    BuildCache: wants('build-cache') ? [] : null,
  };
}

/** Bytes of all layers, shared ones once. */
function layersSize(images: ImageRecord[]): number {
  const sizes = new Map(images.flatMap((image) => image.layers).map((layer) => [layer.chainId, layer.bytes]));
  return [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
}
