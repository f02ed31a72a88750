import { createHash } from 'node:crypto';
import { WharfError } from '../../base/index.ts';
import {
  bareMediaType,
  type Digest,
  isDigest,
  isIndexType,
  isManifestType,
  isSchema1Type,
  MAX_MANIFEST_BYTES,
  MediaTypes,
  parseManifestOrIndex,
  splitDigest,
} from '../../oci/index.ts';
import type { Descriptor } from '../../oci/types.ts';
import type { FetchedManifest } from '../types.ts';
import { RegistryError } from './errors.ts';
import { checkedReference } from './names.ts';
import type { Session, SessionCall } from './session.ts';
import type { WireResponse } from './wire.ts';

/** All forms of a manifest that are read; schema 1 is among them so that it can be refused by name. */
const ACCEPT = [
  MediaTypes.ociIndex,
  MediaTypes.ociManifest,
  MediaTypes.dockerIndex,
  MediaTypes.dockerManifest,
  MediaTypes.dockerSchema1Signed,
  '*/*;q=0.1',
].join(', ');

/** What a reference stands for, by HEAD. Errors as of `Repository.resolve`. */
export async function resolveManifest(
  session: Session,
  path: string,
  reference: string,
  signal?: AbortSignal,
): Promise<Descriptor> {
  let retries = true;
  try {
    const response = await request(session, 'HEAD', path, reference, signal);
    await response.discard();
    const digest = response.headers['docker-content-digest'];
    const size = Number(response.headers['content-length'] ?? Number.NaN);
    const mediaType = bareMediaType(response.headers['content-type'] ?? '');
    const asked = isDigest(reference) ? reference : undefined;
    const stated = isDigest(digest) ? digest : asked;
    const usable = stated !== undefined && (asked ?? stated) === stated && Number.isSafeInteger(size);
    if (usable && mediaType.endsWith('json') && !isSchema1Type(mediaType))
      return { mediaType, digest: stated, size };
  } catch (thrown) {
    // An answer to HEAD has no words, and some registries know HEAD badly: GET tells what is the matter.
    const again = thrown instanceof RegistryError && thrown.from === 'registry' && thrown.status < 500;
    if (!again) throw thrown;
    // Who is busy was asked often enough, and tells it once more, with words.
    retries = thrown.status !== 429;
  }
  return (await fetchManifest(session, path, reference, signal, { retries })).descriptor;
}

/** A manifest's bytes, verified. Errors as of `Repository.manifest`. */
export async function fetchManifest(
  session: Session,
  path: string,
  reference: string,
  signal?: AbortSignal,
  { retries } = { retries: true },
): Promise<FetchedManifest> {
  const response = await request(session, 'GET', path, reference, signal, retries);
  const bytes = await response.bytes(MAX_MANIFEST_BYTES);
  const stated = response.headers['docker-content-digest'];
  const expected = isDigest(reference) ? reference : isDigest(stated) ? stated : undefined;
  const digest = digestLike(bytes, expected);
  if (expected !== undefined && digest !== expected) {
    throw new WharfError(
      'corrupt',
      `manifest verification failed for digest ${expected}: the registry sent ${digest}`,
    );
  }
  const mediaType = mediaTypeOf(bytes, response.headers['content-type']);
  return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
}

function request(
  session: Session,
  method: 'GET' | 'HEAD',
  path: string,
  reference: string,
  signal: AbortSignal | undefined,
  retries = true,
): Promise<WireResponse> {
  const call: SessionCall = {
    method,
    path: `v2/${path}/manifests/${checkedReference(reference)}`,
    headers: { accept: ACCEPT },
    unknown: 'MANIFEST_UNKNOWN',
    told: isDigest(reference) ? method : 'HEAD',
    signal,
  };
  return retries ? session.request(`manifest ${reference}`, call) : session.once(call);
}

/** The digest of bytes by the algorithm of another digest. */
export function digestLike(bytes: Uint8Array, other: Digest | undefined): Digest {
  const algorithm = other === undefined ? 'sha256' : splitDigest(other).algorithm;
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` as Digest;
}

/**
 * The type it came under; for a server that knows none, the type that the document states or shows. Types that are none of
 * ours are left unread: they are kept with the index that names them.
 */
function mediaTypeOf(bytes: Buffer, header: string | undefined): string {
  const claimed = bareMediaType(header ?? '');
  const ours = isManifestType(claimed) || isIndexType(claimed) || isSchema1Type(claimed);
  if (!ours && /^application\/vnd\.[\w.+-]+$/.test(claimed)) return claimed;
  const read = parseManifestOrIndex(bytes, ours ? claimed : undefined);
  if (ours) return claimed;
  if (read.kind === 'index') return read.index.mediaType ?? MediaTypes.ociIndex;
  return read.manifest.mediaType ?? MediaTypes.ociManifest;
}
