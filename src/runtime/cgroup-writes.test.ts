import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { plannedWrites } from './cgroup-writes.ts';
import type { OciResources } from './spec-types.ts';

function plan(
  version: 1 | 2,
  resources: OciResources,
  content: Record<string, string> = {},
): string[] | undefined {
  return plannedWrites(version, resources, (_, file) => content[file] ?? '')?.map(
    ({ controller, file, value }) => `${controller}/${file}=${value}`,
  );
}

describe('planned writes on cgroup v1', () => {
  it('writes what is asked and nothing else', () => {
    assert.deepEqual(plan(1, {}), []);
    assert.deepEqual(
      plan(1, {
        cpu: { shares: 512, quota: 50_000, period: 100_000, cpus: '0-1', mems: '0' },
        pids: { limit: 9 },
      }),
      [
        'cpu/cpu.shares=512',
        'cpu/cpu.cfs_period_us=100000',
        'cpu/cpu.cfs_quota_us=50000',
        'cpuset/cpuset.cpus=0-1',
        'cpuset/cpuset.mems=0',
        'pids/pids.max=9',
      ],
    );
    assert.deepEqual(plan(1, { pids: { limit: -1 } }), ['pids/pids.max=max']);
    assert.deepEqual(plan(1, { cpu: { quota: -1 } }), ['cpu/cpu.cfs_quota_us=-1']);
  });

  it('raises swap first and lowers it last', () => {
    const now = { 'memory.memsw.limit_in_bytes': '2000\n' };
    const limit = 'memory/memory.limit_in_bytes';
    const swap = 'memory/memory.memsw.limit_in_bytes';
    assert.deepEqual(plan(1, { memory: { limit: 3000, swap: 4000 } }, now), [
      `${swap}=4000`,
      `${limit}=3000`,
    ]);
    assert.deepEqual(plan(1, { memory: { limit: 500, swap: 1000 } }, now), [`${limit}=500`, `${swap}=1000`]);
    assert.deepEqual(plan(1, { memory: { limit: 500, swap: -1 } }, now), [`${swap}=-1`, `${limit}=500`]);
  });

  it('leaves swap out where the kernel does not count it', () => {
    assert.deepEqual(plan(1, { memory: { limit: 500, swap: 1000, reservation: 100 } }), [
      'memory/memory.limit_in_bytes=500',
      'memory/memory.soft_limit_in_bytes=100',
    ]);
  });
});

describe('planned writes on cgroup v2', () => {
  it('converts shares to weight', () => {
    assert.deepEqual(plan(2, { cpu: { shares: 2 } }), ['cpu/cpu.weight=1']);
    assert.deepEqual(plan(2, { cpu: { shares: 1024 } }), ['cpu/cpu.weight=39']);
    assert.deepEqual(plan(2, { cpu: { shares: 262_144 } }), ['cpu/cpu.weight=10000']);
  });

  it('keeps the half of cpu.max that is not asked for', () => {
    const now = { 'cpu.max': '20000 50000\n' };
    assert.deepEqual(plan(2, { cpu: { quota: 10_000 } }, now), ['cpu/cpu.max=10000 50000']);
    assert.deepEqual(plan(2, { cpu: { period: 60_000 } }, now), ['cpu/cpu.max=20000 60000']);
    assert.deepEqual(plan(2, { cpu: { quota: -1 } }, now), ['cpu/cpu.max=max 50000']);
    assert.deepEqual(plan(2, { cpu: { quota: 10_000 } }), ['cpu/cpu.max=10000 100000']);
  });

  it('takes memory from swap, which counts alone', () => {
    assert.deepEqual(plan(2, { memory: { limit: 100, swap: 300, reservation: 50 } }), [
      'memory/memory.swap.max=200',
      'memory/memory.max=100',
      'memory/memory.low=50',
    ]);
    assert.deepEqual(plan(2, { memory: { swap: -1 } }), ['memory/memory.swap.max=max']);
    assert.deepEqual(plan(2, { memory: { limit: -1 } }), ['memory/memory.max=max']);
  });
});

describe('what is left to the runtime', () => {
  const cases: Record<string, OciResources> = {
    devices: { devices: [{ allow: true }] },
    'block weights': { blockIO: { weight: 100 } },
    realtime: { cpu: { realtimeRuntime: 1 } },
    'the OOM killer': { memory: { disableOOMKiller: true } },
    swappiness: { memory: { swappiness: 0 } },
  };
  for (const [name, resources] of Object.entries(cases)) {
    it(name, () => assert.equal(plan(1, resources), undefined));
  }
});
