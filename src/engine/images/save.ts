import { Readable } from 'node:stream';
import { decompress, type TarInput, writeTar } from '../../archive/index.ts';
import { WharfError } from '../../base/index.ts';
import type { ContentStore } from '../../content/index.ts';
import {
  bareDescriptor,
  type Descriptor,
  type Digest,
  digestOf,
  formatPlatform,
  isManifestType,
  MediaTypes,
  matchPlatform,
  type Platform,
  parseManifest,
  parseReference,
} from '../../oci/index.ts';
import { isOwnManifest, ownManifest } from './own-manifest.ts';
import { publishImage, type RegisterDeps } from './register.ts';
import { canonicalName, familiarName, type ImageLayer, type ImageRecord, type ImageStore } from './store.ts';
import type { SweepDeps } from './sweep.ts';
import { takeIn } from './take-in.ts';

export interface SaveDeps extends Pick<RegisterDeps, 'events'>, SweepDeps {}

interface SavedImage {
  image: ImageRecord;
  /** Canonical tags it was asked by; none when by id or digest. */
  names: string[];
  /** Those, and names with digests: what the archive keeps is what they stand for. */
  asked: Set<string>;
}

/**
 * Streams a tar that is a docker-archive and an OCI layout at once. Errors: `not-found` before anything is sent.
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
    yield* writeTar(entries(deps, images));
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
        const text = `no suitable export target found for platform ${formatPlatform(platform)}`;
        throw new WharfError('internal', text);
      }
      const saved = found.get(image.id) ?? { image, names: [], asked: new Set() };
      if (name && !name.includes('@') && !saved.asked.has(name)) saved.names.push(name);
      if (name) saved.asked.add(name);
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
async function* entries(deps: SaveDeps, images: SavedImage[]): AsyncIterable<TarInput> {
  const { content } = deps;
  const blobs = new Map<string, TarInput>();
  const index: object[] = [];
  const items: object[] = [];
  for (const saved of images) {
    const { image, names } = saved;
    const mtimeNs = nanos(image.created);
    const form = await formOf(deps, saved);
    for (const part of form.parts) blobs.set(part.digest, stored(content, part, mtimeNs));
    for (const { diffId, tarBytes, blob } of form.plain) {
      const body = plainLayer(content, blob);
      blobs.set(diffId, { name: blobName(diffId), type: 'file', size: tarBytes, mtimeNs, body });
    }
    const config = await content.read(image.config.digest, 8 << 20);
    blobs.set(image.id, document(blobName(image.id), config, mtimeNs));
    if (form.made) blobs.set(form.manifest.digest, document(blobName(form.manifest.digest), form.made));
    index.push(...indexEntries(form, names));
    items.push(archiveItem(image, names, form.layers));
  }
  const mtimeNs = nanos(images[0]?.image.created ?? '');
  for (const name of ['blobs/', 'blobs/sha256/']) yield { name, type: 'directory', mode: 0o755, mtimeNs };
  for (const digest of [...blobs.keys()].sort()) yield blobs.get(digest) as TarInput;
  yield* indexes(images, index, items);
}

/** How an image lies in the archive. */
interface SavedForm {
  manifest: Descriptor;
  /** The manifest's bytes when it is made for the archive. */
  made?: Buffer;
  /** Blobs written as they are kept. */
  parts: { digest: Digest; size: number }[];
  /** Layers written as plain tars. */
  plain: ImageLayer[];
  layers: { diffId: Digest; blob: Descriptor }[];
  /** What names stand for, where that is not the manifest. */
  targets: Map<string, Descriptor>;
}

/**
 * An image that came with a manifest lies in the archive with it, its packed layers and whatever else its names stand for,
 * byte for byte; any other with plain layers, as the reference writes all of them.
 */
async function formOf(deps: SaveDeps, { image, asked }: SavedImage): Promise<SavedForm> {
  const targets = new Map<string, Descriptor>();
  for (const name of asked) {
    const target = deps.images.name(name)?.target;
    if (target && (await isWhole(deps, target))) targets.set(name, bareDescriptor(target));
  }
  if (targets.size > 0 || !isOwnManifest(image)) {
    const wanted = new Set<string>([...targets.values()].map(({ digest }) => digest));
    const kept = deps.images.indexes().filter(({ digest }) => wanted.has(digest));
    const main = await mainManifest(deps, image, [...targets.values()]);
    const own = [main.manifest, ...main.layers.map(({ blob }) => blob)];
    const parts = [...own, ...targets.values(), ...kept.flatMap(({ blobs }) => blobs)];
    return { ...main, parts, plain: [], targets };
  }
  const layers = image.layers.map(({ diffId, tarBytes }) => ({
    diffId,
    blob: { mediaType: MediaTypes.ociLayer, digest: diffId, size: tarBytes },
  }));
  const made = ownManifest(
    image.config,
    layers.map(({ blob }) => blob),
  );
  const manifest = { mediaType: MediaTypes.ociManifest, digest: digestOf(made), size: made.length };
  return { manifest, made, parts: [], plain: image.layers, layers, targets };
}

/** The manifest that `manifest.json` follows: one that a name stands for, rather than one that was made here. */
async function mainManifest(
  { content }: SaveDeps,
  image: ImageRecord,
  targets: Descriptor[],
): Promise<Pick<SavedForm, 'manifest' | 'layers'>> {
  const manifest = targets.find(({ mediaType }) => isManifestType(mediaType));
  if (!manifest || !isOwnManifest(image))
    return { manifest: bareDescriptor(image.manifest), layers: image.layers };
  const { layers } = parseManifest(await content.read(manifest.digest), manifest.mediaType);
  return {
    manifest,
    layers: image.layers.map(({ diffId, blob }, at) => ({ diffId, blob: layers[at] ?? blob })),
  };
}

async function isWhole({ content }: SaveDeps, target: Descriptor): Promise<boolean> {
  return (await content.stat(target.digest)) !== undefined;
}

function stored(content: ContentStore, part: { digest: Digest; size: number }, mtimeNs: bigint): TarInput {
  const body = (async function* () {
    yield* content.open(part.digest) as AsyncIterable<Uint8Array>;
  })();
  return { name: blobName(part.digest), type: 'file', size: part.size, mtimeNs, body };
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

function indexEntries({ manifest, targets }: SavedForm, names: string[]): object[] {
  if (names.length === 0) return targets.size > 0 ? [...targets.values()] : [manifest];
  return names.map((name) => ({
    ...(targets.get(name) ?? manifest),
    annotations: {
      'io.containerd.image.name': name,
      'org.opencontainers.image.ref.name': name.slice(name.lastIndexOf(':') + 1),
    },
  }));
}

function archiveItem(image: ImageRecord, names: string[], layers: SavedForm['layers']): object {
  const sources = layers.map(({ diffId, blob }): [string, object] => {
    const { mediaType, size, digest } = blob;
    return [diffId, { mediaType, size, digest }];
  });
  return {
    Config: blobName(image.id),
    RepoTags: names.length > 0 ? names.map(familiarName) : null,
    Layers: layers.map(({ blob }) => blobName(blob.digest)),
    LayerSources: Object.fromEntries(sources.sort(([one], [other]) => (one < other ? -1 : 1))),
  };
}

/** `repositories` of the oldest format: name → tag → top layer, sorted as the reference's maps are. */
function oldIndex(images: SavedImage[]): Record<string, Record<string, string>> | undefined {
  const tagged = images.flatMap(({ image, names }) =>
    names.map(familiarName).map((name) => {
      const at = name.lastIndexOf(':');
      const top = image.layers.at(-1)?.diffId.replace('sha256:', '') ?? '';
      return { repository: name.slice(0, at), tag: name.slice(at + 1), top };
    }),
  );
  const found: Record<string, Record<string, string>> = {};
  for (const { repository, tag, top } of tagged.sort(byName)) {
    found[repository] = { ...found[repository], [tag]: top };
  }
  return tagged.length > 0 ? found : undefined;
}

function byName(
  one: { repository: string; tag: string },
  other: { repository: string; tag: string },
): number {
  const [own, theirs] =
    one.repository === other.repository ? [one.tag, other.tag] : [one.repository, other.repository];
  return own < theirs ? -1 : 1;
}
