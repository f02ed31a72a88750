import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { isKind } from '../base/index.ts';
import { decompress } from './index.ts';

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}
async function whole(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test('many frames, large and small, with skippable ones between, give all of their content', async () => {
  const parts = Array.from({ length: 12 }, (_, at) =>
    Buffer.concat([randomBytes(at * 40_000), Buffer.alloc(at * 90_000, 'ab')]),
  );
  const skippable = Buffer.from('502a4d180400000001020304', 'hex');
  const bytes = Buffer.concat(parts.flatMap((part) => [skippable, zstdCompressSync(part)]));
  const plain = Buffer.concat(parts);
  for (const size of [1 << 22, 65_536, 10_007])
    assert.ok((await whole(decompress(pieces(bytes, size)))).equals(plain), String(size));
});

test('what is not zstd behind a frame is refused, as is a cut frame', async () => {
  const frame = zstdCompressSync(randomBytes(100_000));
  for (const bytes of [Buffer.concat([frame, Buffer.from('garbage behind it')]), frame.subarray(0, 50_000)]) {
    for (const size of [1 << 20, 5000]) {
      await assert.rejects(whole(decompress(pieces(bytes, size))), (thrown) => isKind(thrown, 'corrupt'));
    }
  }
});

test('leaving early ends it, and the source is closed', async () => {
  let closed = false;
  const bytes = zstdCompressSync(randomBytes(2_000_000));
  async function* source() {
    try {
      yield* pieces(bytes, 10_000);
    } finally {
      closed = true;
    }
  }
  for await (const _chunk of decompress(source())) break;
  assert.ok(closed);
});
