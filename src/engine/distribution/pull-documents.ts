import { createHash } from 'node:crypto';
import { WharfError } from '../../base/index.ts';
import type { ContentStore, Lease } from '../../content/index.ts';
import { type Descriptor, digestOf, MAX_MANIFEST_BYTES, splitDigest } from '../../oci/index.ts';
import type { FetchedManifest, Repository } from '../../registry/types.ts';

/** Reads and keeps the documents of one pull: from the content store, else from the repository. */
export class PullDocuments {
  private readonly content: ContentStore;
  private readonly repository: Repository;
  private readonly lease: Lease;
  private readonly signal: AbortSignal;
  private readonly writes: Promise<unknown>[] = [];

  constructor(deps: { content: ContentStore }, repository: Repository, lease: Lease, signal: AbortSignal) {
    this.content = deps.content;
    this.repository = repository;
    this.lease = lease;
    this.signal = signal;
  }

  /** What a tag or digest stands for, verified and kept. Errors: those of `Repository.manifest`. */
  async fetch(reference: string): Promise<FetchedManifest> {
    return this.keep(await this.repository.manifest(reference, this.signal));
  }

  /** The document of a descriptor, verified and kept. */
  async read(descriptor: Descriptor): Promise<FetchedManifest> {
    const { digest, mediaType, size } = descriptor;
    if (size > MAX_MANIFEST_BYTES) {
      throw new WharfError('invalid', `the document ${digest} is said to have ${size} bytes`);
    }
    this.lease.add(digest);
    // One of another size was damaged on the disk, unless the size is a lie.
    if ((await this.content.stat(digest))?.size === size) {
      return { descriptor: { mediaType, digest, size }, bytes: await this.content.read(digest, size) };
    }
    const { bytes } = await this.repository.manifest(digest, this.signal);
    if (bytes.length !== size) {
      throw new WharfError(
        'corrupt',
        `the document ${digest} has ${bytes.length} bytes, ${size} were announced`,
      );
    }
    return this.keep({ descriptor: { mediaType, digest, size }, bytes });
  }

  /** Resolves when every document so far is on the disk. The lease must be held until then. */
  async written(): Promise<void> {
    const failed = (await Promise.allSettled(this.writes)).find(({ status }) => status === 'rejected');
    if (failed) throw (failed as PromiseRejectedResult).reason;
  }

  /** Keeps it byte for byte; the writing goes on beside. Errors: `corrupt` when it is not what its digest says. */
  private keep(document: FetchedManifest): FetchedManifest {
    const { descriptor, bytes } = document;
    const { digest, mediaType } = descriptor;
    this.lease.add(digest);
    const found = `${splitDigest(digest).algorithm}:${hexOf(digest, bytes)}`;
    if (found !== digest) {
      throw new WharfError('corrupt', `manifest verification failed for digest ${digest}`);
    }
    const write =
      digest === digestOf(bytes)
        ? this.content.put(bytes, mediaType)
        : this.content.write(once(bytes), { digest, size: bytes.length });
    // Whoever waits for all of them is told of a failure.
    write.catch(() => {});
    this.writes.push(write);
    return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
  }
}

function hexOf(digest: FetchedManifest['descriptor']['digest'], bytes: Uint8Array): string {
  return createHash(splitDigest(digest).algorithm).update(bytes).digest('hex');
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
