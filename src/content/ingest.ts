import { createHash, type Hash } from 'node:crypto';
import { constants, mkdirSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { WharfError } from '../base/index.ts';
import { type Descriptor, type Digest, splitDigest } from '../oci/index.ts';
import { converted, dispose } from './files.ts';
import { checkReceived } from './receive.ts';
import type { Ingest } from './types.ts';

const KEY = /^[a-z0-9][a-z0-9-]{0,190}$/;
const READ_BYTES = 1 << 20;
/** A write to the page cache takes microseconds; one that takes longer, in milliseconds, waits for the disk. */
const SLOW_WRITE_MS = 5;
/** So many writes after a slow one go to the thread pool, lest the event loop waits for the disk. */
const WRITES_AFTER_SLOW = 64;
/** After so many bytes the disk is set to work on them, so that the last sync has little left to do. */
const SYNC_EVERY_BYTES = 32 << 20;

/** Checks the key of an ingest. Errors: `invalid`. */
export function checkIngestKey(key: string): void {
  if (!KEY.test(key))
    throw new WharfError('invalid', `${JSON.stringify(key.slice(0, 80))} can't name an unfinished blob`);
}

/** The error for a key that is open. */
export function ingestIsOpen(key: string): WharfError {
  return new WharfError('conflict', `the unfinished blob ${key} is being written already`);
}

/** The error for a call on an ingest that was closed. */
export function ingestIsClosed(key: string): WharfError {
  return new WharfError('conflict', `the unfinished blob ${key} is closed`);
}

/** The unfinished blobs in one folder, a file for each key. */
export class PartialBlobs {
  private readonly dir: string;
  /** Names a complete and synced file as the blob. */
  private readonly publish: (file: string, digest: Digest) => Promise<void>;
  private readonly bin: string;
  private readonly opened = new Set<string>();
  /** One at a time: the thread pool is for others, too. */
  private syncing = false;

  /** `bin` takes the files on their way out. */
  constructor(dir: string, bin: string, publish: (file: string, digest: Digest) => Promise<void>) {
    this.dir = dir;
    this.bin = bin;
    this.publish = publish;
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  }

  async open(key: string): Promise<Ingest> {
    this.take(key);
    const path = join(this.dir, key);
    let file: FileHandle | undefined;
    try {
      const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
      file = await open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
      const { size } = await file.stat();
      return new FileIngest({
        key,
        path,
        file,
        size,
        publish: this.publish,
        drop: () => dispose(path, this.bin),
        release: () => this.opened.delete(key),
        syncAhead: (open) => this.syncAhead(open),
      });
    } catch (thrown) {
      this.opened.delete(key);
      await file?.close();
      return converted(thrown);
    }
  }

  async *list(): AsyncGenerator<{ key: string; size: number; modified: number }> {
    for (const key of readdirSync(this.dir)) {
      const found = KEY.test(key) ? statSync(join(this.dir, key), { throwIfNoEntry: false }) : undefined;
      if (found?.isFile()) yield { key, size: found.size, modified: found.mtimeMs };
    }
  }

  async drop(key: string): Promise<boolean> {
    this.take(key);
    try {
      return await dispose(join(this.dir, key), this.bin);
    } finally {
      this.opened.delete(key);
    }
  }

  /** Removes what is no unfinished blob. */
  recover(): void {
    for (const entry of readdirSync(this.dir, { withFileTypes: true })) {
      if (KEY.test(entry.name) && entry.isFile()) continue;
      rmSync(join(this.dir, entry.name), { recursive: true, force: true });
    }
  }

  /** Syncs what was written so far, unless another file is at it. */
  private syncAhead(file: FileHandle): Promise<void> | undefined {
    if (this.syncing) return undefined;
    this.syncing = true;
    return file.datasync().finally(() => {
      this.syncing = false;
    });
  }

  private take(key: string): void {
    checkIngestKey(key);
    if (this.opened.has(key)) throw ingestIsOpen(key);
    this.opened.add(key);
  }
}

interface OpenPartial {
  key: string;
  path: string;
  file: FileHandle;
  size: number;
  publish: (file: string, digest: Digest) => Promise<void>;
  drop: () => Promise<boolean>;
  release: () => void;
  syncAhead: (file: FileHandle) => Promise<void> | undefined;
}

class FileIngest implements Ingest {
  readonly key: string;
  readonly path: string;
  offset: number;
  private readonly partial: OpenPartial;
  private readonly hash = createHash('sha256');
  /** Hashes what an earlier writer left, as long as it is behind `offset`: what comes meanwhile is left to it. */
  private behind: Promise<void> | undefined;
  private failure: unknown;
  private asyncWrites = 0;
  private unsynced = 0;
  private closed = false;
  /** True when nobody will ask for the digest. */
  private abandoned = false;

  constructor(partial: OpenPartial) {
    this.partial = partial;
    this.key = partial.key;
    this.path = partial.path;
    this.offset = partial.size;
    if (this.offset > 0) this.behind = this.catchUp();
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.closed) throw ingestIsClosed(this.key);
    try {
      for (let at = 0; at < chunk.byteLength; ) {
        const written = this.asyncWrites > 0 ? await this.writeLater(chunk, at) : this.writeNow(chunk, at);
        if (!this.behind) this.hash.update(chunk.subarray(at, at + written));
        this.offset += written;
        at += written;
      }
      this.unsynced += chunk.byteLength;
      if (this.unsynced >= SYNC_EVERY_BYTES) this.syncAhead();
    } catch (thrown) {
      converted(thrown);
    }
  }

  private syncAhead(): void {
    const synced = this.partial.syncAhead(this.partial.file);
    if (!synced) return;
    this.unsynced = 0;
    // The kernel reports a failed write once: the sync at the end would not see it again.
    synced.catch((thrown: unknown) => {
      this.failure = thrown;
    });
  }

  async commit(expected: { digest?: Digest; size?: number } = {}): Promise<Descriptor> {
    if (this.closed) throw ingestIsClosed(this.key);
    this.closed = true;
    try {
      const digest = await this.verified(expected);
      await this.partial.file.datasync();
      // Waits for a sync ahead that is still under way, too.
      await this.partial.file.close();
      if (this.failure) throw this.failure;
      await this.partial.publish(this.path, digest);
      return { mediaType: 'application/octet-stream', digest, size: this.offset };
    } catch (thrown) {
      await this.drop();
      return converted(thrown);
    } finally {
      this.partial.release();
    }
  }

  async discard(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    try {
      await this.drop();
    } finally {
      this.partial.release();
    }
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.abandoned = true;
    try {
      await this.behind;
      await this.partial.file.close();
      // Of what a failed sync lost the kernel tells once: the next writer would take it for good.
      if (this.failure) await this.partial.drop();
    } finally {
      this.partial.release();
    }
  }

  private writeNow(chunk: Uint8Array, at: number): number {
    const began = performance.now();
    const written = writeSync(this.partial.file.fd, chunk, at, chunk.byteLength - at, this.offset);
    if (performance.now() - began > SLOW_WRITE_MS) this.asyncWrites = WRITES_AFTER_SLOW;
    return written;
  }

  private async writeLater(chunk: Uint8Array, at: number): Promise<number> {
    this.asyncWrites -= 1;
    return (await this.partial.file.write(chunk, at, chunk.byteLength - at, this.offset)).bytesWritten;
  }

  private async verified(expected: { digest?: Digest; size?: number }): Promise<Digest> {
    // A wrong size is known before anything is read.
    checkReceived({ size: this.offset }, expected);
    await this.behind;
    if (this.failure) throw this.failure;
    const algorithm = expected.digest === undefined ? 'sha256' : splitDigest(expected.digest).algorithm;
    const hash = algorithm === 'sha256' ? this.hash : createHash(algorithm);
    if (algorithm !== 'sha256') await this.read(hash, () => false);
    const digest = `${algorithm}:${hash.digest('hex')}` as Digest;
    checkReceived({ size: this.offset, digest }, expected);
    return digest;
  }

  private async catchUp(): Promise<void> {
    // What the last turn leaves is written by `write` itself, so nothing may come between its end and `behind = undefined`.
    const done = () => {
      this.behind = undefined;
    };
    try {
      await this.read(this.hash, () => this.abandoned, done);
    } catch (thrown) {
      this.failure = thrown;
      done();
    }
  }

  private async read(hash: Hash, stopped: () => boolean, done?: () => void): Promise<void> {
    const buffer = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, this.offset));
    for (let at = 0; at < this.offset && !stopped(); ) {
      const length = Math.min(buffer.length, this.offset - at);
      const { bytesRead } = await this.partial.file.read(buffer, 0, length, at);
      if (bytesRead === 0)
        throw new WharfError('corrupt', `the unfinished blob ${this.key} was cut by someone else`);
      hash.update(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
    done?.();
  }

  private async drop(): Promise<void> {
    this.abandoned = true;
    await this.behind;
    await this.partial.file.close().catch(() => undefined);
    await this.partial.drop();
  }
}
