import { rfc3339Nano, span, WharfError } from '../../base/index.ts';
import type { Task, TaskExit } from '../../runtime/types.ts';
import { publishContainerEvent, publishNetworkEvent, publishVolumeUnmounts } from './container-events.ts';
import type { TeardownDeps } from './lifecycle-deps.ts';
import type { LiveContainer } from './live.ts';
import { keepLog } from './log-options.ts';
import type { ContainerRecord } from './record.ts';
import { nextBackoff, wantsRestart } from './restart-policy.ts';
import { saveAnyway } from './save-anyway.ts';
import { networksOf } from './start-network.ts';
import { destroyLocked, releaseVolumes, removeSandbox, teardownRun } from './teardown.ts';

/** Starts the container anew, with its lock held; given by who may start containers, so that exits need not know how. */
export type StartAgain = (record: ContainerRecord) => Promise<void>;

/** Follows a task to its end: records the exit once, tells who waits, and sees to restart, removal and cleanup. */
export function watchExit(deps: TeardownDeps, live: LiveContainer, task: Task, again: StartAgain): void {
  keepLog(deps, live.id, task);
  live.exitHandled = task.exited.then((exit) =>
    deps.store
      .withLock(live.id, (record) => handleExit(deps, record, live, task, exit, again))
      .catch((thrown: unknown) => {
        deps.log.warn('exit not handled', { container: live.id, error: thrown });
      }),
  );
}

async function handleExit(
  deps: TeardownDeps,
  record: ContainerRecord,
  live: LiveContainer,
  task: Task,
  exit: TaskExit,
  again: StartAgain,
): Promise<void> {
  if (live.task !== task) return;
  using _ = span('exit', record.id);
  live.task = undefined;
  live.health?.stop();
  live.health = undefined;
  const ranMs = noteExit(record, exit);
  const remains = { record, task, sandboxId: record.sandboxId };
  const removes = record.hostConfig.AutoRemove === true && !live.removing && !live.keepAfterExit;
  const restarts =
    !removes && mayRestart(deps, live) && wantsRestart(record.hostConfig.RestartPolicy, record.state);
  if (removes) record.state.status = 'removing';
  if (restarts) {
    record.state.status = 'restarting';
    record.state.restartCount++;
  }
  const claimed = hasClaims(deps, record);
  delete record.sandboxId;
  saveAnyway(deps, record);
  publishEnd(deps, record, live, exit, ranMs);
  // A port or address that others may ask for as soon as the exit is known must be free by then; the rest is given back behind the answer.
  if (claimed && remains.sandboxId) await removeSandbox(deps, remains.sandboxId);
  live.tellExit({ exitCode: exit.code });
  if (removes) await destroyAfterExit(deps, record, live);
  keepCleanup(
    deps,
    live,
    afterAnswers().then(() => teardownRun(deps, remains)),
  );
  if (restarts) scheduleRestart(deps, live, ranMs, again);
}

/** A container that can't be removed is `dead`: whoever waits hears why, and the next daemon start tries again. */
async function destroyAfterExit(
  deps: TeardownDeps,
  record: ContainerRecord,
  live: LiveContainer,
): Promise<void> {
  using _ = span('remove', record.id);
  try {
    await releaseVolumes(deps, record);
    await destroyLocked(deps, record, { anonymousVolumes: true, saved: true });
  } catch (thrown) {
    const error = WharfError.from(thrown).message;
    deps.log.error('container not removed after its exit', { container: record.id, error: thrown });
    record.state.status = 'dead';
    record.state.error = error;
    saveAnyway(deps, record);
    live.tellRemoved({ exitCode: record.state.exitCode, error });
  }
}

/** Those who were told have written their answers to their sockets when this resolves. */
function afterAnswers(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function mayRestart(deps: Pick<TeardownDeps, 'live'>, live: LiveContainer): boolean {
  return !live.removing && !live.keepAfterExit && !deps.live.shuttingDown;
}

function hasClaims(deps: Pick<TeardownDeps, 'networks'>, record: ContainerRecord): boolean {
  const sandbox = record.sandboxId ? deps.networks.sandbox(record.sandboxId) : undefined;
  const settings = Object.values(record.networkingConfig.EndpointsConfig ?? {});
  const asked = settings.some(({ IPAMConfig }) => IPAMConfig?.IPv4Address || IPAMConfig?.IPv6Address);
  return sandbox !== undefined && (asked || sandbox.ports.length > 0);
}

/** Writes the exit into the record; returns how long the run lasted, in milliseconds. */
function noteExit(record: ContainerRecord, exit: TaskExit): number {
  const { state } = record;
  state.status = 'exited';
  state.pid = 0;
  state.exitCode = exit.code;
  state.oomKilled = exit.oomKilled;
  state.finishedAt = rfc3339Nano(exit.at);
  if (state.health) state.health.Status = 'unhealthy';
  return Math.max(0, Number(exit.at / 1_000_000n) - Date.parse(state.startedAt));
}

/** Events of an end in Docker's order: oom, networks, volumes, stop (when asked for), die. */
function publishEnd(
  deps: TeardownDeps,
  record: ContainerRecord,
  live: LiveContainer,
  exit: TaskExit,
  ranMs: number,
): void {
  if (exit.oomKilled) publishContainerEvent(deps.events, record, 'oom');
  for (const one of networksOf(deps.networks, record)) {
    publishNetworkEvent(deps.events, 'disconnect', one, record.id);
  }
  publishVolumeUnmounts(deps.events, record);
  if (live.stopPending) publishContainerEvent(deps.events, record, 'stop');
  live.stopPending = false;
  const execDuration = String(Math.floor(ranMs / 1000));
  publishContainerEvent(deps.events, record, 'die', { execDuration, exitCode: String(exit.code) });
}

function keepCleanup(deps: Pick<TeardownDeps, 'live'>, live: LiveContainer, cleanup: Promise<void>): void {
  const kept = cleanup.finally(() => {
    if (live.cleanup === kept) live.cleanup = undefined;
  });
  live.cleanup = kept;
  deps.live.behind(kept);
}

function scheduleRestart(deps: TeardownDeps, live: LiveContainer, ranMs: number, again: StartAgain): void {
  live.backoffMs = nextBackoff(live.backoffMs, ranMs);
  live.restartTimer = setTimeout(() => {
    live.restartTimer = undefined;
    const start = deps.store.withLock(live.id, async (record) => {
      if (record.state.status === 'restarting' && mayRestart(deps, live)) await again(record);
    });
    deps.live.behind(
      start.catch((thrown: unknown) => {
        deps.log.warn('restart failed', { container: live.id, error: thrown });
      }),
    );
  }, live.backoffMs);
}
