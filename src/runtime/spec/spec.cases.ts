import type { ContainerConfig, HostConfig } from '../../api/index.ts';
import type { CgroupFacts, DeviceNode, HostFacts, SpecInput } from '../spec-input.ts';
import { ALL_CAPABILITIES } from './capabilities.ts';

/** cgroup v1 with everything. */
export const CGROUP_V1: CgroupFacts = {
  version: 1,
  memoryLimit: true,
  swapLimit: true,
  memoryReservation: true,
  memorySwappiness: true,
  oomKillDisable: true,
  kernelMemoryTcp: true,
  cpuShares: true,
  cpuCfs: true,
  cpuRealtime: true,
  cpuset: true,
  cpusetCpus: '0-3',
  cpusetMems: '0',
  blkioWeight: true,
  blkioWeightDevice: true,
  blkioThrottle: true,
  pidsLimit: true,
  devices: true,
};

/** A host where nothing can be limited. */
export const NO_CGROUPS: CgroupFacts = Object.fromEntries(
  Object.entries(CGROUP_V1).map(([name, value]) => [name, typeof value === 'boolean' ? false : value]),
) as unknown as CgroupFacts;

const NODES: DeviceNode[] = [
  { path: '/dev/fuse', type: 'c', major: 10, minor: 229, mode: 0o600, uid: 0, gid: 0 },
  { path: '/dev/null', type: 'c', major: 1, minor: 3, mode: 0o666, uid: 0, gid: 0 },
  { path: '/dev/sda', type: 'b', major: 8, minor: 0, mode: 0o660, uid: 0, gid: 6 },
  { path: '/dev/snd/seq', type: 'c', major: 116, minor: 1, mode: 0o660, uid: 0, gid: 29 },
];

/** Facts of an able host; a test changes what it is about. */
export function hostOf(change: Partial<HostFacts> = {}): HostFacts {
  return {
    architecture: 'amd64',
    kernel: { major: 6, minor: 1 },
    cpus: 4,
    memory: 8 * 1024 ** 3,
    capabilities: [...ALL_CAPABILITIES],
    cgroup: CGROUP_V1,
    apparmor: false,
    selinux: false,
    seccomp: true,
    hardLimits: { RLIMIT_NOFILE: 1000 },
    sysResource: true,
    oomScoreAdj: 0,
    thermalCpus: [],
    initBinary: '/usr/bin/tini',
    device: (path) => NODES.find((node) => node.path === path),
    devicesBelow: (path) => NODES.filter((node) => node.path.startsWith(`${path}/`)),
    ...change,
  };
}

/** What a spec is made from, for a container that asks for nothing. */
export function inputOf(
  hostConfig: HostConfig = {},
  config: ContainerConfig = {},
  change: Partial<SpecInput> = {},
): SpecInput {
  return {
    id: 'c1',
    hostname: 'h1',
    config,
    hostConfig,
    path: 'sleep',
    args: ['30'],
    rootfs: '/rootfs',
    user: { uid: 0, gid: 0, additionalGids: [0, 10], home: '/root', name: 'root' },
    mounts: [],
    namespaces: { network: '/run/netns/c1' },
    host: hostOf(),
    defaults: {},
    ...change,
  };
}
