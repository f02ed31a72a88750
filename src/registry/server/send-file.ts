import type { FileHandle } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { WharfError } from '../../base/index.ts';
import type { ByteRange } from './range.ts';

/** Bytes of one read: large enough that a hop to the thread pool does not count. */
const PIECE_BYTES = 256 << 10;
/** A client that takes so long for one piece is slower than 1 KiB a second, and only holds memory; milliseconds. */
const SLOWEST_PIECE_MS = PIECE_BYTES;
/** So many buffers are kept for the next answers; allocating one costs more than filling it. */
const KEPT = 16;

const spare: Buffer[] = [];

/** Sends a part of a file as the body of an answer, from two buffers in turn. Errors: those of the file, `cancelled`. */
export async function sendFile(
  response: ServerResponse,
  file: FileHandle,
  range: ByteRange,
  sent: (bytes: number) => void,
): Promise<void> {
  const buffers = [take(), take()] as const;
  await pump(response, file, range, buffers, sent);
  // Not before the kernel has the bytes: a buffer that is sent must not be filled again.
  spare.push(...buffers.slice(0, Math.max(0, KEPT - spare.length)));
  response.end();
}

async function pump(
  response: ServerResponse,
  file: FileHandle,
  { start, end }: ByteRange,
  buffers: readonly [Buffer, Buffer],
  count: (bytes: number) => void,
): Promise<void> {
  let sent: Promise<void> | undefined;
  // A connection that closes does not call back for what it had not sent.
  let broken: ((reason: WharfError) => void) | undefined;
  const onClose = () => broken?.(clientGone());
  response.once('close', onClose);
  let [taken, seen] = [0, -1];
  const watch = setInterval(() => {
    if (taken === seen) response.destroy();
    seen = taken;
  }, SLOWEST_PIECE_MS);
  try {
    for (let at = start, turn = 0; at <= end; turn ^= 1) {
      const buffer = buffers[turn as 0 | 1];
      const { bytesRead } = await file.read(buffer, 0, Math.min(PIECE_BYTES, end + 1 - at), at);
      if (bytesRead === 0) throw new WharfError('corrupt', `the file of a blob ends at byte ${at}`);
      at += bytesRead;
      await sent;
      taken += 1;
      if (response.destroyed) throw clientGone();
      sent = new Promise((resolve, reject) => {
        broken = reject;
        response.write(buffer.subarray(0, bytesRead), (error) => (error ? reject(error) : resolve()));
      });
      // It is waited for only after the next read.
      sent.catch(() => undefined);
      count(bytesRead);
    }
    await sent;
  } finally {
    clearInterval(watch);
    response.off('close', onClose);
  }
}

function clientGone(): WharfError {
  return new WharfError('cancelled', 'the client is gone');
}

function take(): Buffer {
  return spare.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES);
}
