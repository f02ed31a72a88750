import { WharfError } from '../../base/index.ts';
import type { Descriptor, Digest } from '../../oci/index.ts';
import { parseDigest } from '../../oci/index.ts';
import { RegistryError } from './errors.ts';
import type { Session } from './session.ts';
import type { WireResponse } from './wire.ts';

/** A blob's bytes from an offset on. Errors as of `Repository.blob`. */
export async function fetchBlob(
  session: Session,
  path: string,
  blob: Descriptor,
  offset: number,
  signal?: AbortSignal,
): Promise<{ start: number; body: AsyncGenerator<Uint8Array> }> {
  const headers: Record<string, string> = offset > 0 ? { range: `bytes=${offset}-` } : {};
  const call = { method: 'GET', path: blobPath(path, blob.digest), unknown: 'BLOB_UNKNOWN', signal };
  const what = `blob ${blob.digest}`;
  let response = await session.request(what, { ...call, headers, accept: offset > 0 ? [416] : [] });
  if (response.status === 416) {
    await response.discard();
    response = await session.request(what, call);
  }
  const range = response.headers['content-range'] ?? '';
  const start = response.status === 206 ? Number(/^bytes (\d+)-/.exec(range)?.[1] ?? Number.NaN) : 0;
  const right = Number.isSafeInteger(start) && start <= offset;
  if (right && start + announced(response, blob.size - start) === blob.size)
    return { start, body: response.body() };
  await response.discard();
  if (right)
    throw new WharfError('corrupt', `the registry has ${blob.digest} with another size than ${blob.size}`);
  throw new WharfError('invalid', 'the registry answered with another range of the blob than was asked for');
}

/** Bytes of the body as its header tells; without one, as many as are wanted. What is too short so was not cut on its way. */
function announced(response: WireResponse, wanted: number): number {
  return Number(response.headers['content-length'] ?? wanted);
}

/** A blob's size, or undefined when it is not there. Errors as of `Repository.statBlob`. */
export async function statBlob(
  session: Session,
  path: string,
  digest: Digest,
  signal?: AbortSignal,
): Promise<{ size: number } | undefined> {
  try {
    const response = await session.request(`blob ${digest}`, {
      method: 'HEAD',
      path: blobPath(path, digest),
      unknown: 'BLOB_UNKNOWN',
      signal,
    });
    await response.discard();
    const size = Number(response.headers['content-length'] ?? Number.NaN);
    if (!Number.isSafeInteger(size))
      throw new WharfError('invalid', 'the registry does not tell the size of a blob');
    return { size };
  } catch (thrown) {
    if (thrown instanceof RegistryError && thrown.status === 404) return undefined;
    throw thrown;
  }
}

/** A blob's address below the base. Errors: `invalid`. */
export function blobPath(path: string, digest: string): string {
  return `v2/${path}/blobs/${parseDigest(digest)}`;
}
