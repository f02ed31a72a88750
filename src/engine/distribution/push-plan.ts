import { isKind } from '../../base/index.ts';
import type { ContentStore, Lease } from '../../content/index.ts';
import {
  type Descriptor,
  type Digest,
  isIndexType,
  isManifestType,
  MAX_CONFIG_BYTES,
  MAX_MANIFEST_BYTES,
  type Manifest,
  MediaTypes,
  parseImageConfig,
  parseIndex,
  parseManifest,
} from '../../oci/index.ts';

/** A blob to bring. */
export interface PlannedBlob {
  descriptor: Descriptor;
  /** By what people know a layer: its diffID, or the blob's digest where there is none. Undefined for configs: not shown. */
  shown: string | undefined;
}

/** A document to store, byte for byte. */
export interface PlannedManifest {
  descriptor: Descriptor;
  bytes: Buffer;
}

/** What a push has to bring. */
export interface PushPlan {
  root: PlannedManifest;
  /** In the order of the progress lines: of each image the top layer first, the config last. A blob may stand twice. */
  blobs: PlannedBlob[];
  /** Documents below the root, each after those that it names. */
  manifests: PlannedManifest[];
  /** What is named but not here: the push can be made only when the other side has it. */
  lacking: { blobs: Descriptor[]; manifests: Descriptor[] };
}

interface Planning {
  content: Pick<ContentStore, 'stat' | 'read'>;
  lease: Lease;
  plan: Omit<PushPlan, 'root'>;
  seen: Set<Digest>;
}

/**
 * Walks from a manifest or index through everything that it names, leasing it.
 * Errors: `not-found` when the root itself is not here; `invalid` for documents that are malformed.
 */
export async function planPush(
  content: Pick<ContentStore, 'stat' | 'read'>,
  root: Descriptor,
  lease: Lease,
): Promise<PushPlan> {
  const plan: Omit<PushPlan, 'root'> = { blobs: [], manifests: [], lacking: { blobs: [], manifests: [] } };
  const planning: Planning = { content, lease, plan, seen: new Set([root.digest]) };
  lease.add(root.digest);
  const bytes = await content.read(root.digest, MAX_MANIFEST_BYTES);
  await planBelow(planning, root, bytes);
  return { root: { descriptor: root, bytes }, ...plan };
}

async function planBelow(planning: Planning, descriptor: Descriptor, bytes: Buffer): Promise<void> {
  const { mediaType } = descriptor;
  if (isManifestType(mediaType)) return planManifest(planning, parseManifest(bytes, mediaType));
  if (!isIndexType(mediaType)) return;
  for (const entry of parseIndex(bytes, mediaType).manifests) await planEntry(planning, entry);
}

/** An entry of an index: a document, of whatever media type, that registries keep among the manifests. */
async function planEntry(planning: Planning, entry: Descriptor): Promise<void> {
  const { content, lease, plan, seen } = planning;
  if (seen.has(entry.digest)) return;
  seen.add(entry.digest);
  lease.add(entry.digest);
  if (!(await content.stat(entry.digest))) {
    plan.lacking.manifests.push(entry);
    return;
  }
  const bytes = await content.read(entry.digest, MAX_MANIFEST_BYTES);
  await planBelow(planning, entry, bytes);
  plan.manifests.push({ descriptor: entry, bytes });
}

async function planManifest(planning: Planning, manifest: Manifest): Promise<void> {
  const { lease, plan } = planning;
  lease.add(manifest.config.digest, ...manifest.layers.map(({ digest }) => digest));
  const diffIds = await diffIdsOf(planning.content, manifest);
  for (const [at, layer] of [...manifest.layers.entries()].reverse()) {
    if (isForeign(layer)) continue;
    plan.blobs.push({ descriptor: layer, shown: diffIds[at] ?? layer.digest });
    await noteLacking(planning, layer);
  }
  plan.blobs.push({ descriptor: manifest.config, shown: undefined });
  await noteLacking(planning, manifest.config);
}

async function noteLacking({ content, plan, seen }: Planning, blob: Descriptor): Promise<void> {
  if (seen.has(blob.digest)) return;
  seen.add(blob.digest);
  if (!(await content.stat(blob.digest))) plan.lacking.blobs.push(blob);
}

/** The diffIDs of an image's layers; none for what is no image, or not here. */
async function diffIdsOf(content: Planning['content'], manifest: Manifest): Promise<Digest[]> {
  const { mediaType, digest } = manifest.config;
  if (mediaType !== MediaTypes.ociConfig && mediaType !== MediaTypes.dockerConfig) return [];
  if (!(await content.stat(digest))) return [];
  const bytes = await content.read(digest, MAX_CONFIG_BYTES);
  try {
    const diffIds = parseImageConfig(bytes).rootfs.diff_ids;
    return diffIds.length === manifest.layers.length ? diffIds : [];
  } catch (thrown) {
    // Kept with an index as it came: it is passed on as it is.
    if (isKind(thrown, 'invalid')) return [];
    throw thrown;
  }
}

/** Layers that are fetched from where they come from, and that registries do not keep (image-spec, "Non-Distributable Layers"). */
function isForeign(layer: Descriptor): boolean {
  const foreign =
    layer.mediaType === MediaTypes.dockerForeignLayer || layer.mediaType.includes('.nondistributable.');
  return foreign && (layer.urls?.length ?? 0) > 0;
}
