import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { Logger } from '../../base/index.ts';
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
  /** Bytes of a blob that this repository links; undefined also when its content was lost. */
  statBlob(repository: string, digest: Digest): Promise<{ size: number } | undefined>;
  /** Errors: `not-found`. `end` is inclusive. */
  openBlob(repository: string, digest: Digest, range?: { start: number; end?: number }): Readable;
  /** The file of a blob that this repository links, where a driver has files: it is sent without a stream between. */
  blobPath?(repository: string, digest: Digest): string | undefined;
  /**
   * Links a blob that the store holds, whoever brought it. False when it holds none such, or one of another size than
   * told. The caller checked the rights.
   */
  linkBlob(repository: string, digest: Digest, size?: number): Promise<boolean>;
  /** Repositories that link a blob, at most `limit`. */
  holders(digest: Digest, limit: number): Promise<string[]>;
  /**
   * Takes a blob in as a whole and links it. A piece of the body may be used only until the next is asked for. Errors:
   * `corrupt` for another digest or size, `exhausted`.
   */
  putBlob(
    repository: string,
    body: AsyncIterable<Uint8Array>,
    expected: { digest: Digest; size?: number },
    signal?: AbortSignal,
  ): Promise<Descriptor>;
  /** Unlinks a blob; its bytes go with the next collection. Errors: `not-found`. */
  unlinkBlob(repository: string, digest: Digest): Promise<void>;

  startUpload(repository: string): Promise<UploadInfo>;
  /** Errors: `not-found`, also when it belongs to another repository. */
  upload(repository: string, id: string): Promise<UploadInfo>;
  /**
   * Appends a body. With `start`, only if that is the upload's offset. Bytes of a body that breaks off stay. A piece of the
   * body may be used only until the next is asked for. Errors:
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
   * Stores a document under its digest and, if given, a tag; with a digest as `reference` under that one, which may be of
   * SHA-512. Errors: `invalid` (not a manifest or index, or lookalike), `corrupt` (not the bytes of that digest),
   * `not-found` with `missing` in the message when it names blobs or manifests that this repository does not have. A
   * subject may be missing, and so may layers that their publisher keeps elsewhere (`urls`). With `tag` set to `new`,
   * `forbidden` for a tag that stands for another document already: of several at once one is the first.
   */
  putManifest(
    repository: string,
    bytes: Uint8Array,
    mediaType: string,
    reference?: string,
    tag?: 'move' | 'new',
  ): Promise<StoredManifest>;
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
  /**
   * Removes what no repository links, links that no manifest names, and uploads without a byte; online, beside requests. What
   * was brought, linked, looked up or written within `uploadAgeMs` stays: a push may be about to name it.
   */
  collect(options: { dryRun: boolean; untagged: boolean; uploadAgeMs: number }): Promise<GarbageReport>;
}

/** A user as a request showed himself; undefined for nobody. */
export type User = string | undefined;

/** What a user does with a repository. */
export type Action = 'pull' | 'push' | 'delete';

/** Who may do what. */
export interface AccessPolicy {
  allows(user: User, action: Action, repository: string): boolean;
  /** Whether a user who may push may also move tags that are there to another manifest. */
  allowsOverwrite(user: User, repository: string): boolean;
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

/** What a request asks for, once its names are known to be well-formed. */
export type Needs = 'base' | 'catalog' | { repository: string; action: Action };

/** A request that may go on. */
export interface Grant {
  user: User;
  /** Whether the same credentials would do for something else: for mounts, and for what the catalogue shows. */
  allows(action: Action, repository: string): boolean;
  /** Whether a push may move a tag that is there to another manifest (`DENIED` if not). Absent: it may. */
  allowsOverwrite?(repository: string): boolean;
}

/** A request that may not. */
export interface Refusal {
  /** Known although refused, for the audit. */
  user: User;
  /** 401: show yourself, by `challenge`. 403: known, and not allowed. 429: too many wrong passwords. */
  status: 401 | 403 | 429;
  /** Code of the specification: `UNAUTHORIZED`, `DENIED`, `TOOMANYREQUESTS`. */
  code: string;
  message: string;
  /** The value of `WWW-Authenticate`. */
  challenge?: string;
  /** Seconds for `Retry-After`. */
  retryAfter?: number;
}

/**
 * Decides who may do what, by the headers of a request. Asked once a request, before anything of a repository is looked
 * at, so that a refusal tells nothing about what exists.
 */
export interface Gatekeeper {
  /** Answers at once where it can: manifests are served some thousand times a second. */
  authorize(request: IncomingMessage, needs: Needs): Grant | Refusal | Promise<Grant | Refusal>;
  /** Paths outside of `/v2/` that it serves itself, as the token endpoint. */
  serves?(path: string): boolean;
  /** Answers such a request. The result is who it was, for the audit (action `login`). */
  serve?(request: IncomingMessage, response: ServerResponse): Promise<{ user: User }>;
}

/** What a registry server is made of. */
export interface RegistryServerOptions {
  storage: RegistryStorage;
  gatekeeper: Gatekeeper;
  /** Gets one entry for each request, when its answer was sent or cut. Must not throw and not block. */
  audit: (entry: AuditEntry) => void;
  log: Logger;
  /** A client that sends or takes nothing for so long is cut, and one slower than 1 KiB a second; 60,000 ms unless given. */
  stallMs?: number;
}

/** The HTTP face of a registry, for any number of HTTP and HTTPS servers. */
export interface RegistryServer {
  /** Limits and deadlines that a server of `node:http` or `node:https` must be made with. */
  readonly settings: ServerOptions;
  /** Answers one request. */
  readonly handler: (request: IncomingMessage, response: ServerResponse) => void;
  /** Takes over a server made with `settings`: requests, malformed ones and stalled connections. */
  attach(server: Server): void;
  /** Cuts requests under way and waits until their uploads are put down. The servers are their owner's to close. */
  close(): Promise<void>;
}
