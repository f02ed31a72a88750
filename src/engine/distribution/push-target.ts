import { isKind } from '../../base/index.ts';
import type { ContentStore, Lease } from '../../content/index.ts';
import {
  type Descriptor,
  type Digest,
  isIndexType,
  isManifestType,
  MAX_MANIFEST_BYTES,
  parseIndex,
  parseManifest,
} from '../../oci/index.ts';
import type { ImageRecord } from '../images/index.ts';

/** What a name sends. */
export interface PushTarget {
  /** What the name stood for at its registry, or the image's manifest where it stood for nothing of the image. */
  whole: Descriptor;
  /** The image's manifest as this name had it: the same image may be here with others, packed in another way. */
  own: Descriptor;
}

interface Search {
  content: Pick<ContentStore, 'stat' | 'read'>;
  lease: Lease;
  image: Pick<ImageRecord, 'manifest' | 'config'>;
  seen: Set<Digest>;
}

/**
 * Never trusts a name's target alone: what is published under the name must hold the image that the name stands for here.
 * An index that was lost stays the target, since it can't be looked into and is not sent either.
 */
export async function pushTarget(
  { content, lease }: Pick<Search, 'content' | 'lease'>,
  image: Search['image'],
  target: Descriptor | undefined,
): Promise<PushTarget> {
  const alone = { whole: image.manifest, own: image.manifest };
  if (!target || target.digest === image.manifest.digest) return alone;
  lease.add(target.digest);
  const lost = !(await content.stat(target.digest));
  if (lost) return isIndexType(target.mediaType) ? { ...alone, whole: target } : alone;
  const own = await manifestIn({ content, lease, image, seen: new Set() }, target);
  return own ? { whole: target, own } : alone;
}

/** The image's manifest in a document or among all that it names; undefined when it is not there. */
async function manifestIn(search: Search, document: Descriptor): Promise<Descriptor | undefined> {
  const { content, lease, image, seen } = search;
  if (document.digest === image.manifest.digest) return image.manifest;
  const { mediaType, digest } = document;
  const readable = isIndexType(mediaType) || isManifestType(mediaType);
  if (!readable || seen.has(digest)) return undefined;
  seen.add(digest);
  lease.add(digest);
  if (!(await content.stat(digest))) return undefined;
  const bytes = await content.read(digest, MAX_MANIFEST_BYTES);
  try {
    if (isManifestType(mediaType)) {
      const same = parseManifest(bytes, mediaType).config.digest === image.config.digest;
      return same ? document : undefined;
    }
    const entries = parseIndex(bytes, mediaType).manifests;
    if (entries.some((entry) => entry.digest === image.manifest.digest)) return image.manifest;
    for (const entry of entries) {
      const found = await manifestIn(search, entry);
      if (found) return found;
    }
  } catch (thrown) {
    // Kept with an index as it came, and no image that could be ours.
    if (!isKind(thrown, 'invalid')) throw thrown;
  }
  return undefined;
}
