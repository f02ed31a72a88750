import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World } from './lifecycle.cases.ts';
import { pauseContainer, shutdownContainers, startContainer, startWithDaemon } from './lifecycle.ts';

async function running(world: World, hostConfig = {}, config = {}) {
  const record = world.add({ hostConfig, config: { Image: 'busybox', ...config } });
  await startContainer(world.deps, record.id);
  return record;
}

test('each container has its own signal and grace, then the kill', async () => {
  await using world = new World();
  const plain = await running(world);
  const own = await running(world, {}, { StopSignal: 'SIGINT' });
  const stubborn = await running(world, {}, { StopTimeout: 0 });
  world.tasks.of(own.id).deadly.add(2);
  world.tasks.of(stubborn.id).deadly.delete(15);
  await shutdownContainers(world.deps, { keepRunning: false, timeoutSeconds: 60 });
  const signals = [plain, own, stubborn].map((one) => world.tasks.of(one.id).signals);
  assert.deepEqual(signals, [[15], [2], [15, 9]]);
  assert.deepEqual(
    [plain, own, stubborn].map((one) => [one.state.status, one.state.exitCode]),
    [
      ['exited', 143],
      ['exited', 130],
      ['exited', 137],
    ],
  );
});

test('the daemon waits no longer than its own limit, then kills', async (t) => {
  await using world = new World();
  const record = await running(world, {}, { StopTimeout: 600 });
  const task = world.tasks.of(record.id);
  task.deadly.delete(15);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const over = shutdownContainers(world.deps, { keepRunning: false, timeoutSeconds: 15 });
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(task.signals, [15]);
  t.mock.timers.tick(14_999);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(task.signals, [15]);
  t.mock.timers.tick(1);
  await over;
  assert.deepEqual(task.signals, [15, 9]);
  assert.equal(record.state.status, 'exited');
});

test('a negative limit waits for the containers alone', async (t) => {
  await using world = new World();
  const record = await running(world, {}, { StopTimeout: -1 });
  const task = world.tasks.of(record.id);
  task.deadly.delete(15);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let over = false;
  const ending = shutdownContainers(world.deps, { keepRunning: false, timeoutSeconds: -1 }).then(() => {
    over = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  t.mock.timers.tick(3_600_000);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([task.signals, over], [[15], false]);
  task.exit(0);
  await ending;
  assert.equal(record.state.exitCode, 0);
});

test('restart policies neither start anything now nor lose their say', async (t) => {
  await using world = new World();
  const always = await running(world, { RestartPolicy: { Name: 'always' } });
  const waiting = await running(world, { RestartPolicy: { Name: 'always' } });
  world.tasks.of(waiting.id).exit(1);
  await world.live.get(waiting.id)?.exitHandled;
  assert.equal(waiting.state.status, 'restarting');
  t.mock.timers.enable({ apis: ['setTimeout'] });
  await shutdownContainers(world.deps, { keepRunning: false, timeoutSeconds: 15 });
  t.mock.timers.tick(120_000);
  await world.live.settled();
  assert.equal(world.live.running().length, 0);
  assert.equal(world.live.get(waiting.id)?.restartTimer, undefined);
  assert.deepEqual([always.state.manuallyStopped, waiting.state.manuallyStopped], [false, false]);
  t.mock.timers.reset();
  world.live.shuttingDown = false;
  await startWithDaemon(world.deps);
  assert.equal(always.state.status, 'running');
});

test('--rm containers are gone when the daemon is', async () => {
  await using world = new World();
  const record = await running(world, { AutoRemove: true });
  await shutdownContainers(world.deps, { keepRunning: false, timeoutSeconds: 15 });
  assert.deepEqual(
    [world.store.get(record.id), world.snapshots.size, world.sandboxes.size],
    [undefined, 0, 0],
  );
});

test('a paused container is let go on, so that it can end', async () => {
  await using world = new World();
  const record = await running(world);
  await pauseContainer(world.deps, record.id);
  await shutdownContainers(world.deps, { keepRunning: false, timeoutSeconds: 15 });
  assert.deepEqual([world.tasks.of(record.id).signals, record.state.status], [[15], 'exited']);
});

test('with live-restore nothing is touched but the timers', async () => {
  await using world = new World();
  let stopped = 0;
  world.deps.monitorHealth = () => ({ pause() {}, resume() {}, stop: () => void stopped++ });
  const record = await running(world);
  const before = await world.actions();
  await shutdownContainers(world.deps, { keepRunning: true, timeoutSeconds: 15 });
  assert.deepEqual([stopped, record.state.status, world.sandboxes.size], [1, 'running', 1]);
  assert.deepEqual(await world.actions(), before);
});

test('a container that can not be killed keeps the daemon from nothing', async () => {
  await using world = new World();
  const logged: string[] = [];
  world.deps.log = {
    ...world.deps.log,
    error: (message) => void logged.push(message),
    warn: (message) => void logged.push(message),
  };
  const stuck = await running(world);
  const fine = await running(world);
  world.tasks.of(stuck.id).kill = async () => {
    throw new Error('no such thing');
  };
  await shutdownContainers(world.deps, { keepRunning: false, timeoutSeconds: 15 });
  assert.deepEqual(logged, ['container not stopped', 'container not killed']);
  assert.equal(fine.state.status, 'exited');
});
