import { rfc3339Nano, WharfError } from '../../base/index.ts';
import {
  type Digest,
  digestOf,
  type ExecutionConfig,
  type HistoryEntry,
  hostPlatform,
  type ImageConfigFile,
  MediaTypes,
} from '../../oci/index.ts';
import type { EngineEvent } from '../events/index.ts';
import { commitLayer } from './commit-layer.ts';
import { readConfig } from './inspect.ts';
import type { LoadDeps } from './load.ts';
import { ownManifest } from './own-manifest.ts';
import { keepImage, nameImage, publishImage, recordOf } from './register.ts';
import type { ImageLayer, ImageRecord } from './store.ts';
import { takeIn } from './take-in.ts';

/** What a container's changes become an image by. */
export interface ImageCommit {
  /** Id of the image that the container was made from. */
  parent: string;
  /** The changes as a layer. */
  tar: AsyncIterable<Uint8Array>;
  config: ExecutionConfig;
  author: string;
  comment: string;
  /** The command whose work it is, for the history. */
  createdBy: string;
  /** Canonical name, if it gets one. */
  name: string | undefined;
  /** When it counts as made, in nanoseconds since 1970; without it, now. */
  timeNs: bigint | undefined;
  /** Fields of the config file that tell of the container. */
  origin: Record<string, unknown>;
}

/**
 * Makes an image of the parent's layers and one more. All of it is on the disk when this returns. Emits `create` and `tag`.
 * Errors: `not-found` when the parent is gone, and those of `commitLayer`.
 */
export async function commitImage(
  deps: LoadDeps,
  commit: ImageCommit,
  signal: AbortSignal,
): Promise<ImageRecord> {
  return takeIn(deps, async (lease) => {
    const parent = deps.images.get(commit.parent);
    if (!parent) throw new WharfError('not-found', `No such image: ${commit.parent}`);
    lease.add(...deps.images.blobsOf(parent.id), ...parent.layers.map(({ chainId }) => chainId));
    const below = await readConfig(deps.content, parent);
    const layer = await commitLayer(deps, commit.tar, parent.layers, { lease, signal });
    const file = configFile(deps, commit, below, layer);
    const bytes = Buffer.from(JSON.stringify(file));
    lease.add(digestOf(bytes));
    const config = await deps.content.put(bytes, MediaTypes.ociConfig);
    const layers = layer ? [...parent.layers, layer] : parent.layers;
    const document = ownManifest(
      config,
      layers.map(({ blob }) => blob),
    );
    lease.add(digestOf(document));
    const manifest = await deps.content.put(document, MediaTypes.ociManifest);
    const image = recordOf(deps, { file, config, manifest, layers }, { lease, signal });
    if (commit.name) leaseFormer(deps, commit.name, (...blobs) => lease.add(...blobs));
    return record(deps, image, parent.id, commit.name);
  });
}

/** Looked at again when the lease ends: the name may have stood for something that is kept for no other. */
function leaseFormer(deps: LoadDeps, name: string, add: (...blobs: Digest[]) => void): void {
  const before = deps.images.name(name);
  if (before?.target) add(...deps.images.blobsOf(before.imageId));
}

/** Records image and name together, then tells of both. */
function record(deps: LoadDeps, image: ImageRecord, parent: Digest, name: string | undefined): ImageRecord {
  const told: EngineEvent[] = [];
  const inside = { ...deps, events: { publish: (event: EngineEvent) => void told.push(event) } };
  const made = deps.images.transaction(() => {
    // It may have been removed since; its layers are leased.
    const child = deps.images.get(parent) && parent !== image.id ? { ...image, parent } : image;
    keepImage(deps.images, child, []);
    publishImage(inside, child, 'create');
    if (name) nameImage(inside, child, name);
    return child;
  });
  for (const event of told) deps.events.publish(event);
  return made;
}

function configFile(
  deps: LoadDeps,
  { config, origin, author, comment, createdBy, timeNs }: ImageCommit,
  below: ImageConfigFile,
  layer: ImageLayer | undefined,
): ImageConfigFile {
  const created = rfc3339Nano(timeNs ?? deps.clock.nowNanos());
  const { architecture, os } = hostPlatform();
  const entry = {
    created,
    ...(createdBy && { created_by: createdBy }),
    ...(author && { author }),
    ...(comment && { comment }),
    ...(layer ? {} : { empty_layer: true }),
  };
  return {
    architecture: below.architecture || architecture,
    ...(below.variant ? { variant: below.variant } : {}),
    ...(author && { author }),
    config,
    ...origin,
    created,
    history: [...historyOf(below), entry],
    os: below.os || os,
    rootfs: { type: 'layers', diff_ids: [...below.rootfs.diff_ids, ...(layer ? [layer.diffId] : [])] },
  };
}

/** A config without history gets a line for each layer, so that lines and layers stay in step. */
function historyOf({ history = [], created, rootfs }: ImageConfigFile): HistoryEntry[] {
  return history.length > 0 ? history : rootfs.diff_ids.map(() => ({ ...(created && { created }) }));
}
