import type { Lease } from '../../content/index.ts';
import type { Descriptor, Platform } from '../../oci/index.ts';
import type { Repository } from '../../registry/types.ts';
import type { Report } from '../images/index.ts';
import type { FetchWatcher, Transfer } from './fetch.ts';
import type { PullDocuments } from './pull-documents.ts';
import type { DistributionDeps } from './types.ts';

/** What the parts of one pull share. */
export interface PullSession {
  deps: DistributionDeps;
  repository: Repository;
  documents: PullDocuments;
  lease: Lease;
  report: Report;
  /** Asked for, or else the host's. */
  platform: Platform;
  allPlatforms: boolean;
  signal: AbortSignal;
  /** Fetches a blob of the repository, leased before. */
  fetch(
    blob: Descriptor,
    watcher: FetchWatcher,
    signal: AbortSignal,
    options?: { urgent: boolean },
  ): Transfer;
}
