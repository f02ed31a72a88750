import {
  type Descriptor,
  type Digest,
  type ImageConfigFile,
  matchPlatform,
  parseImageConfig,
} from '../../oci/index.ts';
import { blobBytes, blobFile, type LayoutImage, readLayout } from './layout.ts';
import type { KeptTarget, LoadContext, LoadDeps, LoadedImage } from './load.ts';
import { countLoaded } from './progress.ts';
import { buildImage } from './register.ts';

/**
 * Reads the images of an OCI image layout for one platform. Blobs are kept as they came, and with an index everything of it
 * that the layout holds. Errors: `invalid`, `corrupt`.
 */
export async function loadOciLayout(deps: LoadDeps, context: LoadContext): Promise<LoadedImage[]> {
  const loaded = new Map<string, LoadedImage>();
  for (const found of await readLayout(context.spool, context.platform)) {
    if (context.platform && !matchPlatform(context.platform, await configOf(context, found))) continue;
    const image = await takeLayoutImage(deps, context, found);
    const target = await takeTarget(deps, context, found);
    const known = loaded.get(image.id) ?? { image, names: [] };
    const { name } = found;
    if (name && !known.names.some((other) => other.name === name)) known.names.push({ name, target });
    loaded.set(image.id, known);
  }
  return [...loaded.values()];
}

async function configOf({ spool }: LoadContext, { manifest }: LayoutImage): Promise<ImageConfigFile> {
  return parseImageConfig(await blobBytes(spool, manifest.config));
}

/** Takes in one image with its blobs as they are. */
export async function takeLayoutImage(
  deps: LoadDeps,
  context: LoadContext,
  { descriptor, manifest }: LayoutImage,
): Promise<LoadedImage['image']> {
  const { spool, signal, report, lease } = context;
  const config = await blobBytes(spool, manifest.config);
  const diffIds = parseImageConfig(config).rootfs.diff_ids;
  const files = manifest.layers.map((layer) => blobFile(spool, layer));
  for (const [at, layer] of manifest.layers.entries()) {
    lease.add(layer.digest);
    const file = files[at];
    if (!file || (await isHere(deps, layer))) continue;
    const counts = { diffId: diffIds[at] ?? layer.digest, total: layer.size };
    await deps.content.write(countLoaded(spool.open(file), counts, report), layer, signal);
  }
  lease.add(descriptor.digest);
  const stored = await deps.content.put(await blobBytes(spool, descriptor), descriptor.mediaType);
  return buildImage(deps, { config, layers: manifest.layers, manifest: stored }, context);
}

/** Takes in whatever else hangs on what a name stands for. */
export async function takeTarget(
  deps: LoadDeps,
  { spool, lease, signal }: LoadContext,
  { target, parts, referrers }: LayoutImage,
): Promise<KeptTarget> {
  for (const part of parts) {
    lease.add(part.digest as Digest);
    if (await isHere(deps, part)) continue;
    await deps.content.write(spool.open(blobFile(spool, part)), part, signal);
  }
  return { descriptor: target, parts, referrers };
}

/** One of another size was damaged on the disk, unless the layout lies: then its own blob is refused by that size. */
async function isHere({ content }: LoadDeps, { digest, size }: Descriptor): Promise<boolean> {
  return (await content.stat(digest))?.size === size;
}
