import type { Readable } from 'node:stream';
import { WharfError } from '../../base/index.ts';
import type { Call } from './call.ts';

/** JSON bodies beyond this are refused. */
export const MAX_JSON_BYTES = 4 * 1024 * 1024;
/** A JSON body must have arrived within this time. */
const BODY_DEADLINE_MS = 30_000;

/**
 * The text of a JSON body; empty when there is none. `invalid` when it is too large, or not sent as JSON; `timeout` when it
 * comes too slowly.
 */
export async function readJsonText(call: Call): Promise<string> {
  const text = call.upgrade ? await readUpgradeBody(call) : await readBounded(call.request);
  if (text !== '') checkContentType(call);
  return text;
}

/** As {@link readJsonText}, for bodies that may be left out: then it is an empty object. */
export async function readOptionalJsonText(call: Call): Promise<string> {
  const text = await readJsonText(call);
  return text.trim() === '' ? '{}' : text;
}

function checkContentType(call: Call): void {
  const header = call.request.headers['content-type'] ?? '';
  const mediaType = header.split(';')[0]!.trim().toLowerCase();
  if (mediaType !== 'application/json') {
    throw new WharfError(
      'invalid',
      `unsupported Content-Type header (${header}): must be 'application/json'`,
    );
  }
}

async function readBounded(source: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onData = (chunk: Buffer) => {
    size += chunk.length;
    if (size > MAX_JSON_BYTES) reject(tooLarge());
    else chunks.push(chunk);
  };
  const onClose = () => reject(new WharfError('cancelled', 'the client closed the connection'));
  const timer = setTimeout(() => reject(tooSlow()), BODY_DEADLINE_MS);
  source.on('data', onData).once('end', resolve).once('error', onClose).once('close', onClose);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    source.off('data', onData).off('end', resolve).off('close', onClose);
    source.pause();
  }
  return Buffer.concat(chunks, Math.min(size, MAX_JSON_BYTES)).toString('utf8');
}

/**
 * The parser hands an upgrade request over behind its head, so that the body is read here by its length, and what follows
 * it is put back.
 */
async function readUpgradeBody(call: Call): Promise<string> {
  const socket = call.upgrade!;
  if (call.request.headers['transfer-encoding'] !== undefined) {
    throw new WharfError('invalid', 'a request that upgrades must send its body with a Content-Length');
  }
  const length = Number(call.request.headers['content-length'] ?? 0);
  if (length > MAX_JSON_BYTES) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  while (size < length) {
    const chunk = await nextChunk(socket);
    chunks.push(chunk);
    size += chunk.length;
  }
  const all = Buffer.concat(chunks);
  if (all.length > length) socket.unshift(all.subarray(length));
  return all.toString('utf8', 0, length);
}

async function nextChunk(socket: Readable): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const onGone = () => reject(new WharfError('cancelled', 'the client closed the connection'));
  const timer = setTimeout(() => reject(tooSlow()), BODY_DEADLINE_MS);
  socket.once('data', resolve).once('end', onGone).once('close', onGone);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.pause();
    socket.off('data', resolve).off('end', onGone).off('close', onGone);
  }
}

function tooLarge(): WharfError {
  return new WharfError('invalid', `the request body is larger than ${MAX_JSON_BYTES / 1024 / 1024} MiB`);
}

function tooSlow(): WharfError {
  return new WharfError('timeout', `the request body did not arrive within ${BODY_DEADLINE_MS / 1000} s`);
}
