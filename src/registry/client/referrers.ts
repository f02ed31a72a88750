import { WharfError } from '../../base/index.ts';
import {
  type Descriptor,
  type Digest,
  type Index,
  type Manifest,
  MediaTypes,
  parseIndex,
  parseManifestOrIndex,
} from '../../oci/index.ts';
import { RegistryError } from './errors.ts';
import { fetchManifest } from './manifests.ts';
import { listField, pages } from './pages.ts';
import type { Session } from './session.ts';

/** Answers of registries that have no referrers API. */
const WITHOUT = [400, 404, 405, 406, 501];

/** Largest list of referrers, all pages together, in bytes: it is held in memory. */
const MAX_LIST_BYTES = 32 << 20;

/** Manifests with that subject (distribution-spec, "Listing Referrers"). Errors as of `Repository.referrers`. */
export async function listReferrers(
  session: Session,
  path: string,
  digest: Digest,
  artifactType: string | undefined,
  signal?: AbortSignal,
): Promise<Index> {
  const query = artifactType === undefined ? '' : `?artifactType=${encodeURIComponent(artifactType)}`;
  const manifests: Descriptor[] = [];
  let size = 0;
  try {
    const list = pages(session, 'referrers', { path: `v2/${path}/referrers/${digest}${query}`, signal });
    for await (const { document } of list) {
      listField(document, 'manifests', 'referrers');
      const page = Buffer.from(JSON.stringify(document));
      size += page.length;
      if (size > MAX_LIST_BYTES)
        throw new WharfError(
          'invalid',
          `the registry's list of referrers has more than ${MAX_LIST_BYTES} bytes`,
        );
      manifests.push(...parseIndex(page).manifests);
    }
  } catch (thrown) {
    if (!(thrown instanceof RegistryError) || !WITHOUT.includes(thrown.status)) throw thrown;
    manifests.push(...(await fallbackIndex(session, path, digest, signal)).manifests);
  }
  const fits = (entry: Descriptor) => artifactType === undefined || entry.artifactType === artifactType;
  return indexOf(manifests.filter(fits));
}

function indexOf(manifests: Descriptor[]): Index {
  return { schemaVersion: 2, mediaType: MediaTypes.ociIndex, manifests };
}

/** The tag under which registries without the API keep the referrers of a digest ("Referrers Tag Schema"). */
export function fallbackTag(digest: Digest): string {
  const [algorithm = '', hex = ''] = digest.split(':');
  return `${algorithm.slice(0, 32)}-${hex.slice(0, 64)}`;
}

async function fallbackIndex(
  session: Session,
  path: string,
  digest: Digest,
  signal: AbortSignal | undefined,
): Promise<Index> {
  try {
    const { bytes, descriptor } = await fetchManifest(session, path, fallbackTag(digest), signal);
    return parseIndex(bytes, descriptor.mediaType);
  } catch (thrown) {
    if (thrown instanceof RegistryError && thrown.status === 404) return indexOf([]);
    throw thrown;
  }
}

/**
 * The fallback tag's index with one more manifest, or undefined when the manifest has no subject or is listed already.
 * To be stored by whoever put the manifest into a registry that did not take note of its subject.
 */
export async function withReferrer(
  session: Session,
  path: string,
  manifest: { bytes: Uint8Array; mediaType: string; digest: Digest },
  signal?: AbortSignal,
): Promise<{ tag: string; bytes: Buffer } | undefined> {
  const read = parseManifestOrIndex(manifest.bytes, manifest.mediaType);
  const document: Manifest | Index = read.kind === 'index' ? read.index : read.manifest;
  const { subject, annotations } = document;
  if (!subject) return undefined;
  const index = await fallbackIndex(session, path, subject.digest, signal);
  if (index.manifests.some(({ digest }) => digest === manifest.digest)) return undefined;
  const named = (document as { artifactType?: string }).artifactType;
  const artifactType = named ?? (read.kind === 'manifest' ? read.manifest.config.mediaType : undefined);
  const { mediaType, digest } = manifest;
  const entry: Descriptor = {
    mediaType,
    digest,
    size: manifest.bytes.length,
    ...(artifactType !== undefined && { artifactType }),
    ...(annotations && { annotations }),
  };
  const bytes = Buffer.from(JSON.stringify({ ...index, manifests: [...index.manifests, entry] }));
  return { tag: fallbackTag(subject.digest), bytes };
}
