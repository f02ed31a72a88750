import { WharfError } from '../../base/index.ts';
import {
  bareDescriptor,
  type Descriptor,
  type Digest,
  hostPlatform,
  isIndexType,
  isManifestType,
  type Manifest,
  matchPlatform,
  type Platform,
  parseIndex,
  parseManifest,
} from '../../oci/index.ts';
import type { ArchiveSpool, SpooledFile } from './archive-spool.ts';
import { layoutReferrers, referrersOf } from './layout-referrers.ts';
import { canonicalName } from './store.ts';

const NAME_ANNOTATIONS = ['io.containerd.image.name', 'org.opencontainers.image.ref.name'];
const MAX_INDEX_DEPTH = 4;
/** More parts than an index of good intent has. */
const MAX_PARTS = 10_000;

/** An image that an entry of a layout's `index.json` stands for. */
export interface LayoutImage {
  /** Canonical. */
  name: string | undefined;
  /** The entry: an index, or the image's manifest. */
  target: Descriptor;
  descriptor: Descriptor;
  manifest: Manifest;
  /** Everything that hangs on the entry and that the archive holds, the image's own blobs among it. */
  parts: Descriptor[];
  /** Those of the parts that speak of another one of them as their subject, each after it. */
  referrers: Descriptor[];
}

/** Finds the images of an OCI image layout for one platform, the host's if none is asked for. Errors: `invalid`, `corrupt`. */
export async function readLayout(spool: ArchiveSpool, platform?: Platform): Promise<LayoutImage[]> {
  const root = await spool.bytes('index.json');
  const found: (Omit<LayoutImage, 'parts' | 'referrers'> & { parts: Map<string, Descriptor> })[] = [];
  for (const entry of parseIndex(root ?? Buffer.alloc(0)).manifests) {
    const image = await chooseManifest(spool, entry, platform ?? hostPlatform(), platform !== undefined, 0);
    if (!image) continue;
    const parts = new Map<string, Descriptor>();
    await collectParts(spool, entry, platform, parts, 0);
    found.push({ name: nameOf(entry), target: bareDescriptor(entry), ...image, parts });
  }
  const unnamed = await layoutReferrers(spool, (digest) => found.some(({ parts }) => parts.has(digest)));
  const images: LayoutImage[] = [];
  for (const image of found) {
    const referrers = referrersOf(unnamed, image.parts.keys() as Iterable<Digest>);
    for (const referrer of referrers) await collectParts(spool, referrer, platform, image.parts, 0);
    images.push({ ...image, parts: [...image.parts.values()], referrers });
  }
  return images;
}

/** Follows indexes down to the manifest that fits; a manifest at the top counts as fitting unless a platform was asked for. */
async function chooseManifest(
  spool: ArchiveSpool,
  entry: Descriptor,
  platform: Platform,
  strict: boolean,
  depth: number,
): Promise<{ descriptor: Descriptor; manifest: Manifest } | undefined> {
  checkDepth(depth);
  if (entry.platform && strict && !matchPlatform(platform, entry.platform)) return undefined;
  if (isIndexType(entry.mediaType)) {
    for (const child of parseIndex(await blobBytes(spool, entry), entry.mediaType).manifests) {
      if (child.platform && !matchPlatform(platform, child.platform)) continue;
      const found = await chooseManifest(spool, child, platform, strict, depth + 1);
      if (found) return found;
    }
    return undefined;
  }
  if (!isManifestType(entry.mediaType)) return undefined;
  const manifest = parseManifest(await blobBytes(spool, entry), entry.mediaType);
  return { descriptor: bareDescriptor(entry), manifest };
}

/** Indexes may name what the archive does not hold: other platforms' images are often left out. */
async function collectParts(
  spool: ArchiveSpool,
  entry: Descriptor,
  platform: Platform | undefined,
  parts: Map<string, Descriptor>,
  depth: number,
): Promise<void> {
  checkDepth(depth);
  if (parts.has(entry.digest) || !spool.file(blobName(entry))) return;
  if (parts.size >= MAX_PARTS) throw new WharfError('invalid', `the layout has more than ${MAX_PARTS} parts`);
  parts.set(entry.digest, bareDescriptor(entry));
  for (const child of await childrenOf(spool, entry)) {
    if (platform && isOtherImage(child, platform)) continue;
    await collectParts(spool, child, platform, parts, depth + 1);
  }
}

async function childrenOf(spool: ArchiveSpool, entry: Descriptor): Promise<Descriptor[]> {
  if (isIndexType(entry.mediaType)) {
    return parseIndex(await blobBytes(spool, entry), entry.mediaType).manifests;
  }
  if (!isManifestType(entry.mediaType)) return [];
  const { config, layers } = parseManifest(await blobBytes(spool, entry), entry.mediaType);
  return [config, ...layers];
}

/** Attestations have the platform `unknown/unknown`: they belong to every platform. */
function isOtherImage(entry: Descriptor, platform: Platform): boolean {
  return (
    entry.platform !== undefined &&
    entry.platform.os !== 'unknown' &&
    !matchPlatform(platform, entry.platform)
  );
}

function checkDepth(depth: number): void {
  if (depth > MAX_INDEX_DEPTH + 1) {
    throw new WharfError('invalid', 'the indexes of the layout are nested too deep');
  }
}

/** A document blob, its digest and size checked against its descriptor. */
export async function blobBytes(spool: ArchiveSpool, descriptor: Descriptor): Promise<Buffer> {
  const file = blobFile(spool, descriptor);
  if (file.digest !== descriptor.digest || file.size !== descriptor.size) {
    throw new WharfError('corrupt', `blob ${descriptor.digest} of the layout is in truth ${file.digest}`);
  }
  return (await spool.bytes(blobName(descriptor))) as Buffer;
}

/** The file of a blob. Errors: `invalid` when the layout has none. */
export function blobFile(spool: ArchiveSpool, descriptor: Descriptor): SpooledFile {
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
