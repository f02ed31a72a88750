import { readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { mapLimit, rfc3339Nano } from '../../base/index.ts';
import type { Task } from '../../runtime/types.ts';
import { watchExit } from './exits.ts';
import { containerOfSnapshot } from './image-mounts.ts';
import { HALF_MADE_INIT } from './init-layer.ts';
import type { RunDeps } from './lifecycle-deps.ts';
import type { LiveContainer } from './live.ts';
import { reconcileNetworks } from './reconcile-networks.ts';
import type { ContainerRecord } from './record.ts';
import { wantsStartWithDaemon } from './restart-policy.ts';
import { startLocked } from './start.ts';
import { destroyLocked, teardownRun, unmountRun } from './teardown.ts';

/** Containers looked at at once; each costs a few processes and sockets. */
const PARALLEL = 8;
/** Exit code of a process whose end nobody saw. */
const LOST_CODE = 255;

/** What a daemon found at its start. */
export interface RecoveryReport {
  /** Running as the last daemon left them. */
  adopted: string[];
  /** Ended while no daemon ran. */
  ended: string[];
  /** Removals that were finished. */
  removed: string[];
  /** Ids of runs and files that no record names, gone now. */
  purged: string[];
}

/**
 * Brings records and host in step after a daemon's start: adopts what runs, learns each missed exit once, finishes
 * removals, drops what no record names. Restart policies are not applied here: see `startWithDaemon`.
 */
export async function recoverContainers(deps: RunDeps): Promise<RecoveryReport> {
  const report: RecoveryReport = { adopted: [], ended: [], removed: [], purged: [] };
  const unclear = new Set<string>();
  await mapLimit(deps.store.all(), PARALLEL, async (record) => {
    try {
      await recoverOne(deps, record, report);
    } catch (thrown) {
      unclear.add(record.id);
      if (mayRun(record)) keepUnclear(deps, record);
      deps.log.error('container not recovered', { container: record.id, error: thrown });
    }
  });
  await purgeLeftovers(deps, report, unclear);
  return report;
}

async function recoverOne(deps: RunDeps, record: ContainerRecord, report: RecoveryReport): Promise<void> {
  const { status } = record.state;
  if (mayRun(record)) {
    report[await adopt(deps, record)].push(record.id);
    return;
  }
  // A run that was being made or given back when the last daemon went.
  await unmountRun(deps, record.id);
  const sandbox = deps.networks.sandboxOf(record.id);
  if (sandbox) await deps.networks.removeSandbox(sandbox.sandboxId);
  if (status === 'removing' || status === 'dead') {
    await deps.store.withLock(record.id, (locked) =>
      destroyLocked(deps, locked, { anonymousVolumes: locked.hostConfig.AutoRemove === true, saved: true }),
    );
    report.removed.push(record.id);
    return;
  }
  // Its back-off ended with the last daemon; `startWithDaemon` decides anew.
  if (status !== 'restarting' && record.sandboxId === undefined) return;
  if (status === 'restarting') record.state.status = 'exited';
  delete record.sandboxId;
  deps.store.save(record);
}

const mayRun = ({ state }: ContainerRecord) => state.status === 'running' || state.status === 'paused';

/** Has the next one who wants the run ended try its adoption again; one after the other, since that makes a watch. */
function keepUnclear(deps: RunDeps, record: ContainerRecord): void {
  const live = deps.live.of(record.id);
  if (live.task) return;
  let last = Promise.resolve();
  live.settleUnclear = (force) => {
    const settled = last.then(() => settleUnclear(deps, record, live, force));
    last = settled.catch(() => undefined);
    return settled;
  };
}

async function settleUnclear(
  deps: RunDeps,
  record: ContainerRecord,
  live: LiveContainer,
  force: boolean,
): Promise<void> {
  if (!live.settleUnclear) return;
  try {
    await adopt(deps, record);
  } catch (thrown) {
    if (!live.task && !force) throw thrown;
    if (!live.task) {
      deps.log.warn('a run that can not be adopted is ended', { container: record.id, error: thrown });
      await deps.tasks.purge(record.id);
      await noteLost(deps, record, false);
    }
  }
  live.settleUnclear = undefined;
}

async function adopt(deps: RunDeps, record: ContainerRecord): Promise<'adopted' | 'ended'> {
  const terminal = record.config.Tty === true;
  const task = await deps.tasks.adopt(record.id, deps.runtime(record.runtime), terminal);
  if (!task) {
    await noteLost(deps, record, record.hostConfig.AutoRemove === true);
    return 'ended';
  }
  const live = deps.live.of(record.id);
  live.task = task;
  for (const mount of record.mounts) {
    if (mount.Type !== 'volume' || !mount.Name) continue;
    try {
      await deps.volumes.acquire(mount.Name, record.id, { adopted: true });
    } catch (thrown) {
      // The container runs, whatever became of its volume: its exit must be seen.
      deps.log.warn('volume of a running container not found', { volume: mount.Name, error: thrown });
    }
  }
  watchExit(deps, live, task, (again) => startLocked(deps, again));
  if (await settledNow(task.exited)) {
    await live.exitHandled;
    return 'ended';
  }
  if (record.state.pausedForCommit) await thaw(deps, record, task);
  await reconcileNetworks(deps, record);
  live.health = deps.monitorHealth(record, true);
  if (record.state.status === 'paused') live.health?.pause();
  return 'adopted';
}

/** The commit that paused it ended with the last daemon. */
async function thaw(deps: RunDeps, record: ContainerRecord, task: Task): Promise<void> {
  const { state } = record;
  try {
    await task.resume();
  } catch (thrown) {
    // It may not have come to the pause.
    if (state.status === 'paused') throw thrown;
  }
  state.status = 'running';
  delete state.pausedForCommit;
  deps.store.save(record);
}

/** Nothing is left of a run that the record says is there: the host was restarted, or its runtime directory emptied. */
async function noteLost(deps: RunDeps, record: ContainerRecord, removes: boolean): Promise<void> {
  const { state } = record;
  state.status = removes ? 'removing' : 'exited';
  state.pid = 0;
  state.exitCode = LOST_CODE;
  state.finishedAt = rfc3339Nano(deps.clock.nowNanos());
  const remains = { record, task: undefined, sandboxId: deps.networks.sandboxOf(record.id)?.sandboxId };
  delete record.sandboxId;
  deps.store.save(record);
  await teardownRun(deps, remains);
  if (!removes) return;
  await deps.store.withLock(record.id, (locked) =>
    destroyLocked(deps, locked, { anonymousVolumes: true, saved: true }),
  );
}

async function settledNow(promise: Promise<unknown>): Promise<boolean> {
  const later = new Promise<boolean>((resolve) => {
    setImmediate(() => resolve(false));
  });
  return Promise.race([promise.then(() => true), later]);
}

/** `unclear`: containers that could not be looked at. They may run, and a fault of the daemon never ends a container. */
async function purgeLeftovers(
  deps: RunDeps,
  report: RecoveryReport,
  unclear: ReadonlySet<string>,
): Promise<void> {
  const stays = (id: string) => isOurs(deps, id) || unclear.has(id);
  for (const id of await deps.tasks.leftovers()) {
    if (stays(id)) continue;
    try {
      await deps.tasks.purge(id);
      if (!deps.store.get(id)) report.purged.push(id);
    } catch (thrown) {
      deps.log.error('leftovers of a container not purged', { container: id, error: thrown });
    }
  }
  for (const id of namesIn(deps.paths.mounts)) {
    if (!stays(id)) await unmountRun(deps, id);
  }
  // Log and files of a container whose creation or removal was cut off.
  for (const name of namesIn(deps.paths.containers)) {
    const id = containerIdOf(name);
    if (id && !deps.store.get(id))
      await rm(join(deps.paths.containers, id), { recursive: true, force: true });
  }
  // A container's snapshot bears its id; a creation or removal cut off in the middle leaves one without a record.
  for (const snapshot of deps.snapshotter.list()) {
    if (snapshot.kind === 'active' && snapshot.key.startsWith(HALF_MADE_INIT)) {
      await deps.snapshotter.remove(snapshot.key);
      continue;
    }
    const id = containerIdOf(containerOfSnapshot(snapshot.key));
    if (snapshot.kind !== 'active' || id === undefined || deps.store.get(id)) continue;
    await deps.snapshotter.remove(snapshot.key);
    report.purged.push(id);
  }
}

/** This daemon has adopted it: what is left of it is given back by its own exit, and a restart may be making it anew. */
function isOurs(deps: Pick<RunDeps, 'live'>, id: string): boolean {
  return deps.live.get(id)?.exitHandled !== undefined;
}

function containerIdOf(key: string): string | undefined {
  return /^[0-9a-f]{64}$/.test(key) ? key : undefined;
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    // Not there yet: the first start makes it.
    return [];
  }
}

/** Starts what its restart policy wants running with the daemon. Failures are in the records and the log. */
export async function startWithDaemon(deps: RunDeps): Promise<void> {
  const wanted = deps.store.all().filter((record) => isStopped(record) && wantsStartWithDaemon(record));
  await mapLimit(wanted, PARALLEL, async ({ id }) => {
    try {
      await deps.store.withLock(id, async (record) => {
        if (isStopped(record)) await startLocked(deps, record);
      });
    } catch (thrown) {
      deps.log.warn('container not started with the daemon', { container: id, error: thrown });
    }
  });
}

function isStopped(record: ContainerRecord): boolean {
  return record.state.status === 'exited';
}
