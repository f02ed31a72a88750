import { Readable } from 'node:stream';
import { decompress, type TarInput, writeTar } from '../../archive/index.ts';
import { WharfError } from '../../base/index.ts';
import type { ContentStore } from '../../content/index.ts';
import { digestOf, formatPlatform, MediaTypes, matchPlatform, type Platform } from '../../oci/index.ts';
import { publishImage, type RegisterDeps } from './register.ts';
import { canonicalName, familiarName, type ImageRecord, type ImageStore } from './store.ts';

export interface SaveDeps extends Pick<RegisterDeps, 'events'> {
  images: ImageStore;
  content: ContentStore;
}

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
  return Readable.from(writeTar(entries(deps.content, images)), { objectMode: false });
}

function collect(deps: SaveDeps, refs: string[], platform: Platform | undefined): SavedImage[] {
  const found = new Map<string, SavedImage>();
  for (const ref of refs) {
    for (const { image, name } of namedBy(deps.images, ref)) {
      if (platform && !matchPlatform(platform, image.platform)) {
        const asked = formatPlatform(platform);
        throw new WharfError(
          'not-found',
          `image with reference ${ref} was found but does not provide the specified platform (${asked})`,
        );
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
  if (canonical && !/[:@][^/]*$/.test(ref)) {
    const repository = canonical.slice(0, canonical.lastIndexOf(':') + 1);
    const tags = images.names().filter((entry) => entry.name.startsWith(repository));
    if (tags.length > 0) {
      return tags.map((entry) => ({ image: images.get(entry.imageId) as ImageRecord, name: entry.name }));
    }
  }
  const image = images.resolve(ref);
  return [{ image, name: canonical && images.named(canonical) === image.id ? canonical : undefined }];
}

async function* entries(content: ContentStore, images: SavedImage[]): AsyncIterable<TarInput> {
  const done = new Set<string>();
  const index: object[] = [];
  const items: object[] = [];
  for (const { image, names } of images) {
    const layers: { mediaType: string; size: number; digest: string }[] = [];
    for (const layer of image.layers) {
      const size = layer.tarBytes;
      layers.push({ mediaType: MediaTypes.ociLayer, digest: layer.diffId, size });
      if (done.has(layer.diffId)) continue;
      done.add(layer.diffId);
      yield {
        name: blobName(layer.diffId),
        type: 'file',
        mode: 0o644,
        size,
        body: decompress(content.open(layer.blob.digest)),
      };
    }
    const config = await content.read(image.config.digest, 8 << 20);
    yield document(blobName(image.id), config);
    const manifest = manifestOf(image, config.length, layers);
    yield document(blobName(digestOf(manifest)), manifest);
    index.push(...indexEntries(manifest, names));
    items.push(archiveItem(image, names, layers));
  }
  const list = { schemaVersion: 2, mediaType: MediaTypes.ociIndex, manifests: index };
  yield document('index.json', Buffer.from(JSON.stringify(list)));
  yield document('manifest.json', Buffer.from(JSON.stringify(items)));
  yield document('oci-layout', Buffer.from('{"imageLayoutVersion": "1.0.0"}'));
  const repositories = oldIndex(images);
  if (repositories) yield document('repositories', Buffer.from(JSON.stringify(repositories)));
}

function document(name: string, body: Buffer): TarInput {
  return { name, type: 'file', mode: 0o644, size: body.length, body };
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
  return {
    Config: blobName(image.id),
    RepoTags: names.length > 0 ? names.map(familiarName) : null,
    Layers: layers.map((layer) => blobName(layer.digest)),
    LayerSources: Object.fromEntries(layers.map((layer) => [layer.digest, layer])),
  };
}

/** `repositories` of the oldest format: name → tag → top layer. */
function oldIndex(images: SavedImage[]): Record<string, Record<string, string>> | undefined {
  const found: Record<string, Record<string, string>> = {};
  for (const { image, names } of images) {
    const top = image.layers.at(-1)?.diffId.replace('sha256:', '') ?? '';
    for (const name of names.map(familiarName)) {
      const at = name.lastIndexOf(':');
      const tags = found[name.slice(0, at)] ?? {};
      tags[name.slice(at + 1)] = top;
      found[name.slice(0, at)] = tags;
    }
  }
  return Object.keys(found).length > 0 ? found : undefined;
}
