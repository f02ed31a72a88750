import { WharfError } from '../../base/index.ts';
import {
  choosePlatform,
  type Descriptor,
  formatPlatform,
  type Index,
  isIndexType,
  isManifestType,
  type Manifest,
  type Platform,
  parseManifestOrIndex,
} from '../../oci/index.ts';
import type { FetchedManifest } from '../../registry/types.ts';

/** Indexes within indexes: deeper ones are refused. */
const MAX_DEPTH = 4;
/** Entries without a platform that are looked into for an image. */
const MAX_GUESSES = 8;
/** No blob of good intent is larger, in bytes. */
const MAX_BLOB_BYTES = 2 ** 40;

/** Reads documents by descriptor, verified; those of the content store are not fetched. */
export type ReadDocument = (descriptor: Descriptor) => Promise<FetchedManifest>;

/** What a reference stands for, and the image in it that was chosen. */
export interface Target {
  /** The manifest of the image. */
  image: FetchedManifest;
  manifest: Manifest;
  /** Indexes that led there, outermost first. */
  indexes: { document: FetchedManifest; index: Index }[];
}

/**
 * Finds the image for a platform: the document itself, or what an index names for it, nested ones included.
 * Errors: `not-found` with Docker's text when no entry fits; `invalid`, `corrupt` documents; `not-implemented` schema 1.
 */
export async function chooseImage(
  read: ReadDocument,
  document: FetchedManifest,
  platform: Platform,
): Promise<Target> {
  const found = await search(read, document, platform, 0);
  if (found) return found;
  throw new WharfError(
    'not-found',
    `no matching manifest for ${formatPlatform(platform)} in the manifest list entries`,
  );
}

async function search(
  read: ReadDocument,
  document: FetchedManifest,
  platform: Platform,
  depth: number,
): Promise<Target | undefined> {
  const parsed = parseManifestOrIndex(document.bytes, document.descriptor.mediaType);
  if (parsed.kind === 'manifest') {
    checkSizes(parsed.manifest);
    return { image: document, manifest: parsed.manifest, indexes: [] };
  }
  if (depth >= MAX_DEPTH) throw new WharfError('invalid', `the index is nested more than ${MAX_DEPTH} deep`);
  for (const entry of candidates(parsed.index, platform)) {
    const found = await search(read, await read(entry), platform, depth + 1);
    if (found) return { ...found, indexes: [{ document, index: parsed.index }, ...found.indexes] };
  }
  return undefined;
}

/** The entry for the platform; without one, those that do not say theirs. */
function candidates(index: Index, platform: Platform): Descriptor[] {
  const documents = index.manifests.filter(
    ({ mediaType }) => isManifestType(mediaType) || isIndexType(mediaType),
  );
  const best =
    documents[
      choosePlatform(
        platform,
        documents.map((entry) => entry.platform),
      )
    ];
  if (best) return [best];
  return documents
    .filter((entry) => entry.platform === undefined && entry.artifactType === undefined)
    .slice(0, MAX_GUESSES);
}

function checkSizes(manifest: Manifest): void {
  for (const { digest, size } of [manifest.config, ...manifest.layers]) {
    if (size > MAX_BLOB_BYTES)
      throw new WharfError('invalid', `the blob ${digest} is said to have ${size} bytes`);
  }
}
