import type { Resources, ThrottleDevice } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import type { CgroupFacts, HostFacts } from '../spec-input.ts';
import type { OciResources, OciThrottle } from '../spec-types.ts';

/** Period that NanoCpus is turned into, in microseconds, as Docker's. */
const NANO_PERIOD = 100_000;

/** Collects warnings about limits that the host can't keep; the value is then dropped. */
class Limits {
  readonly warnings: string[] = [];
  /** The value, when the kernel can keep it; otherwise undefined and a warning. */
  keep<T>(value: T | undefined | null | 0 | '', able: boolean, warning: string): T | undefined {
    if (value === undefined || value === null || value === 0 || value === '') return undefined;
    if (able) return value;
    this.warnings.push(warning);
    return undefined;
  }
}

const lost = (what: string, verb: string) =>
  `Your kernel does not support ${what} or the cgroup is not mounted. ${verb}.`;

/** Drops what is undefined, so that a spec names only what was asked. */
function defined<T extends object>(value: T): T | undefined {
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  return entries.length > 0 ? (Object.fromEntries(entries) as T) : undefined;
}

function memory(asked: Resources, can: CgroupFacts, limits: Limits): OciResources['memory'] {
  const limit = limits.keep(
    asked.Memory,
    can.memoryLimit,
    lost('memory limit capabilities', 'Limitation discarded'),
  );
  // Docker's default: as much swap as memory; the kernel counts both together.
  const both = asked.MemorySwap || (limit ? limit * 2 : 0);
  let swap: number | undefined;
  if (both > 0 && limit) {
    if (can.swapLimit) swap = both;
    else limits.warnings.push(lost('swap limit capabilities', 'Memory limited without swap'));
  } else if (both === -1 && limit && can.swapLimit) swap = -1;
  const swappiness = asked.MemorySwappiness;
  const wantsSwappiness = swappiness !== undefined && swappiness !== null && swappiness !== -1;
  if (wantsSwappiness && !can.memorySwappiness)
    limits.warnings.push(lost('memory swappiness capabilities', 'Memory swappiness discarded'));
  if (asked.OomKillDisable && !can.oomKillDisable)
    limits.warnings.push('Your kernel does not support OomKillDisable. OomKillDisable discarded.');
  if (asked.OomKillDisable && can.oomKillDisable && !asked.Memory)
    limits.warnings.push(
      'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
    );
  return defined({
    limit,
    swap,
    reservation: limits.keep(
      asked.MemoryReservation,
      can.memoryReservation,
      lost('memory soft limit capabilities', 'Limitation discarded'),
    ),
    kernelTCP: limits.keep(
      asked.KernelMemoryTCP,
      can.kernelMemoryTcp,
      lost('kernel memory TCP limit capabilities', 'Limitation discarded'),
    ),
    swappiness: wantsSwappiness && can.memorySwappiness ? swappiness : undefined,
    disableOOMKiller: asked.OomKillDisable && can.oomKillDisable ? true : undefined,
  });
}

function cpu(asked: Resources, can: CgroupFacts, limits: Limits): OciResources['cpu'] {
  const cfs = (value: number | undefined, what: string) =>
    limits.keep(
      value,
      can.cpuCfs,
      lost(`CPU cfs ${what}`, `${what === 'period' ? 'Period' : 'Quota'} discarded`),
    );
  if (asked.NanoCpus && !can.cpuCfs)
    throw new WharfError(
      'invalid',
      'NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted',
    );
  const nano = asked.NanoCpus ? Math.floor((asked.NanoCpus * NANO_PERIOD) / 1e9) : undefined;
  const set = (value: string | undefined) =>
    limits.keep(value, can.cpuset, lost('cpuset', 'Cpuset discarded'));
  const realtime = (value: number | undefined) =>
    limits.keep(value, can.cpuRealtime, lost('CPU real-time scheduler', 'Real-time limit discarded'));
  return defined({
    shares: limits.keep(asked.CpuShares, can.cpuShares, lost('CPU shares', 'Shares discarded')),
    quota: nano ?? cfs(asked.CpuQuota, 'quota'),
    period: nano ? NANO_PERIOD : cfs(asked.CpuPeriod, 'period'),
    realtimeRuntime: realtime(asked.CpuRealtimeRuntime),
    realtimePeriod: realtime(asked.CpuRealtimePeriod),
    cpus: set(asked.CpusetCpus),
    mems: set(asked.CpusetMems),
  });
}

function throttle(
  devices: ThrottleDevice[] | undefined,
  what: string,
  host: HostFacts,
  limits: Limits,
): OciThrottle[] | undefined {
  const kept = limits.keep(
    devices?.length ? devices : undefined,
    host.cgroup.blkioThrottle,
    lost(`${what.replace(' ', ' Block I/O ')} limit`, `Block I/O ${what} limit discarded`),
  );
  return kept?.map(({ Path = '', Rate = 0 }) => ({ ...blockDevice(Path, host), rate: Rate }));
}

function blockDevice(path: string, host: HostFacts): { major: number; minor: number } {
  const node = host.device(path);
  if (!node) throw new WharfError('invalid', `stat ${path}: no such file or directory`);
  return { major: node.major, minor: node.minor };
}

function blockIo(asked: Resources, host: HostFacts, limits: Limits): OciResources['blockIO'] {
  const can = host.cgroup;
  const weights = limits.keep(
    asked.BlkioWeightDevice?.length ? asked.BlkioWeightDevice : undefined,
    can.blkioWeightDevice,
    lost('Block I/O weight_device', 'Weight-device discarded'),
  );
  return defined({
    weight: limits.keep(asked.BlkioWeight, can.blkioWeight, lost('Block I/O weight', 'Weight discarded')),
    weightDevice: weights?.map(({ Path = '', Weight = 0 }) => ({
      ...blockDevice(Path, host),
      weight: Weight,
    })),
    throttleReadBpsDevice: throttle(asked.BlkioDeviceReadBps, 'BPS read', host, limits),
    throttleWriteBpsDevice: throttle(asked.BlkioDeviceWriteBps, 'BPS write', host, limits),
    throttleReadIOPSDevice: throttle(asked.BlkioDeviceReadIOps, 'IOPS read', host, limits),
    throttleWriteIOPSDevice: throttle(asked.BlkioDeviceWriteIOps, 'IOPS write', host, limits),
  });
}

/** Limits for the kernel (device rules not included), and warnings about those that this host can't keep. Errors: `invalid` for a device that is missing. */
export function resourcesFromHostConfig(
  asked: Resources,
  host: HostFacts,
): { resources: OciResources; warnings: string[] } {
  const limits = new Limits();
  const pids = limits.keep(
    asked.PidsLimit ?? undefined,
    host.cgroup.pidsLimit,
    lost('PIDs limit capabilities', 'PIDs limit discarded'),
  );
  const resources = defined<OciResources>({
    memory: memory(asked, host.cgroup, limits),
    cpu: cpu(asked, host.cgroup, limits),
    // Any negative limit means none, which the runtimes spell -1.
    pids: pids === undefined ? undefined : { limit: pids < 0 ? -1 : pids },
    blockIO: blockIo(asked, host, limits),
  } as OciResources);
  return { resources: resources ?? {}, warnings: limits.warnings };
}
