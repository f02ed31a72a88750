import { Readable } from 'node:stream';
import { WharfError } from '../base/index.ts';
import { type Descriptor, type Digest, digestOf, parseDigest } from '../oci/index.ts';
import { checkIngestKey, ingestIsClosed, ingestIsOpen } from './ingest.ts';
import { notFound, receive, rejectLargeRead } from './receive.ts';
import type { ContentStore, Ingest } from './types.ts';

/**
 * A blob store that keeps everything in memory, for tests. It has no files: `pathOf` and an ingest's `path` throw
 * `not-implemented`.
 */
export function openMemoryContentStore(): ContentStore {
  const blobs = new Map<Digest, Buffer>();
  const need = (digest: Digest): Buffer => {
    const blob = blobs.get(parseDigest(digest));
    if (!blob) throw notFound(digest);
    return blob;
  };
  const partials = new Map<string, PartialBlob>();
  const store: ContentStore = {
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
    async write(source, expected = {}, signal, watcher) {
      const chunks: Uint8Array[] = [];
      const received = await receive(
        source,
        expected,
        (chunk) => void chunks.push(Uint8Array.from(chunk)),
        signal,
      ).catch((thrown: unknown) => {
        throw WharfError.from(thrown);
      });
      watcher?.verified?.(received.digest);
      blobs.set(received.digest, Buffer.concat(chunks));
      return { mediaType: 'application/octet-stream', ...received };
    },
    async put(bytes, mediaType): Promise<Descriptor> {
      const digest = digestOf(bytes);
      blobs.set(digest, Buffer.from(bytes));
      return { mediaType, digest, size: bytes.byteLength };
    },
    remove: async (digest) => blobs.delete(parseDigest(digest)),
    async ingest(key) {
      checkIngestKey(key);
      const partial = partials.get(key) ?? { bytes: Buffer.alloc(0), modified: Date.now(), open: false };
      if (partial.open) throw ingestIsOpen(key);
      partial.open = true;
      partials.set(key, partial);
      return openPartial(key, partial, store, () => partials.delete(key));
    },
    async *ingests() {
      for (const [key, { bytes, modified }] of partials) yield { key, size: bytes.length, modified };
    },
    async dropIngest(key) {
      checkIngestKey(key);
      if (partials.get(key)?.open) throw ingestIsOpen(key);
      return partials.delete(key);
    },
    async *list() {
      for (const [digest, blob] of blobs) yield { digest, size: blob.length };
    },
    pathOf() {
      throw new WharfError('not-implemented', 'a blob store in memory has no files');
    },
    async recover() {},
  };
  return store;
}

interface PartialBlob {
  bytes: Buffer;
  modified: number;
  open: boolean;
}

function openPartial(key: string, partial: PartialBlob, store: ContentStore, drop: () => void): Ingest {
  let closed = false;
  const close = () => {
    if (closed) throw ingestIsClosed(key);
    closed = true;
  };
  return {
    key,
    get offset() {
      return partial.bytes.length;
    },
    get path(): string {
      throw new WharfError('not-implemented', 'an unfinished blob in memory has no file');
    },
    async write(chunk) {
      if (closed) throw ingestIsClosed(key);
      partial.bytes = Buffer.concat([partial.bytes, chunk]);
      partial.modified = Date.now();
    },
    async commit(expected) {
      close();
      try {
        return await store.write(Readable.from([partial.bytes]), expected);
      } finally {
        drop();
      }
    },
    async discard() {
      if (closed) return;
      close();
      drop();
    },
    async close() {
      if (closed) return;
      close();
      partial.open = false;
    },
  };
}
