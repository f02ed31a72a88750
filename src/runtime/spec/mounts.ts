import type { SpecInput } from '../spec-input.ts';
import type { OciMount } from '../spec-types.ts';

/** Size of /dev/shm when nothing is asked, in bytes. */
export const DEFAULT_SHM_SIZE = 64 * 1024 * 1024;

/** Where the init program appears in the container. */
export const INIT_TARGET = '/sbin/docker-init';

const CLOSED = ['nosuid', 'noexec', 'nodev'];
/** Stay writable under a read-only root: they are kernel interfaces or memory, not the image. */
const WRITABLE_UNDER_READONLY = new Set(['/proc', '/dev', '/dev/pts', '/dev/shm', '/dev/mqueue']);

function shm(input: SpecInput): OciMount[] {
  const mode = input.hostConfig.IpcMode ?? '';
  const bind = mode === 'host' ? '/dev/shm' : input.shmPath;
  if (mode === 'none') return [];
  if (bind) return [{ destination: '/dev/shm', type: 'bind', source: bind, options: ['rbind', 'rprivate'] }];
  const size = input.hostConfig.ShmSize || DEFAULT_SHM_SIZE;
  return [
    {
      destination: '/dev/shm',
      type: 'tmpfs',
      source: 'shm',
      options: [...CLOSED, 'mode=1777', `size=${size}`],
    },
  ];
}

function defaults(input: SpecInput): OciMount[] {
  const access = input.hostConfig.Privileged ? 'rw' : 'ro';
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: [...CLOSED] },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...CLOSED, access] },
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: [access, ...CLOSED] },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: [...CLOSED] },
    ...shm(input),
  ];
}

/** True when the container runs under an init program. */
export function wantsInit(input: SpecInput): boolean {
  // With another container's or the host's pid namespace, pid 1 is somebody else and an init would reap nothing.
  const pid = input.hostConfig.PidMode ?? '';
  const ownPid = pid !== 'host' && !pid.startsWith('container:');
  return ownPid && (input.hostConfig.Init ?? input.defaults.init ?? false);
}

/** All mounts in order: the kernel's, then the user's, which replace one of the same destination. */
export function mountsOf(input: SpecInput, initPath: string | undefined): OciMount[] {
  const taken = new Set(input.mounts.map((mount) => mount.destination));
  const base = defaults(input).filter(
    ({ destination }) => !taken.has(destination) && !(taken.has('/dev') && destination.startsWith('/dev/')),
  );
  if (input.hostConfig.ReadonlyRootfs)
    for (const mount of base)
      if (!WRITABLE_UNDER_READONLY.has(mount.destination) && !mount.options?.includes('ro'))
        mount.options = [...(mount.options ?? []).filter((option) => option !== 'rw'), 'ro'];
  const init: OciMount[] = initPath
    ? [{ destination: INIT_TARGET, type: 'bind', source: initPath, options: ['bind', 'ro'] }]
    : [];
  return [...base, ...input.mounts, ...init];
}

/** Propagation that the root needs so that a mount's own propagation can hold. */
export function rootPropagation(mounts: readonly OciMount[]): string | undefined {
  const has = (word: RegExp) => mounts.some((mount) => mount.options?.some((option) => word.test(option)));
  if (has(/^r?shared$/)) return 'shared';
  return has(/^r?slave$/) ? 'rslave' : undefined;
}
