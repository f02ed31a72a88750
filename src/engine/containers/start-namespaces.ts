import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type UndoStack, WharfError } from '../../base/index.ts';
import type { NamespacePaths } from '../../runtime/spec-input.ts';
import type { TeardownDeps } from './lifecycle-deps.ts';
import type { ContainerRecord } from './record.ts';

const DEFAULT_SHM_BYTES = 64 * 1024 * 1024;

/** Namespaces of other containers that this one joins. Errors: `conflict` when the other does not run. */
export function joinNamespaces(
  deps: Pick<TeardownDeps, 'store' | 'live'>,
  record: ContainerRecord,
): NamespacePaths {
  const paths: NamespacePaths = {};
  const ipc = donor(deps, record.hostConfig.IpcMode, 'IPC');
  const pid = donor(deps, record.hostConfig.PidMode, 'PID');
  if (ipc) paths.ipc = `/proc/${ipc.pid}/ns/ipc`;
  if (pid) paths.pid = `/proc/${pid.pid}/ns/pid`;
  return paths;
}

/**
 * The host directory for /dev/shm where it is shared: mounted for a `shareable` container, found for one that joins it.
 * Undefined for a private one.
 */
export function prepareShm(
  deps: Pick<TeardownDeps, 'store' | 'live' | 'mounts' | 'paths'>,
  record: ContainerRecord,
  undo: UndoStack,
): string | undefined {
  const mode = record.hostConfig.IpcMode ?? '';
  if (mode === 'shareable') {
    const target = shmPath(deps, record.id);
    const size = record.hostConfig.ShmSize || DEFAULT_SHM_BYTES;
    mkdirSync(target, { recursive: true, mode: 0o700 });
    const options = ['mode=1777', `size=${size}`];
    deps.mounts.mount(
      { type: 'tmpfs', source: 'shm', options, flags: ['nosuid', 'nodev', 'noexec'] },
      target,
    );
    undo.push('unmount shm', () => deps.mounts.unmount(target));
    return target;
  }
  const other = donor(deps, mode, 'IPC');
  return other ? shmPath(deps, other.id) : undefined;
}

function shmPath(deps: Pick<TeardownDeps, 'paths'>, id: string): string {
  return join(deps.paths.subpaths, id, 'shm');
}

function donor(
  deps: Pick<TeardownDeps, 'store' | 'live'>,
  mode: string | undefined,
  what: 'IPC' | 'PID',
): { id: string; pid: number } | undefined {
  if (!mode?.startsWith('container:')) return undefined;
  const other = deps.store.resolve(mode.slice('container:'.length));
  const task = deps.live.task(other.id);
  const refuse = (why: string) =>
    new WharfError('conflict', `can't join ${what} of container ${other.id}: ${why}`);
  if (!task) throw refuse(`container ${other.id} is not running`);
  if (what === 'IPC' && other.hostConfig.IpcMode !== 'shareable') {
    throw refuse('non-shareable IPC (hint: use IpcMode:shareable for the donor container)');
  }
  return { id: other.id, pid: task.pid };
}
