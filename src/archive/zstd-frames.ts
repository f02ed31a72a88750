import { createZstdDecompress, type ZstdDecompress } from 'node:zlib';
import { corrupt } from './limits.ts';

/**
 * Decompresses zstd of any number of frames (RFC 8878, 3: frames may be concatenated; seekable layers are made so). Node's
 * own stream ends with the first frame that ends within a chunk and drops the rest, so the rest goes to the next one here.
 */
export async function* zstdFrames(
  source: AsyncIterable<Uint8Array>,
  chunkSize: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const input = { chunks: source[Symbol.asyncIterator](), rest: undefined as Uint8Array | undefined };
  try {
    for (let more = true; more; ) {
      const engine = createZstdDecompress({ chunkSize });
      const fed = feed(engine, input).catch((thrown: unknown) => {
        engine.destroy(thrown as Error);
        return false;
      });
      try {
        for await (const chunk of engine) yield chunk as Buffer;
      } finally {
        engine.destroy();
      }
      more = await fed;
    }
  } finally {
    await input.chunks.return?.();
  }
}

/** Feeds chunks one by one until the input ends (false) or the engine leaves some of it (true); then that is the rest. */
async function feed(
  engine: ZstdDecompress,
  input: { chunks: AsyncIterator<Uint8Array>; rest: Uint8Array | undefined },
): Promise<boolean> {
  for (let total = 0; ; ) {
    const next = input.rest ? { done: false as const, value: input.rest } : await input.chunks.next();
    input.rest = undefined;
    if (engine.destroyed) return false;
    if (next.done) {
      engine.end();
      return false;
    }
    const chunk = next.value;
    total += chunk.byteLength;
    await written(engine, chunk);
    const left = total - engine.bytesWritten;
    if (left === 0) continue;
    if (engine.bytesWritten === 0) corrupt('data that is not zstd follows its frames');
    input.rest = chunk.subarray(chunk.byteLength - left);
    return true;
  }
}

/** Resolves when the engine took the chunk, or was closed while it had it. */
function written(engine: ZstdDecompress, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      engine.off('close', done);
      resolve();
    };
    engine.once('close', done);
    engine.write(chunk, done);
  });
}
