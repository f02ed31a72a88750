import { isKind } from '../../base/index.ts';
import {
  type Descriptor,
  type Digest,
  isIndexType,
  isManifestType,
  MAX_MANIFEST_BYTES,
  parseManifestOrIndex,
} from '../../oci/index.ts';
import type { ArchiveSpool } from './archive-spool.ts';

/** Blobs that nothing names are looked into, at most so many. */
const MAX_BLOBS = 512;
const BLOB_NAME = /^blobs\/sha256\/([0-9a-f]{64})$/;

/** A document that speaks of another one. */
export interface LayoutReferrer {
  descriptor: Descriptor;
  subject: Digest;
}

/** Documents with a subject among the blobs of a layout that are not known yet: an archive of `save` holds them so. */
export async function layoutReferrers(
  spool: ArchiveSpool,
  known: (digest: Digest) => boolean,
): Promise<LayoutReferrer[]> {
  const found: LayoutReferrer[] = [];
  let looked = 0;
  for (const name of spool.names()) {
    const hex = BLOB_NAME.exec(name)?.[1];
    const file = hex === undefined ? undefined : spool.file(name);
    const digest = `sha256:${hex}` as Digest;
    if (file?.digest !== digest || file.size > MAX_MANIFEST_BYTES || known(digest)) continue;
    if (++looked > MAX_BLOBS) break;
    const read = readReferrer((await spool.bytes(name)) as Buffer);
    if (!read) continue;
    const { mediaType, subject } = read;
    found.push({ descriptor: { mediaType, digest, size: file.size }, subject });
  }
  return found;
}

/** Those of the referrers that speak of one of these documents, or of one that does, each after its subject. */
export function referrersOf(all: readonly LayoutReferrer[], documents: Iterable<Digest>): Descriptor[] {
  const reached = new Set(documents);
  const chosen = new Map<Digest, Descriptor>();
  for (let before = -1; before < chosen.size; ) {
    before = chosen.size;
    for (const { descriptor, subject } of all) {
      if (!reached.has(subject) || chosen.has(descriptor.digest)) continue;
      chosen.set(descriptor.digest, descriptor);
      reached.add(descriptor.digest);
    }
  }
  return [...chosen.values()];
}

function readReferrer(bytes: Buffer): { mediaType: string; subject: Digest } | undefined {
  if (!bytes.includes('"subject"')) return undefined;
  try {
    const parsed = parseManifestOrIndex(bytes);
    const { mediaType, subject } = parsed.kind === 'index' ? parsed.index : parsed.manifest;
    const known = mediaType !== undefined && (isManifestType(mediaType) || isIndexType(mediaType));
    return known && subject ? { mediaType, subject: subject.digest } : undefined;
  } catch (thrown) {
    if (isKind(thrown, 'invalid') || isKind(thrown, 'not-implemented')) return undefined;
    throw thrown;
  }
}
