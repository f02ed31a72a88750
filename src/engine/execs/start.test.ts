import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { WharfError } from '../../base/index.ts';
import { killContainer, type OutputChunk, pauseContainer, startContainer } from '../containers/index.ts';
import { World } from '../containers/lifecycle.cases.ts';
import { createExec, ExecRegistry, inspectExec, startExec } from './index.ts';
import { execFailure } from './start.ts';

type ExecCreateInput = Parameters<typeof createExec>[2];

const never = new AbortController().signal;
const ATTACHED = { detach: false, tty: false };
const DETACHED = { detach: true, tty: false };

async function running(world: World) {
  const record = world.add();
  await startContainer(world.deps, record.id);
  return { record, task: world.tasks.of(record.id), deps: { ...world.deps, execs: new ExecRegistry() } };
}

async function chunks(output: AsyncIterable<OutputChunk> | undefined): Promise<string[]> {
  const seen: string[] = [];
  for await (const chunk of output ?? []) seen.push(`${chunk.stream}:${chunk.data}`);
  return seen;
}

test('what the request says reaches the process', async () => {
  await using world = new World();
  const { record, task, deps } = await running(world);
  const rows: [ExecCreateInput, (request: (typeof task.execs)[0]['request']) => unknown, unknown][] = [
    [{ Cmd: ['ls', '-l'] }, ({ process }) => process.args, ['ls', '-l']],
    [{ Cmd: ['ls'], Env: ['A=1'] }, ({ process }) => process.env, ['A=1']],
    [{ Cmd: ['ls'], WorkingDir: '/srv' }, ({ process }) => process.cwd, '/srv'],
    [{ Cmd: ['ls'] }, ({ process }) => process.cwd, '/'],
    [{ Cmd: ['ls'], AttachStdin: true }, ({ openStdin }) => openStdin, true],
    [{ Cmd: ['ls'] }, ({ openStdin }) => openStdin, false],
  ];
  for (const [input, see, expected] of rows) {
    const { id } = await createExec(deps, record.id, input);
    await startExec(deps, id, ATTACHED, never);
    const exec = task.execs.at(-1);
    assert.ok(exec);
    assert.deepEqual(see(exec.request), expected, JSON.stringify(input));
    assert.equal(exec.request.execId, id);
    exec.exit(0);
  }
});

test('a detached exec has no stdio, and ends in the registry like any other', async () => {
  await using world = new World();
  const { record, task, deps } = await running(world);
  const { id } = await createExec(deps, record.id, { Cmd: ['sleep'], AttachStdin: true, AttachStdout: true });
  assert.equal(await startExec(deps, id, DETACHED, never), undefined);
  const [exec] = task.execs;
  assert.deepEqual([exec?.stdio, exec?.request.openStdin], [undefined, false]);
  assert.equal((await inspectExec(deps, id))['Running'], true);
  exec?.exit(42);
  await new Promise((resolve) => setImmediate(resolve));
  const document = await inspectExec(deps, id);
  assert.deepEqual([document['Running'], document['ExitCode']], [false, 42]);
});

test('each stream is sent when it was asked for', async () => {
  for (const [stdout, stderr, expected] of [
    [true, true, ['stdout:o', 'stderr:e']],
    [true, false, ['stdout:o']],
    [false, true, ['stderr:e']],
    [false, false, []],
  ] as const) {
    await using world = new World();
    const { record, task, deps } = await running(world);
    const { id } = await createExec(deps, record.id, {
      Cmd: ['x'],
      AttachStdout: stdout,
      AttachStderr: stderr,
    });
    const session = await startExec(deps, id, ATTACHED, never);
    task.execs[0]?.print('o');
    task.execs[0]?.print('e', 'stderr');
    task.execs[0]?.exit(0);
    assert.deepEqual(await chunks(session?.output), expected);
    assert.equal(session?.input, undefined);
  }
});

test('when the stream ends, the exit code is there', async () => {
  await using world = new World();
  const { record, task, deps } = await running(world);
  const { id } = await createExec(deps, record.id, { Cmd: ['x'], AttachStdout: true });
  const session = await startExec(deps, id, ATTACHED, never);
  task.execs[0]?.exit(9);
  await chunks(session?.output);
  assert.equal((await inspectExec(deps, id))['ExitCode'], 9);
});

test('end of input is passed on, the output goes on', async () => {
  await using world = new World();
  const { record, task, deps } = await running(world);
  const { id } = await createExec(deps, record.id, { Cmd: ['cat'], AttachStdin: true, AttachStdout: true });
  const session = await startExec(deps, id, ATTACHED, never);
  session?.input?.end();
  const [exec] = task.execs;
  assert.deepEqual([exec?.stdio?.inputClosed, exec?.stdio?.closed], [true, false]);
  exec?.print('late');
  exec?.exit(0);
  assert.deepEqual(await chunks(session?.output), ['stdout:late']);
});

test('a client that vanishes lets go of the connection; the process goes on', async () => {
  await using world = new World();
  const { record, task, deps } = await running(world);
  const gone = new AbortController();
  const { id } = await createExec(deps, record.id, { Cmd: ['x'], AttachStdout: true });
  const session = await startExec(deps, id, ATTACHED, gone.signal);
  gone.abort();
  assert.deepEqual(await chunks(session?.output), []);
  assert.deepEqual([task.execs[0]?.stdio?.closed, task.execs[0]?.ended], [true, false]);
  assert.equal((await inspectExec(deps, id))['Running'], true);
  assert.equal(getEventListeners(gone.signal, 'abort').length, 0);
});

test('a client that vanished while the process was made holds no connection', async () => {
  await using world = new World();
  const { record, task, deps } = await running(world);
  const gone = new AbortController();
  const { id } = await createExec(deps, record.id, { Cmd: ['x'], AttachStdout: true });
  const starting = startExec(deps, id, ATTACHED, gone.signal);
  gone.abort();
  await starting;
  assert.deepEqual([task.execs[0]?.stdio?.closed, task.execs[0]?.ended], [true, false]);
  assert.equal(getEventListeners(gone.signal, 'abort').length, 0);
});

test('the container decides at start, too', async () => {
  await using world = new World();
  const { record, deps } = await running(world);
  const { id } = await createExec(deps, record.id, { Cmd: ['x'] });
  await pauseContainer(world.deps, record.id);
  await assert.rejects(startExec(deps, id, ATTACHED, never), {
    kind: 'conflict',
    message: `Container ${record.id} is paused, unpause the container before exec`,
  });
  await killContainer(world.deps, record.id, 'KILL');
  await assert.rejects(startExec(deps, id, DETACHED, never), {
    kind: 'conflict',
    message: `container ${record.id} is not running`,
  });
  assert.equal((await inspectExec(deps, id))['Running'], false);
  await assert.rejects(startExec(deps, 'nosuch', ATTACHED, never), {
    kind: 'not-found',
    message: 'No such exec instance: nosuch',
  });
});

test('an exec after an adoption takes the process of a spec made anew', async () => {
  await using world = new World();
  const { record, task, deps } = await running(world);
  const live = world.live.of(record.id);
  live.process = undefined;
  const { id } = await createExec(deps, record.id, { Cmd: ['ls'] });
  await startExec(deps, id, DETACHED, never);
  assert.deepEqual(task.execs[0]?.request.process.args, ['ls']);
  assert.notEqual(live.process, undefined, 'made once');
});

test("failures to run in Docker's words and codes", () => {
  const oci = 'OCI runtime exec failed: exec failed: ';
  const process = `${oci}unable to start container process: `;
  const rows: [WharfError, string, string, number][] = [
    [
      new WharfError('not-found', 'x'),
      'nosuch',
      `${process}exec: "nosuch": executable file not found in $PATH`,
      127,
    ],
    [
      new WharfError('not-found', 'x'),
      '/no',
      `${process}exec: "/no": stat /no: no such file or directory`,
      127,
    ],
    [new WharfError('forbidden', 'x'), '/etc', `${process}exec: "/etc": permission denied`, 126],
    [
      new WharfError('forbidden', 'it is a directory'),
      '/etc',
      `${process}exec: "/etc": is a directory: permission denied`,
      126,
    ],
    [new WharfError('internal', 'the cgroup is gone'), 'ls', `${oci}the cgroup is gone`, 126],
    [
      new WharfError('invalid', 'OCI runtime exec failed: chdir to cwd: No such file or directory'),
      'ls',
      'OCI runtime exec failed: chdir to cwd: No such file or directory',
      127,
    ],
  ];
  for (const [thrown, program, message, exitCode] of rows) {
    assert.deepEqual(execFailure(thrown, program), { message, exitCode }, thrown.message);
  }
});

test('fifty execs at once each have their own stream and code', async () => {
  await using world = new World();
  const { record, task, deps } = await running(world);
  task.onExec = (exec) => {
    exec.print(exec.request.process.args[1] ?? '');
    exec.exit(Number(exec.request.process.args[1]));
  };
  const ended = await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      const { id } = await createExec(deps, record.id, { Cmd: ['echo', String(index)], AttachStdout: true });
      const session = await startExec(deps, id, ATTACHED, never);
      const said = await chunks(session?.output);
      return [said, (await inspectExec(deps, id))['ExitCode']];
    }),
  );
  assert.deepEqual(
    ended,
    Array.from({ length: 50 }, (_, index) => [[`stdout:${index}`], index]),
  );
  assert.equal(deps.execs.idsOf(record.id), null);
});

test('resources of an exec in inspect: user, privileges, terminal, keys', async () => {
  await using world = new World();
  const { record, deps } = await running(world);
  const { id } = await createExec(deps, record.id, {
    Cmd: ['sh'],
    User: 'root',
    Privileged: true,
    Tty: true,
    AttachStderr: true,
    ConsoleSize: [5, 6],
  });
  const document = await inspectExec(deps, id);
  assert.deepEqual(document['ProcessConfig'], {
    tty: true,
    entrypoint: 'sh',
    arguments: [],
    privileged: true,
    user: 'root',
  });
  assert.deepEqual([document['OpenStderr'], document['DetachKeys']], [true, '']);
});
