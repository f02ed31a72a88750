import { readFileSync } from 'node:fs';
import { type CgroupHierarchy, cgroupPaths } from '../sys/index.ts';
import type { CgroupStats } from './types.ts';

function text(dir: string | undefined, file: string): string {
  try {
    return dir ? readFileSync(`${dir}/${file}`, 'utf8').trim() : '';
  } catch {
    return '';
  }
}

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

/** Counters of one cgroup; undefined when it is gone. */
export function readCgroupStats(hierarchy: CgroupHierarchy, relative: string): CgroupStats | undefined {
  const dirs = cgroupPaths(hierarchy, relative);
  const v1 = hierarchy.version === 1;
  const cpu = dirs.get('cpu');
  const stat = keyed(text(cpu, 'cpu.stat'));
  const memory = dirs.get('memory');
  const used = text(memory, v1 ? 'memory.usage_in_bytes' : 'memory.current');
  if (used === '' && Object.keys(stat).length === 0) return undefined;
  const ticks = keyed(text(dirs.get('cpuacct'), 'cpuacct.stat'));
  const micro = (name: string) => (stat[name] ?? 0) * 1000;
  return {
    cgroupVersion: hierarchy.version,
    cpuTotalNanos: v1 ? Number(text(dirs.get('cpuacct'), 'cpuacct.usage')) : micro('usage_usec'),
    cpuUserNanos: v1 ? (ticks['user'] ?? 0) * 1e7 : micro('user_usec'),
    cpuSystemNanos: v1 ? (ticks['system'] ?? 0) * 1e7 : micro('system_usec'),
    throttling: {
      periods: stat['nr_periods'] ?? 0,
      throttledPeriods: stat['nr_throttled'] ?? 0,
      throttledNanos: stat['throttled_time'] ?? micro('throttled_usec'),
    },
    memoryUsage: Number(used),
    memoryLimit: limit(text(memory, v1 ? 'memory.limit_in_bytes' : 'memory.max')),
    memoryStats: keyed(text(memory, 'memory.stat')),
    pidsCurrent: Number(text(dirs.get('pids'), 'pids.current')),
    pidsLimit: limit(text(dirs.get('pids'), 'pids.max')),
    io: [],
    ioCount: [],
  };
}
