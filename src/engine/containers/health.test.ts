import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createExec, ExecRegistry, healthMonitor } from '../execs/index.ts';
import { healthCheck, noteResult } from './health.ts';
import { World } from './lifecycle.cases.ts';
import { pauseContainer, startContainer, unpauseContainer } from './lifecycle.ts';

const SECOND = 1_000_000_000;

test('the forms of a check', () => {
  const of = (Test: string[], Shell?: string[]) =>
    healthCheck({ Healthcheck: { Test }, ...(Shell ? { Shell } : {}) })?.args;
  assert.equal(of(['NONE']), undefined);
  assert.equal(of([]), undefined);
  assert.deepEqual(of(['CMD', 'curl', '-f']), ['curl', '-f']);
  assert.deepEqual(of(['CMD-SHELL', 'exit 0']), ['/bin/sh', '-c', 'exit 0']);
  assert.deepEqual(of(['CMD-SHELL', 'exit 0'], ['/bin/bash', '-ec']), ['/bin/bash', '-ec', 'exit 0']);
  const check = healthCheck({ Healthcheck: { Test: ['CMD', 'x'], Interval: 2 * SECOND, Retries: 7 } });
  assert.equal(check?.interval, 2_000);
  assert.equal(check?.timeout, 30_000);
  assert.equal(check?.retries, 7);
});

test('times that no timer can keep become the nearest that one can', () => {
  const days = 86_400 * SECOND;
  const check = healthCheck({
    Healthcheck: { Test: ['CMD', 'x'], Interval: 30 * days, Timeout: 1_500_000, StartPeriod: 60 * days },
  });
  assert.deepEqual(
    [check?.interval, check?.timeout, check?.startPeriod],
    [2 ** 31 - 1, 2, 2 ** 31 - 1],
    'a longer interval would fire at once, part of a millisecond be refused',
  );
});

test('failures count after the start period; the last five results stay; changes are told', async () => {
  await using world = new World();
  const record = world.add();
  const check = healthCheck({ Healthcheck: { Test: ['CMD', 'x'], Retries: 2, StartPeriod: 10 * SECOND } });
  assert.ok(check);
  record.state.health = { Status: 'starting', FailingStreak: 0, Log: [] };
  record.state.startedAt = new Date(0).toISOString();
  let now = 5n * 1_000_000_000n;
  const deps = { ...world.deps, clock: { ...world.clock, nowNanos: () => now } };
  const note = (exitCode: number) => noteResult(deps, record, check, { exitCode, output: 'o' }, now);
  note(1);
  note(1);
  note(1);
  assert.equal(record.state.health.Status, 'starting');
  assert.equal(record.state.health.FailingStreak, 0);
  now = 11n * 1_000_000_000n;
  note(1);
  assert.equal(record.state.health.Status, 'starting');
  note(1);
  assert.equal(record.state.health.Status, 'unhealthy');
  note(0);
  assert.equal(record.state.health.Status, 'healthy');
  assert.equal(record.state.health.FailingStreak, 0);
  assert.equal(record.state.health.Log?.length, 5);
  assert.deepEqual(await world.actions(), ['health_status: unhealthy', 'health_status: healthy']);
  assert.equal(world.store.saves, 2, 'single results are not written to disk');
});

function withHealth(world: World, output = 'fine\n', exitCode = 0) {
  world.deps = { ...world.deps, monitorHealth: healthMonitor(world.deps) };
  const probed = Promise.withResolvers<void>();
  world.tasks.prepare = (task) => {
    task.onExec = (exec) => {
      exec.print(output);
      exec.exit(exitCode);
      setTimeout(probed.resolve, 5);
    };
  };
  const Healthcheck = { Test: ['CMD-SHELL', 'check'], Interval: SECOND / 100, Retries: 1 };
  return { record: world.add({ config: { Image: 'busybox', Healthcheck } }), probed: probed.promise };
}

test('a probe runs as an exec, its events and output are kept', async () => {
  await using world = new World();
  const { record, probed } = withHealth(world);
  await startContainer(world.deps, record.id);
  assert.equal(record.state.health?.Status, 'starting');
  await probed;
  assert.equal(record.state.health?.Status, 'healthy');
  assert.equal(record.state.health?.Log?.[0]?.Output, 'fine\n');
  const actions = await world.actions();
  assert.deepEqual(actions.slice(2, 6), [
    'exec_create: /bin/sh -c check',
    'exec_start: /bin/sh -c check',
    'exec_die',
    'health_status: healthy',
  ]);
});

test('output beyond 4,096 bytes is cut, and a failure counts', async () => {
  await using world = new World();
  const { record, probed } = withHealth(world, 'x'.repeat(10_000), 1);
  await startContainer(world.deps, record.id);
  await probed;
  assert.equal(record.state.health?.Status, 'unhealthy');
  assert.equal(record.state.health?.Log?.[0]?.Output?.length, 4_096 + 3);
});

test('no probes while paused or after the end', async () => {
  await using world = new World();
  const { record, probed } = withHealth(world);
  await startContainer(world.deps, record.id);
  await probed;
  await pauseContainer(world.deps, record.id);
  const task = world.tasks.of(record.id);
  const before = task.execs.length;
  await new Promise((resolve) => setTimeout(resolve, 40));
  assert.equal(task.execs.length, before);
  await unpauseContainer(world.deps, record.id);
  task.exit(0);
  await world.live.get(record.id)?.exitHandled;
  assert.equal(record.state.health?.Status, 'unhealthy');
  assert.equal(world.live.get(record.id)?.health, undefined);
});

test('probes are no execs that inspect shows', async () => {
  await using world = new World();
  const { record } = withHealth(world);
  const execs = new ExecRegistry();
  await startContainer(world.deps, record.id);
  assert.equal(execs.idsOf(record.id), null);
  const { id } = await createExec({ ...world.deps, execs }, record.id, { Cmd: ['ls'] });
  assert.deepEqual(execs.idsOf(record.id), [id]);
});
