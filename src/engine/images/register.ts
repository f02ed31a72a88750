import { type Clock, rfc3339Nano, WharfError, ZERO_TIME } from '../../base/index.ts';
import {
  chainIds,
  type Descriptor,
  type Digest,
  digestOf,
  hostPlatform,
  type ImageConfigFile,
  MediaTypes,
  parseImageConfig,
} from '../../oci/index.ts';
import type { EventBus } from '../events/index.ts';
import { inChain, type LayerDeps, type LayerToMake, makeLayer, type Taking } from './layers.ts';
import { ownManifest } from './own-manifest.ts';
import { familiarName, type ImageLayer, type ImageName, type ImageRecord, type ImageStore } from './store.ts';

export interface RegisterDeps extends LayerDeps {
  images: ImageStore;
  events: Pick<EventBus, 'publish'>;
  clock: Clock;
}

/** An image to take in, its layer blobs being in the content store already. */
export interface NewImage {
  config: Uint8Array;
  /** Blobs of the layers, lowest first, in step with the config's `diff_ids`. */
  layers: Descriptor[];
  /** The manifest as it came; without one it is made. */
  manifest?: Descriptor;
}

/**
 * Makes an image's layers and documents, and the record of it for `keepImage`; nothing is recorded yet, so that what is
 * there is swept if the caller fails. Errors: `invalid` config, `corrupt` layer.
 */
export async function buildImage(deps: RegisterDeps, image: NewImage, taking: Taking): Promise<ImageRecord> {
  const file = parseImageConfig(image.config);
  const layers = await inChain(
    layersToMake(file, image.layers),
    taking.signal,
    (layer, below, signal) => makeLayer(deps, layer, { lease: taking.lease, signal }, { below }),
    // The records of all half-made layers are synced to the disk at once.
    (begin) => deps.images.transaction(begin),
  );
  taking.lease.add(digestOf(image.config));
  const config = await deps.content.put(image.config, MediaTypes.ociConfig);
  const manifest = image.manifest ?? (await makeManifest(deps, config, layers, taking));
  return recordOf(deps, { file, config, manifest, layers }, taking);
}

/** The layers that a config names, with their blobs. Errors: `invalid` when they are not as many. */
export function layersToMake(file: ImageConfigFile, blobs: Descriptor[]): LayerToMake[] {
  const diffIds = file.rootfs.diff_ids;
  if (diffIds.length !== blobs.length) {
    throw new WharfError(
      'invalid',
      `invalid manifest, layers length mismatch: expected ${blobs.length}, got ${diffIds.length}`,
    );
  }
  const chain = chainIds(diffIds);
  return blobs.map((blob, at) => ({
    chainId: chain[at] as Digest,
    parent: at > 0 ? chain[at - 1] : undefined,
    diffId: diffIds[at] as Digest,
    blob,
  }));
}

/** The record of an image whose content is here and leased: the one it has already, or a new one. */
export function recordOf(
  deps: Pick<RegisterDeps, 'images'>,
  made: { file: ImageConfigFile; config: Descriptor; manifest: Descriptor; layers: ImageLayer[] },
  { lease }: Taking,
): ImageRecord {
  const { file, config, manifest, layers } = made;
  lease.add(config.digest, manifest.digest);
  const present = deps.images.get(config.digest);
  if (present) {
    // In the same turn: its content can't go any more, even if somebody removes the image now.
    lease.add(...deps.images.blobsOf(present.id));
    return present;
  }
  return {
    id: config.digest,
    manifest,
    config,
    platform: platformOf(file),
    created: file.created ?? ZERO_TIME,
    layers,
    labels: file.config?.Labels ?? null,
    lastTagTime: ZERO_TIME,
  };
}

async function makeManifest(
  deps: RegisterDeps,
  config: Descriptor,
  layers: ImageLayer[],
  { lease }: Taking,
): Promise<Descriptor> {
  const bytes = ownManifest(
    config,
    layers.map(({ blob }) => blob),
  );
  lease.add(digestOf(bytes));
  return deps.content.put(bytes, MediaTypes.ociManifest);
}

function platformOf(file: ImageConfigFile): ImageRecord['platform'] {
  const host = hostPlatform();
  const platform = { os: file.os || host.os, architecture: file.architecture || host.architecture };
  return file.variant ? { ...platform, variant: file.variant } : platform;
}

/** Records an image, unless it is here, under these canonical names. Returns who had which name before, if others. */
export function keepImage(
  images: ImageStore,
  image: ImageRecord,
  names: Omit<ImageName, 'imageId'>[],
): Map<string, Digest> {
  const before = new Map<string, Digest>();
  images.transaction(() => {
    if (!images.get(image.id)) images.put(image);
    for (const { name, target } of names) {
      const holder = images.named(name);
      if (holder && holder !== image.id) before.set(name, holder);
      images.setName(name, image.id, target);
    }
  });
  return before;
}

/** Gives an image a canonical name as a user asks for it, taking it from whoever had it. `target`: what it stands for at a registry. Emits `tag`. */
export function nameImage(
  deps: Pick<RegisterDeps, 'images' | 'events' | 'clock'>,
  image: ImageRecord,
  canonical: string,
  target?: Descriptor,
): void {
  deps.images.transaction(() => {
    deps.images.put({ ...image, lastTagTime: rfc3339Nano(deps.clock.nowNanos()) });
    deps.images.setName(canonical, image.id, target);
  });
  publishImage(deps, image, 'tag', familiarName(canonical));
}

/** Emits an image event: the actor is the image id; `name` is what the user called it, or the id. */
export function publishImage(
  deps: Pick<RegisterDeps, 'events'>,
  image: ImageRecord,
  action: string,
  name: string = image.id,
): void {
  deps.events.publish({ type: 'image', action, id: image.id, attributes: { ...image.labels, name } });
}
