import { readFileSync } from 'node:fs';
import type { ViewMount } from '../../archive/index.ts';
import {
  type Fd,
  fstatat,
  isErrno,
  type MountInfo,
  O,
  openat2,
  openInRoot,
  parseMountInfo,
} from '../../sys/index.ts';
import type { ContainerRecord } from '../containers/index.ts';
import { NETWORK_FILES } from './network-files.ts';

/**
 * What is mounted in a running container at the places that its record names, by descriptors taken from its own mount
 * namespace: the very volumes, binds and tmpfs that its processes see, whatever became of their sources' names on the host.
 * Undefined when that can't be told: its first process is gone, or has gone to another root.
 */
export function liveMounts(
  root: Fd,
  record: ContainerRecord,
  opened: DisposableStack,
): ViewMount[] | undefined {
  try {
    return openLive(root, record, opened);
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT', 'ESRCH', 'EACCES', 'ENOTDIR')) return undefined;
    throw thrown;
  }
}

function openLive(root: Fd, record: ContainerRecord, opened: DisposableStack): ViewMount[] | undefined {
  const process = `/proc/${record.state.pid}`;
  using own = openat2(process, 'root', { flags: O.PATH | O.DIRECTORY });
  // The same directory of the same filesystem: neither a process that took over the id nor a root that was changed.
  if (!sameFile(root, own)) return undefined;
  const table = parseMountInfo(readFileSync(`${process}/mountinfo`, 'utf8'));
  // A filesystem of a process inside could answer never.
  if (table.some(({ fsType }) => fsType.startsWith('fuse'))) return undefined;
  return destinations(record).flatMap(({ path, readOnly }) => {
    const fd = openMount(own, path, table);
    return fd ? [{ path, fd: opened.use(fd).fd, readOnly }] : [];
  });
}

function destinations(record: ContainerRecord): { path: string; readOnly: boolean }[] {
  const readOnly = record.hostConfig.ReadonlyRootfs === true;
  return [
    // Before the request's own, of which the later counts.
    ...NETWORK_FILES.map((path) => ({ path, readOnly })),
    ...record.mounts.map(({ Destination = '', RW }) => ({ path: Destination, readOnly: RW === false })),
  ];
}

/** What is mounted at that path; where links on the way were changed since, it is still something that the container sees. */
function openMount(root: Fd, path: string, table: readonly MountInfo[]): Fd | undefined {
  let fd: Fd;
  try {
    fd = openInRoot(root, path, O.PATH);
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw thrown;
  }
  const id = mountId(fd);
  if (table.some((mount) => mount.id === id && mount.mountPoint !== '/')) return fd;
  fd.close();
  return undefined;
}

function mountId(fd: Fd): number {
  return Number(/^mnt_id:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd.fd}`, 'utf8'))?.[1]);
}

function sameFile(a: Fd, b: Fd): boolean {
  const [one, other] = [fstatat(a, ''), fstatat(b, '')];
  return one.ino === other.ino && one.devMajor === other.devMajor && one.devMinor === other.devMinor;
}
