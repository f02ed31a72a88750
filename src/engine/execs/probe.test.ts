import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { type ContainerRecord, startContainer } from '../containers/index.ts';
import { World } from '../containers/lifecycle.cases.ts';
import { runProbe } from './index.ts';

const never = new AbortController().signal;

async function running(world: World): Promise<ContainerRecord> {
  const record = world.add();
  await startContainer(world.deps, record.id);
  return record;
}

test('a probe answers with code and output of both streams, in their order', async () => {
  await using world = new World();
  const record = await running(world);
  world.tasks.of(record.id).onExec = (exec) => {
    exec.print('one ');
    exec.print('two', 'stderr');
    exec.exit(3);
  };
  assert.deepEqual(await runProbe(world.deps, record, ['check', '-v'], never), {
    exitCode: 3,
    output: 'one two',
  });
  await world.actions();
  const told = world.seen.filter((one) => one.Action?.startsWith('exec_'));
  assert.deepEqual(
    told.map((one) => one.Action),
    ['exec_create: check -v', 'exec_start: check -v', 'exec_die'],
  );
  const ids = told.map((one) => one.Actor?.Attributes?.['execID']);
  assert.deepEqual([new Set(ids).size, ids[0]?.length], [1, 64]);
  assert.equal(told[2]?.Actor?.Attributes?.['exitCode'], '3');
  assert.equal(world.tasks.of(record.id).execs[0]?.stdio?.closed, true);
});

test('output is kept up to 4,096 bytes, and said to be cut only when it was', async () => {
  for (const [bytes, expected] of [
    [4_096, 4_096],
    [4_097, 4_099],
    [100_000, 4_099],
  ] as const) {
    await using world = new World();
    const record = await running(world);
    world.tasks.of(record.id).onExec = (exec) => {
      for (let sent = 0; sent < bytes; sent += 1_000) exec.print('x'.repeat(Math.min(1_000, bytes - sent)));
      exec.exit(0);
    };
    const { output } = await runProbe(world.deps, record, ['check'], never);
    assert.equal(output.length, expected, String(bytes));
    assert.equal(output.endsWith('...'), bytes > 4_096);
  }
});

test('the signal kills the probe; one that had fired before kills it at once', async () => {
  await using world = new World();
  const record = await running(world);
  const late = new AbortController();
  world.tasks.of(record.id).onExec = () => late.abort();
  assert.equal((await runProbe(world.deps, record, ['check'], late.signal)).exitCode, 137);
  assert.equal(getEventListeners(late.signal, 'abort').length, 0);
  world.tasks.of(record.id).onExec = undefined;
  assert.equal((await runProbe(world.deps, record, ['check'], AbortSignal.abort())).exitCode, 137);
  assert.deepEqual(
    world.tasks.of(record.id).execs.map((exec) => exec.signals),
    [[9], [9]],
  );
});

test('a program that is missing is an outcome, not an error', async () => {
  await using world = new World();
  const record = await running(world);
  assert.deepEqual(await runProbe(world.deps, record, ['nosuch'], never), {
    exitCode: -1,
    output:
      'OCI runtime exec failed: exec failed: unable to start container process: exec: "nosuch": executable file not found in $PATH',
  });
  assert.ok(!(await world.actions()).includes('exec_die'));
});

test('a child that holds the output open is not waited for', async () => {
  await using world = new World();
  const record = await running(world);
  const task = world.tasks.of(record.id);
  const real = task.exec.bind(task);
  task.exec = async (request, options) => {
    const exec = await real(request, options);
    const stdio = exec.stdio;
    // The process ends; its output does not.
    Object.defineProperty(exec, 'connections', { value: [] });
    stdio?.push({ stream: 'stdout', data: Buffer.from('said') });
    setImmediate(() => exec.exit(0));
    return exec;
  };
  assert.deepEqual(await runProbe(world.deps, record, ['check'], never), { exitCode: 0, output: 'said' });
});
