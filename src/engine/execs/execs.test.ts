import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OutputChunk } from '../containers/index.ts';
import { pauseContainer, removeContainer, startContainer } from '../containers/index.ts';
import { World } from '../containers/lifecycle.cases.ts';
import { createExec, ExecRegistry, inspectExec, resizeExec, startExec } from './index.ts';

const never = new AbortController().signal;
const ATTACHED = { detach: false, tty: false };

async function running(world: World) {
  const record = world.add();
  await startContainer(world.deps, record.id);
  return { record, deps: { ...world.deps, execs: new ExecRegistry(), readyMs: 5 } };
}

async function text(output: AsyncIterable<OutputChunk> | undefined): Promise<string> {
  let seen = '';
  for await (const chunk of output ?? []) seen += chunk.data;
  return seen;
}

test('an exec from create to its exit code', async () => {
  await using world = new World();
  const { record, deps } = await running(world);
  const input = {
    Cmd: ['sh', '-c', 'x'],
    AttachStdout: true,
    AttachStdin: true,
    Env: ['A=b'],
    DetachKeys: 'ctrl-a',
  };
  const { id } = await createExec(deps, record.name, input);
  assert.deepEqual(await inspectExec(deps, id), {
    ID: id,
    Running: false,
    ExitCode: null,
    ProcessConfig: { tty: false, entrypoint: 'sh', arguments: ['-c', 'x'], privileged: false },
    OpenStdin: true,
    OpenStderr: false,
    OpenStdout: true,
    CanRemove: false,
    ContainerID: record.id,
    DetachKeys: 'AQ==',
    Pid: 0,
  });
  const session = await startExec(deps, id, ATTACHED, never);
  assert.deepEqual(deps.execs.idsOf(record.id), [id]);
  const [exec] = world.tasks.of(record.id).execs;
  assert.deepEqual(exec?.request.process.env, ['A=b']);
  await session?.input?.write(Buffer.from('in'));
  assert.equal(exec?.stdio?.written.toString(), 'in');
  exec?.print('out');
  exec?.print('err', 'stderr');
  exec?.exit(5);
  assert.equal(await text(session?.output), 'out');
  const after = await inspectExec(deps, id);
  assert.deepEqual([after['Running'], after['ExitCode'], after['Pid']], [false, 5, exec?.pid]);
  assert.equal(deps.execs.idsOf(record.id), null);
  const actions = await world.actions();
  assert.deepEqual(actions.slice(2), ['exec_create: sh -c x', 'exec_start: sh -c x', 'exec_die']);
});

test('a program that is missing: read by an attached client, an error for a detached one', async () => {
  await using world = new World();
  const { record, deps } = await running(world);
  const message =
    'OCI runtime exec failed: exec failed: unable to start container process: exec: "nosuch": executable file not found in $PATH';
  const first = await createExec(deps, record.id, { Cmd: ['nosuch'], AttachStdout: true });
  const session = await startExec(deps, first.id, ATTACHED, never);
  assert.equal(await text(session?.output), `${message}\r\n`);
  assert.equal((await inspectExec(deps, first.id))['ExitCode'], 127);
  const second = await createExec(deps, record.id, { Cmd: ['nosuch'] });
  await assert.rejects(startExec(deps, second.id, { detach: true, tty: false }, never), {
    kind: 'invalid',
    message,
  });
  assert.deepEqual((await world.actions()).slice(-2), ['exec_create: nosuch ', 'exec_start: nosuch ']);
});

test('an exec runs once', async () => {
  await using world = new World();
  const { record, deps } = await running(world);
  const { id } = await createExec(deps, record.id, { Cmd: ['sleep'] });
  assert.equal(await startExec(deps, id, { detach: true, tty: false }, never), undefined);
  const twice = { message: `exec command ${id} is already running` };
  await assert.rejects(startExec(deps, id, { detach: true, tty: false }, never), twice);
  world.tasks.of(record.id).execs[0]?.exit(0);
  await new Promise((resolve) => setImmediate(resolve));
  const over = { message: `exec command ${id} has already run` };
  await assert.rejects(startExec(deps, id, { detach: true, tty: false }, never), over);
});

test('refusals at create', async () => {
  await using world = new World();
  const { record, deps } = await running(world);
  const { id, name } = record;
  await assert.rejects(createExec(deps, id, { Cmd: [] }), { message: 'No exec command specified' });
  const user = { message: 'unable to find user ghost: no matching entries in passwd file' };
  await assert.rejects(createExec(deps, id, { Cmd: ['ls'], User: 'ghost' }), user);
  const keys = { message: 'Invalid escape keys (foo) provided' };
  await assert.rejects(createExec(deps, id, { Cmd: ['ls'], DetachKeys: 'foo' }), keys);
  await pauseContainer(world.deps, id);
  const paused = { message: `Container ${name} is paused, unpause the container before exec` };
  await assert.rejects(createExec(deps, name, { Cmd: ['ls'] }), paused);
  const stopped = world.add();
  const text = { message: `container ${stopped.id} is not running` };
  await assert.rejects(createExec(deps, stopped.id, { Cmd: ['ls'] }), text);
  await assert.rejects(inspectExec(deps, 'nope'), {
    kind: 'not-found',
    message: 'No such exec instance: nope',
  });
});

test('resize waits for the start, not for ever', async () => {
  await using world = new World();
  const { record, deps } = await running(world);
  const { id } = await createExec(deps, record.id, { Cmd: ['sh'], Tty: true });
  const size = { height: 10, width: 20 };
  await assert.rejects(resizeExec(deps, id, size), { message: 'timeout waiting for exec session ready' });
  await startExec(deps, id, ATTACHED, never);
  await resizeExec(deps, id, size);
  assert.deepEqual(world.tasks.of(record.id).execs[0]?.sizes, [[10, 20]]);
  world.tasks.of(record.id).execs[0]?.exit(0);
  await new Promise((resolve) => setImmediate(resolve));
  const over = `NotFound: process does not exist ${id}: not found`;
  await assert.rejects(resizeExec(deps, id, size), { kind: 'not-found', message: over });
  const missing = await createExec(deps, record.id, { Cmd: ['nosuch'] });
  await startExec(deps, missing.id, ATTACHED, never);
  await assert.rejects(resizeExec(deps, missing.id, size), {
    kind: 'invalid',
    message: 'exec process is not started',
  });
});

test('detach leaves the process and tells of it', async () => {
  await using world = new World();
  const { record, deps } = await running(world);
  const { id } = await createExec(deps, record.id, { Cmd: ['sh'], Tty: true, AttachStdout: true });
  const session = await startExec(deps, id, ATTACHED, never);
  session?.detach();
  assert.equal(await text(session?.output), '');
  assert.equal(world.tasks.of(record.id).execs[0]?.ended, false);
  assert.equal((await world.actions()).at(-1), 'exec_detach');
  world.tasks.of(record.id).execs[0]?.exit(0);
});

test('execs go with their container', async () => {
  await using world = new World();
  const { record, deps } = await running(world);
  const { id } = await createExec(deps, record.id, { Cmd: ['sh'] });
  await removeContainer(world.deps, record.id, { volumes: false, force: true, link: false });
  await assert.rejects(inspectExec(deps, id), { kind: 'not-found' });
  assert.equal(deps.execs.idsOf(record.id), null);
});
