import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog, WharfError } from '../../base/index.ts';
import { World } from './lifecycle.cases.ts';
import { removeContainer } from './lifecycle.ts';
import { type PruneDeps, pruneContainers } from './prune.ts';
import type { ContainerRecord, ContainerStatus } from './record.ts';

const NOW = Date.parse('2026-06-01T12:00:00Z');

function pruning(world: World, change: Partial<PruneDeps> = {}): PruneDeps {
  return {
    ...world.deps,
    clock: { ...world.clock, nowNanos: () => BigInt(NOW) * 1_000_000n },
    bytesOf: async () => 1_000,
    settled: () => world.live.settled(),
    remove: (record) => removeContainer(world.deps, record.id, { volumes: false, force: false, link: false }),
    ...change,
  };
}

function add(world: World, name: string, status: ContainerStatus, change: Partial<ContainerRecord> = {}) {
  const record = world.add({ name, ...change });
  record.state.status = status;
  return record;
}

const prune = (deps: PruneDeps, filters: Record<string, string[]> = {}) =>
  pruneContainers(deps, new Map(Object.entries(filters)));

test('what runs in the eyes of clients stays, and what is being removed is left to its removal', async () => {
  await using world = new World();
  const statuses = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'] as const;
  const records = statuses.map((status) => add(world, status, status));
  const { deleted, spaceReclaimed } = await prune(pruning(world));
  const gone = records.filter((one) => deleted.includes(one.id)).map((one) => one.name);
  assert.deepEqual([gone.sort(), spaceReclaimed], [['created', 'dead', 'exited'], 3_000]);
  assert.deepEqual((await world.actions()).slice(-1), ['prune']);
  assert.deepEqual(world.seen.at(-1)?.Actor, { ID: '', Attributes: { reclaimed: '3000' } });
});

test('until: durations, times and seconds, on the time of creation', async () => {
  const rows: [string, string[]][] = [
    ['1h', ['old']],
    ['2026-06-01T11:30:00Z', ['old']],
    ['2026-06-01', []],
    [String(NOW / 1_000), ['new', 'old']],
    ['1ns', ['new', 'old']],
    ['24h', []],
  ];
  for (const [until, expected] of rows) {
    await using world = new World();
    const records = [
      add(world, 'old', 'exited', { created: '2026-06-01T10:00:00Z' }),
      add(world, 'new', 'exited', { created: '2026-06-01T11:59:00Z' }),
    ];
    const { deleted } = await prune(pruning(world), { until: [until] });
    const names = records.filter((one) => deleted.includes(one.id)).map((one) => one.name);
    assert.deepEqual(names.sort(), expected, until);
  }
});

test('labels: wanted and unwanted', async () => {
  await using world = new World();
  add(world, 'keep', 'exited', { config: { Labels: { keep: '', env: 'prod' } } });
  add(world, 'test', 'exited', { config: { Labels: { env: 'test' } } });
  add(world, 'bare', 'exited', { config: {} });
  const deps = pruning(world);
  assert.equal((await prune(deps, { label: ['env=nosuch'] })).deleted.length, 0);
  assert.equal((await prune(deps, { label: ['env=test'] })).deleted.length, 1);
  assert.equal((await prune(deps, { 'label!': ['keep'] })).deleted.length, 1);
  assert.deepEqual(
    world.store.all().map((one) => one.name),
    ['keep'],
  );
});

test('filters are refused with the texts of the reference, before anything goes', async () => {
  await using world = new World();
  add(world, 'stays', 'exited');
  for (const [filters, message] of [
    [{ foo: ['x'] }, "invalid filter 'foo'"],
    [{ status: ['x'] }, "invalid filter 'status'"],
    [{ until: ['x'] }, 'failed to parse value as time or duration: "x"'],
    [{ until: [''] }, 'failed to parse value as time or duration: ""'],
    [{ until: ['1h', '2h'] }, 'more than one until filter specified'],
  ] as [Record<string, string[]>, string][]) {
    await assert.rejects(prune(pruning(world), filters), { kind: 'invalid', message });
  }
  assert.deepEqual([world.store.all().length, await world.actions()], [1, []]);
});

test('one that can not be removed is logged and passed over; its space is not counted', async () => {
  await using world = new World();
  const logged: string[] = [];
  const stuck = add(world, 'stuck', 'exited');
  add(world, 'fine', 'exited');
  const real = pruning(world);
  const deps = pruning(world, {
    log: { ...silentLog, warn: (text) => void logged.push(text) },
    remove: async (record) => {
      if (record === stuck) throw new WharfError('internal', 'EIO');
      await real.remove(record);
    },
  });
  const { deleted, spaceReclaimed } = await prune(deps);
  assert.deepEqual([deleted.length, spaceReclaimed, logged], [1, 1_000, ['container not pruned']]);
});

test('nothing to prune is told, too', async () => {
  await using world = new World();
  assert.deepEqual(await prune(pruning(world)), { deleted: [], spaceReclaimed: 0 });
  assert.deepEqual(await world.actions(), ['prune']);
});
