import type { GrowingFile } from '../../archive/index.ts';
import type { Clock } from '../../base/index.ts';
import type { ContentStore } from '../../content/index.ts';
import type { Descriptor } from '../../oci/index.ts';
import type { Repository } from '../../registry/types.ts';
import { Download } from './fetch-download.ts';
import { Lanes } from './fetch-lanes.ts';
import type { DistributionLimits } from './types.ts';

/** What the fetching of blobs uses. */
export interface FetchDeps {
  content: ContentStore;
  clock: Clock;
  limits: Pick<DistributionLimits, 'downloads' | 'attempts'>;
}

/** A blob that somebody wants, and from where. */
export interface FetchRequest {
  blob: Descriptor;
  repository: Repository;
  /** Domain and path of the repository: wishes of the same place fail together, others try their own. */
  place: string;
  /** Does not wait for its turn: for small documents that others wait for. */
  urgent?: boolean;
}

/** Told how a fetch goes on. Calls must not throw. */
export interface FetchWatcher {
  /** Others are fetched first. */
  waiting?(): void;
  /** Bytes of the blob that are here. */
  progress?(bytes: number): void;
  /** Once a second before another try. */
  retrying?(seconds: number): void;
  verifying?(): void;
}

/** A blob on its way. */
export interface Transfer {
  /**
   * When the blob is in the content store, or will not come any more: hold the lease until then. Errors: those of `Repository.blob`; `corrupt`; `exhausted`;
   * `cancelled`.
   */
  readonly arrived: Promise<void>;
  /** How often it began from zero since what came was not the blob. */
  readonly restarts: number;
  /** Where it can be read from meanwhile; a growing file fails with `RESTARTED` when it begins from zero. */
  source(): Promise<string | GrowingFile>;
}

/**
 * Fetches blobs for all pulls: each is fetched once whoever wants it, a bounded number at a time, and a fetch ends early
 * only when the last who wants it gives up. What a cut fetch brought is kept, and the next one goes on there.
 */
export class BlobFetcher {
  private readonly deps: FetchDeps;
  private readonly lanes: Lanes;
  private readonly downloads = new Map<string, Download>();

  constructor(deps: FetchDeps) {
    this.deps = deps;
    this.lanes = new Lanes(deps.limits.downloads);
  }

  /** Joins the fetching of a blob, or begins it. Lease the digest before. */
  fetch(request: FetchRequest, watcher: FetchWatcher, signal: AbortSignal): Transfer {
    const { digest } = request.blob;
    const running = this.downloads.get(digest);
    if (running?.accepts(request.blob)) return running.join(request, watcher, signal);
    const download = new Download(this.deps, this.lanes, request.blob, running?.ended);
    this.downloads.set(digest, download);
    void download.ended.then(() => {
      if (this.downloads.get(digest) === download) this.downloads.delete(digest);
    });
    const transfer = download.join(request, watcher, signal);
    download.begin();
    return transfer;
  }
}
