import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { WharfError } from '../../base/index.ts';
import type { ContentStore } from '../../content/types.ts';
import { type Descriptor, type Digest, isDigest, parseIndex, splitDigest } from '../../oci/index.ts';
import { type DocumentFacts, readDocument } from './document.ts';
import { descriptorOf, type LocalIndex, type ManifestRecord } from './local-index.ts';
import { ManifestCache } from './manifest-cache.ts';
import type { StoredManifest } from './types.ts';

/** Documents in memory, in bytes: some thousand. */
const CACHED_BYTES = 16 << 20;

/** What holds digests for a piece of work, as `Leases` of the content store does. */
export interface LeaseBook {
  open(): { add(...keys: string[]): void } & Disposable;
  has(key: string): boolean;
}

/**
 * Manifests and indexes of a local registry. An index is taken only when all that it names is here, though the specification
 * would allow to take it before: every usual client pushes the images first, and who pulls by an index that was taken can
 * be sure of each of them. An entry may name a blob instead of a manifest, as build caches do.
 */
export class LocalManifests {
  private readonly content: ContentStore;
  private readonly index: LocalIndex;
  private readonly leases: LeaseBook;
  private readonly now: () => number;
  private readonly cache = new ManifestCache(CACHED_BYTES);

  constructor(parts: { content: ContentStore; index: LocalIndex; leases: LeaseBook; now: () => number }) {
    this.content = parts.content;
    this.index = parts.index;
    this.leases = parts.leases;
    this.now = parts.now;
  }

  async put(
    repository: string,
    bytes: Uint8Array,
    mediaType: string,
    reference: string | undefined,
    onTag: 'move' | 'new' = 'move',
  ): Promise<StoredManifest> {
    const facts = readDocument(bytes, mediaType);
    const digest = digestFor(bytes, reference);
    using lease = this.leases.open();
    lease.add(digest, ...facts.references);
    const tag = reference === undefined || isDigest(reference) ? undefined : reference;
    const refuse = () => {
      if (onTag === 'new' && tag !== undefined) this.refuseMove(repository, tag, digest);
      this.refuseMissing(repository, facts.references);
    };
    refuse();
    if ((await this.content.stat(digest))?.size !== bytes.byteLength) {
      await this.content.write(Readable.from([bytes]), { digest, size: bytes.byteLength });
    }
    // A client may have deleted a blob while the document was written, or set the tag: from here on nothing waits.
    refuse();
    const record = recordOf(repository, digest, bytes.byteLength, facts, this.now());
    this.index.putManifest(record, tag);
    return this.keep(record, Buffer.from(bytes));
  }

  /** By tag or digest. What is in memory is answered without waiting. */
  get(
    repository: string,
    reference: string,
  ): StoredManifest | undefined | Promise<StoredManifest | undefined> {
    const record = this.index.manifest(repository, reference);
    if (!record) return undefined;
    // Who asks for a manifest by digest may be about to name it in an index.
    if (reference.includes(':')) record.usedAt = this.now();
    return this.cache.get(keyOf(record)) ?? this.load(record);
  }

  delete(repository: string, digest: Digest): void {
    const record = this.index.manifest(repository, digest);
    if (!record) throw new WharfError('not-found', `${repository} has no manifest ${digest}`);
    this.index.remove({ manifests: [record] });
    this.cache.delete(keyOf(record));
  }

  /** What refers to a digest: what says so itself, and what old clients listed under the fallback tag. */
  async referrers(
    repository: string,
    digest: Digest,
    artifactType: string | undefined,
  ): Promise<Descriptor[]> {
    const held = this.index.repositories.get(repository);
    const found = new Map<Digest, Descriptor>();
    for (const by of held?.referrers.get(digest) ?? []) {
      const record = held?.manifests.get(by);
      if (record) found.set(by, descriptorOf(record));
    }
    for (const entry of await this.fallbackList(repository, digest)) {
      const record = held?.manifests.get(entry.digest);
      if (!found.has(entry.digest)) found.set(entry.digest, record ? descriptorOf(record) : entry);
    }
    const all = [...found.values()].sort((a, b) => (a.digest < b.digest ? -1 : 1));
    return artifactType === undefined ? all : all.filter((one) => one.artifactType === artifactType);
  }

  /** OCI Distribution 1.1, "Referrers Tag Schema": 32 characters of the algorithm at most, and 64 of the digest. */
  private async fallbackList(repository: string, digest: Digest): Promise<Descriptor[]> {
    const { algorithm, hex } = splitDigest(digest);
    const list = await this.get(repository, `${algorithm}-${hex.slice(0, 64)}`);
    if (!list) return [];
    try {
      return parseIndex(list.bytes, list.descriptor.mediaType).manifests;
    } catch {
      // A tag of that form that is no index is somebody's image.
      return [];
    }
  }

  private async load(record: ManifestRecord): Promise<StoredManifest> {
    const bytes = await this.content.read(record.digest).catch((thrown: unknown) => {
      throw new WharfError('corrupt', `the bytes of the manifest ${record.digest} can't be read`, {
        cause: thrown,
      });
    });
    if (hashOf(bytes, record.digest) !== record.digest)
      throw new WharfError('corrupt', `the manifest ${record.digest} was damaged on disk`);
    return this.keep(record, bytes);
  }

  private keep(record: ManifestRecord, bytes: Buffer): StoredManifest {
    const manifest = { descriptor: descriptorOf(record), bytes, subject: record.subject };
    this.cache.put(keyOf(record), manifest);
    return manifest;
  }

  private refuseMove(repository: string, tag: string, digest: Digest): void {
    const there = this.index.manifest(repository, tag);
    if (there && there.digest !== digest)
      throw new WharfError('forbidden', `the tag ${tag} may not be moved`);
  }

  private refuseMissing(repository: string, references: readonly Digest[]): void {
    const held = this.index.repositories.get(repository);
    const missing = references.filter((digest) => !held?.blobs.has(digest) && !held?.manifests.has(digest));
    if (missing.length > 0)
      throw new WharfError('not-found', `missing in ${repository}: ${missing.slice(0, 10).join(', ')}`);
  }
}

function keyOf({ repository, digest }: ManifestRecord): string {
  return `${repository}@${digest}`;
}

function hashOf(bytes: Uint8Array, like: Digest): string {
  const { algorithm } = splitDigest(like);
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

/** The digest under which a document is kept: the one that the client names, if it is right. */
function digestFor(bytes: Uint8Array, reference: string | undefined): Digest {
  if (!isDigest(reference)) return hashOf(bytes, 'sha256:' as Digest) as Digest;
  const found = hashOf(bytes, reference);
  if (found !== reference)
    throw new WharfError('corrupt', `the manifest has the digest ${found}, not ${reference}`);
  return reference;
}

function recordOf(
  repository: string,
  digest: Digest,
  size: number,
  facts: DocumentFacts,
  usedAt: number,
): ManifestRecord {
  const { mediaType, references, artifactType, annotations, subject } = facts;
  return {
    repository,
    digest,
    size,
    mediaType,
    references,
    usedAt,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(subject === undefined ? {} : { subject }),
  };
}
