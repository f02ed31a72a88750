import { WharfError } from '../../base/index.ts';
import { publishContainerEvent } from './container-events.ts';
import type { CoreDeps } from './lifecycle-deps.ts';
import { isRestarting, notRunning } from './state-texts.ts';

/** Freezes a container's processes; its health probes rest. Errors: `conflict` with Docker's texts. */
export async function pauseContainer(deps: CoreDeps, ref: string): Promise<void> {
  await deps.store.withLock(ref, async (record) => {
    const live = deps.live.get(record.id);
    if (record.state.status === 'restarting') throw isRestarting(record);
    if (!live?.task) throw notRunning(record);
    if (record.state.status === 'paused') {
      throw new WharfError('conflict', `Container ${record.id} is already paused`);
    }
    await live.task.pause();
    live.health?.pause();
    record.state.status = 'paused';
    deps.store.save(record);
    publishContainerEvent(deps.events, record, 'pause');
  });
}

/** Lets a paused container go on. Errors: `internal` when it is not paused, as Docker answers. */
export async function unpauseContainer(deps: CoreDeps, ref: string): Promise<void> {
  await deps.store.withLock(ref, async (record) => {
    const live = deps.live.get(record.id);
    if (!live?.task || record.state.status !== 'paused') {
      throw new WharfError('internal', `Container ${record.id} is not paused`);
    }
    await live.task.resume();
    live.health?.resume();
    record.state.status = 'running';
    delete record.state.pausedForCommit;
    deps.store.save(record);
    publishContainerEvent(deps.events, record, 'unpause');
  });
}
