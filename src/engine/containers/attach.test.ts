import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WharfError } from '../../base/index.ts';
import { parseDetachKeys } from './detach-keys.ts';
import { fakeLogs, World } from './lifecycle.cases.ts';
import {
  attachContainer,
  containerLogs,
  pauseContainer,
  resizeContainer,
  startContainer,
} from './lifecycle.ts';
import { logDetails } from './logs.ts';
import type { OutputChunk } from './session.ts';

const ALL = { stdin: true, stdout: true, stderr: true, stream: true, logs: false };
const never = new AbortController().signal;

async function text(output: AsyncIterable<OutputChunk>): Promise<string> {
  let seen = '';
  for await (const chunk of output) seen += `${chunk.stream === 'stdout' ? '' : 'E:'}${chunk.data}`;
  return seen;
}

async function bytes(output: AsyncIterable<Uint8Array>): Promise<string> {
  let seen = '';
  for await (const chunk of output) seen += chunk;
  return seen;
}

function setup(world: World) {
  return { ...world.deps, logs: fakeLogs(world) };
}

test('a client that attached before the start gets the first byte and the end', async () => {
  await using world = new World();
  const { id } = world.add();
  const session = await attachContainer(setup(world), id, ALL, never);
  const reading = text(session.output);
  world.tasks.prepare = (task) => {
    task.onStart = () => {
      task.print('first');
      task.print('oops', 'stderr');
      task.exit(0);
    };
  };
  await startContainer(world.deps, id);
  assert.equal(await reading, 'firstE:oops');
  assert.equal(session.input, undefined, 'no stdin without OpenStdin');
  assert.equal((await world.actions())[0], 'attach');
});

test('a client that has gone already opens nothing', async () => {
  await using world = new World();
  const { id } = world.add();
  await assert.rejects(attachContainer(setup(world), id, ALL, AbortSignal.abort()), { kind: 'cancelled' });
  assert.equal(world.live.of(id).pendingAttaches.size, 0);
  assert.deepEqual(await world.actions(), []);
});

test('stdin of a client that attached early arrives after the start', async () => {
  await using world = new World();
  const { id } = world.add({ config: { Image: 'busybox', OpenStdin: true } });
  const session = await attachContainer(setup(world), id, ALL, never);
  const writing = session.input?.write(Buffer.from('hello'));
  session.input?.end();
  await startContainer(world.deps, id);
  await writing;
  const [stdio] = world.tasks.of(id).connections;
  assert.equal(Buffer.concat(stdio?.written ?? []).toString(), 'hello');
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(stdio?.inputClosed, true);
});

test('only the streams that were asked for', async () => {
  await using world = new World();
  const { id } = world.add();
  await startContainer(world.deps, id);
  const session = await attachContainer(setup(world), id, { ...ALL, stderr: false }, never);
  world.tasks.of(id).print('out');
  world.tasks.of(id).print('err', 'stderr');
  world.tasks.of(id).exit(0);
  assert.equal(await text(session.output), 'out');
});

test('detach tells of it, closes the connection and leaves the container running', async () => {
  await using world = new World();
  const record = world.add();
  await startContainer(world.deps, record.id);
  const session = await attachContainer(setup(world), record.id, ALL, never);
  assert.deepEqual(session.detachKeys, Buffer.from([16, 17]));
  session.detach();
  assert.equal(await text(session.output), '');
  assert.equal(world.tasks.of(record.id).connections[0]?.closed, true);
  assert.equal(record.state.status, 'running');
  assert.deepEqual((await world.actions()).slice(-2), ['attach', 'detach']);
});

test('a client that vanishes before the start is forgotten', async () => {
  await using world = new World();
  const { id } = world.add();
  const gone = new AbortController();
  const session = await attachContainer(setup(world), id, ALL, gone.signal);
  gone.abort();
  assert.equal(await text(session.output), '');
  assert.equal(world.live.get(id)?.pendingAttaches.size, 0);
});

test('a start that fails ends the stream of the client that waited', async () => {
  await using world = new World();
  const { id } = world.add();
  const session = await attachContainer(setup(world), id, ALL, never);
  world.tasks.failNext = new WharfError('not-found', 'no program');
  await assert.rejects(startContainer(world.deps, id));
  assert.equal(await text(session.output), '');
});

test('history and presence come from the log alone, so nothing is doubled', async () => {
  await using world = new World();
  const { id } = world.add();
  await startContainer(world.deps, id);
  world.log.push({ time: '', stream: 'stdout', data: Buffer.from('old\n'), partial: false });
  const session = await attachContainer(setup(world), id, { ...ALL, logs: true }, never);
  const reading = text(session.output);
  await new Promise((resolve) => setImmediate(resolve));
  world.log.push({ time: '', stream: 'stdout', data: Buffer.from('new\n'), partial: false });
  world.tasks.of(id).print('new\n');
  world.tasks.of(id).exit(0);
  assert.equal(await reading, 'old\nnew\n');
});

test('paused containers and bad keys are refused', async () => {
  await using world = new World();
  const { id } = world.add();
  await startContainer(world.deps, id);
  await pauseContainer(world.deps, id);
  const paused = { message: `container ${id} is paused, unpause the container before attach` };
  await assert.rejects(attachContainer(setup(world), id, ALL, never), paused);
  const keys = { message: 'Invalid detach keys (foo) provided' };
  await assert.rejects(attachContainer(setup(world), id, { ...ALL, detachKeys: 'foo' }, never), keys);
});

test('detach keys', () => {
  const cases: [string | undefined, number[]][] = [
    [undefined, [16, 17]],
    ['', [16, 17]],
    ['a', [97]],
    ['ctrl-a,b', [1, 98]],
    ['ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_', [0, 27, 28, 29, 30, 31]],
    ['CTRL-Z', [26]],
  ];
  for (const [keys, bytes] of cases) assert.deepEqual([...parseDetachKeys(keys)], bytes);
  for (const bad of ['ab', 'ctrl-', 'ctrl-1', 'a,,b', 'é'])
    assert.throws(() => parseDetachKeys(bad, 'escape'));
});

test('resize tells of the size; not of a stopped one', async () => {
  await using world = new World();
  const { id } = world.add({ config: { Image: 'busybox', Tty: true } });
  const size = { height: 24, width: 80 };
  await assert.rejects(resizeContainer(world.deps, id, size), { message: `container ${id} is not running` });
  await startContainer(world.deps, id);
  await resizeContainer(world.deps, id, size);
  assert.deepEqual(world.tasks.of(id).sizes, [[24, 80]]);
  assert.equal((await world.actions()).at(-1), 'resize');
});

const LOGS = { stdout: true, stderr: true, follow: false, timestamps: false, details: false };

test('logs: the client gets frames without a terminal, times and details as asked', async () => {
  await using world = new World();
  const record = world.add({
    config: { Image: 'busybox', Labels: { tier: 'a b' }, Env: ['MODE=x', 'OTHER=y'] },
    hostConfig: { LogConfig: { Type: 'json-file', Config: { labels: 'tier', env: 'MODE' } } },
  });
  world.log.push({ time: '', stream: 'stdout', data: Buffer.from('one\n'), partial: false });
  const asked = { ...LOGS, timestamps: true, details: true };
  const { tty, output } = await containerLogs(setup(world), record.id, asked, never);
  assert.equal(tty, false);
  assert.equal(await bytes(output), '[framed,timestamps,MODE=x,tier=a+b ]one\n');
});

test('logs: a follow ends with the container, and at once when nothing runs', async () => {
  await using world = new World();
  const { id } = world.add();
  const early = await containerLogs(setup(world), id, { ...LOGS, follow: true }, never);
  assert.equal(await bytes(early.output), '');
  await startContainer(world.deps, id);
  const { output } = await containerLogs(setup(world), id, { ...LOGS, follow: true }, never);
  const reading = bytes(output);
  await new Promise((resolve) => setImmediate(resolve));
  world.log.push({ time: '', stream: 'stdout', data: Buffer.from('last\n'), partial: false });
  world.tasks.of(id).exit(0);
  assert.equal(await reading, '[framed]last\n');
});

test('logs: a client that goes before the first read leaves no waiter behind', async () => {
  await using world = new World();
  const { id } = world.add();
  await startContainer(world.deps, id);
  const live = world.live.of(id);
  const add = live.addWaiter.bind(live);
  const waiters = new Set<() => void>();
  live.addWaiter = (condition, resolve) => {
    const withdraw = add(condition, resolve);
    const counted = () => {
      waiters.delete(counted);
      withdraw();
    };
    waiters.add(counted);
    return counted;
  };
  const client = new AbortController();
  await containerLogs(setup(world), id, { ...LOGS, follow: true }, client.signal);
  assert.equal(waiters.size, 1);
  client.abort();
  assert.equal(waiters.size, 0);
  await containerLogs(setup(world), id, { ...LOGS, follow: true }, client.signal);
  assert.equal(waiters.size, 0, 'gone already');
});

test('logs: no stream, and a driver without a log', async () => {
  await using world = new World();
  const { id } = world.add({ hostConfig: { LogConfig: { Type: 'none' } } });
  const none = { message: 'configured logging driver does not support reading' };
  await assert.rejects(containerLogs(setup(world), id, LOGS, never), none);
  const stream = { message: 'Bad parameters: you must choose at least one stream' };
  await assert.rejects(
    containerLogs(setup(world), id, { ...LOGS, stdout: false, stderr: false }, never),
    stream,
  );
});

const BARE = {
  id: '',
  name: '',
  imageId: '',
  created: '2026-01-02T03:04:05Z',
  imageRef: '',
  logPath: '',
  path: '',
  args: [],
};

test('log details: patterns, and a bad one is passed over', () => {
  const details = (Config: Record<string, string>) =>
    logDetails({
      ...BARE,
      config: { Labels: { 'a.b': '1', c: '2' } },
      hostConfig: { LogConfig: { Type: 'json-file', Config } },
    });
  assert.equal(details({ 'labels-regex': '^a' }), 'a.b=1');
  assert.equal(details({ 'labels-regex': '(' }), '');
  assert.equal(details({}), '');
});
