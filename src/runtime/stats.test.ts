import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { CgroupHierarchy } from '../sys/index.ts';
import { keyed, parseBlkio, parseIoStat, readCgroupStats } from './stats.ts';

let root = '';
before(() => {
  root = mkdtempSync(join(tmpdir(), 'wharf-stats-'));
});
after(() => rmSync(root, { recursive: true, force: true }));

const V1 = ['cpu', 'cpuacct', 'memory', 'pids', 'blkio'];
const V2 = ['cpu', 'memory', 'pids', 'io'];

function hierarchy(version: 1 | 2, name: string): CgroupHierarchy {
  const mount = `${root}/${name}`;
  const controllers = new Map(
    version === 1
      ? V1.map((one): [string, string] => [one, `${mount}/${one}`])
      : V2.map((one): [string, string] => [one, mount]),
  );
  return { version, hybrid: false, controllers, ...(version === 2 && { unifiedMount: mount }) };
}

function files(mount: string, content: Record<string, string>): void {
  for (const [path, text] of Object.entries(content)) {
    const file = `${root}/${mount}/${path}`;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${text}\n`);
  }
}

describe('cgroup v1', () => {
  it('gives all figures in nanoseconds and bytes', () => {
    files('full1', {
      'cpu/c/cpu.stat': 'nr_periods 10\nnr_throttled 3\nthrottled_time 4000',
      'cpuacct/c/cpuacct.usage': '123456789',
      'cpuacct/c/cpuacct.stat': 'user 7\nsystem 5',
      'cpuacct/c/cpuacct.usage_percpu': '100000000 23456789 ',
      'memory/c/memory.usage_in_bytes': '4096',
      'memory/c/memory.max_usage_in_bytes': '8192',
      'memory/c/memory.limit_in_bytes': '33554432',
      'memory/c/memory.failcnt': '2',
      'memory/c/memory.stat': 'cache 12\nrss 34\ntotal_inactive_file 5',
      'pids/c/pids.current': '3',
      'pids/c/pids.max': '50',
      'blkio/c/blkio.throttle.io_service_bytes_recursive':
        '8:0 Read 512\n8:0 Write 1024\n8:0 Total 1536\nTotal 1536',
      'blkio/c/blkio.throttle.io_serviced': '8:0 Read 1\n8:0 Write 2',
    });
    assert.deepEqual(readCgroupStats(hierarchy(1, 'full1'), '/c'), {
      cgroupVersion: 1,
      cpuTotalNanos: 123_456_789,
      cpuUserNanos: 70_000_000,
      cpuSystemNanos: 50_000_000,
      perCpuNanos: [100_000_000, 23_456_789],
      throttling: { periods: 10, throttledPeriods: 3, throttledNanos: 4000 },
      memoryUsage: 4096,
      memoryMaxUsage: 8192,
      memoryLimit: 33_554_432,
      memoryStats: { cache: 12, rss: 34, total_inactive_file: 5 },
      memoryFailcnt: 2,
      pidsCurrent: 3,
      pidsLimit: 50,
      io: [
        { major: 8, minor: 0, op: 'read', value: 512 },
        { major: 8, minor: 0, op: 'write', value: 1024 },
        { major: 8, minor: 0, op: 'total', value: 1536 },
      ],
      ioCount: [
        { major: 8, minor: 0, op: 'read', value: 1 },
        { major: 8, minor: 0, op: 'write', value: 2 },
      ],
    });
  });

  it('leaves out what a kernel does not have', () => {
    files('little1', { 'memory/c/memory.usage_in_bytes': '1', 'pids/c/pids.max': 'max' });
    const stats = readCgroupStats(hierarchy(1, 'little1'), '/c');
    assert.equal(stats?.memoryUsage, 1);
    assert.equal(stats?.pidsLimit, 0);
    assert.deepEqual(stats?.io, []);
    assert.ok(
      stats && !('perCpuNanos' in stats) && !('memoryMaxUsage' in stats) && !('memoryFailcnt' in stats),
    );
  });

  it('has nothing of a group that is gone', () => {
    assert.equal(readCgroupStats(hierarchy(1, 'gone'), '/c'), undefined);
  });
});

describe('cgroup v2', () => {
  it('gives all figures in nanoseconds and bytes', () => {
    files('full2', {
      'c/cpu.stat':
        'usage_usec 1500\nuser_usec 1000\nsystem_usec 500\nnr_periods 4\nnr_throttled 1\nthrottled_usec 20',
      'c/memory.current': '1048576',
      'c/memory.peak': '2097152',
      'c/memory.max': 'max',
      'c/memory.stat': 'anon 10\nfile 20\ninactive_file 15',
      'c/memory.events': 'low 0\nhigh 0\nmax 3\noom 1\noom_kill 1',
      'c/pids.current': '2',
      'c/pids.max': '100',
      'c/io.stat': '259:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n8:16 ',
    });
    assert.deepEqual(readCgroupStats(hierarchy(2, 'full2'), '/c'), {
      cgroupVersion: 2,
      cpuTotalNanos: 1_500_000,
      cpuUserNanos: 1_000_000,
      cpuSystemNanos: 500_000,
      throttling: { periods: 4, throttledPeriods: 1, throttledNanos: 20_000 },
      memoryUsage: 1_048_576,
      memoryMaxUsage: 2_097_152,
      memoryLimit: 0,
      memoryStats: { anon: 10, file: 20, inactive_file: 15 },
      memoryFailcnt: 1,
      pidsCurrent: 2,
      pidsLimit: 100,
      io: [
        { major: 259, minor: 0, op: 'read', value: 4096 },
        { major: 259, minor: 0, op: 'write', value: 8192 },
      ],
      ioCount: [
        { major: 259, minor: 0, op: 'read', value: 1 },
        { major: 259, minor: 0, op: 'write', value: 2 },
      ],
    });
  });

  it('has nothing of a group that is gone', () => {
    assert.equal(readCgroupStats(hierarchy(2, 'gone'), '/c'), undefined);
  });
});

describe('parsing', () => {
  it('takes lines of two words', () => {
    assert.deepEqual(keyed('a 1\nb 2\nmore than two\n\nalone'), { a: 1, b: 2 });
  });

  it('takes nothing from what is no device', () => {
    assert.deepEqual(parseBlkio('Total 0'), []);
    assert.deepEqual(parseBlkio(''), []);
    assert.deepEqual(parseIoStat('nonsense\n\n', 'bytes'), []);
    assert.deepEqual(parseIoStat('8:0 rbytes=5', 'ios'), []);
    assert.deepEqual(parseIoStat('8:0 rbytes=5', 'bytes'), [{ major: 8, minor: 0, op: 'read', value: 5 }]);
  });
});
