import type { Collection, Database } from '../../meta/types.ts';
import type { Descriptor, Digest } from '../../oci/index.ts';
import { SortedNames } from './sorted-names.ts';

/** A blob that a repository may show. */
export interface BlobRecord {
  repository: string;
  digest: Digest;
  size: number;
  /** When it was last brought, mounted or found by somebody who may be about to name it; milliseconds since 1970. */
  usedAt: number;
}

/** A manifest or index of a repository; its bytes are a blob of the store. */
export interface ManifestRecord {
  repository: string;
  digest: Digest;
  size: number;
  mediaType: string;
  artifactType?: string;
  annotations?: Record<string, string>;
  subject?: Digest;
  references: Digest[];
  /** When it was pushed, or asked for by its digest since then in this process; milliseconds since 1970. */
  usedAt: number;
}

/** A tag. */
export interface TagRecord {
  repository: string;
  tag: string;
  digest: Digest;
}

/** An upload that was begun. */
export interface UploadRecord {
  id: string;
  repository: string;
  startedAt: number;
}

/** What one repository holds. */
export interface RepositoryContent {
  readonly blobs: Map<Digest, BlobRecord>;
  readonly manifests: Map<Digest, ManifestRecord>;
  readonly tags: Map<string, Digest>;
  readonly tagNames: SortedNames;
  /** Digests of the manifests that name a digest: as a layer, a config or an entry. */
  readonly namedBy: Map<Digest, Set<Digest>>;
  /** Digests of the manifests whose subject a digest is. */
  readonly referrers: Map<Digest, Set<Digest>>;
}

/**
 * What a local registry knows, in memory, and on disk behind it: every answer but those with content is given without
 * waiting, and `needs` must be. A blob costs about 300 bytes here. Changes are written first, then made here.
 */
export class LocalIndex {
  readonly repositories = new Map<string, RepositoryContent>();
  /** Names of the repositories that have a manifest. */
  readonly names = new SortedNames();
  readonly uploads: Collection<UploadRecord>;
  private readonly database: Database;
  private readonly blobs: Collection<BlobRecord>;
  private readonly manifests: Collection<ManifestRecord>;
  private readonly tags: Collection<TagRecord>;
  /** Repositories by the blobs that they link. */
  private readonly holders = new Map<Digest, Set<string>>();
  /** How many repositories have a manifest. */
  private readonly documents = new Map<Digest, number>();

  constructor(database: Database) {
    this.database = database;
    this.blobs = database.collection<BlobRecord>({ name: 'registry_blobs', key: contentKey });
    this.manifests = database.collection<ManifestRecord>({ name: 'registry_manifests', key: contentKey });
    this.tags = database.collection<TagRecord>({ name: 'registry_tags', key: tagKey });
    this.uploads = database.collection<UploadRecord>({ name: 'registry_uploads', key: ({ id }) => id });
    for (const record of this.blobs.all()) this.addBlob(record);
    for (const record of this.manifests.all()) this.addManifest(record);
    for (const record of this.tags.all()) this.addTag(record);
  }

  /** Whether some repository needs the bytes. */
  needs(digest: Digest): boolean {
    return this.holders.has(digest) || this.documents.has(digest);
  }

  /** How many repositories need the bytes: as a blob, and as a document. */
  countOf(digest: Digest): number {
    return (this.holders.get(digest)?.size ?? 0) + (this.documents.get(digest) ?? 0);
  }

  holdersOf(digest: Digest): Iterable<string> {
    return this.holders.get(digest) ?? [];
  }

  blob(repository: string, digest: Digest): BlobRecord | undefined {
    return this.repositories.get(repository)?.blobs.get(digest);
  }

  /** By tag or digest. */
  manifest(repository: string, reference: string): ManifestRecord | undefined {
    const content = this.repositories.get(repository);
    if (!content) return undefined;
    const digest = reference.includes(':') ? (reference as Digest) : content.tags.get(reference);
    return digest === undefined ? undefined : content.manifests.get(digest);
  }

  /** Links a blob, or marks its link as used now; `upload` is the one that it ends. */
  putBlob(record: BlobRecord, upload?: string): void {
    this.database.transaction(() => {
      this.blobs.put(record);
      if (upload !== undefined) this.uploads.delete(upload);
    });
    this.addBlob(record);
  }

  putManifest(record: ManifestRecord, tag: string | undefined): void {
    const tagged =
      tag === undefined ? undefined : { repository: record.repository, tag, digest: record.digest };
    this.database.transaction(() => {
      this.manifests.put(record);
      if (tagged) this.tags.put(tagged);
    });
    this.addManifest(record);
    if (tagged) this.addTag(tagged);
  }

  /** Unlinks blobs, and removes manifests with the tags that name them. */
  remove(things: { blobs?: readonly BlobRecord[]; manifests?: readonly ManifestRecord[] }): void {
    const { blobs = [], manifests = [] } = things;
    const tags = manifests.flatMap((record) => this.tagsOf(record));
    this.database.transaction(() => {
      for (const blob of blobs) this.blobs.delete(contentKey(blob));
      for (const manifest of manifests) this.manifests.delete(contentKey(manifest));
      for (const tag of tags) this.tags.delete(tagKey(tag));
    });
    for (const tag of tags) this.dropTag(tag);
    for (const manifest of manifests) this.dropManifest(manifest);
    for (const blob of blobs) this.dropBlob(blob);
  }

  removeTag(repository: string, tag: string): boolean {
    const digest = this.repositories.get(repository)?.tags.get(tag);
    if (digest === undefined) return false;
    this.tags.delete(tagKey({ repository, tag }));
    this.dropTag({ repository, tag });
    return true;
  }

  private tagsOf({ repository, digest }: ManifestRecord): TagRecord[] {
    const tags = this.repositories.get(repository)?.tags ?? [];
    return [...tags].flatMap(([tag, of]) => (of === digest ? [{ repository, tag, digest }] : []));
  }

  private content(repository: string): RepositoryContent {
    let content = this.repositories.get(repository);
    if (!content) {
      content = {
        blobs: new Map(),
        manifests: new Map(),
        tags: new Map(),
        tagNames: new SortedNames(),
        namedBy: new Map(),
        referrers: new Map(),
      };
      this.repositories.set(repository, content);
    }
    return content;
  }

  private addBlob(record: BlobRecord): void {
    this.content(record.repository).blobs.set(record.digest, record);
    addTo(this.holders, record.digest, record.repository);
  }

  private dropBlob({ repository, digest }: BlobRecord): void {
    this.repositories.get(repository)?.blobs.delete(digest);
    removeFrom(this.holders, digest, repository);
    this.forgetWhenEmpty(repository);
  }

  private addManifest(record: ManifestRecord): void {
    const content = this.content(record.repository);
    const known = content.manifests.has(record.digest);
    if (content.manifests.size === 0) this.names.add(record.repository);
    content.manifests.set(record.digest, record);
    if (known) return;
    this.documents.set(record.digest, (this.documents.get(record.digest) ?? 0) + 1);
    for (const digest of record.references) addTo(content.namedBy, digest, record.digest);
    if (record.subject) addTo(content.referrers, record.subject, record.digest);
  }

  private dropManifest({ repository, digest, references, subject }: ManifestRecord): void {
    const content = this.repositories.get(repository);
    if (!content?.manifests.delete(digest)) return;
    const left = (this.documents.get(digest) ?? 1) - 1;
    if (left > 0) this.documents.set(digest, left);
    else this.documents.delete(digest);
    for (const named of references) removeFrom(content.namedBy, named, digest);
    if (subject) removeFrom(content.referrers, subject, digest);
    if (content.manifests.size === 0) this.names.delete(repository);
    this.forgetWhenEmpty(repository);
  }

  private addTag({ repository, tag, digest }: TagRecord): void {
    const content = this.content(repository);
    if (!content.tags.has(tag)) content.tagNames.add(tag);
    content.tags.set(tag, digest);
  }

  private dropTag({ repository, tag }: { repository: string; tag: string }): void {
    const content = this.repositories.get(repository);
    if (content?.tags.delete(tag)) content.tagNames.delete(tag);
  }

  private forgetWhenEmpty(repository: string): void {
    const content = this.repositories.get(repository);
    if (content && content.blobs.size === 0 && content.manifests.size === 0)
      this.repositories.delete(repository);
  }
}

function contentKey({ repository, digest }: { repository: string; digest: Digest }): string {
  return `${repository}@${digest}`;
}

function tagKey({ repository, tag }: { repository: string; tag: string }): string {
  return `${repository}:${tag}`;
}

/** A record as listings of referrers and the stored manifest describe it. */
export function descriptorOf(record: ManifestRecord): Descriptor {
  const { mediaType, digest, size, artifactType, annotations } = record;
  return {
    mediaType,
    digest,
    size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

function addTo<K, V>(sets: Map<K, Set<V>>, key: K, value: V): void {
  const set = sets.get(key);
  if (set) set.add(value);
  else sets.set(key, new Set([value]));
}

function removeFrom<K, V>(sets: Map<K, Set<V>>, key: K, value: V): void {
  const set = sets.get(key);
  if (set?.delete(value) && set.size === 0) sets.delete(key);
}
