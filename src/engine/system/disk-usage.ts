import type { ContainerSummary, ImageSummary, Volume } from '../../api/index.ts';
import { isKind } from '../../base/index.ts';
import type { ContentStore } from '../../content/index.ts';
import type { Snapshotter } from '../../snapshot/index.ts';
import { type ImageRecord, type ImageStore, wholeBlocks } from '../images/index.ts';

export interface DiskUsageDeps {
  images: Pick<ImageStore, 'all' | 'blobsOf'>;
  content: Pick<ContentStore, 'list' | 'ingests'>;
  snapshots: Pick<Snapshotter, 'list' | 'stat'>;
  /** Bytes that a layer takes on disk, by its key: `layerSizes`. */
  layerSize: (key: string) => Promise<number>;
  /** Bytes that an active snapshot takes on disk, by its key: `snapshotBytes`. */
  activeSize: (key: string) => Promise<number>;
  /** Bytes that a container takes on disk, its logs included. */
  containerSize: (id: string) => Promise<number>;
  isContainer: (id: string) => boolean;
  imageSummaries: () => ImageSummary[];
  /** All containers, without sizes. */
  containers: () => Promise<ContainerSummary[]>;
  /** All volumes. */
  volumes: () => Promise<Volume[]>;
  /** Bytes that a volume takes of the data root's disk. Errors: `not-found`. */
  volumeSize: (name: string) => Promise<number>;
  /** Containers that have a volume. */
  volumeUsers: (name: string) => string[];
}

/**
 * The document of `GET /system/df`; `types` limits it (`container`, `image`, `volume`, `build-cache`), empty means all.
 * Sizes here are bytes on disk, as du(1) counts them: `LayersSize` is everything that images take, kept blobs and
 * unpacked layers and what is still coming or was cut, and an image's `Size` its part of that; a container's `SizeRw` has
 * its logs. `GET /images/json` and `GET /containers/json` have the sizes of the files alone.
 */
export async function diskUsage(deps: DiskUsageDeps, types: string[]): Promise<Record<string, unknown>> {
  const wants = (type: string) => types.length === 0 || types.includes(type);
  const [images, containers, volumes] = await Promise.all([
    wants('image') ? imagesOnDisk(deps) : { LayersSize: 0, Images: null },
    wants('container') ? containersOnDisk(deps) : null,
    wants('volume') ? volumesOnDisk(deps) : null,
  ]);
  return {
    ...images,
    Containers: containers,
    Volumes: volumes,
    BuildCache: wants('build-cache') ? [] : null,
  };
}

async function containersOnDisk(deps: DiskUsageDeps): Promise<ContainerSummary[]> {
  const found: ContainerSummary[] = [];
  for (const container of await deps.containers()) {
    const id = container.Id ?? '';
    const SizeRw = await deps.containerSize(id);
    let below = 0;
    for (let key = deps.snapshots.stat(id)?.parent; key !== undefined; key = deps.snapshots.stat(key)?.parent)
      below += await deps.layerSize(key);
    found.push({ ...container, SizeRw, SizeRootFs: SizeRw + below });
  }
  return found;
}

/** As in Docker without the volumes that show what lies elsewhere: those of plugins, and those that mount something. */
async function volumesOnDisk(deps: DiskUsageDeps): Promise<Volume[]> {
  const found: Volume[] = [];
  for (const volume of await deps.volumes()) {
    const { Name = '', Driver, Options } = volume;
    if (Driver !== 'local' || Options?.['type'] !== undefined || Options?.['device'] !== undefined) continue;
    try {
      const Size = await deps.volumeSize(Name);
      found.push({ ...volume, UsageData: { Size, RefCount: deps.volumeUsers(Name).length } });
    } catch (thrown) {
      // Removed since it was listed.
      if (!isKind(thrown, 'not-found')) throw thrown;
    }
  }
  return found;
}

async function imagesOnDisk(deps: DiskUsageDeps): Promise<{ LayersSize: number; Images: ImageSummary[] }> {
  const sizes = new Map<string, number>();
  for (const { key, kind } of deps.snapshots.list()) {
    if (kind === 'layer') sizes.set(key, await deps.layerSize(key));
    // An unpacking, on its way to a layer.
    else if (!deps.isContainer(key)) sizes.set(key, await deps.activeSize(key));
  }
  for await (const { digest, size } of deps.content.list()) {
    sizes.set(digest, wholeBlocks(size));
  }
  for await (const { key, size } of deps.content.ingests()) sizes.set(key, wholeBlocks(size));
  const parts = new Map(deps.images.all().map((image) => [String(image.id), partsOf(deps, image)]));
  const users = new Map<string, number>();
  for (const part of [...parts.values()].flat()) users.set(part, (users.get(part) ?? 0) + 1);
  const sum = (keys: string[]) => keys.reduce((total, key) => total + (sizes.get(key) ?? 0), 0);
  const Images = deps.imageSummaries().map((image) => {
    const own = parts.get(image.Id ?? '') ?? [];
    return { ...image, Size: sum(own), SharedSize: sum(own.filter((part) => (users.get(part) ?? 0) > 1)) };
  });
  return { LayersSize: sum([...sizes.keys()]), Images };
}

/** Keys of the layers, and digests of the blobs, that an image stands on. */
function partsOf(deps: DiskUsageDeps, image: ImageRecord): string[] {
  return [
    ...new Set<string>([...image.layers.map((layer) => layer.chainId), ...deps.images.blobsOf(image.id)]),
  ];
}

/** Measures layers. A layer never changes, so each is walked once, and forgotten when it is gone. */
export function layerSizes(
  snapshots: Pick<Snapshotter, 'stat'>,
  measure: (key: string) => Promise<number>,
): (key: string) => Promise<number> {
  const known = new Map<string, number>();
  return async (key) => {
    const found = known.get(key);
    if (found !== undefined) return found;
    for (const other of known.keys()) if (!snapshots.stat(other)) known.delete(other);
    const bytes = await measure(key);
    if (snapshots.stat(key)) known.set(key, bytes);
    return bytes;
  };
}
