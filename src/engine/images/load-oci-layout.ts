import { WharfError } from '../../base/index.ts';
import {
  type Descriptor,
  hostPlatform,
  isIndexType,
  isManifestType,
  type Manifest,
  matchPlatform,
  type Platform,
  parseImageConfig,
  parseIndex,
  parseManifest,
} from '../../oci/index.ts';
import type { ArchiveSpool, SpooledFile } from './archive-spool.ts';
import type { LoadContext, LoadDeps, LoadedImage } from './load.ts';
import { countLoaded } from './progress.ts';
import { buildImage } from './register.ts';
import { canonicalName } from './store.ts';

const NAME_ANNOTATIONS = ['io.containerd.image.name', 'org.opencontainers.image.ref.name'];
const MAX_INDEX_DEPTH = 4;

/** Reads the images of an OCI image layout for one platform. Blobs are kept as they came. Errors: `invalid`, `corrupt`. */
export async function loadOciLayout(deps: LoadDeps, context: LoadContext): Promise<LoadedImage[]> {
  const { spool, platform } = context;
  const root = await spool.bytes('index.json');
  const loaded = new Map<string, LoadedImage>();
  for (const entry of parseIndex(root ?? Buffer.alloc(0)).manifests) {
    const found = await chooseManifest(spool, entry, platform ?? hostPlatform(), platform !== undefined, 0);
    if (!found) continue;
    const name = nameOf(entry);
    const image = await takeImage(deps, context, found);
    const known = loaded.get(image.id) ?? { image, names: [] };
    if (name && !known.names.includes(name)) known.names.push(name);
    loaded.set(image.id, known);
  }
  return [...loaded.values()];
}

/** Follows indexes down to the manifest that fits; a manifest at the top counts as fitting unless a platform was asked for. */
async function chooseManifest(
  spool: ArchiveSpool,
  entry: Descriptor,
  platform: Platform,
  strict: boolean,
  depth: number,
): Promise<{ descriptor: Descriptor; manifest: Manifest } | undefined> {
  if (depth > MAX_INDEX_DEPTH)
    throw new WharfError('invalid', 'the indexes of the layout are nested too deep');
  if (entry.platform && strict && !matchPlatform(platform, entry.platform)) return undefined;
  const bytes = await blobBytes(spool, entry);
  if (isIndexType(entry.mediaType)) {
    for (const child of parseIndex(bytes, entry.mediaType).manifests) {
      if (child.platform && !matchPlatform(platform, child.platform)) continue;
      const found = await chooseManifest(spool, child, platform, strict, depth + 1);
      if (found) return found;
    }
    return undefined;
  }
  if (!isManifestType(entry.mediaType)) return undefined;
  return { descriptor: entry, manifest: parseManifest(bytes, entry.mediaType) };
}

async function takeImage(
  deps: LoadDeps,
  context: LoadContext,
  found: { descriptor: Descriptor; manifest: Manifest },
): Promise<LoadedImage['image']> {
  const { spool, signal, report, lease } = context;
  const { descriptor, manifest } = found;
  const config = await blobBytes(spool, manifest.config);
  const diffIds = parseImageConfig(config).rootfs.diff_ids;
  const files = manifest.layers.map((layer) => blobFile(spool, layer));
  for (const [at, layer] of manifest.layers.entries()) {
    lease.add(layer.digest);
    if (await deps.content.stat(layer.digest)) continue;
    const counts = { diffId: diffIds[at] ?? layer.digest, total: layer.size };
    const source = countLoaded(spool.open(files[at] as SpooledFile), counts, report);
    await deps.content.write(source, layer, signal);
  }
  lease.add(descriptor.digest);
  const stored = await deps.content.put(await blobBytes(spool, descriptor), descriptor.mediaType);
  return buildImage(deps, { config, layers: manifest.layers, manifest: stored }, context);
}

/** A document blob, its digest and size checked against its descriptor. */
async function blobBytes(spool: ArchiveSpool, descriptor: Descriptor): Promise<Buffer> {
  const file = blobFile(spool, descriptor);
  if (file.digest !== descriptor.digest || file.size !== descriptor.size) {
    throw new WharfError('corrupt', `blob ${descriptor.digest} of the layout is in truth ${file.digest}`);
  }
  return (await spool.bytes(blobName(descriptor))) as Buffer;
}

function blobFile(spool: ArchiveSpool, descriptor: Descriptor) {
  const file = spool.file(blobName(descriptor));
  if (!file) throw new WharfError('invalid', `blob ${descriptor.digest} is not in the layout`);
  return file;
}

function blobName(descriptor: Descriptor): string {
  return `blobs/${descriptor.digest.replace(':', '/')}`;
}

/** The name in the index's annotations; a bare tag (`latest`) is not a name. */
function nameOf(entry: Descriptor): string | undefined {
  for (const annotation of NAME_ANNOTATIONS) {
    const text = entry.annotations?.[annotation];
    const name = text && /[/:]/.test(text) ? canonicalName(text) : undefined;
    if (name && !name.includes('@')) return name;
  }
  return undefined;
}
