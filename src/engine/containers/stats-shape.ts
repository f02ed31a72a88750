import type {
  ContainerBlkioStatEntry,
  ContainerBlkioStats,
  ContainerCPUStats,
  ContainerMemoryStats,
  ContainerNetworkStats,
  ContainerStatsResponse,
} from '../../api/index.ts';
import { rfc3339Nano, ZERO_TIME } from '../../base/index.ts';
import type { InterfaceCounters } from '../../network/types.ts';
import type { CgroupStats } from '../../runtime/types.ts';

/** One moment of a container, all figures taken together. `at`: nanoseconds since 1970. */
export interface StatsSample {
  at: bigint;
  cgroup: CgroupStats;
  interfaces: Record<string, InterfaceCounters>;
  /** CPU time of the whole host in nanoseconds, and its online CPUs. */
  system: { cpuNanos: number; onlineCpus: number; memory: number };
}

/** JSON numbers must stay below 2^64 for Go clients; a limit up there means none. */
const UNLIMITED = 2 ** 62;

/** The document of one sample in Docker's shape; `previous` fills `preread` and `precpu_stats`. */
export function shapeStats(
  id: string,
  name: string,
  sample: StatsSample,
  previous: StatsSample | undefined,
): ContainerStatsResponse {
  const { cgroup } = sample;
  const shaped: ContainerStatsResponse = {
    name: `/${name}`,
    id,
    read: rfc3339Nano(sample.at),
    preread: previous ? rfc3339Nano(previous.at) : ZERO_TIME,
    pids_stats: pidsStats(cgroup),
    blkio_stats: blkioStats(cgroup),
    num_procs: 0,
    storage_stats: {},
    cpu_stats: cpuStats(sample),
    precpu_stats: previous ? cpuStats(previous) : emptyCpu(),
    memory_stats: memoryStats(cgroup, sample.system.memory),
  };
  const networks = Object.entries(sample.interfaces).sort(([a], [b]) => (a < b ? -1 : 1));
  if (networks.length > 0) {
    shaped.networks = Object.fromEntries(networks.map(([key, counters]) => [key, networkStats(counters)]));
  }
  return shaped;
}

/** What Docker answers for a container that does not run. */
export function emptyStats(id: string, name: string): ContainerStatsResponse {
  return {
    name: `/${name}`,
    id,
    read: ZERO_TIME,
    preread: ZERO_TIME,
    pids_stats: {},
    blkio_stats: blkioOf(null, null, null),
    num_procs: 0,
    storage_stats: {},
    cpu_stats: emptyCpu(),
    precpu_stats: emptyCpu(),
    memory_stats: {},
  };
}

function emptyCpu(): ContainerCPUStats {
  return {
    cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
    throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
  };
}

function cpuStats(sample: StatsSample): ContainerCPUStats {
  const { cgroup, system } = sample;
  const usage = {
    total_usage: cgroup.cpuTotalNanos,
    ...(cgroup.perCpuNanos ? { percpu_usage: cgroup.perCpuNanos } : {}),
    usage_in_kernelmode: cgroup.cpuSystemNanos,
    usage_in_usermode: cgroup.cpuUserNanos,
  };
  return {
    cpu_usage: usage,
    system_cpu_usage: system.cpuNanos,
    online_cpus: system.onlineCpus,
    throttling_data: {
      periods: cgroup.throttling.periods,
      throttled_periods: cgroup.throttling.throttledPeriods,
      throttled_time: cgroup.throttling.throttledNanos,
    },
  };
}

function pidsStats(cgroup: CgroupStats) {
  const limited = cgroup.pidsLimit > 0 && cgroup.pidsLimit < UNLIMITED;
  return limited ? { current: cgroup.pidsCurrent, limit: cgroup.pidsLimit } : { current: cgroup.pidsCurrent };
}

function memoryStats(cgroup: CgroupStats, hostMemory: number): ContainerMemoryStats {
  const limit = cgroup.memoryLimit > 0 ? Math.min(cgroup.memoryLimit, hostMemory) : hostMemory;
  const stats: ContainerMemoryStats = { usage: cgroup.memoryUsage };
  if (cgroup.memoryMaxUsage !== undefined) stats.max_usage = cgroup.memoryMaxUsage;
  stats.stats = Object.fromEntries(
    Object.entries(cgroup.memoryStats).map(([key, value]) => [key, Math.min(value, UNLIMITED)]),
  );
  if (cgroup.memoryFailcnt) stats.failcnt = cgroup.memoryFailcnt;
  stats.limit = limit;
  return stats;
}

function blkioStats(cgroup: CgroupStats): ContainerBlkioStats {
  // Cgroup v1 has the other counters as empty lists, v2 not at all.
  return blkioOf(
    cgroup.io,
    cgroup.cgroupVersion === 1 ? cgroup.ioCount : null,
    cgroup.cgroupVersion === 1 ? [] : null,
  );
}

function blkioOf(
  bytes: ContainerBlkioStatEntry[] | null,
  counts: ContainerBlkioStatEntry[] | null,
  others: ContainerBlkioStatEntry[] | null,
): ContainerBlkioStats {
  const shaped = {
    io_service_bytes_recursive: bytes,
    io_serviced_recursive: counts,
    io_queue_recursive: others,
    io_service_time_recursive: others,
    io_wait_time_recursive: others,
    io_merged_recursive: others,
    io_time_recursive: others,
    sectors_recursive: others,
  };
  // The API's schema has no null for this list, though Docker sends it.
  return shaped as ContainerBlkioStats;
}

function networkStats(counters: InterfaceCounters): ContainerNetworkStats {
  return {
    rx_bytes: counters.rxBytes,
    rx_packets: counters.rxPackets,
    rx_errors: counters.rxErrors,
    rx_dropped: counters.rxDropped,
    tx_bytes: counters.txBytes,
    tx_packets: counters.txPackets,
    tx_errors: counters.txErrors,
    tx_dropped: counters.txDropped,
  };
}
