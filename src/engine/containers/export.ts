import { packTree } from '../../archive/index.ts';
import { WharfError } from '../../base/index.ts';
import type { Snapshotter } from '../../snapshot/types.ts';
import { type Fd, O, openat2 } from '../../sys/index.ts';
import type { EventBus } from '../events/types.ts';
import { publishContainerEvent } from './container-events.ts';
import { openMounted } from './init-layer.ts';
import type { RunPaths } from './lifecycle-deps.ts';
import type { LiveContainers } from './live.ts';
import type { ContainerRecord } from './record.ts';
import type { ContainerStore } from './store.ts';

export interface ExportDeps {
  store: Pick<ContainerStore, 'resolve' | 'get'>;
  events: EventBus;
  live: Pick<LiveContainers, 'get'>;
  snapshotter: Pick<Snapshotter, 'view'>;
  paths: Pick<RunPaths, 'mounts'>;
  dataRoot: string;
}

/**
 * The tar of a container's root filesystem, without what is mounted in it; the places of mounts are there, empty. It ends
 * with an error when the container is removed meanwhile. Errors: `not-found`; `conflict` for one that is dead or going.
 */
export async function exportContainer(
  deps: ExportDeps,
  ref: string,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const record = deps.store.resolve(ref);
  refuseGoing(deps, record, 'export');
  return exported(deps, record, openRootfs(deps, record), signal);
}

async function* exported(
  deps: ExportDeps,
  record: ContainerRecord,
  root: Fd,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  using _ = root;
  yield* packTree(root, { mode: 'tree', wholeSeconds: true }, signal);
  refuseGoing(deps, record, 'export');
  publishContainerEvent(deps.events, record, 'export');
}

/**
 * The root filesystem: of a run as its overlay shows it, else mounted for this descriptor alone, so that nothing is left to
 * be unmounted, whatever becomes of this process.
 */
function openRootfs(deps: ExportDeps, record: ContainerRecord): Fd {
  if (deps.live.get(record.id)?.task)
    return openat2(`${deps.paths.mounts}/${record.id}`, '.', { flags: O.PATH | O.DIRECTORY });
  return openMounted(deps, deps.snapshotter.view(record.id));
}

/** Throws `conflict`, with Docker's texts, when a container's files are going or gone. */
export function refuseGoing(
  deps: { store: Pick<ContainerStore, 'get'>; live: Pick<LiveContainers, 'get'> },
  { id, state }: ContainerRecord,
  verb: 'export' | 'commit',
): void {
  if (state.status === 'dead')
    throw new WharfError('conflict', `You cannot ${verb} container ${id} which is Dead`);
  if (state.status === 'removing' || deps.live.get(id)?.removing || !deps.store.get(id))
    throw new WharfError('conflict', `You cannot ${verb} container ${id} which is being removed`);
}
