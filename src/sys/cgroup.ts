import { readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { WharfError } from '../base/index.ts';
import { fromNodeError, isErrno } from './errno.ts';
import { type MountInfo, mountInfo } from './mount-info.ts';

/** How the host's control groups are laid out (cgroups(7)). */
export interface CgroupHierarchy {
  /** 2 when everything is on the unified hierarchy, 1 as soon as any controller is on a hierarchy of its own. */
  version: 1 | 2;
  /** Version 1 with a unified hierarchy beside it. */
  hybrid: boolean;
  /** Mount point by controller (`memory`, `cpu`, `name=systemd`); on version 2 all have the unified one. */
  controllers: Map<string, string>;
  /** Mount point of the unified hierarchy, where there is one. */
  unifiedMount?: string;
}

/** Reads the layout of the running host. */
export function detectCgroups(): CgroupHierarchy {
  return describeCgroups(mountInfo(), (mountPoint) => readControllers(mountPoint));
}

/** The layout that these mounts make; `unifiedControllers` tells what a unified mount offers. */
export function describeCgroups(
  mounts: readonly MountInfo[],
  unifiedControllers: (mountPoint: string) => string[],
): CgroupHierarchy {
  const controllers = new Map<string, string>();
  const unified = mounts.find((mount) => mount.fsType === 'cgroup2');
  for (const { fsType, superOptions, mountPoint } of mounts) {
    if (fsType !== 'cgroup') continue;
    for (const name of superOptions.filter(isController)) {
      if (!controllers.has(name)) controllers.set(name, mountPoint);
    }
  }
  const version = controllers.size > 0 || !unified ? 1 : 2;
  for (const name of unified ? unifiedControllers(unified.mountPoint) : []) {
    if (!controllers.has(name)) controllers.set(name, (unified as MountInfo).mountPoint);
  }
  return {
    version,
    hybrid: version === 1 && unified !== undefined,
    controllers,
    ...(unified && { unifiedMount: unified.mountPoint }),
  };
}

const notControllers = new Set(['rw', 'ro', 'xattr', 'noprefix', 'clone_children', 'none', 'seclabel']);

/** The options of a v1 mount name its controllers, among a few others. */
function isController(option: string): boolean {
  return !notControllers.has(option) && (option.startsWith('name=') || !option.includes('='));
}

function readControllers(mountPoint: string): string[] {
  try {
    return readFileSync(join(mountPoint, 'cgroup.controllers'), 'utf8').split(/\s+/).filter(Boolean);
  } catch {
    return [];
  }
}

/** The directory of a group on each controller's hierarchy, existing or not. `relative` is a path below the roots (`/wharf/<id>`). */
export function cgroupPaths(hierarchy: CgroupHierarchy, relative: string): Map<string, string> {
  if (relative.split('/').includes('..')) throw new WharfError('invalid', `${relative} is not a group`);
  const paths = new Map<string, string>();
  for (const [name, mountPoint] of hierarchy.controllers) paths.set(name, join(mountPoint, relative));
  if (hierarchy.unifiedMount) paths.set('', join(hierarchy.unifiedMount, relative));
  return paths;
}

function directories(hierarchy: CgroupHierarchy, relative: string): Set<string> {
  // The root of a hierarchy is no group of ours to remove or to count.
  if (relative.split('/').every((part) => part === '' || part === '.')) {
    throw new WharfError('invalid', 'the root of the control groups is not a group');
  }
  return new Set(cgroupPaths(hierarchy, relative).values());
}

/** Removes a group and those below it on every hierarchy. `conflict` (EBUSY) while processes are in it; missing is no error. */
export function removeCgroup(hierarchy: CgroupHierarchy, relative: string): void {
  for (const directory of directories(hierarchy, relative)) removeTree(directory);
}

function removeTree(directory: string): void {
  if (tryRmdir(directory)) return;
  for (const child of childGroups(directory)) removeTree(join(directory, child));
  if (!tryRmdir(directory)) throw fromNodeError({ code: 'EBUSY' }, 'rmdir', directory);
}

/** False when it is busy: it has processes or child groups. */
function tryRmdir(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT')) return true;
    if (isErrno(thrown, 'EBUSY', 'ENOTEMPTY')) return false;
    throw fromNodeError(thrown, 'rmdir', directory);
  }
}

function childGroups(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT')) return [];
    throw fromNodeError(thrown, 'readdir', directory);
  }
}

/** The processes in a group and below it, on any hierarchy; none when it does not exist. */
export function cgroupPids(hierarchy: CgroupHierarchy, relative: string): number[] {
  const pids = new Set<number>();
  for (const directory of directories(hierarchy, relative)) collectPids(directory, pids);
  return [...pids];
}

function collectPids(directory: string, pids: Set<number>): void {
  try {
    const text = readFileSync(join(directory, 'cgroup.procs'), 'utf8');
    for (const line of text.split('\n')) if (line) pids.add(Number(line));
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT', 'ENODEV')) return;
    // A threaded group has no list of processes of its own (EOPNOTSUPP); its parent's has them.
    if (!isErrno(thrown, 'ENOTSUP', 'EOPNOTSUPP')) throw fromNodeError(thrown, 'read', directory);
  }
  for (const child of childGroups(directory)) collectPids(join(directory, child), pids);
}
