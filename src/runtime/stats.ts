import { readFileSync } from 'node:fs';
import { type CgroupHierarchy, cgroupPaths } from '../sys/index.ts';
import type { CgroupStats } from './types.ts';

type Read = (controller: string, file: string) => string;
type IoEntry = CgroupStats['io'][number];

/** USER_HZ, the same on all architectures: cpuacct.stat counts in it. */
const NANOS_PER_TICK = 10_000_000;

/** A file of `key value` lines. */
export function keyed(content: string): Record<string, number> {
  return Object.fromEntries(
    content
      .split('\n')
      .map((line) => line.split(' '))
      .filter((parts) => parts.length === 2)
      .map(([key = '', value]) => [key, Number(value)]),
  );
}

const limit = (value: string) => (value === '' || value === 'max' ? 0 : Number(value));

/** `8:0 Read 4096` lines of the v1 controller, totals left out. */
export function parseBlkio(content: string): IoEntry[] {
  return [...content.matchAll(/^(\d+):(\d+) (\w+) (\d+)$/gm)].map(([, major, minor, op = '', value]) => ({
    ...{ major: Number(major), minor: Number(minor), op: op.toLowerCase(), value: Number(value) },
  }));
}

/** `8:0 rbytes=1 wbytes=2 rios=3 wios=4 …` lines of v2's io.stat; `what` chooses bytes or operations. */
export function parseIoStat(content: string, what: 'bytes' | 'ios'): IoEntry[] {
  return content.split('\n').flatMap((line) => {
    const [device = '', ...pairs] = line.trim().split(' ');
    const [major, minor] = device.split(':').map(Number);
    if (major === undefined || minor === undefined) return [];
    const values = new Map(pairs.map((pair) => pair.split('=') as [string, string]));
    return (['read', 'write'] as const).flatMap((op) => {
      const value = values.get(`${op[0]}${what}`);
      return value === undefined ? [] : [{ major, minor, op, value: Number(value) }];
    });
  });
}

/** Counters of one cgroup; undefined when it is gone. */
export function readCgroupStats(hierarchy: CgroupHierarchy, relative: string): CgroupStats | undefined {
  const dirs = cgroupPaths(hierarchy, relative);
  const read: Read = (controller, file) => {
    try {
      return readFileSync(`${dirs.get(controller)}/${file}`, 'utf8').trim();
    } catch {
      return '';
    }
  };
  return hierarchy.version === 1 ? statsV1(read) : statsV2(read);
}

function statsV1(read: Read): CgroupStats | undefined {
  const stat = keyed(read('cpu', 'cpu.stat'));
  const memoryUsage = read('memory', 'memory.usage_in_bytes');
  const total = read('cpuacct', 'cpuacct.usage');
  if (memoryUsage === '' && total === '') return undefined;
  const ticks = keyed(read('cpuacct', 'cpuacct.stat'));
  const perCpu = read('cpuacct', 'cpuacct.usage_percpu');
  const max = read('memory', 'memory.max_usage_in_bytes');
  const failcnt = read('memory', 'memory.failcnt');
  const io = (file: string) => parseBlkio(read('blkio', `${file}_recursive`) || read('blkio', file));
  return {
    cgroupVersion: 1,
    cpuTotalNanos: Number(total),
    cpuUserNanos: (ticks['user'] ?? 0) * NANOS_PER_TICK,
    cpuSystemNanos: (ticks['system'] ?? 0) * NANOS_PER_TICK,
    ...(perCpu && { perCpuNanos: perCpu.split(/\s+/).map(Number) }),
    throttling: {
      periods: stat['nr_periods'] ?? 0,
      throttledPeriods: stat['nr_throttled'] ?? 0,
      throttledNanos: stat['throttled_time'] ?? 0,
    },
    memoryUsage: Number(memoryUsage),
    ...(max && { memoryMaxUsage: Number(max) }),
    memoryLimit: limit(read('memory', 'memory.limit_in_bytes')),
    memoryStats: keyed(read('memory', 'memory.stat')),
    ...(failcnt && { memoryFailcnt: Number(failcnt) }),
    pidsCurrent: Number(read('pids', 'pids.current')),
    pidsLimit: limit(read('pids', 'pids.max')),
    io: io('blkio.throttle.io_service_bytes'),
    ioCount: io('blkio.throttle.io_serviced'),
  };
}

function statsV2(read: Read): CgroupStats | undefined {
  const stat = keyed(read('cpu', 'cpu.stat'));
  const memoryUsage = read('memory', 'memory.current');
  if (memoryUsage === '' && Object.keys(stat).length === 0) return undefined;
  const micro = (name: string) => (stat[name] ?? 0) * 1000;
  const peak = read('memory', 'memory.peak');
  const events = keyed(read('memory', 'memory.events'));
  const io = read('io', 'io.stat');
  return {
    cgroupVersion: 2,
    cpuTotalNanos: micro('usage_usec'),
    cpuUserNanos: micro('user_usec'),
    cpuSystemNanos: micro('system_usec'),
    throttling: {
      periods: stat['nr_periods'] ?? 0,
      throttledPeriods: stat['nr_throttled'] ?? 0,
      throttledNanos: micro('throttled_usec'),
    },
    memoryUsage: Number(memoryUsage),
    ...(peak && { memoryMaxUsage: Number(peak) }),
    memoryLimit: limit(read('memory', 'memory.max')),
    memoryStats: keyed(read('memory', 'memory.stat')),
    ...(events['oom'] !== undefined && { memoryFailcnt: events['oom'] }),
    pidsCurrent: Number(read('pids', 'pids.current')),
    pidsLimit: limit(read('pids', 'pids.max')),
    io: parseIoStat(io, 'bytes'),
    ioCount: parseIoStat(io, 'ios'),
  };
}
