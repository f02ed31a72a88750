import { Readable } from 'node:stream';
import { type Logger, WharfError } from '../../base/index.ts';
import type { ContentStore } from '../../content/types.ts';
import { type Descriptor, type Digest, digestOf } from '../../oci/index.ts';
import type { BlobRecord, LocalIndex } from './local-index.ts';
import type { LeaseBook } from './local-manifests.ts';

/** A link that nobody names is marked as used at most so often, in milliseconds: each mark is a write. */
const MARK_EVERY_MS = 60_000;

/** Blobs of a local registry: which repository may show which. */
export class LocalBlobs {
  private readonly content: ContentStore;
  private readonly index: LocalIndex;
  private readonly leases: LeaseBook;
  private readonly now: () => number;
  private readonly log: Logger;
  private readonly hasFiles: boolean;

  constructor(parts: {
    content: ContentStore;
    index: LocalIndex;
    leases: LeaseBook;
    now: () => number;
    log: Logger;
  }) {
    this.content = parts.content;
    this.index = parts.index;
    this.leases = parts.leases;
    this.now = parts.now;
    this.log = parts.log;
    this.hasFiles = keepsFiles(parts.content);
  }

  /**
   * Looking is using: who looks for a blob may be about to name it in a manifest. One whose content a disk lost counts as
   * missing: whoever has it brings it again.
   */
  async stat(repository: string, digest: Digest): Promise<{ size: number } | undefined> {
    const record = this.index.blob(repository, digest);
    if (!record) return undefined;
    this.mark(record);
    if (await this.content.stat(digest)) return { size: record.size };
    this.log.error('the content of a blob was lost', { repository, digest });
    return undefined;
  }

  private mark(record: BlobRecord): void {
    const { repository, digest } = record;
    const named = this.index.repositories.get(repository)?.namedBy.has(digest) ?? false;
    const now = this.now();
    if (!named && now - record.usedAt > MARK_EVERY_MS) this.index.putBlob({ ...record, usedAt: now });
    else record.usedAt = now;
  }

  open(repository: string, digest: Digest, range?: { start: number; end?: number }): Readable {
    if (this.index.blob(repository, digest)) return this.content.open(digest, range);
    const missing = new Readable({ read() {} });
    return missing.destroy(blobMissing(repository, digest));
  }

  path(repository: string, digest: Digest): string | undefined {
    return this.index.blob(repository, digest) && this.hasFiles ? this.content.pathOf(digest) : undefined;
  }

  async link(repository: string, digest: Digest, size?: number): Promise<boolean> {
    using lease = this.leases.open();
    lease.add(digest);
    const found = await this.content.stat(digest);
    if (!found || (size !== undefined && size !== found.size)) return false;
    this.record(repository, digest, found.size);
    return true;
  }

  unlink(repository: string, digest: Digest): void {
    const record = this.index.blob(repository, digest);
    if (!record) throw blobMissing(repository, digest);
    this.index.remove({ blobs: [record] });
  }

  async put(
    repository: string,
    body: AsyncIterable<Uint8Array>,
    expected: { digest: Digest; size?: number },
    signal?: AbortSignal,
  ): Promise<Descriptor> {
    using lease = this.leases.open();
    lease.add(expected.digest);
    const written = await this.content.write(body, expected, signal);
    this.record(repository, written.digest, written.size);
    return written;
  }

  private record(repository: string, digest: Digest, size: number): void {
    this.index.putBlob({ repository, digest, size, usedAt: this.now() });
  }
}

/** A store in memory has none. */
function keepsFiles(content: ContentStore): boolean {
  try {
    return content.pathOf(digestOf('')) !== '';
  } catch {
    return false;
  }
}

function blobMissing(repository: string, digest: Digest): WharfError {
  return new WharfError('not-found', `${repository} has no blob ${digest}`);
}
