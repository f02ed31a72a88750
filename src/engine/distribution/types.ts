import type { Lease, Leases } from '../../content/index.ts';
import type { Platform } from '../../oci/index.ts';
import type { Registries } from '../../registry/client/index.ts';
import type { RegistryCredentials, Repository } from '../../registry/types.ts';
import type { LoadDeps } from '../images/index.ts';
import type { BlobFetcher } from './fetch.ts';
import type { Uploads } from './push-uploads.ts';

/** A line of a progress stream, as clients print it (`{"status":…,"id":…,"progressDetail":…}`). */
export type ProgressLine = Record<string, unknown>;

/**
 * The registry of this very process, when it serves one. Its repositories are reached without a socket, and its blobs lie in
 * the engine's own content store: a push links them.
 */
export interface OwnRegistry {
  /** True for a domain (`localhost:5000`) by which clients of this machine reach it. */
  serves(domain: string): boolean;
  /** The repository with the rights of these credentials. Errors: `unauthorized`. */
  repository(path: string, credentials: RegistryCredentials): Promise<Repository>;
}

/** Bounds that the daemon's configuration sets. */
export interface DistributionLimits {
  /** Blobs fetched at once, all pulls together; read anew at each use since a reload may change them. */
  downloads: () => number;
  uploads: () => number;
  /** Tries of one blob before a pull or push fails. */
  attempts: () => number;
}

/** What pulls and pushes use. */
export interface DistributionDeps extends LoadDeps {
  registries: () => Registries;
  own: OwnRegistry | undefined;
  limits: DistributionLimits;
  leases: Leases;
  /** That of all pulls. */
  fetcher: BlobFetcher;
  /** Those of all pushes. */
  uploads: Uploads;
}

/** `POST /images/create?fromImage=`. `tag` may be a tag, a digest or empty (`latest`). */
export interface PullInput {
  image: string;
  tag: string;
  platform?: Platform;
  credentials: RegistryCredentials;
  /** Every tag of the repository (`docker pull -a`: the client sends no tag then). */
  allTags: boolean;
  /** Keep the images of every platform of an index, not just the host's (`wharf pull --all-platforms`). */
  allPlatforms: boolean;
}

/** `POST /images/{name}/push`. An empty tag means all tags of the repository. */
export interface PushInput {
  name: string;
  tag: string;
  platform?: Platform;
  credentials: RegistryCredentials;
}

export type { Lease };
