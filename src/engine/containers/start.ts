import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { rfc3339Nano, span, UndoStack, WharfError } from '../../base/index.ts';
import type { NamespacePaths, ResolvedUser } from '../../runtime/spec-input.ts';
import type { OciSpec } from '../../runtime/spec-types.ts';
import type { Task } from '../../runtime/types.ts';
import {
  publishContainerEvent,
  publishNetworkEvent,
  publishVolumeMounts,
  publishVolumeUnmounts,
} from './container-events.ts';
import { watchExit } from './exits.ts';
import type { RunDeps } from './lifecycle-deps.ts';
import { linkEnvironment } from './links.ts';
import type { LiveContainer } from './live.ts';
import { checkLogOptions, checkLogServer } from './log-options.ts';
import { makeMountTargets } from './mount-targets.ts';
import type { ContainerRecord } from './record.ts';
import { saveAnyway } from './save-anyway.ts';
import { type StartFailure, startFailure } from './start-error.ts';
import { addNetworkFiles, resolveMounts } from './start-mounts.ts';
import { joinNamespaces, prepareShm } from './start-namespaces.ts';
import { connectNetwork, networksOf, type RunNetwork } from './start-network.ts';
import { destroyLocked } from './teardown.ts';

/**
 * Starts a container. Errors: `not-modified` when it runs, `conflict` when it is paused or being removed, and what
 * stands in the way of its program, with Docker's texts; the record then keeps the text and exit code 126, 127 or 128.
 */
export async function startContainer(deps: RunDeps, ref: string, signal?: AbortSignal): Promise<void> {
  await deps.store.withLock(ref, async (record) => {
    refuseStart(record);
    const live = deps.live.of(record.id);
    record.state.manuallyStopped = false;
    record.state.restartCount = 0;
    live.backoffMs = 0;
    await startLocked(deps, record, signal);
  });
}

function refuseStart(record: ContainerRecord): void {
  switch (record.state.status) {
    case 'running':
    case 'restarting':
      throw new WharfError('not-modified', `container ${record.id} is already running`);
    case 'paused':
      throw new WharfError('conflict', 'cannot start a paused container, try unpause instead');
    case 'removing':
    case 'dead':
      throw new WharfError('conflict', 'container is marked for removal and cannot be started');
    default:
  }
}

/** Starts a container whose lock is held and whose state allows it. A failure leaves nothing behind but its text in the record. */
export async function startLocked(
  deps: RunDeps,
  record: ContainerRecord,
  signal?: AbortSignal,
): Promise<void> {
  using _ = span('start', record.id);
  deps.tasks.anticipate?.();
  const live = deps.live.of(record.id);
  if (live.cleanup) await live.cleanup;
  const progress: Progress = { stage: 'engine' };
  let task: Task;
  try {
    task = await runTask(deps, record, live, progress, signal);
  } catch (thrown) {
    throw await failStart(deps, record, live, startFailure(thrown, record.path, progress.stage));
  }
  live.task = task;
  publishContainerEvent(deps.events, record, 'start');
  live.health = deps.monitorHealth(record);
  watchExit(deps, live, task, (again) => startLocked(deps, again));
}

interface Progress {
  stage: 'engine' | 'runtime';
}

async function runTask(
  deps: RunDeps,
  record: ContainerRecord,
  live: LiveContainer,
  progress: Progress,
  signal: AbortSignal | undefined,
): Promise<Task> {
  checkLogOptions(record);
  await checkLogServer(record, signal);
  await using undo = new UndoStack(deps.log);
  const spec = await prepareRun(deps, record, undo);
  publishVolumeMounts(deps.events, record);
  undo.push('tell of the unmounts', () => {
    for (const one of networksOf(deps.networks, record)) {
      publishNetworkEvent(deps.events, 'disconnect', one, record.id);
    }
    publishVolumeUnmounts(deps.events, record);
  });
  const runtime = deps.runtime(record.runtime);
  progress.stage = 'runtime';
  const [height, width] = record.hostConfig.ConsoleSize ?? [];
  const task = await deps.tasks.create(
    {
      id: record.id,
      spec,
      runtime,
      terminal: record.config.Tty === true,
      ...(record.config.Tty && height && width ? { consoleSize: { height, width } } : {}),
      openStdin: record.config.OpenStdin === true,
      stdinOnce: record.config.StdinOnce === true,
      logPath: record.logPath || undefined,
    },
    signal,
  );
  undo.push('delete the task', () => task.delete());
  for (const one of networksOf(deps.networks, record)) {
    publishNetworkEvent(deps.events, 'connect', one, record.id);
  }
  if (live.pendingAttaches.size > 0) await connectAttaches(live, task);
  await task.start();
  progress.stage = 'engine';
  const before = { ...record.state };
  undo.push('restore the state', () => {
    record.state = before;
  });
  noteStart(deps, record, task);
  deps.store.save(record);
  undo.commit();
  live.process = spec.process;
  return task;
}

/** Everything that must be there before the runtime is called. What does not depend on the network is done while it is made. */
async function prepareRun(deps: RunDeps, record: ContainerRecord, undo: UndoStack): Promise<OciSpec> {
  const connecting = connectNetwork(deps, record);
  // Its failure is thrown where it is awaited; until then it must not count as unhandled.
  connecting.catch(() => undefined);
  undo.push('remove the sandbox', () => dropSandbox(deps, record, connecting));
  const rootfs = mountRootfs(deps, record, undo);
  const user = userOf(deps, record, rootfs);
  if (record.config.WorkingDir) deps.specs.prepareWorkdir(rootfs, record.config.WorkingDir);
  const mounts = await resolveMounts(deps, record, undo);
  makeMountTargets(rootfs, mounts);
  const shmPath = prepareShm(deps, record, undo);
  const network = await connecting;
  if (network.sandbox) record.sandboxId = network.sandbox.sandboxId;
  const files = deps.writeNetworkFiles(record, network.sandbox);
  tellLinked(deps, record, network);
  const all = addNetworkFiles(mounts, files, record.hostConfig.ReadonlyRootfs === true);
  const namespaces: NamespacePaths = joinNamespaces(deps, record);
  if (network.path) namespaces.network = network.path;
  return deps.specs.assembleSpec({
    id: record.id,
    hostname: record.config.Hostname ?? '',
    config: record.config,
    hostConfig: record.hostConfig,
    path: record.path,
    args: record.args,
    rootfs,
    user,
    mounts: all,
    ...(shmPath ? { shmPath } : {}),
    namespaces,
    host: deps.specs.host,
    defaults: deps.specs.defaults(),
    linkEnvironment: linkEnvironment(deps, record),
  });
}

function tellLinked(deps: RunDeps, record: ContainerRecord, { sandbox }: RunNetwork): void {
  try {
    if (sandbox) deps.updateLinkedFiles(record, sandbox);
  } catch (thrown) {
    // Not this container's start to fail for another one's file.
    deps.log.warn('hosts file of a linked container not updated', { container: record.id, error: thrown });
  }
}

function userOf(deps: Pick<RunDeps, 'specs'>, record: ContainerRecord, rootfs: string): ResolvedUser {
  try {
    return deps.specs.resolveUser(rootfs, record.config.User ?? '', record.hostConfig.GroupAdd ?? []);
  } catch (thrown) {
    // The user is the image's or was accepted at create: 500 at start, as the reference answers.
    throw new WharfError('internal', WharfError.from(thrown).message, { cause: thrown });
  }
}

function mountRootfs(deps: RunDeps, record: ContainerRecord, undo: UndoStack): string {
  using _ = span('mount.rootfs', record.id);
  // A power cut right after the creation may have taken it, but not the record.
  mkdirSync(join(deps.paths.containers, record.id), { recursive: true, mode: 0o710 });
  const rootfs = join(deps.paths.mounts, record.id);
  mkdirSync(rootfs, { recursive: true, mode: 0o700 });
  deps.mounts.mount(deps.snapshotter.mount(record.id), rootfs);
  undo.push('unmount the root filesystem', () => deps.mounts.unmount(rootfs));
  return rootfs;
}

async function dropSandbox(
  deps: Pick<RunDeps, 'networks'>,
  record: ContainerRecord,
  connecting: Promise<RunNetwork>,
): Promise<void> {
  delete record.sandboxId;
  const network = await connecting.catch(() => undefined);
  if (network?.sandbox) await deps.networks.removeSandbox(network.sandbox.sandboxId);
}

/** Clients that attached before the start get their connections before the program can print. */
async function connectAttaches(live: LiveContainer, task: Task): Promise<void> {
  const waiting = [...live.pendingAttaches];
  live.pendingAttaches.clear();
  await Promise.all(
    waiting.map(async (pending) => {
      try {
        pending.settle(await task.attach());
      } catch {
        // The client sees its stream end; the container's start does not depend on it.
        pending.settle(undefined);
      }
    }),
  );
}

function noteStart(deps: Pick<RunDeps, 'clock'>, record: ContainerRecord, task: Task): void {
  const { state } = record;
  state.status = 'running';
  state.pid = task.pid;
  state.exitCode = 0;
  state.error = '';
  state.oomKilled = false;
  state.hasStarted = true;
  state.startedAt = rfc3339Nano(deps.clock.nowNanos());
}

async function failStart(
  deps: RunDeps,
  record: ContainerRecord,
  live: LiveContainer,
  failure: StartFailure,
): Promise<WharfError> {
  const { state } = record;
  state.error = failure.error.message;
  state.exitCode = failure.exitCode;
  state.pid = 0;
  if (state.status === 'restarting') state.status = 'exited';
  saveAnyway(deps, record);
  live.dropPendingAttaches();
  if (record.hostConfig.AutoRemove && !live.keepAfterExit) {
    await destroyLocked(deps, record, { anonymousVolumes: true });
  }
  return failure.error;
}
