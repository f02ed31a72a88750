import { existsSync } from 'node:fs';
import { rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { span, WharfError } from '../../base/index.ts';
import type { Task } from '../../runtime/types.ts';
import type { VolumeRecord, VolumeStore } from '../../volume/types.ts';
import { publishContainerEvent } from './container-events.ts';
import { mountedImages } from './image-mounts.ts';
import type { TeardownDeps } from './lifecycle-deps.ts';
import type { LiveContainer } from './live.ts';
import type { ContainerRecord } from './record.ts';
import type { ContainerStore } from './store.ts';

/** What a run that ended still holds. */
export interface RunRemains {
  record: ContainerRecord;
  task: Task | undefined;
  sandboxId: string | undefined;
}

/** Unmounts the root filesystem and the subpath binds of a container. Lazy, since the kernel may still drop its mount namespace. */
export async function unmountRun(
  deps: Pick<TeardownDeps, 'mounts' | 'paths' | 'log'>,
  id: string,
): Promise<void> {
  const guardedly = async (target: string, unmount: (target: string) => void | Promise<void>) => {
    try {
      await unmount(target);
    } catch (thrown) {
      deps.log.warn('unmount failed', { target, error: thrown });
    }
  };
  const own = join(deps.paths.subpaths, id);
  // Few containers have any, and reading the mount table costs with the number of mounts.
  const binds = existsSync(own) ? deps.mounts.mountsBelow(own) : [];
  const root = guardedly(join(deps.paths.mounts, id), deps.mounts.unmountLater);
  // Not opened: what is bound may be of a server that answers no more.
  for (const target of binds) await guardedly(target, deps.mounts.unmount);
  await root;
}

/** Gives back all that a run held. Never rejects: what fails is logged, and the next daemon start finds it. */
export async function teardownRun(deps: TeardownDeps, remains: RunRemains): Promise<void> {
  using _ = span('cleanup', remains.record.id);
  const { record, task, sandboxId } = remains;
  await Promise.all([
    unmountRun(deps, record.id),
    releaseVolumes(deps, record),
    guarded(deps, 'delete task', task?.delete()),
    sandboxId ? removeSandbox(deps, sandboxId) : undefined,
  ]);
}

/** Frees a run's ports and addresses. */
export function removeSandbox(
  deps: Pick<TeardownDeps, 'networks' | 'log'>,
  sandboxId: string,
): Promise<void> {
  return guarded(deps, 'remove sandbox', deps.networks.removeSandbox(sandboxId));
}

/** Ends this container's use of its volumes. */
export async function releaseVolumes(
  deps: Pick<TeardownDeps, 'volumes' | 'log'>,
  record: ContainerRecord,
): Promise<void> {
  const names = new Set(
    record.mounts.flatMap((one) => (one.Type === 'volume' && one.Name ? [one.Name] : [])),
  );
  for (const name of names) await guarded(deps, 'release volume', deps.volumes.release(name, record.id));
}

/**
 * Removes a container that does not run, with its lock held. `saved` says that the record is durable as `removing`
 * already; from that point on a crash is finished by recovery. The name is free and waiters are told when this returns;
 * files of its own may go a moment later.
 */
export async function destroyLocked(
  deps: TeardownDeps,
  record: ContainerRecord,
  options: { anonymousVolumes: boolean; saved?: boolean },
): Promise<void> {
  const { id } = record;
  const live = deps.live.of(id);
  if (!options.saved) {
    record.state.status = 'removing';
    deps.store.save(record);
  }
  await live.cleanup;
  if (deps.snapshotter.stat(id)) {
    await unmountRun(deps, id);
    await deps.snapshotter.remove(id);
  }
  for (const key of mountedImages(record)) if (deps.snapshotter.stat(key)) await deps.snapshotter.remove(key);
  if (options.anonymousVolumes) await removeAnonymousVolumes(deps, record);
  deps.store.delete(id);
  publishContainerEvent(deps.events, record, 'destroy');
  endLive(deps, live, record);
  deps.live.behind(removeFiles(deps, record));
}

function endLive(deps: TeardownDeps, live: LiveContainer, record: ContainerRecord): void {
  live.cancelRestart();
  live.dropPendingAttaches();
  live.tellRemoved({ exitCode: record.state.exitCode });
  deps.live.forget(record.id);
}

async function removeFiles(deps: TeardownDeps, record: ContainerRecord): Promise<void> {
  if (record.logPath) await guarded(deps, 'remove log', deps.logs.remove(record.logPath));
  const files = rm(join(deps.paths.containers, record.id), { recursive: true, force: true });
  await guarded(deps, 'remove files', files);
  // Not recursive: a lazy unmount that failed must not cost the files of whatever is mounted there.
  await guarded(deps, 'remove mount point', removeEmpty(join(deps.paths.mounts, record.id)));
  await guarded(deps, 'remove subpaths', removeSubpaths(deps, join(deps.paths.subpaths, record.id)));
}

async function removeEmpty(path: string): Promise<void> {
  if (existsSync(path)) await rmdir(path);
}

async function removeSubpaths(deps: Pick<TeardownDeps, 'mounts'>, path: string): Promise<void> {
  if (!existsSync(path)) return;
  if (deps.mounts.mountsBelow(path).length > 0) throw new WharfError('conflict', `${path} still has mounts`);
  await rm(path, { recursive: true, force: true });
}

async function removeAnonymousVolumes(deps: TeardownDeps, record: ContainerRecord): Promise<void> {
  for (const { name, driver } of volumesOfItsOwn(deps, record)) {
    try {
      await deps.volumes.remove(name);
      deps.events.publish({ type: 'volume', action: 'destroy', id: name, attributes: { driver } });
    } catch (thrown) {
      deps.log.warn('anonymous volume stays', { volume: name, error: thrown });
    }
  }
}

/** The anonymous volumes that no container but this one, and those that are `gone`, has: `rm -v` takes them along. */
export function volumesOfItsOwn(
  deps: { store: Pick<ContainerStore, 'all'>; volumes: Pick<VolumeStore, 'get'> },
  record: ContainerRecord,
  gone: ReadonlySet<string> = new Set(),
): VolumeRecord[] {
  const others = deps.store.all().filter(({ id }) => id !== record.id && !gone.has(id));
  const used = new Set(others.flatMap((other) => other.mounts.map((mount) => mount.Name)));
  return record.mounts.flatMap((mount) => {
    if (mount.Type !== 'volume' || !mount.Name || !mount.anonymous || used.has(mount.Name)) return [];
    const volume = deps.volumes.get(mount.Name);
    return volume?.anonymous ? [volume] : [];
  });
}

async function guarded(
  deps: Pick<TeardownDeps, 'log'>,
  what: string,
  work: Promise<void> | undefined,
): Promise<void> {
  try {
    await work;
  } catch (thrown) {
    deps.log.warn(`${what} failed`, { error: thrown });
  }
}
