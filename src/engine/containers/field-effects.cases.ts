import type {
  ContainerConfig,
  ContainerInspectResponse,
  HostConfig,
  NetworkingConfig,
} from '../../api/index.ts';
import type { DeviceNode, HostFacts } from '../../runtime/index.ts';
import type { OciResources, OciSpec } from '../../runtime/spec-types.ts';
import type { TaskRequest } from '../../runtime/types.ts';
import type { HealthCheck } from './health.ts';
import type { ContainerRecord } from './record.ts';
import type { NetworkPlan } from './start-network.ts';
import { ableHost } from './test-fixture.ts';

/** A host that can do everything, with two devices. */
export function ableFacts(): HostFacts {
  const node = (path: string, minor: number): DeviceNode => ({
    path,
    type: 'c',
    major: 1,
    minor,
    mode: 0o666,
    uid: 0,
    gid: 0,
  });
  const devices = [node('/dev/null', 3), node('/dev/fuse', 229)];
  return {
    ...ableHost(),
    architecture: 'amd64',
    kernel: { major: 6, minor: 18 },
    memory: 8e9,
    capabilities: ['CAP_CHOWN', 'CAP_KILL', 'CAP_NET_RAW', 'CAP_SYS_ADMIN'],
    apparmor: false,
    selinux: false,
    seccomp: true,
    hardLimits: {},
    sysResource: true,
    oomScoreAdj: 0,
    initBinary: '/usr/bin/tini',
    device: (path) => devices.find((one) => one.path === path),
    devicesBelow: () => devices,
  };
}

/** All that a created and started container shows of its request. */
export interface Seen {
  record: ContainerRecord;
  document: ContainerInspectResponse;
  task: TaskRequest;
  spec: OciSpec;
  resources: OciResources;
  process: NonNullable<OciSpec['process']>;
  plan: NetworkPlan;
  health: HealthCheck | undefined;
  /** The signal that a stop sends first, and the seconds it waits. */
  stop: { signal: number | undefined; grace: number | undefined };
  /** The container's hosts and resolv.conf. */
  hosts: string;
  resolvConf: string;
}

/** Part of a request, where its effect is seen, and what is seen there. */
export interface Effect {
  config?: ContainerConfig;
  hostConfig?: HostConfig;
  networkingConfig?: NetworkingConfig;
  see: (seen: Seen) => unknown;
  is: unknown;
}

const namespace = (type: string) => (seen: Seen) =>
  seen.spec.linux.namespaces.some((one) => one.type === type);
const mountAt = (destination: string) => (seen: Seen) =>
  seen.spec.mounts.find((one) => one.destination === destination);
const mode = (seen: Seen, field: keyof HostConfig) => seen.document.HostConfig?.[field];
const throttle = [{ Path: '/dev/null', Rate: 7 }];
const throttled = [{ major: 1, minor: 3, rate: 7 }];

/** Effects of `Config`, by field. */
export const CONFIG_EFFECTS: Record<keyof ContainerConfig, Effect> = {
  Hostname: { config: { Hostname: 'web' }, see: (seen) => seen.spec.hostname, is: 'web' },
  Domainname: {
    config: { Hostname: 'web', Domainname: 'lan' },
    see: (seen) => [seen.spec.linux.sysctl?.['kernel.domainname'], seen.hosts.includes('web.lan web\n')],
    is: ['lan', true],
  },
  User: { config: { User: 'root' }, see: (seen) => seen.process.user.uid, is: 0 },
  AttachStdin: { config: { AttachStdin: true }, see: (seen) => seen.document.Config?.AttachStdin, is: true },
  AttachStdout: {
    config: { AttachStdout: true },
    see: (seen) => seen.document.Config?.AttachStdout,
    is: true,
  },
  AttachStderr: {
    config: { AttachStderr: true },
    see: (seen) => seen.document.Config?.AttachStderr,
    is: true,
  },
  ExposedPorts: {
    config: { ExposedPorts: { '80': {} } },
    hostConfig: { PublishAllPorts: true },
    see: (seen) => seen.plan.kind === 'sandbox' && seen.plan.ports.map((port) => port.containerPort),
    is: [80],
  },
  Tty: {
    config: { Tty: true },
    see: (seen) => [seen.task.terminal, seen.process.terminal],
    is: [true, true],
  },
  OpenStdin: { config: { OpenStdin: true }, see: (seen) => seen.task.openStdin, is: true },
  StdinOnce: { config: { StdinOnce: true }, see: (seen) => seen.task.stdinOnce, is: true },
  Env: { config: { Env: ['A=b'] }, see: (seen) => seen.process.env.includes('A=b'), is: true },
  Cmd: { config: { Cmd: ['ls', '-l'] }, see: (seen) => seen.process.args, is: ['ls', '-l'] },
  Healthcheck: {
    config: { Healthcheck: { Test: ['CMD', 'ok'], Interval: 2e9, Retries: 5 } },
    see: ({ health }) => [health?.args, health?.interval, health?.retries],
    is: [['ok'], 2_000, 5],
  },
  ArgsEscaped: { config: { ArgsEscaped: true }, see: (seen) => seen.document.Config?.ArgsEscaped, is: true },
  Image: {
    config: { Image: 'busybox:latest' },
    see: (seen) => [seen.document.Config?.Image, seen.document.Image],
    is: ['busybox:latest', `sha256:${'a'.repeat(64)}`],
  },
  Volumes: {
    config: { Volumes: { '/data': {} } },
    see: (seen) => [seen.record.mounts[0]?.anonymous, mountAt('/data')(seen)?.type],
    is: [true, 'bind'],
  },
  WorkingDir: { config: { WorkingDir: '/srv' }, see: (seen) => seen.process.cwd, is: '/srv' },
  Entrypoint: {
    config: { Entrypoint: ['/entry'], Cmd: ['a'] },
    see: (seen) => [seen.document.Path, seen.document.Args, seen.process.args],
    is: ['/entry', ['a'], ['/entry', 'a']],
  },
  NetworkDisabled: { config: { NetworkDisabled: true }, see: (seen) => seen.plan.kind, is: 'none' },
  MacAddress: {
    config: { MacAddress: '02:42:ac:11:00:99' },
    see: (seen) => seen.record.networkingConfig.EndpointsConfig?.['bridge']?.MacAddress,
    is: '02:42:ac:11:00:99',
  },
  OnBuild: { config: { OnBuild: ['RUN x'] }, see: (seen) => seen.document.Config?.OnBuild, is: ['RUN x'] },
  Labels: { config: { Labels: { a: 'b' } }, see: (seen) => seen.document.Config?.Labels, is: { a: 'b' } },
  StopSignal: { config: { StopSignal: 'SIGUSR1' }, see: (seen) => seen.stop.signal, is: 10 },
  StopTimeout: { config: { StopTimeout: 0 }, see: (seen) => seen.stop.grace, is: 0 },
  Shell: {
    config: { Shell: ['/bin/ash', '-c'], Healthcheck: { Test: ['CMD-SHELL', 'x'] } },
    see: (seen) => seen.health?.args,
    is: ['/bin/ash', '-c', 'x'],
  },
};

/** Effects of `HostConfig`, by field; those that are refused or only warned about have rows of another table. */
export const HOST_EFFECTS: Partial<Record<keyof HostConfig, Effect>> = {
  CpuShares: { hostConfig: { CpuShares: 512 }, see: (seen) => seen.resources.cpu?.shares, is: 512 },
  Memory: {
    hostConfig: { Memory: 1e8 },
    see: ({ resources }) => [resources.memory?.limit, resources.memory?.swap],
    is: [1e8, 2e8],
  },
  CgroupParent: {
    hostConfig: { CgroupParent: '/apps' },
    see: (seen) => seen.spec.linux.cgroupsPath?.startsWith('/apps/'),
    is: true,
  },
  BlkioWeight: { hostConfig: { BlkioWeight: 300 }, see: (seen) => seen.resources.blockIO?.weight, is: 300 },
  BlkioWeightDevice: {
    hostConfig: { BlkioWeightDevice: [{ Path: '/dev/null', Weight: 20 }] },
    see: (seen) => seen.resources.blockIO?.weightDevice,
    is: [{ major: 1, minor: 3, weight: 20 }],
  },
  BlkioDeviceReadBps: {
    hostConfig: { BlkioDeviceReadBps: throttle },
    see: ({ resources }) => resources.blockIO?.throttleReadBpsDevice,
    is: throttled,
  },
  BlkioDeviceWriteBps: {
    hostConfig: { BlkioDeviceWriteBps: throttle },
    see: ({ resources }) => resources.blockIO?.throttleWriteBpsDevice,
    is: throttled,
  },
  BlkioDeviceReadIOps: {
    hostConfig: { BlkioDeviceReadIOps: throttle },
    see: ({ resources }) => resources.blockIO?.throttleReadIOPSDevice,
    is: throttled,
  },
  BlkioDeviceWriteIOps: {
    hostConfig: { BlkioDeviceWriteIOps: throttle },
    see: ({ resources }) => resources.blockIO?.throttleWriteIOPSDevice,
    is: throttled,
  },
  CpuPeriod: { hostConfig: { CpuPeriod: 50_000 }, see: (seen) => seen.resources.cpu?.period, is: 50_000 },
  CpuQuota: { hostConfig: { CpuQuota: 25_000 }, see: (seen) => seen.resources.cpu?.quota, is: 25_000 },
  CpuRealtimePeriod: {
    hostConfig: { CpuRealtimePeriod: 90_000 },
    see: (seen) => seen.resources.cpu?.realtimePeriod,
    is: 90_000,
  },
  CpuRealtimeRuntime: {
    hostConfig: { CpuRealtimeRuntime: 10_000 },
    see: (seen) => seen.resources.cpu?.realtimeRuntime,
    is: 10_000,
  },
  CpusetCpus: { hostConfig: { CpusetCpus: '0-1' }, see: (seen) => seen.resources.cpu?.cpus, is: '0-1' },
  CpusetMems: { hostConfig: { CpusetMems: '0' }, see: (seen) => seen.resources.cpu?.mems, is: '0' },
  Devices: {
    hostConfig: {
      Devices: [{ PathOnHost: '/dev/fuse', PathInContainer: '/dev/f', CgroupPermissions: 'rw' }],
    },
    see: (seen) => seen.spec.linux.devices?.find((one) => one.path === '/dev/f')?.minor,
    is: 229,
  },
  DeviceCgroupRules: {
    hostConfig: { DeviceCgroupRules: ['c 10:200 rwm'] },
    see: (seen) => seen.resources.devices?.some((one) => one.allow && one.major === 10 && one.minor === 200),
    is: true,
  },
  KernelMemoryTCP: {
    hostConfig: { KernelMemoryTCP: 1e7 },
    see: (seen) => seen.resources.memory?.kernelTCP,
    is: 1e7,
  },
  MemoryReservation: {
    hostConfig: { MemoryReservation: 1e7 },
    see: (seen) => seen.resources.memory?.reservation,
    is: 1e7,
  },
  MemorySwap: {
    hostConfig: { Memory: 1e8, MemorySwap: 3e8 },
    see: (seen) => seen.resources.memory?.swap,
    is: 3e8,
  },
  MemorySwappiness: {
    hostConfig: { MemorySwappiness: 10 },
    see: (seen) => seen.resources.memory?.swappiness,
    is: 10,
  },
  NanoCpus: {
    hostConfig: { NanoCpus: 5e8 },
    see: ({ resources }) => [resources.cpu?.quota, resources.cpu?.period],
    is: [50_000, 100_000],
  },
  OomKillDisable: {
    hostConfig: { OomKillDisable: true },
    see: (seen) => seen.resources.memory?.disableOOMKiller,
    is: true,
  },
  Init: { hostConfig: { Init: true }, see: (seen) => seen.process.args.slice(1), is: ['--', 'sh'] },
  PidsLimit: { hostConfig: { PidsLimit: 42 }, see: (seen) => seen.resources.pids, is: { limit: 42 } },
  Ulimits: {
    hostConfig: { Ulimits: [{ Name: 'nofile', Soft: 10, Hard: 20 }] },
    see: (seen) => seen.process.rlimits,
    is: [{ type: 'RLIMIT_NOFILE', soft: 10, hard: 20 }],
  },
  Binds: {
    hostConfig: { Binds: ['/tmp:/t:ro'] },
    see: (seen) => [mountAt('/t')(seen)?.source, mountAt('/t')(seen)?.options?.includes('ro')],
    is: ['/tmp', true],
  },
  ContainerIDFile: {
    hostConfig: { ContainerIDFile: '/x' },
    see: (seen) => mode(seen, 'ContainerIDFile'),
    is: '/x',
  },
  LogConfig: {
    hostConfig: { LogConfig: { Type: 'none', Config: {} } },
    see: (seen) => seen.task.logPath,
    is: undefined,
  },
  NetworkMode: {
    hostConfig: { NetworkMode: 'host' },
    see: (seen) => [seen.plan.kind, namespace('network')(seen)],
    is: ['host', false],
  },
  PortBindings: {
    hostConfig: { PortBindings: { '80/udp': [{ HostIp: '127.0.0.1', HostPort: '81' }] } },
    see: (seen) => seen.plan.kind === 'sandbox' && seen.plan.ports,
    is: [{ protocol: 'udp', containerPort: 80, hostIp: '127.0.0.1', hostPort: 81 }],
  },
  RestartPolicy: {
    hostConfig: { RestartPolicy: { Name: 'always' } },
    see: (seen) => mode(seen, 'RestartPolicy'),
    is: { Name: 'always', MaximumRetryCount: 0 },
  },
  AutoRemove: { hostConfig: { AutoRemove: true }, see: (seen) => mode(seen, 'AutoRemove'), is: true },
  VolumeDriver: {
    hostConfig: { VolumeDriver: 'local', Binds: ['vd1:/v'] },
    see: (seen) => seen.record.mounts[0]?.Driver,
    is: 'local',
  },
  VolumesFrom: {
    hostConfig: { VolumesFrom: ['donor:ro'] },
    see: (seen) => seen.document.Mounts?.map((one) => [one.Destination, one.RW]),
    is: [['/donated', false]],
  },
  Mounts: {
    hostConfig: { Mounts: [{ Type: 'tmpfs', Target: '/m' }] },
    see: (seen) => mountAt('/m')(seen)?.type,
    is: 'tmpfs',
  },
  ConsoleSize: {
    config: { Tty: true },
    hostConfig: { ConsoleSize: [10, 20] },
    see: (seen) => seen.task.consoleSize,
    is: { height: 10, width: 20 },
  },
  Annotations: {
    hostConfig: { Annotations: { a: 'b' } },
    see: (seen) => seen.spec.annotations,
    is: { a: 'b' },
  },
  CapAdd: {
    hostConfig: { CapAdd: ['sys_admin'] },
    see: (seen) => seen.process.capabilities?.bounding.includes('CAP_SYS_ADMIN'),
    is: true,
  },
  CapDrop: { hostConfig: { CapDrop: ['ALL'] }, see: (seen) => seen.process.capabilities?.bounding, is: [] },
  CgroupnsMode: { hostConfig: { CgroupnsMode: 'private' }, see: namespace('cgroup'), is: true },
  Dns: {
    hostConfig: { Dns: ['9.9.9.9'] },
    see: (seen) => /^nameserver 9\.9\.9\.9$/m.test(seen.resolvConf),
    is: true,
  },
  DnsOptions: {
    hostConfig: { DnsOptions: ['ndots:2'] },
    see: (seen) => /^options ndots:2$/m.test(seen.resolvConf),
    is: true,
  },
  DnsSearch: {
    hostConfig: { DnsSearch: ['lan'] },
    see: (seen) => /^search lan$/m.test(seen.resolvConf),
    is: true,
  },
  ExtraHosts: {
    hostConfig: { ExtraHosts: ['db:10.1.1.1'] },
    see: (seen) => seen.hosts.includes('10.1.1.1\tdb\n'),
    is: true,
  },
  GroupAdd: {
    hostConfig: { GroupAdd: ['33'] },
    see: (seen) => seen.process.user.additionalGids,
    is: [0, 33],
  },
  IpcMode: { hostConfig: { IpcMode: 'host' }, see: namespace('ipc'), is: false },
  Links: {
    hostConfig: { Links: ['donor:db'] },
    see: (seen) => / *db [0-9a-f]{12} donor\n/.test(seen.hosts),
    is: true,
  },
  OomScoreAdj: { hostConfig: { OomScoreAdj: 100 }, see: (seen) => seen.process.oomScoreAdj, is: 100 },
  PidMode: { hostConfig: { PidMode: 'host' }, see: namespace('pid'), is: false },
  Privileged: {
    hostConfig: { Privileged: true },
    see: (seen) => seen.process.capabilities?.bounding,
    is: ableFacts().capabilities,
  },
  PublishAllPorts: {
    hostConfig: { PublishAllPorts: true },
    config: { ExposedPorts: { '90/tcp': {} } },
    see: (seen) => seen.plan.kind === 'sandbox' && seen.plan.ports.length,
    is: 1,
  },
  ReadonlyRootfs: {
    hostConfig: { ReadonlyRootfs: true },
    see: (seen) => [seen.spec.root.readonly, mountAt('/etc/hosts')(seen)?.options?.includes('ro')],
    is: [true, true],
  },
  SecurityOpt: {
    hostConfig: { SecurityOpt: ['no-new-privileges'] },
    see: (seen) => seen.process.noNewPrivileges,
    is: true,
  },
  Tmpfs: {
    hostConfig: { Tmpfs: { '/run': 'size=1m' } },
    see: (seen) => [mountAt('/run')(seen)?.options?.includes('size=1m'), seen.document.Mounts],
    is: [true, []],
  },
  UTSMode: {
    hostConfig: { UTSMode: 'host' },
    see: (seen) => [namespace('uts')(seen), seen.spec.hostname],
    is: [false, undefined],
  },
  UsernsMode: { hostConfig: { UsernsMode: 'host' }, see: namespace('user'), is: false },
  ShmSize: {
    hostConfig: { ShmSize: 1024 },
    see: (seen) => mountAt('/dev/shm')(seen)?.options?.includes('size=1024'),
    is: true,
  },
  Sysctls: {
    hostConfig: { Sysctls: { 'net.ipv4.ip_forward': '1' } },
    see: (seen) => seen.spec.linux.sysctl?.['net.ipv4.ip_forward'],
    is: '1',
  },
  Runtime: { hostConfig: { Runtime: 'runc' }, see: (seen) => seen.task.runtime.name, is: 'runc' },
  Isolation: { hostConfig: { Isolation: 'default' }, see: (seen) => mode(seen, 'Isolation'), is: 'default' },
  MaskedPaths: {
    hostConfig: { MaskedPaths: ['/secret'] },
    see: (seen) => seen.spec.linux.maskedPaths,
    is: ['/secret'],
  },
  ReadonlyPaths: {
    hostConfig: { ReadonlyPaths: ['/ro'] },
    see: (seen) => seen.spec.linux.readonlyPaths,
    is: ['/ro'],
  },
};
