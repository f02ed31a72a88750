import { hostname } from 'node:os';
import type { ContainerConfig, HostConfig } from '../../api/index.ts';
import { isKind, shortId } from '../../base/index.ts';
import type { ContainerDefaults, HostAbilities } from './deps.ts';
import { MASKED_PATHS, READONLY_PATHS } from './known-values.ts';
import { modeContainer } from './modes.ts';
import { resolveAsInvalid } from './mount-plan.ts';
import { normalizeExposedPorts, normalizePortBindings } from './ports.ts';
import type { ContainerStore } from './store.ts';

const DEFAULT_SHM_SIZE = 64 * 1024 * 1024;

/** A copy without the nulls that clients send for "nothing"; lists and maps inside are copied too. */
export function withoutNulls<T extends object>(value: T): T {
  const entries = Object.entries(value).filter(([, field]) => field !== null && field !== undefined);
  return structuredClone(Object.fromEntries(entries)) as T;
}

/** Fills in (in place) what Docker's inspect shows for a request that is silent, from the daemon's defaults and the host. */
export function applyHostDefaults(
  hostConfig: HostConfig,
  defaults: ContainerDefaults,
  host: HostAbilities,
): void {
  if (!hostConfig.NetworkMode || hostConfig.NetworkMode === 'default') hostConfig.NetworkMode = 'bridge';
  hostConfig.IpcMode ||= defaults.ipcMode ?? 'private';
  hostConfig.CgroupnsMode ||= cgroupnsDefault(hostConfig, defaults, host);
  hostConfig.ShmSize ||= defaults.shmSize ?? DEFAULT_SHM_SIZE;
  hostConfig.Runtime ||= defaults.runtime;
  applyLogDefaults(hostConfig, defaults);
  hostConfig.RestartPolicy = {
    Name: hostConfig.RestartPolicy?.Name || 'no',
    MaximumRetryCount: hostConfig.RestartPolicy?.MaximumRetryCount ?? 0,
  };
  const [height = 0, width = 0] = hostConfig.ConsoleSize ?? [];
  hostConfig.ConsoleSize = [height, width];
  if (hostConfig.PortBindings) hostConfig.PortBindings = normalizePortBindings(hostConfig.PortBindings);
  if (hostConfig.Memory && !hostConfig.MemorySwap) hostConfig.MemorySwap = hostConfig.Memory * 2;
  if (hostConfig.PidsLimit !== undefined && (hostConfig.PidsLimit ?? 0) <= 0) delete hostConfig.PidsLimit;
  if (hostConfig.OomKillDisable === undefined && host.cgroup.oomKillDisable)
    hostConfig.OomKillDisable = false;
  applySecurityDefaults(hostConfig, host);
}

function cgroupnsDefault(
  hostConfig: HostConfig,
  defaults: ContainerDefaults,
  host: HostAbilities,
): 'private' | 'host' {
  if (host.cgroup.version === 2 && hostConfig.Privileged) return 'host';
  return defaults.cgroupnsMode ?? (host.cgroup.version === 2 ? 'private' : 'host');
}

function applyLogDefaults(hostConfig: HostConfig, defaults: ContainerDefaults): void {
  const type = hostConfig.LogConfig?.Type || defaults.logDriver;
  const inherited = type === defaults.logDriver ? defaults.logOpts : {};
  hostConfig.LogConfig = { Type: type, Config: { ...inherited, ...hostConfig.LogConfig?.Config } };
}

function applySecurityDefaults(hostConfig: HostConfig, host: HostAbilities): void {
  const open = hostConfig.Privileged || hostConfig.IpcMode === 'host' || hostConfig.PidMode === 'host';
  const labelled = hostConfig.SecurityOpt?.some((option) => /^label[=:]/.test(option));
  if (open && !labelled) hostConfig.SecurityOpt = [...(hostConfig.SecurityOpt ?? []), 'label=disable'];
  if (hostConfig.Privileged) return;
  hostConfig.MaskedPaths ??= [
    ...MASKED_PATHS,
    ...host.thermalCpus.map((cpu) => `/sys/devices/system/cpu/cpu${cpu}/thermal_throttle`),
  ];
  hostConfig.ReadonlyPaths ??= [...READONLY_PATHS];
}

/** Modes `container:NAME` get the container's id (in place). A network's container may come later; others must exist. Errors: `invalid`. */
export function resolveModes(store: Pick<ContainerStore, 'resolve'>, hostConfig: HostConfig): void {
  for (const field of ['PidMode', 'IpcMode'] as const) {
    const ref = modeContainer(hostConfig[field]);
    if (ref !== undefined) hostConfig[field] = `container:${resolveAsInvalid(store, ref).id}`;
  }
  const ref = modeContainer(hostConfig.NetworkMode);
  if (ref === undefined) return;
  try {
    hostConfig.NetworkMode = `container:${store.resolve(ref).id}`;
  } catch (thrown) {
    if (!isKind(thrown, 'not-found')) throw thrown;
  }
}

/** Hostname, ports and labels of the merged config (in place). */
export function applyConfigDefaults(config: ContainerConfig, hostConfig: HostConfig, id: string): void {
  const hosts = hostConfig.NetworkMode === 'host' || hostConfig.UTSMode === 'host';
  config.Hostname ||= hosts ? hostname() : shortId(id);
  config.Labels ??= {};
  if (config.ExposedPorts) config.ExposedPorts = normalizeExposedPorts(config.ExposedPorts);
}
