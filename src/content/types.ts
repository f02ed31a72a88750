import type { Readable } from 'node:stream';
import type { Descriptor, Digest } from '../oci/index.ts';

/**
 * Blobs by digest. A blob is visible only when complete, verified and synced to disk (promise I4); it never changes.
 * Many writers may bring the same blob at once: the first to commit wins and the others find it there.
 */
export interface ContentStore {
  /** Bytes of a blob, or undefined when it is not here. */
  stat(digest: Digest): Promise<{ size: number } | undefined>;
  /** A stream of the blob, or of a part of it. Errors: `not-found`. */
  open(digest: Digest, range?: { start: number; end?: number }): Readable;
  /** The whole of a small blob. Errors: `not-found`; `invalid` above `maxBytes` (default 4 MiB). */
  read(digest: Digest, maxBytes?: number): Promise<Buffer>;
  /** Takes a stream in. Errors: `corrupt` when digest or size differ from what was expected. Nothing stays on error. */
  write(
    source: AsyncIterable<Uint8Array>,
    expected?: { digest?: Digest; size?: number },
    signal?: AbortSignal,
  ): Promise<Descriptor>;
  /** Takes a small blob in and returns its descriptor. */
  put(bytes: Uint8Array, mediaType: string): Promise<Descriptor>;
  /** Removes a blob. True when it was here. Whether anything still needs it is the caller's business. */
  remove(digest: Digest): Promise<boolean>;
  /** All blobs here. */
  list(): AsyncIterable<{ digest: Digest; size: number }>;
  /** The blob's file, for workers that read it by themselves. It must not be written. */
  pathOf(digest: Digest): string;
  /** Removes unfinished writes older than this process. Called once, before the first write. */
  recover(): Promise<void>;
}
