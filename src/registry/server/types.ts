import type { Readable } from 'node:stream';
import type { Descriptor, Digest } from '../../oci/index.ts';

/** A page of an alphabetical listing: at most `limit` names after `last`. `more` when others follow. */
export interface Page {
  names: string[];
  more: boolean;
}

/** A manifest or index as stored, with what listings of referrers say of it. */
export interface StoredManifest {
  /** `artifactType` and `annotations` filled as the referrers listing has them (OCI Distribution 1.1, "Listing Referrers"). */
  descriptor: Descriptor;
  bytes: Buffer;
  subject: Digest | undefined;
}

/** An upload under way. Survives restarts; belongs to the repository it was begun for. */
export interface UploadInfo {
  id: string;
  repository: string;
  /** Bytes that are here. */
  offset: number;
  /** Milliseconds since 1970. */
  startedAt: number;
}

/** What one collection of garbage removed, or would remove. Sizes in bytes. */
export interface GarbageReport {
  blobs: { digest: Digest; size: number }[];
  /** Manifests that no tag and no index names and that are no referrer of a kept one; only with `untagged`. */
  manifests: { repository: string; digest: Digest }[];
  uploads: { id: string; repository: string; size: number }[];
  bytes: number;
}

/**
 * Where a registry keeps its content. Blobs are shared by all repositories, but visible only through a repository that
 * links them (CVE-2024-39897). Repository names, tags and digests are checked by the caller against the grammar.
 * Every change is durable when its promise resolves. A conformance suite, `storageSuite`, is what a driver must keep.
 */
export interface RegistryStorage {
  /** Bytes of a blob that this repository links. */
  statBlob(repository: string, digest: Digest): Promise<{ size: number } | undefined>;
  /** Errors: `not-found`. `end` is inclusive. */
  openBlob(repository: string, digest: Digest, range?: { start: number; end?: number }): Readable;
  /** Links a blob that the store holds, whoever brought it. False when it holds none such. The caller checked the rights. */
  linkBlob(repository: string, digest: Digest): Promise<boolean>;
  /** Unlinks a blob; its bytes go with the next collection. Errors: `not-found`. */
  unlinkBlob(repository: string, digest: Digest): Promise<void>;

  startUpload(repository: string): Promise<UploadInfo>;
  /** Errors: `not-found`, also when it belongs to another repository. */
  upload(repository: string, id: string): Promise<UploadInfo>;
  /**
   * Appends a body. With `start`, only if that is the upload's offset. Bytes of a body that breaks off stay. Errors:
   * `conflict` for a wrong start or while another request writes; `not-found`; `exhausted` (disk full).
   */
  appendUpload(
    repository: string,
    id: string,
    body: AsyncIterable<Uint8Array>,
    start?: number,
    signal?: AbortSignal,
  ): Promise<UploadInfo>;
  /** Verifies, links and ends the upload. Errors: `corrupt` for another digest (the upload is gone then), `not-found`. */
  finishUpload(repository: string, id: string, digest: Digest): Promise<Descriptor>;
  cancelUpload(repository: string, id: string): Promise<void>;

  /**
   * Stores a document under its digest and, if given, a tag. Errors: `invalid` (not a manifest or index, or lookalike),
   * `not-found` with `missing` in the message when it names blobs or manifests that this repository does not have
   * (a subject may be missing; of an index, see decisions).
   */
  putManifest(repository: string, bytes: Uint8Array, mediaType: string, tag?: string): Promise<StoredManifest>;
  /** By tag or digest. */
  manifest(repository: string, reference: string): Promise<StoredManifest | undefined>;
  /** By digest, with the tags that name it. Errors: `not-found`. */
  deleteManifest(repository: string, digest: Digest): Promise<void>;
  /** Errors: `not-found`. */
  deleteTag(repository: string, tag: string): Promise<void>;
  /** Errors: `not-found` for a repository without any content. */
  tags(repository: string, page: { limit: number; last?: string }): Promise<Page>;
  repositories(page: { limit: number; last?: string }): Promise<Page>;
  /** Descriptors of manifests whose subject this digest is. */
  referrers(repository: string, digest: Digest, artifactType?: string): Promise<Descriptor[]>;

  /** Digests of everything that some repository still needs: for sweeps of a store that is shared. Synchronous. */
  needs(digest: Digest): boolean;
  /** Removes what no repository links, and uploads without a byte for `uploadAgeMs`; online, beside requests. */
  collect(options: { dryRun: boolean; untagged: boolean; uploadAgeMs: number }): Promise<GarbageReport>;
}

/** A user as a request showed himself; undefined for nobody. */
export type User = string | undefined;

export type Action = 'pull' | 'push' | 'delete';

/** Who may do what. */
export interface AccessPolicy {
  allows(user: User, action: Action, repository: string): boolean;
  /** Whether the user may see the catalogue; repositories he can't pull are left out in any case. */
  allowsCatalog(user: User): boolean;
}

/** Checks names and passwords. */
export interface Authenticator {
  /** The user's name, or undefined. Takes the same time for unknown users as for wrong passwords. */
  check(username: string, password: string): Promise<User>;
}

/** One line of the audit log. */
export interface AuditEntry {
  time: string;
  user: string | null;
  /** Address of the client, without port. */
  from: string;
  method: string;
  /** `pull`, `push`, `delete`, `catalog`, `login`, `mount`. */
  action: string;
  repository: string | null;
  /** Tag or digest. */
  reference: string | null;
  status: number;
  bytes: number;
  agent: string;
}
