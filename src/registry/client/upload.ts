import { WharfError } from '../../base/index.ts';
import type { Digest } from '../../oci/index.ts';
import { parseDigest } from '../../oci/index.ts';
import type { BlobSource } from '../types.ts';
import { RegistryError } from './errors.ts';
import { locationOf } from './follow.ts';
import { isPassing, pause } from './retry.ts';
import type { Session } from './session.ts';
import type { WireResponse } from './wire.ts';

/** Blobs of at most that many bytes are sent with the request that ends the upload. */
const SMALL = 1 << 20;
/** Bytes a request where something on the way refuses large ones. */
const SMALL_CHUNK = 16 << 20;
/** Cuts of one upload in all, for each that is allowed without progress. */
const CUTS_WITH_PROGRESS = 10;

const BYTES = { 'content-type': 'application/octet-stream' };

/** An upload under way at the registry. */
export interface OpenUpload {
  /** Where the next request goes. */
  location: URL;
  /** Fewest bytes of a chunk that is not the last. */
  minChunk: number;
}

/** What an upload needs. */
export interface UploadInput {
  path: string;
  source: BlobSource;
  sent?: ((bytes: number) => void) | undefined;
  signal?: AbortSignal | undefined;
  /** An upload that a mount left open. */
  open?: OpenUpload | undefined;
}

/** Sends a blob; goes on after a cut where the registry says it stopped. Errors as of `Repository.uploadBlob`. */
export async function uploadBlob(session: Session, input: UploadInput): Promise<void> {
  const { source, sent } = input;
  const { digest, size } = source.descriptor;
  parseDigest(digest);
  const progress = { upload: input.open, offset: 0, failures: 0, cuts: 0, chunk: Number.POSITIVE_INFINITY };
  for (;;) {
    const before = progress.offset;
    try {
      progress.upload ??= await startUpload(session, input);
      if (size <= SMALL) await sendWhole(session, input, progress.upload);
      else await sendPieces(session, input, progress);
      sent?.(size);
      return;
    } catch (thrown) {
      if (isTooLarge(thrown) && progress.chunk > SMALL_CHUNK) {
        progress.chunk = Math.max(SMALL_CHUNK, progress.upload?.minChunk ?? 0);
      } else if (!isPassing(thrown) && !isLost(thrown)) throw thrown;
      await afterCut(session, input, progress, thrown, before);
    }
  }
}

interface Progress {
  upload: OpenUpload | undefined;
  /** Bytes that the registry has. */
  offset: number;
  /** Cuts since the last progress. */
  failures: number;
  cuts: number;
  /** Most bytes of one request. */
  chunk: number;
}

/** Counts a cut, waits, and asks where to go on. */
async function afterCut(
  session: Session,
  input: UploadInput,
  progress: Progress,
  failure: unknown,
  before: number,
): Promise<void> {
  const { policy } = session;
  progress.cuts += 1;
  progress.failures += 1;
  if (progress.failures >= policy.attempts || progress.cuts >= policy.attempts * CUTS_WITH_PROGRESS)
    throw failure;
  await pause(policy, `blob ${input.source.descriptor.digest}`, progress.failures, failure, input.signal);
  progress.offset = 0;
  if (progress.upload && input.source.descriptor.size > SMALL && !isLost(failure))
    await askOffset(session, input, progress);
  else progress.upload = undefined;
  if (progress.offset > before) progress.failures = 0;
}

/** Asks how many bytes the registry has; an upload that it does not know any more is begun anew. */
async function askOffset(session: Session, input: UploadInput, progress: Progress): Promise<void> {
  const upload = progress.upload as OpenUpload;
  const response = await session.request('upload status', {
    method: 'GET',
    path: upload.location,
    accept: [400, 403, 404, 405, 409, 410, 416],
    signal: input.signal,
  });
  await response.discard();
  if (response.status >= 400) {
    progress.upload = undefined;
    return;
  }
  progress.offset = offsetOf(response, input.source.descriptor.size);
  if (response.headers.location !== undefined) upload.location = locationOf(session.net, response);
}

/** The bytes that a `Range: 0-41` says are there. Registries answer `0-0` for none, too; one byte sent twice is refused, not stored. */
function offsetOf(response: WireResponse, size: number): number {
  const last = Number(/^(?:bytes=)?0-(\d+)$/.exec(response.headers['range'] ?? '')?.[1] ?? 0);
  return last === 0 || last >= size ? 0 : last + 1;
}

/** Begins an upload. */
export async function startUpload(
  session: Session,
  input: { path: string; signal?: AbortSignal | undefined },
): Promise<OpenUpload> {
  const call = { method: 'POST', path: `v2/${input.path}/blobs/uploads/`, unknown: 'NAME_UNKNOWN' };
  const response = await session.request('upload', { ...call, signal: input.signal });
  await response.discard();
  return opened(session, response);
}

/** The upload that an answer 202 opened. */
export function opened(session: Session, response: WireResponse): OpenUpload {
  const minimum = Number(response.headers['oci-chunk-min-length'] ?? 0);
  return {
    location: locationOf(session.net, response),
    minChunk: Number.isSafeInteger(minimum) && minimum > 0 ? minimum : 0,
  };
}

/** A small blob in the request that ends the upload. */
async function sendWhole(
  session: Session,
  { source, signal }: UploadInput,
  upload: OpenUpload,
): Promise<void> {
  const { digest, size } = source.descriptor;
  const body = { length: size, open: () => source.open(0) };
  await finish(await session.once({ ...ending(upload, digest), headers: BYTES, body, signal }), digest);
}

/** The bytes from the offset on, in one request if nothing speaks against it, and the end of the upload. */
async function sendPieces(session: Session, input: UploadInput, progress: Progress): Promise<void> {
  const { source, signal, sent } = input;
  const { digest, size } = source.descriptor;
  const upload = progress.upload as OpenUpload;
  while (progress.offset < size) {
    const start = progress.offset;
    const length = Math.min(progress.chunk, size - start);
    const body = {
      length,
      open: () => counted(source.open(start), length, (bytes) => sent?.(start + bytes)),
    };
    const response = await session.once({
      method: 'PATCH',
      path: upload.location,
      headers: { ...BYTES, 'content-range': `${start}-${start + length - 1}` },
      body,
      signal,
    });
    await response.discard();
    upload.location = locationOf(session.net, response);
    progress.offset = start + length;
  }
  await finish(await session.request('upload', { ...ending(upload, digest), signal }), digest);
}

function ending(upload: OpenUpload, digest: Digest): { method: string; path: URL } {
  const path = new URL(upload.location);
  path.searchParams.set('digest', digest);
  return { method: 'PUT', path };
}

async function finish(response: WireResponse, digest: Digest): Promise<void> {
  await response.discard();
  const { status, headers } = response;
  if (status !== 201 && status !== 204)
    throw new WharfError('invalid', `the registry answered the end of an upload with status ${status}`);
  const stated = headers['docker-content-digest'];
  if (typeof stated === 'string' && stated !== digest && stated.split(':')[0] === digest.split(':')[0])
    throw new WharfError('corrupt', `the registry stored ${stated.slice(0, 200)} for the blob ${digest}`);
}

/** The first `length` bytes of a source, told as they go. */
async function* counted(
  source: AsyncIterable<Uint8Array>,
  length: number,
  tell: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let given = 0;
  for await (const chunk of source) {
    const piece =
      given + chunk.length > length && length !== Number.POSITIVE_INFINITY
        ? chunk.subarray(0, length - given)
        : chunk;
    yield piece;
    given += piece.length;
    tell(given);
    if (given >= length) return;
  }
}

function isTooLarge(thrown: unknown): boolean {
  return thrown instanceof RegistryError && thrown.status === 413;
}

/** The registry lost the upload, or has another number of bytes than we think. */
function isLost(thrown: unknown): boolean {
  if (!(thrown instanceof RegistryError)) return false;
  return (
    thrown.code === 'BLOB_UPLOAD_UNKNOWN' || thrown.code === 'BLOB_UPLOAD_INVALID' || thrown.status === 416
  );
}
