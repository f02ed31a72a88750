import { randomBytes } from 'node:crypto';
import { createReadStream, mkdirSync, readdirSync, rmSync, unlinkSync } from 'node:fs';
import { type FileHandle, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { errnoCode } from '../base/index.ts';
import { type Descriptor, type Digest, digestOf, isDigest, parseDigest, splitDigest } from '../oci/index.ts';
import { converted, dispose, missingAsUndefined } from './files.ts';
import { PartialBlobs } from './ingest.ts';
import { notFound, type ReceivedBlob, receive, rejectLargeRead } from './receive.ts';
import type { ContentStore, Ingest, WriteWatcher } from './types.ts';

const OCTETS = 'application/octet-stream';
/** After so many bytes the disk is set to work on them. */
const SYNC_EVERY_BYTES = 64 << 20;

/**
 * Opens the blob store in `dir`, making it when missing: blobs are `blobs/<algorithm>/<hex>`, unfinished ones lie in
 * `ingest/` of the same filesystem, those that may be gone on with in `partial/`. A blob is named only after it was verified
 * and synced. One process at a time may write to a store.
 */
export function openContentStore(dir: string): ContentStore {
  for (const folder of ['blobs/sha256', 'blobs/sha512', 'ingest']) {
    mkdirSync(join(dir, folder), { recursive: true, mode: 0o700 });
  }
  return new LocalContentStore(dir);
}

class LocalContentStore implements ContentStore {
  private readonly dir: string;
  /** Unfinished writes, and files on their way out. */
  private readonly unfinished: string;
  private readonly partials: PartialBlobs;

  constructor(dir: string) {
    this.dir = dir;
    this.unfinished = join(dir, 'ingest');
    this.partials = new PartialBlobs(join(dir, 'partial'), this.unfinished, (file, digest) =>
      this.publish(file, digest),
    );
  }

  pathOf(digest: Digest): string {
    // Parsed again although the type says so: this is where a digest becomes a path.
    const { algorithm, hex } = splitDigest(parseDigest(digest));
    return join(this.dir, 'blobs', algorithm, hex);
  }

  async stat(digest: Digest): Promise<{ size: number } | undefined> {
    const found = await missingAsUndefined(stat(this.pathOf(digest)));
    return found && { size: found.size };
  }

  open(digest: Digest, range?: { start: number; end?: number }): Readable {
    const file = createReadStream(this.pathOf(digest), { highWaterMark: 1 << 18, ...range });
    // A stream's error can't be converted in flight; a wrapper would copy every chunk, so the error itself is replaced.
    const destroy = file._destroy.bind(file);
    file._destroy = (error, done) =>
      destroy(errnoCode(error) === 'ENOENT' ? notFound(digest, error) : error, done);
    return file;
  }

  async read(digest: Digest, maxBytes = 4 << 20): Promise<Buffer> {
    const found = await this.stat(digest);
    if (!found) throw notFound(digest);
    rejectLargeRead(digest, found.size, maxBytes);
    const bytes = await missingAsUndefined(readFile(this.pathOf(digest)));
    if (!bytes) throw notFound(digest);
    return bytes;
  }

  async write(
    source: AsyncIterable<Uint8Array>,
    expected: { digest?: Digest; size?: number } = {},
    signal?: AbortSignal,
    watcher?: WriteWatcher,
  ): Promise<Descriptor> {
    const name = join(this.unfinished, randomBytes(12).toString('hex'));
    const file = await open(name, 'wx', 0o600).catch(converted);
    try {
      let received: ReceivedBlob;
      try {
        watcher?.began?.(name);
        const keep = keeper(file, (size) => watcher?.grew?.(size));
        received = await receive(source, expected, keep, signal);
        await file.datasync();
      } finally {
        await file.close();
      }
      watcher?.verified?.(received.digest);
      await this.publish(name, received.digest);
      return { mediaType: OCTETS, digest: received.digest, size: received.size };
    } catch (thrown) {
      await unlink(name).catch(() => undefined);
      return converted(thrown);
    }
  }

  async put(bytes: Uint8Array, mediaType: string): Promise<Descriptor> {
    const digest = digestOf(bytes);
    const present = await this.stat(digest);
    if (present?.size !== bytes.byteLength) {
      await this.write(Readable.from([bytes]), { digest, size: bytes.byteLength });
    }
    return { mediaType, digest, size: bytes.byteLength };
  }

  async remove(digest: Digest): Promise<boolean> {
    return dispose(this.pathOf(digest), this.unfinished);
  }

  async ingest(key: string): Promise<Ingest> {
    return this.partials.open(key);
  }

  ingests(): AsyncIterable<{ key: string; size: number; modified: number }> {
    return this.partials.list();
  }

  async dropIngest(key: string): Promise<boolean> {
    return this.partials.drop(key);
  }

  async *list(): AsyncIterable<{ digest: Digest; size: number }> {
    for (const algorithm of ['sha256', 'sha512']) {
      for (const hex of await readdir(join(this.dir, 'blobs', algorithm)).catch(converted)) {
        const digest = `${algorithm}:${hex}`;
        if (!isDigest(digest)) continue;
        const found = await this.stat(digest);
        if (found) yield { digest, size: found.size };
      }
    }
  }

  async recover(): Promise<void> {
    for (const name of readdirSync(this.unfinished))
      rmSync(join(this.unfinished, name), { recursive: true, force: true });
    this.partials.recover();
    for (const algorithm of ['sha256', 'sha512']) {
      const folder = join(this.dir, 'blobs', algorithm);
      for (const name of readdirSync(folder))
        if (!isDigest(`${algorithm}:${name}`)) unlinkSync(join(folder, name));
    }
  }

  private async publish(file: string, digest: Digest): Promise<void> {
    const target = this.pathOf(digest);
    // A writer of the same blob may have been faster. Its bytes are the same, so replacing them is harmless.
    await rename(file, target);
    const folder = await open(join(target, '..'), 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}

/** Writes one piece behind the other, and sets the disk to work early, so that the sync at the end has little left to do. */
function keeper(file: FileHandle, grew: (size: number) => void): (chunk: Uint8Array) => Promise<void> {
  let size = 0;
  let unsynced = 0;
  let syncing: Promise<void> | undefined;
  let failure: { thrown: unknown } | undefined;
  const syncAhead = () => {
    unsynced = 0;
    syncing = file
      .datasync()
      // The kernel reports a failed write once: the sync at the end would not see it again.
      .catch((thrown: unknown) => {
        failure = { thrown };
      })
      .finally(() => {
        syncing = undefined;
      });
  };
  return async (chunk) => {
    if (failure) throw failure.thrown;
    for (let at = 0; at < chunk.byteLength; ) {
      at += (await file.write(chunk, at, chunk.byteLength - at)).bytesWritten;
    }
    size += chunk.byteLength;
    unsynced += chunk.byteLength;
    if (unsynced >= SYNC_EVERY_BYTES && !syncing) syncAhead();
    grew(size);
  };
}
