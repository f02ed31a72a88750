import { WharfError } from '../../base/index.ts';
import {
  type Descriptor,
  type Digest,
  digestOf,
  type ImageConfigFile,
  MediaTypes,
  matchPlatform,
  parseImageConfig,
} from '../../oci/index.ts';
import type { ArchiveSpool, SpooledFile } from './archive-spool.ts';
import { storePlainLayer } from './layers.ts';
import { type LayoutImage, readLayout } from './layout.ts';
import type { LoadContext, LoadDeps, LoadedImage } from './load.ts';
import { takeLayoutImage, takeTarget } from './load-oci-layout.ts';
import { countLoaded } from './progress.ts';
import { buildImage } from './register.ts';
import { archivedName } from './target-name.ts';

/** More images than any archive of good intent holds. */
const MAX_IMAGES = 1000;

/** One element of `manifest.json` in a docker-archive. */
interface ArchiveItem {
  Config: string;
  RepoTags: string[];
  Layers: string[];
}

/** An element with its parts found: everything is there and fits together by its numbers. */
interface CheckedItem {
  config: Buffer;
  file: ImageConfigFile;
  names: string[];
  layers: { name: string; file: SpooledFile | undefined; diffId: Digest }[];
}

/** Reads the images of a docker-archive that fit the platform. Errors: `invalid`, `corrupt`. */
export async function loadDockerArchive(deps: LoadDeps, context: LoadContext): Promise<LoadedImage[]> {
  const items: CheckedItem[] = [];
  for (const item of parseItems(await context.spool.json('manifest.json'))) {
    items.push(await checkItem(context.spool, item));
  }
  const loaded: LoadedImage[] = [];
  const layout = await otherHalf(context);
  const packed = new Map<Digest, Descriptor>();
  for (const item of items) {
    const { config, file, names, layers } = item;
    if (context.platform && !matchPlatform(context.platform, file)) continue;
    const whole = layout.filter((image) => isSame(item, image));
    if (whole[0]) {
      loaded.push(await loadWhole(deps, context, whole[0], names, whole));
      continue;
    }
    const blobs: Descriptor[] = [];
    for (const [at, layer] of layers.entries()) {
      // Packed once: packing the same bytes again need not give the same blob.
      const blob = packed.get(layer.diffId) ?? (await layerBlob(deps, context, layer, at));
      packed.set(layer.diffId, blob);
      blobs.push(blob);
    }
    const image = await buildImage(deps, { config, layers: blobs }, context);
    loaded.push({ image, names: names.map((name) => ({ name })) });
  }
  return loaded;
}

/**
 * The OCI layout that the archive is as well. It only adds to what `manifest.json` says, so one that is no good is passed by.
 */
async function otherHalf({ spool, platform }: LoadContext): Promise<LayoutImage[]> {
  if (!spool.file('index.json')) return [];
  try {
    return await readLayout(spool, platform);
  } catch (thrown) {
    if (thrown instanceof WharfError) return [];
    throw thrown;
  }
}

/** True when a manifest of the layout has that very config, and packed layers: from plain ones it can be made again. */
function isSame({ config }: CheckedItem, { manifest }: LayoutImage): boolean {
  const plain: string[] = [MediaTypes.ociLayer, MediaTypes.dockerLayer];
  return (
    manifest.config.digest === digestOf(config) &&
    manifest.layers.some(({ mediaType }) => !plain.includes(mediaType))
  );
}

/** Takes the image in with the manifest that it has in the layout, names standing there for what they stand for. */
async function loadWhole(
  deps: LoadDeps,
  context: LoadContext,
  found: LayoutImage,
  names: string[],
  all: LayoutImage[],
): Promise<LoadedImage> {
  const image = await takeLayoutImage(deps, context, found);
  const named: LoadedImage['names'] = [];
  for (const name of names) {
    const own = all.find((other) => other.name === name);
    named.push(own ? { name, target: await takeTarget(deps, context, own) } : { name });
  }
  return { image, names: named };
}

async function checkItem(spool: ArchiveSpool, item: ArchiveItem): Promise<CheckedItem> {
  const config = await spool.bytes(item.Config);
  if (!config)
    throw new WharfError('invalid', `invalid manifest, config ${item.Config} is not in the archive`);
  const file = parseImageConfig(config);
  const diffIds = file.rootfs.diff_ids;
  if (diffIds.length !== item.Layers.length) {
    throw new WharfError(
      'invalid',
      `invalid manifest, layers length mismatch: expected ${item.Layers.length}, got ${diffIds.length}`,
    );
  }
  const layers = item.Layers.map((name, at) => ({
    name,
    file: spool.file(name),
    diffId: diffIds[at] as Digest,
  }));
  return { config, file, names: item.RepoTags.map(archivedName), layers };
}

/** The blob of a layer: the one that is here already for that diffID, else the archive's, compressed. */
async function layerBlob(
  deps: LoadDeps,
  context: LoadContext,
  layer: CheckedItem['layers'][number],
  at: number,
): Promise<Descriptor> {
  const { file, diffId, name } = layer;
  const known = knownBlob(deps, diffId);
  if (known) context.lease.add(known.digest);
  if (known && (await deps.content.stat(known.digest))?.size === known.size) return known;
  if (!file) throw new WharfError('invalid', `invalid manifest, layer ${name} is not in the archive`);
  const source = () => countLoaded(context.spool.open(file), { diffId, total: file.size }, context.report);
  const magic = await firstBytes(context.spool, file);
  if (magic === 'gzip' || magic === 'zstd') {
    context.lease.add(file.digest);
    const written = await deps.content.write(
      source(),
      { digest: file.digest, size: file.size },
      context.signal,
    );
    return { ...written, mediaType: magic === 'gzip' ? MediaTypes.ociLayerGzip : MediaTypes.ociLayerZstd };
  }
  if (file.digest !== diffId) {
    throw new WharfError(
      'corrupt',
      `invalid diffID for layer ${at}: expected "${diffId}", got "${file.digest}"`,
    );
  }
  return (await storePlainLayer(deps.content, source(), context)).blob;
}

function knownBlob(deps: LoadDeps, diffId: Digest): Descriptor | undefined {
  for (const image of deps.images.all()) {
    const layer = image.layers.find((candidate) => candidate.diffId === diffId);
    if (layer) return layer.blob;
  }
  return undefined;
}

/** Which compression a layer file has, by its first bytes. */
async function firstBytes(spool: ArchiveSpool, file: SpooledFile): Promise<'gzip' | 'zstd' | 'plain'> {
  const stream = spool.open(file);
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (chunk.length >= 2 && chunk.readUInt16BE(0) === 0x1f8b) return 'gzip';
      if (chunk.length >= 4 && chunk.readUInt32LE(0) === 0xfd2fb528) return 'zstd';
      return 'plain';
    }
    return 'plain';
  } finally {
    stream.destroy();
  }
}

function parseItems(document: unknown): ArchiveItem[] {
  if (document === null) {
    throw new WharfError('invalid', 'invalid manifest, manifest cannot be null (but can be [])');
  }
  if (!Array.isArray(document)) {
    const kind = typeof document === 'boolean' ? 'bool' : typeof document;
    const text = `json: cannot unmarshal ${kind} into Go value of type []tarexport.manifestItem`;
    throw new WharfError('invalid', text);
  }
  if (document.length > MAX_IMAGES) {
    throw new WharfError('invalid', `invalid manifest.json: more than ${MAX_IMAGES} images`);
  }
  return document.map((item: Record<string, unknown> | null) => {
    const layers = item?.['Layers'] ?? [];
    const tags = item?.['RepoTags'] ?? [];
    if (typeof item?.['Config'] !== 'string' || !isStrings(layers) || !isStrings(tags)) {
      throw new WharfError('invalid', 'invalid manifest.json: Config, RepoTags and Layers are needed');
    }
    return { Config: item['Config'], RepoTags: tags, Layers: layers };
  });
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
