import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { WharfError } from '../../base/index.ts';
import { World } from './lifecycle.cases.ts';
import {
  type ContainerRecord,
  killContainer,
  removeContainer,
  restartContainer,
  startContainer,
  stopContainer,
  waitContainer,
} from './lifecycle.ts';

async function started(t: TestContext, world: World, policy: object): Promise<ContainerRecord> {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const record = world.add({ hostConfig: { RestartPolicy: policy } });
  await startContainer(world.deps, record.id);
  return record;
}

/** Ends the present run and waits until all of it is handled. */
async function end(world: World, record: ContainerRecord, code: number): Promise<void> {
  const live = world.live.of(record.id);
  const handled = live.exitHandled;
  world.tasks.of(record.id).exit(code);
  await handled;
}

/** Lets the back-off go by and the start behind it finish. */
async function elapse(t: TestContext, world: World, ms: number): Promise<void> {
  t.mock.timers.tick(ms);
  await world.live.settled();
}

const ofContainer = async (world: World) => (await world.actions()).filter((one) => !one.includes('network'));

test('always: again after success and failure; events and counts of each run', async (t) => {
  await using world = new World();
  const record = await started(t, world, { Name: 'always' });
  for (const [run, code] of [0, 1, 137].entries()) {
    await end(world, record, code);
    assert.deepEqual(
      [record.state.status, record.state.exitCode, record.state.restartCount],
      ['restarting', code, run + 1],
    );
    await elapse(t, world, 100 * 2 ** run);
    assert.equal(record.state.status, 'running');
  }
  assert.deepEqual(await ofContainer(world), ['start', 'die', 'start', 'die', 'start', 'die', 'start']);
});

test('on-failure: not after success, and the count begins anew with a start by hand', async (t) => {
  await using world = new World();
  const record = await started(t, world, { Name: 'on-failure', MaximumRetryCount: 1 });
  await end(world, record, 1);
  await elapse(t, world, 100);
  await end(world, record, 1);
  assert.deepEqual([record.state.status, record.state.restartCount], ['exited', 1]);
  await startContainer(world.deps, record.id);
  assert.equal(record.state.restartCount, 0);
  await end(world, record, 1);
  assert.equal(record.state.status, 'restarting');
  await elapse(t, world, 100);
  await end(world, record, 0);
  assert.deepEqual([record.state.status, record.state.exitCode], ['exited', 0]);
});

for (const [what, work] of [
  ['stop', (world: World, id: string) => stopContainer(world.deps, id, { timeoutSeconds: 0 })],
  ['kill', (world: World, id: string) => killContainer(world.deps, id, 'KILL')],
] as const) {
  test(`${what} of a running one: remembered, no restart`, async (t) => {
    await using world = new World();
    const record = await started(t, world, { Name: 'always' });
    await work(world, record.id);
    await elapse(t, world, 60_000);
    assert.deepEqual([record.state.status, record.state.manuallyStopped], ['exited', true]);
    assert.equal(world.live.get(record.id)?.restartTimer, undefined);
  });

  test(`${what} during the back-off: called off, waiters told, exit code kept`, async (t) => {
    await using world = new World();
    const record = await started(t, world, { Name: 'always' });
    await end(world, record, 5);
    const { done } = await waitContainer(world.deps, record.id, 'not-running');
    await work(world, record.id);
    assert.deepEqual(await done, { exitCode: 5 });
    await elapse(t, world, 60_000);
    assert.deepEqual([record.state.status, record.state.exitCode], ['exited', 5]);
    assert.equal((await ofContainer(world)).filter((one) => one === 'start').length, 1);
  });
}

test('a signal that does not end leaves the policy in force', async (t) => {
  await using world = new World();
  const record = await started(t, world, { Name: 'always' });
  record.config.StopSignal = 'SIGTERM';
  await killContainer(world.deps, record.id, 'HUP');
  assert.equal(record.state.manuallyStopped, false);
  await end(world, record, 0);
  assert.equal(record.state.status, 'restarting');
});

test('a stop wins over a restart whose back-off is over but which has not begun', async (t) => {
  await using world = new World();
  const record = await started(t, world, { Name: 'always' });
  await end(world, record, 1);
  const gate = Promise.withResolvers<void>();
  const held = world.store.withLock(record.id, () => gate.promise);
  const stopped = stopContainer(world.deps, record.id, {});
  t.mock.timers.tick(100);
  gate.resolve();
  await Promise.all([held, stopped]);
  await world.live.settled();
  assert.equal(record.state.status, 'exited');
  assert.equal((await ofContainer(world)).filter((one) => one === 'start').length, 1);
});

test('restart by hand during the back-off starts at once', async (t) => {
  await using world = new World();
  const record = await started(t, world, { Name: 'always' });
  await end(world, record, 1);
  await restartContainer(world.deps, record.id, {});
  assert.deepEqual([record.state.status, record.state.restartCount], ['running', 0]);
  await elapse(t, world, 60_000);
  assert.equal((await ofContainer(world)).filter((one) => one === 'start').length, 2);
});

test('removal by force during the back-off', async (t) => {
  await using world = new World();
  const record = await started(t, world, { Name: 'always' });
  await end(world, record, 1);
  await removeContainer(world.deps, record.id, { volumes: false, force: true, link: false });
  await elapse(t, world, 60_000);
  assert.equal(world.store.all().length, 0);
  assert.equal((await ofContainer(world)).at(-1), 'destroy');
});

test('a restart that fails ends the attempts with its text and code', async (t) => {
  await using world = new World();
  const record = await started(t, world, { Name: 'always' });
  await end(world, record, 1);
  world.tasks.failNext = new WharfError('not-found', 'the program has gone');
  await elapse(t, world, 100);
  assert.deepEqual([record.state.status, record.state.exitCode], ['exited', 127]);
  assert.match(record.state.error, /executable file not found/);
  assert.deepEqual([world.mounted.size, world.sandboxes.size], [0, 0]);
});

test('a run of ten seconds begins the back-off anew', async (t) => {
  await using world = new World();
  const record = await started(t, world, { Name: 'always' });
  for (const ms of [100, 200, 400]) {
    await end(world, record, 1);
    assert.equal(world.live.get(record.id)?.backoffMs, ms);
    await elapse(t, world, ms);
  }
  const task = world.tasks.of(record.id);
  task.exit(1, { at: world.clock.nowNanos() + 10_000_000_000n });
  await world.live.get(record.id)?.exitHandled;
  assert.equal(world.live.get(record.id)?.backoffMs, 100);
});

test('the mounts and the sandbox of a run are given back before the next one takes its own', async (t) => {
  await using world = new World();
  const record = await started(t, world, { Name: 'always' });
  const first = record.sandboxId;
  await end(world, record, 1);
  assert.equal(record.sandboxId, undefined);
  await elapse(t, world, 100);
  assert.notEqual(record.sandboxId, first);
  assert.deepEqual([...world.sandboxes.keys()], [record.sandboxId]);
  assert.equal(world.mounted.size, 1);
});

test('a restart policy given later counts from then on', async (t) => {
  await using world = new World();
  const record = await started(t, world, { Name: 'no' });
  record.hostConfig.RestartPolicy = { Name: 'always', MaximumRetryCount: 0 };
  await end(world, record, 0);
  assert.equal(record.state.status, 'restarting');
});
