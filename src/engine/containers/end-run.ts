import { isKind, LONGEST_TIMER_MS, WharfError } from '../../base/index.ts';
import { publishContainerEvent } from './container-events.ts';
import type { CoreDeps } from './lifecycle-deps.ts';
import type { LiveContainer } from './live.ts';
import type { ContainerRecord } from './record.ts';
import type { StopOptions } from './session.ts';
import { parseSignal, SIGKILL, stopSignalOf } from './signals.ts';

const DEFAULT_GRACE_SECONDS = 10;
/** After SIGKILL only the kernel can hold a process. */
const KILL_MS = 10_000;

/** `signalTask` with the lock held, so that the exit that follows is recorded and told after it. */
async function signalAlone(
  deps: CoreDeps,
  record: ContainerRecord,
  live: LiveContainer,
  signal: number,
): Promise<void> {
  try {
    await deps.store.withLock(record.id, (locked) => signalTask(deps, locked, live, signal, true));
  } catch (thrown) {
    // Gone with its exit (`--rm`): what the signal was for has happened.
    if (!isKind(thrown, 'not-found')) throw thrown;
  }
}

/** Sends a signal to the container's first process and tells of it; the caller holds the lock. A paused container is let go on, so that it can act. Nothing happens when it has ended. */
export async function signalTask(
  deps: Pick<CoreDeps, 'events' | 'store'>,
  record: ContainerRecord,
  live: LiveContainer,
  signal: number,
  resume: boolean,
): Promise<void> {
  const { task } = live;
  if (!task) return;
  try {
    await task.kill(signal);
    publishContainerEvent(deps.events, record, 'kill', { signal: String(signal) });
    if (resume && record.state.status === 'paused') {
      await task.resume();
      record.state.status = 'running';
      deps.store.save(record);
      if (signal !== SIGKILL) publishContainerEvent(deps.events, record, 'unpause');
    }
  } catch (thrown) {
    if (!isKind(thrown, 'not-found')) throw thrown;
  }
}

/** Sends SIGKILL and waits for the end. Errors: `internal` when the kernel does not let the process go. */
export async function killTask(deps: CoreDeps, record: ContainerRecord, live: LiveContainer): Promise<void> {
  const handled = live.exitHandled;
  await signalAlone(deps, record, live, SIGKILL);
  if (!handled || (await endsWithin(handled, KILL_MS))) return;
  throw new WharfError('internal', 'tried to kill container, but did not receive an exit event');
}

/**
 * Ends a container's run as `stop` does: the stop signal, then after the grace SIGKILL. Called without the container's
 * lock, which the exit needs. `byHand` false leaves the restart policy in force (daemon shutdown, restart).
 */
export async function endRun(
  deps: CoreDeps,
  record: ContainerRecord,
  options: StopOptions,
  byHand: boolean,
): Promise<void> {
  const live = deps.live.of(record.id);
  if (live.settleUnclear) await live.settleUnclear(false);
  // Looked at before anything changes, and only where it would be sent.
  const asked = live.task && options.signal ? parseSignal(options.signal) : undefined;
  const signal = asked ?? stopSignalOf(record.config);
  const calledOff = await deps.store.withLock(record.id, async (locked) => {
    if (byHand) noteByHand(deps, locked);
    // Its back-off may just be over, and the start waits for this lock: told by its status that it is called off.
    if (!live.cancelRestart() && locked.state.status !== 'restarting') return false;
    endRestarting(deps, locked, live);
    return true;
  });
  const handled = live.exitHandled;
  if (calledOff || !live.task || !handled) return;
  live.stopPending = true;
  try {
    await signalAlone(deps, record, live, signal);
  } catch (thrown) {
    // Its end, whenever it comes, is not this stop's.
    live.stopPending = false;
    throw thrown;
  }
  const seconds = options.timeoutSeconds ?? record.config.StopTimeout ?? DEFAULT_GRACE_SECONDS;
  if (await endsWithin(handled, seconds < 0 ? undefined : seconds * 1000)) return;
  await killTask(deps, record, live);
}

/** Durable before the signal: a daemon that dies now must not have the next one start the container again. */
export function noteByHand(deps: Pick<CoreDeps, 'store'>, record: ContainerRecord): void {
  record.state.manuallyStopped = true;
  deps.store.save(record);
}

/** A container that waited for its restart has ended for good. */
function endRestarting(deps: CoreDeps, record: ContainerRecord, live: LiveContainer): void {
  record.state.status = 'exited';
  deps.store.save(record);
  publishContainerEvent(deps.events, record, 'stop');
  live.tellExit({ exitCode: record.state.exitCode });
}

async function endsWithin(handled: Promise<void>, ms: number | undefined): Promise<boolean> {
  if (ms === undefined) return handled.then(() => true);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), Math.min(ms, LONGEST_TIMER_MS));
  });
  try {
    return await Promise.race([handled.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
