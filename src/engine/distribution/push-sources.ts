import type { Digest } from '../../oci/index.ts';
import type { ImageStore } from '../images/index.ts';

/**
 * Which repositories of a registry hold a blob, as far as the images here tell: their repo digests say where they were
 * pulled from or pushed to. Looked up at the first question, for most pushes have none.
 */
export function blobSources(
  images: Pick<ImageStore, 'names' | 'get'>,
  target: { domain: string; path: string },
): (digest: Digest) => string[] {
  let known: Map<Digest, Set<string>> | undefined;
  return (digest) => {
    known ??= sourcesAt(images, target);
    return [...(known.get(digest) ?? [])];
  };
}

function sourcesAt(
  images: Pick<ImageStore, 'names' | 'get'>,
  target: { domain: string; path: string },
): Map<Digest, Set<string>> {
  const prefix = `${target.domain}/`;
  const paths = new Map<Digest, Set<string>>();
  for (const { name, imageId } of images.names()) {
    const at = name.indexOf('@');
    if (at < 0 || !name.startsWith(prefix)) continue;
    const path = name.slice(prefix.length, at);
    if (path !== target.path) paths.set(imageId, (paths.get(imageId) ?? new Set()).add(path));
  }
  const sources = new Map<Digest, Set<string>>();
  for (const [imageId, holders] of paths) {
    const image = images.get(imageId);
    const blobs = image ? [image.config, ...image.layers.map((layer) => layer.blob)] : [];
    for (const { digest } of blobs)
      sources.set(digest, new Set([...(sources.get(digest) ?? []), ...holders]));
  }
  return sources;
}
