import { Readable } from 'node:stream';
import { WharfError } from '../base/index.ts';
import { type Descriptor, type Digest, digestOf, parseDigest } from '../oci/index.ts';
import { notFound, receive, rejectLargeRead } from './receive.ts';
import type { ContentStore } from './types.ts';

/** A blob store that keeps everything in memory, for tests. It has no files: `pathOf` throws `not-implemented`. */
export function openMemoryContentStore(): ContentStore {
  const blobs = new Map<Digest, Buffer>();
  const need = (digest: Digest): Buffer => {
    const blob = blobs.get(parseDigest(digest));
    if (!blob) throw notFound(digest);
    return blob;
  };
  return {
    async stat(digest) {
      const blob = blobs.get(parseDigest(digest));
      return blob && { size: blob.length };
    },
    open(digest, range) {
      return Readable.from(
        (async function* () {
          const blob = need(digest);
          yield blob.subarray(range?.start ?? 0, range?.end === undefined ? blob.length : range.end + 1);
        })(),
        { objectMode: false },
      );
    },
    async read(digest, maxBytes = 4 << 20) {
      const blob = need(digest);
      rejectLargeRead(digest, blob.length, maxBytes);
      return Buffer.from(blob);
    },
    async write(source, expected = {}, signal) {
      const chunks: Uint8Array[] = [];
      const received = await receive(
        source,
        expected,
        (chunk) => void chunks.push(Uint8Array.from(chunk)),
        signal,
      ).catch((thrown: unknown) => {
        throw WharfError.from(thrown);
      });
      blobs.set(received.digest, Buffer.concat(chunks));
      return { mediaType: 'application/octet-stream', ...received };
    },
    async put(bytes, mediaType): Promise<Descriptor> {
      const digest = digestOf(bytes);
      blobs.set(digest, Buffer.from(bytes));
      return { mediaType, digest, size: bytes.byteLength };
    },
    remove: async (digest) => blobs.delete(parseDigest(digest)),
    async *list() {
      for (const [digest, blob] of blobs) yield { digest, size: blob.length };
    },
    pathOf() {
      throw new WharfError('not-implemented', 'a blob store in memory has no files');
    },
    async recover() {},
  };
}
