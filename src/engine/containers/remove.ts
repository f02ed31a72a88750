import { WharfError } from '../../base/index.ts';
import { killTask } from './end-run.ts';
import type { TeardownDeps } from './lifecycle-deps.ts';
import type { LiveContainer } from './live.ts';
import type { ContainerRecord } from './record.ts';
import { destroyLocked } from './teardown.ts';

/**
 * Removes a container. `force` kills it first; `volumes` takes its anonymous volumes along. Durable as `removing` before
 * the first thing goes, so that a crash is finished by recovery. Errors: `conflict` while it runs or is being removed.
 */
export async function removeContainer(
  deps: TeardownDeps,
  ref: string,
  options: { volumes: boolean; force: boolean; link: boolean },
): Promise<void> {
  const record = deps.store.resolve(ref);
  if (options.link) {
    const text = 'Conflict, cannot remove the default link name of the container';
    // 500 in spite of its words, as the reference answers.
    throw new WharfError('internal', text);
  }
  const live = deps.live.of(record.id);
  checkContainerRemovable(deps, record, ref, options);
  // Without force it is not sure yet: a `--rm` container that is refused and ends now must still remove itself.
  let ours = options.force;
  if (ours) live.removing = true;
  try {
    for (let removed = false; !removed; ) {
      await endForRemoval(deps, record, live, ref, options.force);
      removed = await deps.store.withLock(record.id, async (locked) => {
        // A start that was under way has come to its end meanwhile.
        if (options.force && live.task) return false;
        refuseRunning(locked, ref);
        if (live.removing && !ours) throw alreadyRemoving(ref);
        ours = true;
        live.removing = true;
        await destroyLocked(deps, locked, { anonymousVolumes: options.volumes });
        return true;
      });
    }
  } finally {
    if (ours) live.removing = false;
  }
}

function alreadyRemoving(ref: string): WharfError {
  return new WharfError('conflict', `removal of container ${ref} is already in progress`);
}

/** What stands in the way of removing a container now: the words of `removeContainer`. Errors: `conflict`. */
export function checkContainerRemovable(
  deps: Pick<TeardownDeps, 'live'>,
  record: ContainerRecord,
  ref: string,
  options: { force: boolean },
): void {
  if (deps.live.of(record.id).removing) throw alreadyRemoving(ref);
  if (!options.force) refuseRunning(record, ref);
}

async function endForRemoval(
  deps: TeardownDeps,
  record: ContainerRecord,
  live: LiveContainer,
  ref: string,
  force: boolean,
): Promise<void> {
  if (!force) return refuseRunning(record, ref);
  if (live.settleUnclear) await live.settleUnclear(true);
  const calledOff = live.cancelRestart();
  if (calledOff || record.state.status === 'restarting') record.state.status = 'exited';
  if (!live.task) return;
  try {
    await killTask(deps, record, live);
  } catch (thrown) {
    const why = WharfError.from(thrown).message;
    const text = `cannot remove container "${ref}": could not kill container: ${why}`;
    throw new WharfError('internal', text, { cause: thrown });
  }
}

function refuseRunning(record: ContainerRecord, ref: string): void {
  const { status } = record.state;
  if (status === 'paused') {
    const text = `cannot remove container "${ref}": container is paused and must be unpaused first`;
    throw new WharfError('conflict', text);
  }
  if (status === 'running' || status === 'restarting') {
    const what = `container is ${status}: stop the container before removing or force remove`;
    throw new WharfError('conflict', `cannot remove container "${ref}": ${what}`);
  }
}
