import type { RegistryCredentials, Repository } from '../types.ts';

/** How registries are reached. Values are checked by whoever makes this. */
export interface RegistryHosts {
  /** `host`, `host:port` or CIDR: TLS is not verified there, and plain HTTP is tried after HTTPS. Loopback always counts as such. */
  insecure: readonly string[];
  /** Base URLs asked before the registry itself, by domain (`docker.io`, `quay.io`, `*` for every one). Only pulls use them. */
  mirrors: ReadonlyMap<string, readonly string[]>;
  /** Folders with `<host[:port]>/{*.crt,*.cert,*.key}`: CAs and client certificates, as Docker's `/etc/docker/certs.d`. */
  certsDirs: readonly string[];
  /** Proxies, in the meaning of HTTP_PROXY, HTTPS_PROXY and NO_PROXY. */
  proxy: { http?: string; https?: string; no?: string };
  /**
   * Token services by host (`auth.example.net`) that may see the credentials of registries of other sites. Without it a
   * password goes only to a service of the registry's own site.
   */
  realms?: readonly string[];
  /** Sent as User-Agent. */
  userAgent: string;
  /** Tries of one request or one blob before it fails. */
  attempts: number;
  /** Milliseconds without a byte after which a connection counts as stalled. */
  stallMs: number;
}

/** A retry that is about to happen, for progress lines. */
export interface RetryNotice {
  what: string;
  /** Milliseconds until the next try. */
  waitMs: number;
}

/** A result of a search. */
export interface SearchResult {
  name: string;
  description: string;
  star_count: number;
  is_official: boolean;
  is_automated: boolean;
}

/** All registries of the world, as one user of this machine sees them. Keeps connections and tokens; close it at the end. */
export interface Registries extends Disposable {
  /** A repository. `actions`: what the token is to be asked for. Does nothing on the network by itself. */
  repository(
    name: { domain: string; path: string },
    options: {
      credentials?: RegistryCredentials;
      actions: readonly ('pull' | 'push' | 'delete')[];
      onRetry?: (notice: RetryNotice) => void;
    },
  ): Repository;
  /**
   * Checks credentials with a registry (`docker.io`, `https://index.docker.io/v1/` and host names with or without scheme).
   * Errors: `unauthorized` with the registry's words, `unavailable`.
   */
  login(
    server: string,
    credentials: RegistryCredentials,
    signal?: AbortSignal,
  ): Promise<{ status: string; identityToken: string }>;
  /** The catalogue of a registry, page by page. */
  repositories(
    domain: string,
    credentials?: RegistryCredentials,
    signal?: AbortSignal,
  ): AsyncIterable<string>;
  /** Docker Hub's search, or that of a registry with `/v1/search`, or else its catalogue filtered by the term. */
  search(
    domain: string,
    query: { term: string; limit: number },
    credentials?: RegistryCredentials,
    signal?: AbortSignal,
  ): Promise<SearchResult[]>;
}
