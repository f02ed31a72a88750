import { WharfError } from '../../base/index.ts';
import {
  type Descriptor,
  type Digest,
  MediaTypes,
  matchPlatform,
  type Platform,
  parseImageConfig,
} from '../../oci/index.ts';
import type { ArchiveSpool, SpooledFile } from './archive-spool.ts';
import { storePlainLayer } from './layers.ts';
import type { LoadDeps, LoadedImage } from './load.ts';
import { registerImage } from './register.ts';
import { canonicalName, type ImageLayer } from './store.ts';

/** One element of `manifest.json` in a docker-archive. */
interface ArchiveItem {
  Config: string;
  RepoTags: string[];
  Layers: string[];
}

/** Reads the images of a docker-archive that fit the platform. Errors: `invalid`. */
export async function loadDockerArchive(
  deps: LoadDeps,
  spool: ArchiveSpool,
  onLayer: (layer: ImageLayer) => void,
  platform: Platform | undefined,
  signal: AbortSignal,
): Promise<LoadedImage[]> {
  const loaded: LoadedImage[] = [];
  for (const item of parseItems(await spool.json('manifest.json'))) {
    const config = await spool.bytes(item.Config);
    if (!config)
      throw new WharfError('invalid', `invalid manifest, config ${item.Config} is not in the archive`);
    const file = parseImageConfig(config);
    if (platform && !matchPlatform(platform, file)) continue;
    const diffIds = file.rootfs.diff_ids;
    const layers: Descriptor[] = [];
    for (const [at, name] of item.Layers.entries()) {
      layers.push(await layerBlob(deps, spool, name, diffIds[at], signal));
    }
    const image = await registerImage(deps, { config, layers }, onLayer, signal);
    loaded.push({ image, names: namesOf(item) });
  }
  return loaded;
}

/** The blob of a layer: the one that is here already for that diffID, else the archive's, compressed. */
async function layerBlob(
  deps: LoadDeps,
  spool: ArchiveSpool,
  name: string,
  diffId: Digest | undefined,
  signal: AbortSignal,
): Promise<Descriptor> {
  const file = spool.file(name);
  if (!file) throw new WharfError('invalid', `invalid manifest, layer ${name} is not in the archive`);
  const known = diffId === undefined ? undefined : knownBlob(deps, diffId);
  if (known && (await deps.content.stat(known.digest))) return known;
  const magic = await firstBytes(spool, file);
  if (magic === 'gzip' || magic === 'zstd') {
    const written = await deps.content.write(
      spool.open(file),
      { digest: file.digest, size: file.size },
      signal,
    );
    return { ...written, mediaType: magic === 'gzip' ? MediaTypes.ociLayerGzip : MediaTypes.ociLayerZstd };
  }
  if (diffId !== undefined && file.digest !== diffId) {
    throw new WharfError(
      'corrupt',
      `layer ${name} of the archive is ${file.digest}, its image says ${diffId}`,
    );
  }
  return (await storePlainLayer(deps.content, spool.open(file), signal)).blob;
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
  if (!Array.isArray(document)) throw new WharfError('invalid', 'invalid manifest.json: a list is needed');
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

function namesOf(item: ArchiveItem): string[] {
  return item.RepoTags.map((tag) => {
    const name = canonicalName(tag);
    if (!name || name.includes('@')) throw new WharfError('invalid', `invalid tag "${tag}"`);
    return name;
  });
}
