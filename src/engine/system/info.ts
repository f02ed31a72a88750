import { readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { SystemInfo } from '../../api/index.ts';
import { type Clock, rfc3339Nano } from '../../base/index.ts';
import { BOUNDED, LOG_DRIVERS, rotationPolicy, type ShipReport } from '../../logs/index.ts';
import type { HostFacts } from '../../runtime/index.ts';
import type { ContainerRecord } from '../containers/record.ts';
import { type RegistryFacts, registryFields } from './registry-fields.ts';
import type { EngineFacts } from './version.ts';

/** Parts of the configuration that `info` shows; read at each call, since a reload may change them. */
export interface InfoSettings {
  volumeDrivers: string[];
  dataRoot: string;
  labels: string[];
  debug: boolean;
  liveRestore: boolean;
  logDriver: string;
  logOpts: Record<string, string>;
  defaultRuntime: string;
  runtimes: Record<string, { path: string; runtimeArgs?: string[] }>;
  seccomp: 'builtin' | 'unconfined' | string;
  pools: { base: string; size: number }[];
  initBinary: string | undefined;
  registries: RegistryFacts;
}

export interface InfoDeps {
  id: string;
  facts: EngineFacts;
  host: HostFacts;
  containers: () => ContainerRecord[];
  imageCount: () => number;
  eventListeners: () => number;
  networkWarnings: () => Promise<string[]> | string[];
  /** Log servers that take nothing, and lines that were lost. */
  logReports: () => ShipReport[];
  /** Output that found no room on a full disk. */
  logLosses: () => { logPath: string; lostBytes: number }[];
  backingFilesystem: string;
  settings: () => InfoSettings;
  clock: Clock;
}

/** The document of `GET /info`. */
export async function engineInfo(deps: InfoDeps): Promise<SystemInfo> {
  const settings = deps.settings();
  const warnings = [
    ...cgroupWarnings(deps.host),
    ...(await deps.networkWarnings()).map(asWarning),
    ...logWarnings(deps, settings),
  ];
  return {
    ID: deps.id,
    ...containerCounts(deps.containers()),
    Images: deps.imageCount(),
    Driver: 'overlay2',
    DriverStatus: [...driverStatus(deps.backingFilesystem), ['Container Logs', logBounds(settings)]],
    Plugins: { ...PLUGINS, Volume: settings.volumeDrivers },
    ...limits(deps.host),
    IPv4Forwarding: readFlag('/proc/sys/net/ipv4/ip_forward'),
    Debug: settings.debug,
    NFd: readdirSync('/proc/self/fd').length,
    NGoroutines: 1,
    SystemTime: rfc3339Nano(deps.clock.nowNanos()),
    LoggingDriver: settings.logDriver,
    CgroupDriver: 'cgroupfs',
    CgroupVersion: String(deps.host.cgroup.version),
    NEventsListener: deps.eventListeners(),
    KernelVersion: deps.facts.kernelVersion,
    OperatingSystem: operatingSystem(),
    OSVersion: osRelease('VERSION_ID'),
    OSType: 'linux',
    Architecture: machineName(deps.host.architecture),
    ...registryFields(settings.registries),
    NCPU: deps.host.cpus,
    MemTotal: deps.host.memory,
    DockerRootDir: settings.dataRoot,
    Name: hostname(),
    Labels: settings.labels,
    ExperimentalBuild: false,
    ServerVersion: deps.facts.version,
    ...runtimeFields(settings, deps.facts),
    Swarm: SWARM,
    LiveRestoreEnabled: settings.liveRestore,
    Isolation: '',
    SecurityOptions: securityOptions(deps.host, settings),
    DefaultAddressPools: settings.pools.map((pool) => ({ Base: pool.base, Size: pool.size })),
    FirewallBackend: { Driver: 'nftables' },
    CDISpecDirs: [],
    // Go's null where there are none; the generated types know lists alone.
    GenericResources: null as unknown as [],
    Warnings: warnings.length > 0 ? warnings : (null as unknown as string[]),
  };
}

const PLUGINS = {
  Network: ['bridge', 'host', 'ipvlan', 'macvlan', 'null'],
  Authorization: null as unknown as string[],
  Log: [...LOG_DRIVERS.keys()].filter((name) => name !== 'none'),
};

const SWARM = {
  NodeID: '',
  NodeAddr: '',
  LocalNodeState: 'inactive',
  ControlAvailable: false,
  Error: '',
  RemoteManagers: null as unknown as [],
};

function containerCounts(records: ContainerRecord[]): Partial<SystemInfo> {
  const running = records.filter(
    ({ state }) => state.status === 'running' || state.status === 'restarting',
  ).length;
  const paused = records.filter(({ state }) => state.status === 'paused').length;
  return {
    Containers: records.length,
    ContainersRunning: running,
    ContainersPaused: paused,
    ContainersStopped: records.length - running - paused,
  };
}

function driverStatus(filesystem: string): string[][] {
  return [
    ['Backing Filesystem', filesystem],
    ['Supports d_type', 'true'],
    ['Using metacopy', 'false'],
    ['Native Overlay Diff', 'true'],
    ['userxattr', 'false'],
  ];
}

function limits(host: HostFacts): Partial<SystemInfo> {
  const { cgroup } = host;
  return {
    MemoryLimit: cgroup.memoryLimit,
    SwapLimit: cgroup.swapLimit,
    KernelMemoryTCP: cgroup.kernelMemoryTcp,
    CpuCfsPeriod: cgroup.cpuCfs,
    CpuCfsQuota: cgroup.cpuCfs,
    CPUShares: cgroup.cpuShares,
    CPUSet: cgroup.cpuset,
    PidsLimit: cgroup.pidsLimit,
    OomKillDisable: cgroup.oomKillDisable,
  };
}

function runtimeFields(settings: InfoSettings, facts: EngineFacts): Partial<SystemInfo> {
  const version = (name: string) => facts.tools.find((tool) => tool.name === name)?.version ?? '';
  return {
    Runtimes: settings.runtimes,
    DefaultRuntime: settings.defaultRuntime,
    InitBinary: settings.initBinary?.split('/').at(-1) ?? '',
    ContainerdCommit: { ID: '' },
    RuncCommit: { ID: version(settings.defaultRuntime) },
    InitCommit: { ID: '' },
  };
}

function securityOptions(host: HostFacts, settings: InfoSettings): string[] {
  const options: string[] = [];
  if (host.apparmor) options.push('name=apparmor');
  if (host.seccomp) options.push(`name=seccomp,profile=${settings.seccomp}`);
  if (host.cgroup.version === 2) options.push('name=cgroupns');
  return options;
}

/** What the host's cgroups can't limit, in the words that Docker's clients print. */
function cgroupWarnings(host: HostFacts): string[] {
  const { cgroup } = host;
  const missing: [boolean, string][] = [
    [cgroup.memoryLimit, 'WARNING: No memory limit support'],
    [cgroup.swapLimit, 'WARNING: No swap limit support'],
    [cgroup.cpuCfs, 'WARNING: No cpu cfs quota support'],
    [cgroup.cpuCfs, 'WARNING: No cpu cfs period support'],
    [cgroup.cpuShares, 'WARNING: No cpu shares support'],
    [cgroup.cpuset, 'WARNING: No cpuset support'],
    [cgroup.pidsLimit, 'WARNING: No pids limit support'],
  ];
  return missing.filter(([there]) => !there).map(([, text]) => text);
}

const MEBIBYTE = 1024 * 1024;

/** What a container's log takes at most when the container's own options say nothing. */
function logBounds({ logDriver, logOpts }: InfoSettings): string {
  const policy = rotationPolicy(logDriver, logOpts);
  if (!policy) return logDriver === 'none' ? 'none are kept' : 'without a bound';
  const { maxFiles, maxBytes, compress } = policy;
  const size = `${Math.round((maxBytes / MEBIBYTE) * 10) / 10} MiB`;
  return `at most ${maxFiles} file${maxFiles === 1 ? '' : 's'} of ${size}${compress ? ', compressed' : ''}`;
}

/** Clients print these as they are. */
function asWarning(text: string): string {
  return text.startsWith('WARNING: ') ? text : `WARNING: ${text}`;
}

function logWarnings(deps: InfoDeps, settings: InfoSettings): string[] {
  const endless = settings.logDriver !== 'none' && !rotationPolicy(settings.logDriver, settings.logOpts);
  const bound = `the default is ${BOUNDED.maxFiles} files of ${BOUNDED.maxBytes / MEBIBYTE} MiB`;
  return [
    ...(endless ? [`WARNING: container logs may grow without a bound: ${bound}`] : []),
    ...deps.logReports().map(shipWarning),
    ...deps.logLosses().map(({ logPath, lostBytes }) => {
      return `WARNING: a full disk took about ${lostBytes} bytes of the log ${logPath}`;
    }),
  ];
}

function shipWarning({ name, driver, lostRecords, trouble }: ShipReport): string {
  const lost = lostRecords > 0 ? [`${lostRecords} lines were dropped`] : [];
  const stuck = trouble === undefined ? [] : [trouble];
  return `WARNING: log driver ${driver} of container ${name}: ${[...lost, ...stuck].join('; ')}`;
}

function readFlag(path: string): boolean {
  return readFileSync(path, 'utf8').trim() === '1';
}

function osRelease(field: string): string {
  try {
    const text = readFileSync('/etc/os-release', 'utf8');
    return new RegExp(`^${field}="?([^"\n]*)"?$`, 'm').exec(text)?.[1] ?? '';
  } catch {
    return '';
  }
}

function operatingSystem(): string {
  return osRelease('PRETTY_NAME') || 'Linux';
}

/** `amd64` → `x86_64`: `info` has the kernel's names. */
function machineName(architecture: string): string {
  return { amd64: 'x86_64', arm64: 'aarch64' }[architecture] ?? architecture;
}
