import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { errnoCode, WharfError } from '../base/index.ts';
import { corrupt, limitsFrom, refuse } from './limits.ts';
import type { ArchiveLimits } from './types.ts';
import { zstdFrames } from './zstd-frames.ts';

const CHUNK = 1 << 18;

/** How a stream is compressed, by its first bytes. */
export type Compression = 'none' | 'gzip' | 'zstd' | 'xz' | 'bzip2';

/** The compression that the first bytes of a stream show. Six bytes are enough. */
export function sniffCompression(head: Uint8Array): Compression {
  const starts = (...magic: number[]) => magic.every((byte, at) => head[at] === byte);
  if (starts(0x1f, 0x8b)) return 'gzip';
  if (starts(0x28, 0xb5, 0x2f, 0xfd)) return 'zstd';
  // A zstd stream may begin with skippable frames (RFC 8878, 3.1.2).
  if (((head[0] ?? 0) & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18)
    return 'zstd';
  if (starts(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00)) return 'xz';
  if (starts(0x42, 0x5a, 0x68)) return 'bzip2';
  return 'none';
}

/**
 * The stream without its compression: gzip (also of several members), zstd or none. Errors: `corrupt` for damaged data;
 * `invalid` for xz and bzip2, and for what passes `maxBytes` or `maxRatio`.
 */
export async function* decompress(
  source: AsyncIterable<Uint8Array>,
  limits?: Partial<ArchiveLimits>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const bounds = limitsFrom(limits);
  const input = { bytes: 0 };
  const chunks = counted(source, input);
  try {
    const head = await firstBytes(chunks);
    const compression = sniffCompression(head);
    refuseCompression(compression);
    const whole = joined(head, chunks);
    const plain = compression === 'none' ? whole : inflate(whole, compression);
    let out = 0;
    for await (const chunk of plain) {
      out += chunk.byteLength;
      checkGrowth(bounds, input.bytes, out);
      yield chunk;
    }
  } finally {
    await chunks.return(undefined);
  }
}

/** Refuses what is compressed in a way that is not undone here. Errors: `invalid`. */
export function refuseCompression(
  compression: Compression,
): asserts compression is Exclude<Compression, 'xz' | 'bzip2'> {
  if (compression === 'xz' || compression === 'bzip2')
    refuse(`it is compressed by ${compression}, which is not supported: use gzip, zstd or none`);
}

/** Refuses bombs: `input` bytes that became `output` ones so far. Errors: `invalid`. */
export function checkGrowth(limits: ArchiveLimits, input: number, output: number): void {
  if (output > limits.maxBytes) refuse(`it unpacks to more than ${limits.maxBytes} bytes`);
  if (output > limits.ratioFreeBytes && output / input > limits.maxRatio)
    refuse(`it unpacks to more than ${limits.maxRatio} times its size`);
}

async function* inflate(
  source: AsyncIterable<Uint8Array>,
  compression: 'gzip' | 'zstd',
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* compression === 'gzip' ? gunzip(source) : zstdFrames(source, CHUNK);
  } catch (thrown) {
    const code = errnoCode(thrown) ?? '';
    if (/^Z_|^ZSTD_|^ERR_ZSTD/.test(code)) corrupt(`its ${compression} data is damaged`, thrown);
    throw WharfError.from(thrown);
  }
}

async function* gunzip(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const engine = createGunzip({ chunkSize: CHUNK });
  // The error of either side reaches the loop below through the engine.
  pipeline(Readable.from(source, { objectMode: false }), engine, () => undefined);
  try {
    for await (const chunk of engine) yield chunk as Buffer;
  } finally {
    engine.destroy();
  }
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  input: { bytes: number },
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of source) {
    input.bytes += chunk.byteLength;
    if (chunk.byteLength > 0) yield chunk;
  }
}

async function firstBytes(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  let head: Uint8Array = new Uint8Array();
  while (head.byteLength < 6) {
    const next = await chunks.next();
    if (next.done) break;
    head = head.byteLength === 0 ? next.value : Buffer.concat([head, next.value]);
  }
  return head;
}

async function* joined(
  head: Uint8Array,
  rest: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (head.byteLength > 0) yield head;
  yield* rest;
}
