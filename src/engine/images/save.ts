import { Readable } from 'node:stream';
import { decompress, type TarInput, writeTar } from '../../archive/index.ts';
import { WharfError } from '../../base/index.ts';
import type { ContentStore } from '../../content/index.ts';
import {
  type Descriptor,
  digestOf,
  MediaTypes,
  matchPlatform,
  type Platform,
  parseReference,
} from '../../oci/index.ts';
import { publishImage, type RegisterDeps } from './register.ts';
import { canonicalName, familiarName, type ImageRecord, type ImageStore } from './store.ts';
import type { SweepDeps } from './sweep.ts';
import { takeIn } from './take-in.ts';

export interface SaveDeps extends Pick<RegisterDeps, 'events'>, SweepDeps {}

interface SavedImage {
  image: ImageRecord;
  /** Canonical names it was asked by; none when by id. */
  names: string[];
}

/**
 * Streams a tar that is a docker-archive and an OCI layout at once; layers are plain tars named by their diffID, as the
 * reference writes them. Errors: `not-found` before anything is sent.
 */
export function saveImages(deps: SaveDeps, refs: string[], options: { platform?: Platform }): Readable {
  const images = collect(deps, refs, options.platform);
  for (const { image } of images) publishImage(deps, image, 'save');
  return Readable.from(held(deps, images), { objectMode: false });
}

/** An image removed while the archive is read is still saved as a whole, and swept after. */
async function* held(deps: SaveDeps, images: SavedImage[]): AsyncIterable<Uint8Array> {
  const ended = Promise.withResolvers<void>();
  const held = takeIn(deps, async (lease) => {
    for (const { image } of images) lease.add(...deps.images.blobsOf(image.id));
    await ended.promise;
  });
  try {
    yield* writeTar(entries(deps.content, images));
  } finally {
    ended.resolve();
    await held;
  }
}

function collect(deps: SaveDeps, refs: string[], platform: Platform | undefined): SavedImage[] {
  const found = new Map<string, SavedImage>();
  for (const ref of refs) {
    for (const { image, name } of namedBy(deps.images, ref)) {
      if (platform && !matchPlatform(platform, image.platform)) {
        throw new WharfError('not-found', 'reference does not exist');
      }
      const saved = found.get(image.id) ?? { image, names: [] };
      if (name && !saved.names.includes(name)) saved.names.push(name);
      found.set(image.id, saved);
    }
  }
  return [...found.values()];
}

/** What a reference of `save` means: an id alone, a tag, or (without a tag) all tags of a repository. */
function namedBy(images: ImageStore, ref: string): { image: ImageRecord; name?: string }[] {
  const canonical = canonicalName(ref);
  if (canonical && !hasTag(ref)) {
    const repository = canonical.slice(0, canonical.lastIndexOf(':') + 1);
    const tags = images.names().filter((entry) => entry.name.startsWith(repository));
    if (tags.length > 0) {
      return tags.map((entry) => ({ image: images.get(entry.imageId) as ImageRecord, name: entry.name }));
    }
  }
  const image = images.find(ref);
  if (!image) throw missing(ref);
  return [{ image, ...(canonical && images.named(canonical) === image.id ? { name: canonical } : {}) }];
}

function hasTag(ref: string): boolean {
  return /[:@][^/]*$/.test(ref);
}

/** The reference says of a whole name only that it does not exist. Errors: `invalid` for what can't be a name. */
function missing(ref: string): WharfError {
  if (/^(sha256:)?[0-9a-f]+$/.test(ref)) return new WharfError('not-found', `No such image: ${ref}`);
  parseReference(ref);
  return new WharfError('not-found', hasTag(ref) ? 'reference does not exist' : `No such image: ${ref}`);
}

/** In the order in which the reference walks its folder: by name. */
async function* entries(content: ContentStore, images: SavedImage[]): AsyncIterable<TarInput> {
  const blobs = new Map<string, TarInput>();
  const index: object[] = [];
  const items: object[] = [];
  for (const { image, names } of images) {
    const mtimeNs = nanos(image.created);
    const layers = image.layers.map((layer) => ({
      mediaType: MediaTypes.ociLayer,
      digest: layer.diffId,
      size: layer.tarBytes,
    }));
    for (const { diffId, tarBytes, blob } of image.layers) {
      const body = plainLayer(content, blob);
      blobs.set(diffId, { name: blobName(diffId), type: 'file', size: tarBytes, mtimeNs, body });
    }
    const config = await content.read(image.config.digest, 8 << 20);
    blobs.set(image.id, document(blobName(image.id), config, mtimeNs));
    const manifest = manifestOf(image, config.length, layers);
    blobs.set(digestOf(manifest), document(blobName(digestOf(manifest)), manifest));
    index.push(...indexEntries(manifest, names));
    items.push(archiveItem(image, names, layers));
  }
  const mtimeNs = nanos(images[0]?.image.created ?? '');
  for (const name of ['blobs/', 'blobs/sha256/']) yield { name, type: 'directory', mode: 0o755, mtimeNs };
  for (const digest of [...blobs.keys()].sort()) yield blobs.get(digest) as TarInput;
  yield* indexes(images, index, items);
}

function* indexes(images: SavedImage[], index: object[], items: object[]): Iterable<TarInput> {
  const list = { schemaVersion: 2, mediaType: MediaTypes.ociIndex, manifests: index };
  yield document('index.json', Buffer.from(JSON.stringify(list)));
  yield document('manifest.json', Buffer.from(`${JSON.stringify(items)}\n`));
  yield document('oci-layout', Buffer.from('{"imageLayoutVersion": "1.0.0"}'));
  const repositories = oldIndex(images);
  if (repositories) yield document('repositories', Buffer.from(`${JSON.stringify(repositories)}\n`));
}

/** The layer's tar, opened only when its turn comes. */
async function* plainLayer(content: ContentStore, blob: Descriptor): AsyncIterable<Uint8Array> {
  yield* decompress(content.open(blob.digest));
}

function document(name: string, body: Buffer, mtimeNs = 0n): TarInput {
  return { name, type: 'file', mode: 0o644, size: body.length, body, mtimeNs };
}

/** Whole seconds, as plain tar headers have them; 0 for no time, and for times before 1970. */
function nanos(created: string): bigint {
  const seconds = Math.floor(Date.parse(created) / 1000);
  return seconds > 0 ? BigInt(seconds) * 1_000_000_000n : 0n;
}

function blobName(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}

function manifestOf(image: ImageRecord, configSize: number, layers: object[]): Buffer {
  const config = { mediaType: MediaTypes.ociConfig, digest: image.id, size: configSize };
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MediaTypes.ociManifest, config, layers }));
}

function indexEntries(manifest: Buffer, names: string[]): object[] {
  const entry = { mediaType: MediaTypes.ociManifest, digest: digestOf(manifest), size: manifest.length };
  if (names.length === 0) return [entry];
  return names.map((name) => ({
    ...entry,
    annotations: {
      'io.containerd.image.name': name,
      'org.opencontainers.image.ref.name': name.slice(name.lastIndexOf(':') + 1),
    },
  }));
}

function archiveItem(
  image: ImageRecord,
  names: string[],
  layers: { mediaType: string; size: number; digest: string }[],
): object {
  const sources = layers.map(({ mediaType, size, digest }): [string, object] => [
    digest,
    { mediaType, size, digest },
  ]);
  return {
    Config: blobName(image.id),
    RepoTags: names.length > 0 ? names.map(familiarName) : null,
    Layers: layers.map((layer) => blobName(layer.digest)),
    LayerSources: Object.fromEntries(sources.sort(([one], [other]) => (one < other ? -1 : 1))),
  };
}

/** `repositories` of the oldest format: name → tag → top layer, sorted as the reference's maps are. */
function oldIndex(images: SavedImage[]): Record<string, Record<string, string>> | undefined {
  const found: Record<string, Record<string, string>> = {};
  const names = images.flatMap(({ image, names }) =>
    names.map((name) => ({ image, name: familiarName(name) })),
  );
  for (const { image, name } of names.sort((one, other) => (one.name < other.name ? -1 : 1))) {
    const top = image.layers.at(-1)?.diffId.replace('sha256:', '') ?? '';
    const at = name.lastIndexOf(':');
    const tags = found[name.slice(0, at)] ?? {};
    tags[name.slice(at + 1)] = top;
    found[name.slice(0, at)] = tags;
  }
  return names.length > 0 ? found : undefined;
}
