import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World } from './lifecycle.cases.ts';
import { startContainer, stopContainer, waitContainer } from './lifecycle.ts';

test('a published port is free by the time that the exit is told', async () => {
  await using world = new World();
  const record = world.add({ hostConfig: { PortBindings: { '80/tcp': [{ HostPort: '8080' }] } } });
  await startContainer(world.deps, record.id);
  const { done } = await waitContainer(world.deps, record.id, 'not-running');
  const sandboxes = done.then(() => world.sandboxes.size);
  world.tasks.of(record.id).exit(0);
  assert.equal(await sandboxes, 0);
});

test('a sandbox that can not be removed holds up neither the answer nor the rest', async () => {
  await using world = new World();
  const record = world.add({ hostConfig: { PortBindings: { '80/tcp': [{ HostPort: '8080' }] } } });
  world.deps.networks.removeSandbox = async () => {
    throw new Error('nft is busy');
  };
  await startContainer(world.deps, record.id);
  const { done } = await waitContainer(world.deps, record.id, 'not-running');
  world.tasks.of(record.id).exit(4);
  assert.deepEqual(await done, { exitCode: 4 }, 'who waits is told all the same');
  await world.live.settled();
  assert.deepEqual(
    [record.state.status, world.mounted.size, world.tasks.of(record.id).state],
    ['exited', 0, 'deleted'],
  );
});

test('the next start waits until the last run has given everything back', async () => {
  await using world = new World();
  const record = world.add();
  await startContainer(world.deps, record.id);
  const first = world.tasks.of(record.id);
  const { promise, resolve } = Promise.withResolvers<void>();
  const order: string[] = [];
  first.delete = async () => {
    await promise;
    order.push('deleted');
  };
  world.tasks.prepare = () => order.push('created');
  first.exit(0);
  await world.live.get(record.id)?.exitHandled;
  const start = startContainer(world.deps, record.id);
  for (let turn = 0; turn < 5; turn += 1) await new Promise((next) => setImmediate(next));
  assert.deepEqual(order, []);
  resolve();
  await start;
  assert.deepEqual(order, ['deleted', 'created']);
});

test('the times of a run are those of its process', async () => {
  await using world = new World();
  const record = world.add();
  await startContainer(world.deps, record.id);
  const started = Date.parse(record.state.startedAt);
  world.tasks.of(record.id).exit(0, { at: BigInt(started + 61_999) * 1_000_000n });
  await world.live.get(record.id)?.exitHandled;
  assert.equal(Date.parse(record.state.finishedAt), started + 61_999);
  await world.actions();
  const died = world.seen.find((one) => one.Action === 'die');
  assert.equal(died?.Actor?.Attributes?.['execDuration'], '61', 'whole seconds');
});

test('a process that ended before its record was written has lasted no time', async () => {
  await using world = new World();
  const record = world.add();
  world.tasks.prepare = (task) => {
    task.onStart = () => task.exit(0, { at: 1n });
  };
  await startContainer(world.deps, record.id);
  await world.live.get(record.id)?.exitHandled;
  await world.actions();
  const died = world.seen.find((one) => one.Action === 'die');
  assert.equal(died?.Actor?.Attributes?.['execDuration'], '0');
});

test('an exit ends the probes, and what was healthy is not any more', async () => {
  await using world = new World();
  let stopped = 0;
  world.deps.monitorHealth = (record) => {
    record.state.health = { Status: 'healthy', FailingStreak: 0, Log: [] };
    return { pause() {}, resume() {}, stop: () => void stopped++ };
  };
  const record = world.add();
  await startContainer(world.deps, record.id);
  world.tasks.of(record.id).exit(0);
  await world.live.get(record.id)?.exitHandled;
  assert.deepEqual([stopped, record.state.health?.Status], [1, 'unhealthy']);
  assert.equal(world.live.get(record.id)?.health, undefined);
});

test('only a stop that was asked for is told as one, and once', async () => {
  await using world = new World();
  const record = world.add();
  await startContainer(world.deps, record.id);
  await stopContainer(world.deps, record.id, {});
  await startContainer(world.deps, record.id);
  world.tasks.of(record.id).exit(0);
  await world.live.get(record.id)?.exitHandled;
  const told = (await world.actions()).filter((one) => !one.startsWith('network'));
  assert.deepEqual(told, ['start', 'kill', 'stop', 'die', 'start', 'die']);
});
