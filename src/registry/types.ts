import type { Descriptor, Digest, Index } from '../oci/index.ts';

/** What a user gave to log in; all empty for anonymous. Never logged, never part of an error. */
export interface RegistryCredentials {
  username?: string;
  password?: string;
  /** OAuth2 refresh token from an earlier login (Docker's `identitytoken`). */
  identityToken?: string;
  /** A bearer token sent as it is (Docker's `registrytoken`). */
  registryToken?: string;
}

/** A manifest or index as it came: bytes verified against `descriptor`. */
export interface FetchedManifest {
  descriptor: Descriptor;
  bytes: Buffer;
}

/** A blob to be sent. `open` may be called several times, from any offset, to resume. */
export interface BlobSource {
  descriptor: Descriptor;
  open(offset: number): AsyncIterable<Uint8Array>;
}

/**
 * One repository of a registry, seen with one user's rights (OCI Distribution 1.1). Implemented over HTTP by `client/`, and
 * by `server/` for a registry of this process; both keep `repositorySuite`.
 *
 * Errors of every method, all `WharfError`: `not-found` (manifest, blob, repository or tag unknown), `unauthorized` (no or wrong
 * credentials), `forbidden` (known user without the right), `rate-limited` (429 after all retries, with what the registry said),
 * `unavailable` (unreachable, 5xx after all retries), `corrupt` (content is not what its digest says), `invalid` (answer or
 * request malformed), `not-implemented` (the registry can't do it), `cancelled`.
 */
export interface Repository {
  /** As in the registry, without its host: `library/busybox`. */
  readonly path: string;
  /** What a tag or digest stands for, by HEAD (by GET where HEAD is not answered well). */
  resolve(reference: string, signal?: AbortSignal): Promise<Descriptor>;
  /** The document, at most 4 MiB. By digest: verified. By tag: `descriptor.digest` is computed, and checked with the header. */
  manifest(reference: string, signal?: AbortSignal): Promise<FetchedManifest>;
  /**
   * A blob from `offset` on. `start` is where the body in truth begins: 0 when the other side does not know ranges. The
   * body throws what a broken or stalled connection throws (`unavailable`); the caller resumes. Its bytes are not verified.
   */
  blob(
    blob: Descriptor,
    offset: number,
    signal?: AbortSignal,
  ): Promise<{ start: number; body: AsyncIterable<Uint8Array> }>;
  /** Bytes of a blob that is there, or undefined. */
  statBlob(digest: Digest, signal?: AbortSignal): Promise<{ size: number } | undefined>;
  /** Makes the blob of another repository of the same registry one of this, too. False when the registry would not. */
  mountBlob(digest: Digest, from: string, signal?: AbortSignal): Promise<boolean>;
  /** Sends a blob, resuming by itself after cuts. `sent` gets the bytes that the other side has so far. */
  uploadBlob(source: BlobSource, sent?: (bytes: number) => void, signal?: AbortSignal): Promise<void>;
  /** Stores a document byte for byte under a tag or its digest. Returns its digest. */
  putManifest(bytes: Uint8Array, mediaType: string, reference: string, signal?: AbortSignal): Promise<Digest>;
  /** Deletes a tag or, by digest, a manifest with its tags. */
  deleteManifest(reference: string, signal?: AbortSignal): Promise<void>;
  /** All tags, page by page. */
  tags(signal?: AbortSignal): AsyncIterable<string>;
  /** Manifests whose subject this digest is; by the fallback tag where the registry has no referrers API. */
  referrers(digest: Digest, artifactType?: string, signal?: AbortSignal): Promise<Index>;
}
