import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CgroupStats } from '../../runtime/types.ts';
import { sampleCgroupStats } from './fake-tasks.ts';
import { World } from './lifecycle.cases.ts';
import { containerStats, StatsSampler, startContainer } from './lifecycle.ts';
import { emptyStats, type StatsSample, shapeStats } from './stats-shape.ts';

const ID = 'f'.repeat(64);

function sample(cgroup: CgroupStats, at = 1_800_000_000_123_456_789n): StatsSample {
  return { at, cgroup, interfaces: {}, system: { cpuNanos: 7_000, onlineCpus: 4, memory: 8_000_000 } };
}

/** A container on cgroup v2: no per-CPU times, no failure count, `pids.max` and `memory.max` set. */
function onV2(change: Partial<CgroupStats> = {}): CgroupStats {
  const { perCpuNanos: _, memoryMaxUsage: __, memoryFailcnt: ___, ...rest } = sampleCgroupStats();
  return {
    ...rest,
    cgroupVersion: 2,
    throttling: { periods: 5, throttledPeriods: 2, throttledNanos: 900 },
    memoryLimit: 1_000_000,
    memoryStats: { anon: 10, file: 20 },
    pidsCurrent: 3,
    pidsLimit: 64,
    ...change,
  };
}

// The fields and nulls that the reference sends on each hierarchy.
test('cgroup v1: every field of the document', () => {
  const shaped = shapeStats(ID, 'web', sample(sampleCgroupStats()), undefined);
  assert.deepEqual(shaped, {
    name: '/web',
    id: ID,
    read: '2027-01-15T08:00:00.123456789Z',
    preread: '0001-01-01T00:00:00Z',
    pids_stats: { current: 1 },
    blkio_stats: {
      io_service_bytes_recursive: [{ major: 8, minor: 0, op: 'read', value: 512 }],
      io_serviced_recursive: [{ major: 8, minor: 0, op: 'read', value: 1 }],
      io_queue_recursive: [],
      io_service_time_recursive: [],
      io_wait_time_recursive: [],
      io_merged_recursive: [],
      io_time_recursive: [],
      sectors_recursive: [],
    },
    num_procs: 0,
    storage_stats: {},
    cpu_stats: {
      cpu_usage: {
        total_usage: 3_000,
        percpu_usage: [1_500, 1_500],
        usage_in_kernelmode: 1_000,
        usage_in_usermode: 2_000,
      },
      system_cpu_usage: 7_000,
      online_cpus: 4,
      throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
    },
    precpu_stats: {
      cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
      throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
    },
    memory_stats: {
      usage: 4_096,
      max_usage: 8_192,
      stats: { cache: 0, hierarchical_memory_limit: 2 ** 62 },
      limit: 8_000_000,
    },
  });
});

test('cgroup v2: what it does not count is null or left out', () => {
  const shaped = shapeStats(ID, 'web', sample(onV2()), undefined);
  assert.deepEqual(shaped.pids_stats, { current: 3, limit: 64 });
  assert.deepEqual(Object.values(shaped.blkio_stats ?? {}), [
    [{ major: 8, minor: 0, op: 'read', value: 512 }],
    ...Array(7).fill(null),
  ]);
  assert.deepEqual(shaped.memory_stats, { usage: 4_096, stats: { anon: 10, file: 20 }, limit: 1_000_000 });
  assert.equal('percpu_usage' in (shaped.cpu_stats?.cpu_usage ?? {}), false);
  assert.deepEqual(shaped.cpu_stats?.throttling_data, {
    periods: 5,
    throttled_periods: 2,
    throttled_time: 900,
  });
});

test('limits: the smaller of container and host, none above 2^62', () => {
  const memory = (memoryLimit: number) =>
    shapeStats(ID, 'n', sample(onV2({ memoryLimit })), undefined).memory_stats?.limit;
  assert.deepEqual([memory(0), memory(5_000), memory(9e15), memory(2 ** 63)], [8e6, 5_000, 8e6, 8e6]);
  const pids = (pidsLimit: number) => shapeStats(ID, 'n', sample(onV2({ pidsLimit })), undefined).pids_stats;
  assert.deepEqual(
    [pids(0), pids(2 ** 63), pids(1)],
    [{ current: 3 }, { current: 3 }, { current: 3, limit: 1 }],
  );
});

test('a failure count is shown where there was a failure', () => {
  const failcnt = (memoryFailcnt: number) =>
    shapeStats(ID, 'n', sample({ ...sampleCgroupStats(), memoryFailcnt }), undefined).memory_stats;
  assert.equal(failcnt(3)?.failcnt, 3);
  assert.equal('failcnt' in (failcnt(0) ?? {}), false);
});

test('the sample before fills preread and precpu', () => {
  const before = sample({ ...sampleCgroupStats(), cpuTotalNanos: 1_000 }, 1_799_999_999_000_000_000n);
  const shaped = shapeStats(ID, 'n', sample(sampleCgroupStats()), before);
  assert.equal(shaped.preread, '2027-01-15T07:59:59Z');
  assert.equal(shaped.precpu_stats?.cpu_usage?.total_usage, 1_000);
  assert.equal(shaped.precpu_stats?.system_cpu_usage, 7_000);
});

test('networks: each interface with its eight counters, none without a network', () => {
  const counters = {
    rxBytes: 1,
    rxPackets: 2,
    rxErrors: 3,
    rxDropped: 4,
    txBytes: 5,
    txPackets: 6,
    txErrors: 7,
    txDropped: 8,
  };
  const one = { ...sample(sampleCgroupStats()), interfaces: { eth0: counters, eth1: counters } };
  const { networks } = shapeStats(ID, 'n', one, undefined);
  assert.deepEqual(Object.keys(networks ?? {}), ['eth0', 'eth1']);
  assert.deepEqual(networks?.['eth1'], {
    rx_bytes: 1,
    rx_packets: 2,
    rx_errors: 3,
    rx_dropped: 4,
    tx_bytes: 5,
    tx_packets: 6,
    tx_errors: 7,
    tx_dropped: 8,
  });
  assert.equal('networks' in shapeStats(ID, 'n', sample(sampleCgroupStats()), undefined), false);
});

test('a document of a stopped container has the same fields, empty', () => {
  const empty = emptyStats(ID, 'n');
  const full = shapeStats(ID, 'n', sample(sampleCgroupStats()), undefined);
  assert.deepEqual(Object.keys(empty).sort(), Object.keys(full).sort());
  assert.deepEqual([empty.read, empty.preread], ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z']);
  assert.deepEqual(new Set(Object.values(empty.blkio_stats ?? {})), new Set([null]));
  assert.equal('system_cpu_usage' in (empty.cpu_stats ?? {}), false);
});

function sampler(world: World): StatsSampler {
  return new StatsSampler({
    live: world.live,
    clock: world.clock,
    networks: { sandboxOf: () => undefined, counters: async () => ({}) },
    host: () => ({ cpuNanos: 1, onlineCpus: 1, memory: 1 }),
  });
}

const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

test('a stream: one document a second, zeros while nothing runs, an end with the removal', async (t) => {
  await using world = new World();
  const record = world.add();
  await startContainer(world.deps, record.id);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const end = new AbortController();
  const deps = { store: world.store, sampler: sampler(world) };
  const seen: (string | undefined)[] = [];
  const stream = await containerStats(deps, record.id, { stream: true, oneShot: false }, end.signal);
  const reading = (async () => {
    for await (const one of stream) seen.push(one.read === '0001-01-01T00:00:00Z' ? 'zeros' : 'figures');
  })();
  await turns(5);
  assert.deepEqual(seen, ['figures']);
  t.mock.timers.tick(1_000);
  await turns(5);
  assert.deepEqual(seen, ['figures', 'figures']);
  world.tasks.of(record.id).exit(0);
  await turns(5);
  t.mock.timers.tick(1_000);
  await turns(5);
  assert.deepEqual(seen.at(-1), 'zeros');
  world.store.delete(record.id);
  t.mock.timers.tick(1_000);
  await turns(5);
  await reading;
  assert.equal(seen.length, 4);
});

test('a stream whose client goes ends at once, and sampling ends with the last watcher', async (t) => {
  await using world = new World();
  const record = world.add();
  await startContainer(world.deps, record.id);
  const task = world.tasks.of(record.id);
  let taken = 0;
  const real = task.stats;
  task.stats = () => {
    taken += 1;
    return real();
  };
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const end = new AbortController();
  const deps = { store: world.store, sampler: sampler(world) };
  const stream = await containerStats(deps, record.id, { stream: true, oneShot: false }, end.signal);
  const reading = (async () => {
    for await (const _ of stream);
  })();
  await turns(5);
  end.abort();
  await reading;
  t.mock.timers.tick(5_000);
  await turns(5);
  t.mock.timers.tick(5_000);
  await turns(5);
  assert.ok(taken <= 2, `${taken} samples`);
  await assert.rejects(containerStats(deps, 'nosuch', { stream: true, oneShot: false }, end.signal), {
    kind: 'not-found',
  });
});

test('a cgroup that can not be read shows zeros and goes on', async () => {
  await using world = new World();
  const record = world.add();
  await startContainer(world.deps, record.id);
  world.tasks.of(record.id).stats = async () => {
    throw new Error('gone');
  };
  const deps = { store: world.store, sampler: sampler(world) };
  const end = new AbortController();
  const stream = await containerStats(deps, record.id, { stream: true, oneShot: false }, end.signal);
  for await (const one of stream) {
    assert.equal(one.read, '0001-01-01T00:00:00Z');
    break;
  }
});
