import type { Readable } from 'node:stream';
import type { Filters } from '../../api/filters.ts';
import type {
  AuthConfig,
  DistributionInspect,
  ImageDeleteResponseItem,
  ImageInspect,
  ImageSummary,
  OCIPlatform,
} from '../../api/index.ts';

/** One line of a progress stream (`{"status":…}`, `{"stream":…}`, `{"errorDetail":…}`), as clients print it. */
export type ProgressLine = Record<string, unknown>;

/** Image operations as the routes need them. `ref` is a name, a digest or an id (prefix). */
export interface ImagesBackend {
  list(input: {
    all: boolean;
    digests: boolean;
    sharedSize: boolean;
    manifests: boolean;
    filters: Filters;
  }): Promise<ImageSummary[]>;
  inspect(ref: string, options: { platform?: OCIPlatform; manifests?: boolean }): Promise<ImageInspect>;
  history(ref: string, platform?: OCIPlatform): Promise<Record<string, unknown>[]>;
  tag(ref: string, target: { repo: string; tag: string }): Promise<void>;
  remove(
    ref: string,
    options: { force: boolean; noPrune: boolean; platforms: OCIPlatform[] },
  ): Promise<ImageDeleteResponseItem[]>;
  prune(filters: Filters): Promise<{ deleted: ImageDeleteResponseItem[]; spaceReclaimed: number }>;
  /** Reads a docker-archive or OCI layout, plain, gzip or zstd. */
  load(
    archive: Readable,
    options: { quiet: boolean; platform?: OCIPlatform },
    signal: AbortSignal,
  ): AsyncIterable<ProgressLine>;
  /** Makes an image of one layer from a tar stream, or from one at a URL (`fromSrc`). */
  import(
    source: Readable | string,
    options: { repo: string; tag: string; changes: string[]; message: string; platform?: OCIPlatform },
    signal: AbortSignal,
  ): AsyncIterable<ProgressLine>;
  /** A tar in both formats at once (docker-archive and OCI layout). */
  save(refs: string[], options: { platform?: OCIPlatform }, signal: AbortSignal): Promise<Readable>;
  /** `auth` is the decoded `X-Registry-Auth`. Failures after the first line are the last line. */
  pull(
    input: {
      image: string;
      tag: string;
      platform?: OCIPlatform;
      auth: AuthConfig;
      allTags: boolean;
      allPlatforms: boolean;
    },
    signal: AbortSignal,
  ): AsyncIterable<ProgressLine>;
  /** An empty tag means all tags of the repository. */
  push(
    input: { name: string; tag: string; platform?: OCIPlatform; auth: AuthConfig },
    signal: AbortSignal,
  ): AsyncIterable<ProgressLine>;
  /** The document of `GET /distribution/{name}/json`. */
  distribution(name: string, auth: AuthConfig, signal: AbortSignal): Promise<DistributionInspect>;
  search(
    input: { term: string; limit: number; filters: Filters; auth: AuthConfig },
    signal: AbortSignal,
  ): Promise<Record<string, unknown>[]>;
  /** Makes `busybox` or `debian[:suite]` from the host's distribution packages. */
  bootstrap(name: string, signal: AbortSignal): AsyncIterable<ProgressLine>;
}
