import { isKind, mapLimit } from '../../base/index.ts';
import {
  type Descriptor,
  type Digest,
  type Index,
  isIndexType,
  isManifestType,
  type Manifest,
  parseManifestOrIndex,
} from '../../oci/index.ts';
import { LayerProgress } from './pull-progress.ts';
import type { PullSession } from './pull-session.ts';
import type { Target } from './pull-target.ts';

/** Documents of one index that are kept, at most, and documents of which the referrers are asked for. */
const MAX_DOCUMENTS = 512;
/** Bytes of the blobs that are kept beside the image, unless all platforms are asked for; and of those of referrers. */
const MAX_BYTES = 2 ** 30;
/** A signature of an SBOM of an image is kept; what is said of that signature no more. */
const REFERRER_DEPTH = 2;
const AT_ONCE = 4;
/** Smaller blobs do not wait for their turn among the layers. */
const SMALL_BYTES = 1 << 20;

/** Answers to who asks for referrers that do not concern the image. */
const UNLISTED = ['not-found', 'invalid', 'not-implemented', 'unauthorized', 'forbidden'] as const;

/** Blobs by digest, with their sizes. */
export type KeptBlobs = Map<Digest, number>;

/** What a pull keeps beside the image. */
export interface Kept {
  /** All that is kept, the referrers and their blobs too. */
  blobs: KeptBlobs;
  /** Documents that name one of those as their subject, each after its subject. */
  referrers: Descriptor[];
}

/**
 * Fetches what an index holds beside the chosen image: everything that is no image of another platform (attestations,
 * artifacts, types unknown here), or with `allPlatforms` all, and what refers to any of it. What the registry does not have
 * is left out.
 */
export async function pullKept(session: PullSession, target: Target, signal: AbortSignal): Promise<Kept> {
  const walk = new KeptWalk(session, signal);
  for (const [at, { document, index }] of target.indexes.entries()) {
    walk.blobs.set(document.descriptor.digest, document.descriptor.size);
    const chosen = target.indexes[at + 1]?.document ?? target.image;
    await walk.entries(index, chosen.descriptor.digest);
  }
  if (session.allPlatforms) {
    const chosen = [...target.indexes.map(({ document }) => document), target.image];
    await walk.referrersOf(chosen.map(({ descriptor }) => descriptor));
  }
  return walk;
}

class KeptWalk implements Kept {
  readonly blobs: KeptBlobs = new Map();
  readonly referrers: Descriptor[] = [];
  private readonly session: PullSession;
  private readonly signal: AbortSignal;
  private readonly giveUp = new AbortController();
  private failure: { thrown: unknown } | undefined;
  private subjects: Descriptor[] = [];
  private documents = 0;
  private bytes = 0;
  private maxBytes: number;

  constructor(session: PullSession, signal: AbortSignal) {
    this.session = session;
    this.maxBytes = session.allPlatforms ? Number.POSITIVE_INFINITY : MAX_BYTES;
    this.signal = AbortSignal.any([signal, this.giveUp.signal]);
  }

  async entries(index: Index, chosen?: Digest): Promise<void> {
    const wanted = index.manifests.filter(
      (entry) => entry.digest !== chosen && (this.session.allPlatforms || !isOtherImage(entry)),
    );
    await this.each(wanted, (entry) => this.entry(entry));
  }

  /** What refers to these documents or to what was walked through, and what refers to that in turn. */
  async referrersOf(documents: Descriptor[]): Promise<void> {
    this.bytes = 0;
    this.maxBytes = MAX_BYTES;
    let subjects = [...documents, ...this.subjects];
    let left = MAX_DOCUMENTS;
    for (let depth = 0; depth < REFERRER_DEPTH && left > 0; depth++) {
      this.subjects = [];
      await this.each(subjects.slice(0, left), async (subject) => {
        const listed = await this.listed(subject.digest);
        await this.each(listed, (entry) => this.referrer(subject.digest, entry));
      });
      left -= subjects.length;
      subjects = this.subjects;
    }
  }

  /** Who may read the image but not the list has none. */
  private async listed(subject: Digest): Promise<Descriptor[]> {
    try {
      return (await this.session.repository.referrers(subject, undefined, this.signal)).manifests;
    } catch (thrown) {
      if (UNLISTED.some((kind) => isKind(thrown, kind))) return [];
      throw thrown;
    }
  }

  private async referrer(subject: Digest, entry: Descriptor): Promise<void> {
    if (!isManifestType(entry.mediaType) && !isIndexType(entry.mediaType)) return;
    if (this.blobs.has(entry.digest) || this.documents >= MAX_DOCUMENTS) return;
    // Lists are not what a digest vouches for: the document itself says of what it speaks.
    if ((await this.document(entry)).subject?.digest !== subject) return;
    await this.entry(entry);
    const { mediaType, digest, size } = entry;
    this.referrers.push({ mediaType, digest, size });
  }

  private async document(entry: Descriptor): Promise<Manifest | Index> {
    const { bytes } = await this.session.documents.read(entry);
    const parsed = parseManifestOrIndex(bytes, entry.mediaType);
    return parsed.kind === 'index' ? parsed.index : parsed.manifest;
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
    const document = await this.document(entry);
    this.blobs.set(entry.digest, entry.size);
    this.subjects.push(entry);
    if ('manifests' in document) return this.entries(document);
    const { config, layers } = document;
    await this.each([config, ...layers], (blob) => this.blob(blob));
  }

  private async blob(blob: Descriptor): Promise<void> {
    const { deps, lease, report, allPlatforms, fetch } = this.session;
    if (this.blobs.has(blob.digest)) return;
    if (this.bytes + blob.size > this.maxBytes) return;
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
