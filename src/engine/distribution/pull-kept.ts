import { isKind, mapLimit } from '../../base/index.ts';
import {
  type Descriptor,
  type Digest,
  type Index,
  isIndexType,
  isManifestType,
  parseManifestOrIndex,
} from '../../oci/index.ts';
import { LayerProgress } from './pull-progress.ts';
import type { PullSession } from './pull-session.ts';
import type { Target } from './pull-target.ts';

/** Documents of one index that are kept, at most. */
const MAX_DOCUMENTS = 512;
/** Bytes of the blobs that are kept beside the image, unless all platforms are asked for. */
const MAX_BYTES = 2 ** 30;
const AT_ONCE = 4;
/** Smaller blobs do not wait for their turn among the layers. */
const SMALL_BYTES = 1 << 20;

/** Blobs by digest, with their sizes. */
export type KeptBlobs = Map<Digest, number>;

/**
 * Fetches what an index holds beside the chosen image: everything that is no image of another platform (attestations,
 * artifacts, types unknown here), or with `allPlatforms` all. What the registry does not have is left out.
 */
export async function pullKept(
  session: PullSession,
  target: Target,
  signal: AbortSignal,
): Promise<KeptBlobs> {
  const walk = new KeptWalk(session, signal);
  for (const [at, { document, index }] of target.indexes.entries()) {
    walk.blobs.set(document.descriptor.digest, document.descriptor.size);
    const chosen = target.indexes[at + 1]?.document ?? target.image;
    await walk.entries(index, chosen.descriptor.digest);
  }
  return walk.blobs;
}

class KeptWalk {
  readonly blobs: KeptBlobs = new Map();
  private readonly session: PullSession;
  private readonly signal: AbortSignal;
  private readonly giveUp = new AbortController();
  private failure: { thrown: unknown } | undefined;
  private documents = 0;
  private bytes = 0;

  constructor(session: PullSession, signal: AbortSignal) {
    this.session = session;
    this.signal = AbortSignal.any([signal, this.giveUp.signal]);
  }

  async entries(index: Index, chosen?: Digest): Promise<void> {
    const wanted = index.manifests.filter(
      (entry) => entry.digest !== chosen && (this.session.allPlatforms || !isOtherImage(entry)),
    );
    await this.each(wanted, (entry) => this.entry(entry));
  }

  /** What can't be had or read is left out; another failure ends the walk, when all that runs has ended. */
  private async each(items: Descriptor[], work: (item: Descriptor) => Promise<void>): Promise<void> {
    await mapLimit(items, AT_ONCE, async (item) => {
      if (this.signal.aborted) return;
      try {
        await work(item);
      } catch (thrown) {
        if (!isKind(thrown, 'not-found') && !isKind(thrown, 'invalid')) {
          this.failure ??= { thrown };
          this.giveUp.abort();
          return;
        }
        this.session.deps.log.debug('an entry of an index is not kept', {
          digest: item.digest,
          error: thrown,
        });
      }
    });
    if (this.failure) throw this.failure.thrown;
    this.signal.throwIfAborted();
  }

  private async entry(entry: Descriptor): Promise<void> {
    if (this.blobs.has(entry.digest) || this.documents >= MAX_DOCUMENTS) return;
    this.documents++;
    if (!isManifestType(entry.mediaType) && !isIndexType(entry.mediaType)) return this.blob(entry);
    const { bytes } = await this.session.documents.read(entry);
    this.blobs.set(entry.digest, entry.size);
    const parsed = parseManifestOrIndex(bytes, entry.mediaType);
    if (parsed.kind === 'index') return this.entries(parsed.index);
    const { config, layers } = parsed.manifest;
    await this.each([config, ...layers], (blob) => this.blob(blob));
  }

  private async blob(blob: Descriptor): Promise<void> {
    const { deps, lease, report, allPlatforms, fetch } = this.session;
    if (this.blobs.has(blob.digest)) return;
    if (!allPlatforms && this.bytes + blob.size > MAX_BYTES) return;
    this.bytes += blob.size;
    this.blobs.set(blob.digest, blob.size);
    lease.add(blob.digest);
    if ((await deps.content.stat(blob.digest))?.size === blob.size) return;
    const small = blob.size <= SMALL_BYTES;
    const progress = allPlatforms && !small ? new LayerProgress(report, deps.clock, blob) : undefined;
    progress?.pulling();
    try {
      await fetch(blob, progress ?? {}, this.signal, { urgent: small }).arrived;
    } catch (thrown) {
      this.blobs.delete(blob.digest);
      throw thrown;
    }
    progress?.downloaded();
    progress?.pulled();
  }
}

function isOtherImage({ platform, mediaType }: Descriptor): boolean {
  if (!platform || (!isManifestType(mediaType) && !isIndexType(mediaType))) return false;
  return platform.os !== 'unknown' || platform.architecture !== 'unknown';
}
