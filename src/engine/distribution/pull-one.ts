import {
  type Descriptor,
  isIndexType,
  type Manifest,
  matchPlatform,
  parseManifestOrIndex,
  type Reference,
} from '../../oci/index.ts';
import type { FetchedManifest } from '../../registry/types.ts';
import {
  type ImageLayer,
  type ImageRecord,
  inChain,
  type LayerToMake,
  layersToMake,
  recordOf,
} from '../images/index.ts';
import { pullConfig } from './pull-config.ts';
import { layersMismatch, refusedReference } from './pull-failures.ts';
import { type Kept, pullKept } from './pull-kept.ts';
import { pullLayers } from './pull-layers.ts';
import { nameFor, wanted } from './pull-reference.ts';
import type { PullSession } from './pull-session.ts';
import { chooseImage } from './pull-target.ts';

/** What the pull of one reference came to. */
export interface PulledImage {
  image: ImageRecord;
  /** The name was not there, or stood for another image. */
  changed: boolean;
}

/** Pulls one tag or digest, and records it. Errors: see `pullImage`. */
export async function pullOne(session: PullSession, reference: Reference): Promise<PulledImage> {
  const here = await upToDate(session, reference).catch((thrown: unknown) => {
    throw refusedReference(thrown, reference);
  });
  const document = here ? undefined : await fetchDocument(session, reference);
  session.report({
    status: `Pulling from ${reference.path}`,
    id: reference.digest ? reference.familiar() : reference.tag,
  });
  const target = here?.target ?? (document as FetchedManifest).descriptor;
  const pulled = here ?? (await pullDocument(session, reference, document as FetchedManifest));
  session.report({ status: `Digest: ${target.digest}` });
  return pulled;
}

/** The image, when the name still stands for the same at its registry and all of it is here. */
async function upToDate(
  session: PullSession,
  reference: Reference,
): Promise<(PulledImage & { target: Descriptor }) | undefined> {
  const { deps, repository, lease, platform, allPlatforms, signal } = session;
  const name = nameFor(reference);
  const entry = deps.images.name(name);
  const image = entry && deps.images.get(entry.imageId);
  const target = entry?.target;
  if (!image || !target || allPlatforms) return undefined;
  if (isIndexType(target.mediaType) && !matchPlatform(platform, image.platform)) return undefined;
  lease.add(...deps.images.blobsOf(image.id), ...image.layers.map(({ chainId }) => chainId));
  const there = await repository.resolve(wanted(reference), signal);
  if (there.digest !== target.digest || deps.images.named(name) !== image.id) return undefined;
  // What a damaged disk lost, or cut, is brought again.
  const kept = deps.images.index(target.digest)?.blobs ?? [];
  const blobs = [image.manifest, image.config, ...image.layers.map(({ blob }) => blob), ...kept];
  const found = await Promise.all(blobs.map(({ digest }) => deps.content.stat(digest)));
  if (blobs.some(({ size }, at) => found[at]?.size !== size)) return undefined;
  if (image.layers.some(({ chainId }) => !deps.snapshots.stat(chainId))) return undefined;
  return { image, changed: false, target };
}

async function fetchDocument(session: PullSession, reference: Reference): Promise<FetchedManifest> {
  try {
    const document = await session.documents.fetch(wanted(reference));
    parseManifestOrIndex(document.bytes, document.descriptor.mediaType);
    return document;
  } catch (thrown) {
    throw refusedReference(thrown, reference);
  }
}

async function pullDocument(
  session: PullSession,
  reference: Reference,
  document: FetchedManifest,
): Promise<PulledImage> {
  const { deps, lease } = session;
  const read = (descriptor: Descriptor) => session.documents.read(descriptor);
  const target = await chooseImage(read, document, session.platform);
  const file = await pullConfig(session, target.manifest);
  const layers = planLayers(file, target.manifest);
  const known = deps.images.get(target.manifest.config.digest) !== undefined;
  let made: ImageLayer[] = [];
  let kept: Kept = { blobs: new Map(), referrers: [] };
  const parts = [
    async (signal: AbortSignal) => {
      made = await pullLayers(session, layers, known, signal);
    },
    async (signal: AbortSignal) => {
      kept = await pullKept(session, target, signal);
    },
  ];
  await inChain(parts, session.signal, (part, _below, signal) => part(signal));
  await session.documents.written();
  const { config } = target.manifest;
  const manifest = target.image.descriptor;
  const image = recordOf(deps, { file, config, manifest, layers: made }, { lease });
  if (image.manifest.digest !== manifest.digest) {
    // The same image was packed in another way before: what the name stands for is kept beside it.
    for (const { digest, size } of [manifest, config, ...target.manifest.layers])
      kept.blobs.set(digest, size);
  }
  const changed = keepPulled(session, reference, image, document.descriptor, kept);
  return { image, changed };
}

function planLayers(file: Parameters<typeof layersToMake>[0], manifest: Manifest): LayerToMake[] {
  try {
    return layersToMake(file, manifest.layers);
  } catch (thrown) {
    throw layersMismatch(thrown);
  }
}

/** Records the image, what its target keeps, and its names, all or nothing. True when the name is new or moved. */
function keepPulled(
  { deps: { images } }: PullSession,
  reference: Reference,
  image: ImageRecord,
  target: Descriptor,
  { blobs, referrers }: Kept,
): boolean {
  const name = nameFor(reference);
  return images.transaction(() => {
    const before = images.named(name);
    if (!images.get(image.id)) images.put(image);
    images.setName(name, image.id, target);
    const byDigest = `${reference.name}@${target.digest}`;
    // As in the reference, the image of another platform that had this name first keeps it.
    if (name !== byDigest && (images.named(byDigest) ?? image.id) === image.id) {
      images.setName(byDigest, image.id, target);
    }
    if (blobs.size > 0) {
      images.keepIndex({
        digest: target.digest,
        blobs: [...blobs].map(([digest, size]) => ({ digest, size })),
        referrers,
      });
    }
    return before !== image.id;
  });
}
