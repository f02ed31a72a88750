import type { Logger } from '../../base/index.ts';
import type { ResolvedUser } from '../../runtime/spec-input.ts';
import type { Snapshotter } from '../../snapshot/types.ts';
import type { Fd } from '../../sys/index.ts';
import type { VolumeStore } from '../../volume/types.ts';
import type { ContainerStore, LiveContainers, RunPaths } from '../containers/index.ts';
import type { EventBus } from '../events/types.ts';
import type { StoppedRoots } from './stopped-roots.ts';

/** What copying uses. */
export interface CopyDeps {
  store: Pick<ContainerStore, 'resolve' | 'withLock'>;
  live: Pick<LiveContainers, 'get'>;
  events: EventBus;
  log: Logger;
  volumes: Pick<VolumeStore, 'acquire' | 'release'>;
  snapshotter: Pick<Snapshotter, 'mount' | 'view'>;
  /** Of the daemon: where file systems are mounted to be opened. */
  dataRoot: string;
  paths: RunPaths;
  roots: StoppedRoots;
  /** Errors: `invalid` for a user or group that the container doesn't know. */
  resolveUser(root: Fd, spec: string): Pick<ResolvedUser, 'uid' | 'gid'>;
}
