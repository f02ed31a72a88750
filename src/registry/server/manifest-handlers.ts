import { isKind, WharfError } from '../../base/index.ts';
import { isDigest, MAX_MANIFEST_BYTES } from '../../oci/index.ts';
import { announcedLength, answer, BASE_HEADERS, bodyOf, type Call } from './call.ts';
import { RegistryFailure } from './failure.ts';
import { matchesDigest } from './range.ts';
import type { StoredManifest } from './types.ts';

type ManifestRoute = { repository: string; reference: string };

/** The headers of a document, made once for each. */
const HEADERS = new WeakMap<StoredManifest, string[]>();

/**
 * GET and HEAD of a manifest (end-3). It is served as it was pushed, whatever the client accepts: no other form of it
 * would have its digest.
 */
export async function sendManifest(call: Call, { repository, reference }: ManifestRoute): Promise<void> {
  const { request, response, storage } = call;
  const manifest = await storage.manifest(repository, reference);
  if (!manifest) throw new RegistryFailure('MANIFEST_UNKNOWN', { detail: { name: repository, reference } });
  const headers = headersOf(manifest);
  if (matchesDigest(request.headers['if-none-match'], manifest.descriptor.digest)) {
    const { digest } = manifest.descriptor;
    return answer(call, 304, ['Docker-Content-Digest', digest, 'ETag', `"${digest}"`]);
  }
  response.writeHead(200, headers);
  if (request.method === 'HEAD') response.end();
  else {
    call.bytes = manifest.bytes.length;
    response.end(manifest.bytes);
  }
}

/** PUT of a manifest under a tag or its digest (end-7). */
export async function putManifest(call: Call, { repository, reference }: ManifestRoute): Promise<void> {
  const { grant, request, storage } = call;
  const tooLarge = () =>
    new RegistryFailure('SIZE_INVALID', {
      status: 413,
      message: `a manifest has at most ${MAX_MANIFEST_BYTES} bytes`,
    });
  if ((announcedLength(call) ?? 0) > MAX_MANIFEST_BYTES) throw tooLarge();
  const bytes = await bodyOf(call).whole(MAX_MANIFEST_BYTES);
  if (!bytes) throw tooLarge();
  const tag = grant.allowsOverwrite?.(repository) === false ? 'new' : 'move';
  const mediaType = request.headers['content-type'] ?? '';
  let stored: StoredManifest;
  try {
    stored = await storage.putManifest(repository, bytes, mediaType, reference, tag);
  } catch (thrown) {
    throw refusalOf(thrown);
  }
  const { digest } = stored.descriptor;
  const subject = stored.subject === undefined ? [] : ['OCI-Subject', stored.subject];
  const location = `/v2/${repository}/manifests/${digest}`;
  answer(call, 201, ['Location', location, 'Docker-Content-Digest', digest, ...subject]);
}

/** DELETE of a tag, or of a manifest with its tags (end-9). */
export async function deleteManifest(call: Call, { repository, reference }: ManifestRoute): Promise<void> {
  if (isDigest(reference)) await call.storage.deleteManifest(repository, reference);
  else await call.storage.deleteTag(repository, reference);
  answer(call, 202, []);
}

function headersOf(manifest: StoredManifest): string[] {
  let headers = HEADERS.get(manifest);
  if (!headers) {
    const { mediaType, digest, size } = manifest.descriptor;
    headers = [...BASE_HEADERS, 'Content-Type', mediaType, 'Docker-Content-Digest', digest];
    headers.push('ETag', `"${digest}"`, 'Content-Length', String(size));
    HEADERS.set(manifest, headers);
  }
  return headers;
}

function refusalOf(thrown: unknown): unknown {
  const error = WharfError.from(thrown);
  if (isKind(error, 'not-found'))
    return new RegistryFailure('MANIFEST_BLOB_UNKNOWN', { detail: error.message });
  if (isKind(error, 'forbidden')) return new RegistryFailure('DENIED', { message: error.message });
  if (isKind(error, 'corrupt')) return new RegistryFailure('DIGEST_INVALID', { message: error.message });
  if (isKind(error, 'invalid') || isKind(error, 'not-implemented'))
    return new RegistryFailure('MANIFEST_INVALID', { detail: error.message });
  return thrown;
}
