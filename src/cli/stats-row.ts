import type { StatsSample } from '../client/index.ts';
import { binarySize, humanSize, truncateId } from './human.ts';
import { type Row, row } from './table.ts';

/** Headers of `stats`. */
export const STATS_HEADERS: Readonly<Record<string, string>> = {
  Container: 'CONTAINER',
  Name: 'NAME',
  ID: 'CONTAINER ID',
  CPUPerc: 'CPU %',
  MemUsage: 'MEM USAGE / LIMIT',
  MemPerc: 'MEM %',
  NetIO: 'NET I/O',
  BlockIO: 'BLOCK I/O',
  PIDs: 'PIDS',
};
export const STATS_TABLE =
  'table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}';

/** A sample as a row; dashes until there is one. `asked` is the name the user gave. */
export function statsRow(asked: string, sample: StatsSample | undefined, full: boolean): Row {
  const known =
    (text: (sample: StatsSample) => string, otherwise = '--') =>
    () =>
      sample ? text(sample) : otherwise;
  return row({
    BlockIO: known((s) => `${humanSize(blockBytes(s, 'read'), 3)} / ${humanSize(blockBytes(s, 'write'), 3)}`),
    CPUPerc: known((s) => `${cpuPercent(s).toFixed(2)}%`),
    Container: () => asked,
    ID: known((s) => (full ? s.id : truncateId(s.id))),
    MemPerc: known((s) => `${memoryPercent(s).toFixed(2)}%`),
    MemUsage: known(
      (s) => `${binarySize(memoryUsed(s))} / ${binarySize(s.memory_stats.limit ?? 0)}`,
      '-- / --',
    ),
    Name: known((s) => s.name.replace(/^\//, '')),
    NetIO: known((s) => `${humanSize(network(s, 'rx_bytes'), 3)} / ${humanSize(network(s, 'tx_bytes'), 3)}`),
    PIDs: known((s) => String(s.pids_stats.current ?? 0)),
  });
}

/** The share of one processor, in percent, between the two readings of a sample. */
export function cpuPercent(sample: StatsSample): number {
  const used = sample.cpu_stats.cpu_usage.total_usage - sample.precpu_stats.cpu_usage.total_usage;
  const passed = (sample.cpu_stats.system_cpu_usage ?? 0) - (sample.precpu_stats.system_cpu_usage ?? 0);
  const processors = sample.cpu_stats.online_cpus || (sample.cpu_stats.cpu_usage.percpu_usage?.length ?? 0);
  return passed > 0 && used > 0 ? (used / passed) * processors * 100 : 0;
}

/** Memory without the page cache that the kernel would give back. */
function memoryUsed(sample: StatsSample): number {
  const { usage = 0, stats = {} } = sample.memory_stats;
  const cache = stats['total_inactive_file'] ?? stats['inactive_file'] ?? 0;
  return cache < usage ? usage - cache : usage;
}

function memoryPercent(sample: StatsSample): number {
  const { limit = 0 } = sample.memory_stats;
  return limit > 0 ? (memoryUsed(sample) / limit) * 100 : 0;
}

function network(sample: StatsSample, field: 'rx_bytes' | 'tx_bytes'): number {
  return Object.values(sample.networks ?? {}).reduce((sum, each) => sum + each[field], 0);
}

function blockBytes(sample: StatsSample, operation: string): number {
  return (sample.blkio_stats.io_service_bytes_recursive ?? [])
    .filter((each) => each.op.toLowerCase() === operation)
    .reduce((sum, each) => sum + each.value, 0);
}
