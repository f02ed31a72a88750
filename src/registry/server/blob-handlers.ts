import { type FileHandle, open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { errnoCode, WharfError } from '../../base/index.ts';
import type { Digest } from '../../oci/index.ts';
import { answer, BASE_HEADERS, type Call } from './call.ts';
import { RegistryFailure } from './failure.ts';
import { matchesDigest, parseRange } from './range.ts';
import { sendFile } from './send-file.ts';

type BlobRoute = { repository: string; digest: Digest };

/** GET and HEAD of a blob: whole, in part, or not at all when the client has it (end-2, end-10 of the specification). */
export async function sendBlob(call: Call, { repository, digest }: BlobRoute): Promise<void> {
  const { request, response, storage } = call;
  const found = await storage.statBlob(repository, digest);
  if (!found) throw new RegistryFailure('BLOB_UNKNOWN', { detail: { digest } });
  const etag = `"${digest}"`;
  const headers = ['Docker-Content-Digest', digest, 'ETag', etag, 'Cache-Control', 'max-age=31536000'];
  if (matchesDigest(request.headers['if-none-match'], digest)) return answer(call, 304, headers);
  const condition = request.headers['if-range'];
  // RFC 9110, 14.2: of HEAD a range means nothing.
  const ranged = request.method === 'GET' && (condition === undefined || condition === etag);
  const asked = ranged ? request.headers.range : undefined;
  const range = asked === undefined ? undefined : parseRange(asked, found.size);
  if (range === 'unsatisfiable') {
    throw new RegistryFailure('RANGE_INVALID', { headers: ['Content-Range', `bytes */${found.size}`] });
  }
  const length = range ? range.end - range.start + 1 : found.size;
  headers.push(
    'Accept-Ranges',
    'bytes',
    'Content-Type',
    'application/octet-stream',
    'Content-Length',
    String(length),
  );
  if (range) headers.push('Content-Range', `bytes ${range.start}-${range.end}/${found.size}`);
  const status = range ? 206 : 200;
  if (request.method === 'HEAD' || length === 0) {
    response.writeHead(status, [...BASE_HEADERS, ...headers]).end();
    return;
  }
  const path = storage.blobPath?.(repository, digest);
  // Opened before the answer begins: a file that is not there can still be told.
  await using file = path === undefined ? undefined : await openBlobFile(path, digest);
  response.writeHead(status, [...BASE_HEADERS, ...headers]);
  request.socket.setTimeout(call.stallMs);
  const count = (bytes: number) => {
    call.bytes += bytes;
  };
  if (file) return await sendFile(response, file, range ?? { start: 0, end: found.size - 1 }, count);
  const body = storage.openBlob(repository, digest, range);
  body.on('data', (chunk: Buffer) => count(chunk.length));
  await pipeline(body, response);
}

/** Errors: `not-found` for a blob that a collection removed meanwhile. */
async function openBlobFile(path: string, digest: Digest): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (thrown) {
    if (errnoCode(thrown) !== 'ENOENT') throw thrown;
    throw new WharfError('not-found', `the blob ${digest} is gone`, { cause: thrown });
  }
}

/** DELETE of a blob: this repository shows it no more (end-10). */
export async function deleteBlob(call: Call, { repository, digest }: BlobRoute): Promise<void> {
  await call.storage.unlinkBlob(repository, digest);
  answer(call, 202, ['Docker-Content-Digest', digest]);
}
