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
    watcher?: WriteWatcher,
  ): Promise<Descriptor>;
  /** Takes a small blob in and returns its descriptor. */
  put(bytes: Uint8Array, mediaType: string): Promise<Descriptor>;
  /**
   * Removes a blob. True when it was here. Whether anything still needs it is the caller's business: the blob is gone for
   * every `stat`, `open` and `read` that is called after this one, before the returned promise settles, so that a check of
   * the leases just before the call holds.
   */
  remove(digest: Digest): Promise<boolean>;
  /**
   * Opens a blob that comes in piece by piece, or goes on with one of that key which was cut: by a lost connection, a
   * restart or a crash. `key` matches `[a-z0-9][a-z0-9-]{0,190}`: `sha256-<hex>` for downloads, `upload-<uuid>` for uploads.
   * Errors: `invalid` key, `conflict` while the same key is open.
   */
  ingest(key: string): Promise<Ingest>;
  /** Every cut ingest on disk, open ones too. `modified` in milliseconds since 1970. */
  ingests(): AsyncIterable<{ key: string; size: number; modified: number }>;
  /** Drops a cut ingest that nobody has open. True when it was there. Errors: `conflict` while it is open. */
  dropIngest(key: string): Promise<boolean>;
  /** All blobs here. */
  list(): AsyncIterable<{ digest: Digest; size: number }>;
  /** The blob's file, for workers that read it by themselves. It must not be written. */
  pathOf(digest: Digest): string;
  /** Removes unfinished writes older than this process, but not cut ingests. Called once, before the first write. */
  recover(): Promise<void>;
}

/** Is told how a write goes on. */
export interface WriteWatcher {
  /** The file that grows, for workers that read along; a store without files doesn't tell. */
  began?(path: string): void;
  /** Bytes that may be read of it. */
  grew?(size: number): void;
  /** What the blob is, before a sweep can see it: whoever needs it takes a lease now. */
  verified?(digest: Digest): void;
}

/**
 * A blob on its way in. What was written stays, across closing, restarts and crashes (what a crash tore off is simply not
 * counted in `offset`), until it is committed or discarded. One writer at a time; not safe for concurrent calls.
 */
export interface Ingest {
  readonly key: string;
  /** Bytes here so far: where the next piece belongs. */
  readonly offset: number;
  /** The file that grows, for workers that read along up to `offset`; open it before `commit`, which renames it. */
  readonly path: string;
  /** Appends. Resolves when the bytes may be read through `path`. Errors: `exhausted` on a full disk: what fitted stays. */
  write(chunk: Uint8Array): Promise<void>;
  /**
   * Verifies, syncs and names the blob; closes the ingest. Errors: `corrupt` when size or digest differ: what came is
   * discarded then. An sha512 digest costs another reading.
   */
  commit(expected?: { digest?: Digest; size?: number }): Promise<Descriptor>;
  /** Closes it and drops what came. */
  discard(): Promise<void>;
  /**
   * Closes it and keeps what came for a later `ingest` of the same key, unless the disk failed to take it. Does nothing when
   * closed already.
   */
  close(): Promise<void>;
}
