import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { WharfError } from '../../base/index.ts';
import { fakeLogs, World } from './lifecycle.cases.ts';
import { attachContainer, killContainer, removeContainer, startContainer } from './lifecycle.ts';
import type { AttachInput, StdioSession } from './session.ts';

const ALL: AttachInput = { stdin: true, stdout: true, stderr: true, stream: true, logs: false };

const attach = (world: World, ref: string, input: Partial<AttachInput> = {}, signal?: AbortSignal) =>
  attachContainer(
    { ...world.deps, logs: fakeLogs(world) },
    ref,
    { ...ALL, ...input },
    signal ?? new AbortController().signal,
  );

async function text(session: StdioSession): Promise<string> {
  let seen = '';
  for await (const chunk of session.output) seen += chunk.data;
  return seen;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('many clients of one container each see all of it', async () => {
  await using world = new World();
  const { id } = world.add();
  const early = await attach(world, id);
  const reading = text(early);
  await startContainer(world.deps, id);
  const late = await Promise.all(Array.from({ length: 5 }, () => attach(world, id)));
  const all = late.map(text);
  world.tasks.of(id).print('hello');
  world.tasks.of(id).exit(0);
  assert.deepEqual(await Promise.all([reading, ...all]), Array(6).fill('hello'));
});

test('input only where the container keeps its stdin open and the client asks for it', async () => {
  await using world = new World();
  for (const [OpenStdin, stdin, stream, expected] of [
    [true, true, true, true],
    [true, false, true, false],
    [false, true, true, false],
    [true, true, false, false],
  ] as const) {
    const { id } = world.add({ config: { Image: 'busybox', OpenStdin } });
    await startContainer(world.deps, id);
    const session = await attach(world, id, { stdin, stream });
    assert.equal(session.input !== undefined, expected, String([OpenStdin, stdin, stream]));
    session.close();
  }
});

test('half-close: the input ends, the output goes on to its own end', async () => {
  await using world = new World();
  const { id } = world.add({ config: { Image: 'busybox', OpenStdin: true } });
  await startContainer(world.deps, id);
  const session = await attach(world, id);
  const reading = text(session);
  await session.input?.write(Buffer.from('ab'));
  session.input?.end();
  await turn();
  const [stdio] = world.tasks.of(id).connections;
  assert.deepEqual([stdio?.inputClosed, stdio?.closed], [true, false]);
  world.tasks.of(id).print('after');
  world.tasks.of(id).exit(0);
  assert.equal(await reading, 'after');
});

test('the terminal and the keys of the session', async () => {
  await using world = new World();
  const { id } = world.add({ config: { Image: 'busybox', Tty: true } });
  const session = await attach(world, id, { detachKeys: 'ctrl-x,q' });
  assert.deepEqual([session.tty, [...session.detachKeys]], [true, [24, 113]]);
  session.close();
  assert.equal(await text(session), '');
});

test('a client that vanishes while reading lets go of its connection alone', async () => {
  await using world = new World();
  const { id } = world.add();
  await startContainer(world.deps, id);
  const gone = new AbortController();
  const [first, second] = [await attach(world, id, {}, gone.signal), await attach(world, id)];
  const [a, b] = [text(first), text(second)];
  gone.abort();
  assert.equal(await a, '');
  const task = world.tasks.of(id);
  assert.deepEqual(
    task.connections.map((one) => one.closed),
    [true, false],
  );
  task.print('still');
  task.exit(0);
  assert.equal(await b, 'still');
});

test('no listener is left when the stream has ended', async () => {
  await using world = new World();
  const { id } = world.add();
  const client = new AbortController();
  const session = await attach(world, id, {}, client.signal);
  const reading = text(session);
  await startContainer(world.deps, id);
  world.tasks.of(id).exit(0);
  await reading;
  assert.equal(getEventListeners(client.signal, 'abort').length, 0);
  assert.equal(world.live.get(id)?.pendingAttaches.size, 0);
});

test('a reader that breaks off closes the connection', async () => {
  await using world = new World();
  const { id } = world.add();
  await startContainer(world.deps, id);
  const session = await attach(world, id);
  world.tasks.of(id).print('x');
  for await (const _ of session.output) break;
  await turn();
  assert.equal(world.tasks.of(id).connections[0]?.closed, true);
});

test('a container that is removed before its start ends the stream of who waited', async () => {
  await using world = new World();
  const { id } = world.add();
  const session = await attach(world, id);
  const reading = text(session);
  await removeContainer(world.deps, id, { volumes: false, force: false, link: false });
  assert.equal(await reading, '');
});

test('a connection that can not be made fails the attach, and tells of none', async () => {
  await using world = new World();
  const { id } = world.add();
  await startContainer(world.deps, id);
  world.tasks.of(id).attach = async () => {
    throw new WharfError('internal', 'connect: no such file');
  };
  await assert.rejects(attach(world, id), { message: 'connect: no such file' });
  assert.ok(!(await world.actions()).includes('attach'));
});

test('one that waited is not held up by a connection that can not be made; the container runs', async () => {
  await using world = new World();
  const record = world.add();
  const session = await attach(world, record.id);
  world.tasks.prepare = (task) => {
    task.attach = async () => {
      throw new WharfError('internal', 'connect: no such file');
    };
  };
  await startContainer(world.deps, record.id);
  assert.equal(await text(session), '');
  assert.equal(record.state.status, 'running');
});

test('without a stream there is only the log, without either nothing', async () => {
  await using world = new World();
  const { id } = world.add();
  await startContainer(world.deps, id);
  world.log.push({ time: '', stream: 'stdout', data: Buffer.from('old\n'), partial: false });
  assert.equal(await text(await attach(world, id, { stream: false, logs: true })), 'old\n');
  assert.equal(await text(await attach(world, id, { stream: false })), '');
  assert.equal(world.tasks.of(id).connections.length, 0);
});

test('the log of a stopped container is read to its end and not followed', async () => {
  await using world = new World();
  const record = world.add();
  await startContainer(world.deps, record.id);
  world.log.push({ time: '', stream: 'stderr', data: Buffer.from('last\n'), partial: false });
  await killContainer(world.deps, record.id, 'KILL');
  assert.equal(await text(await attach(world, record.id, { stream: false, logs: true })), 'last\n');
});

test('a container without a log shows what it prints from now on', async () => {
  await using world = new World();
  const { id } = world.add({ logPath: '' });
  await startContainer(world.deps, id);
  const session = await attach(world, id, { logs: true });
  world.tasks.of(id).print('now');
  world.tasks.of(id).exit(0);
  assert.equal(await text(session), 'now');
});

test('a client without input does not end the stdin that another one types into', async () => {
  await using world = new World();
  const { id } = world.add({ config: { Image: 'busybox', OpenStdin: true, StdinOnce: true } });
  await startContainer(world.deps, id);
  const typing = await attach(world, id);
  const watching = await attach(world, id, { stdin: false });
  watching.close();
  await turn();
  const [first, second] = world.tasks.of(id).connections;
  assert.deepEqual([first?.closed, first?.inputClosed, second?.closed], [false, false, true]);
  await typing.input?.write(Buffer.from('on'));
  assert.equal(Buffer.concat(first?.written ?? []).toString(), 'on');
  typing.close();
});
