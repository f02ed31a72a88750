import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { WharfError } from '../base/index.ts';
import { FakeSession } from './testing/fake-backends.ts';
import { ServerFixture } from './testing/fixture.ts';

const UPGRADE = 'Host: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n';
const ATTACH = `POST /containers/x/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\n${UPGRADE}Content-Length: 0\r\n\r\n`;

function attachTo(session: FakeSession) {
  return ServerFixture.start({ containers: { attach: async () => session } });
}

function bodyOf(all: Buffer): Buffer {
  return all.subarray(all.indexOf('\r\n\r\n') + 4);
}

test('attach upgrades, multiplexes, and delivers all output after the client ended its side', async () => {
  const session = new FakeSession(false);
  await using fixture = await attachTo(session);
  session.onEnd = () => {
    session.push('stdout', `got ${Buffer.concat(session.received)}`);
    session.push('stderr', 'bye');
    session.finish();
  };
  const client = fixture.raw().send(ATTACH);
  const head = await client.until('\r\n\r\n');
  assert.match(
    head,
    /^HTTP\/1\.1 101 UPGRADED\r\nContent-Type: application\/vnd\.docker\.multiplexed-stream\r\n/,
  );
  client.socket.end('hello');
  const frames = bodyOf(await client.all());
  assert.deepEqual(
    frames,
    Buffer.concat([
      Buffer.from([1, 0, 0, 0, 0, 0, 0, 9]),
      Buffer.from('got hello'),
      Buffer.from([2, 0, 0, 0, 0, 0, 0, 3]),
      Buffer.from('bye'),
    ]),
  );
  assert.equal(session.closed, true);
});

test('input that comes in one packet with the request is not lost', async () => {
  const session = new FakeSession(true);
  await using fixture = await attachTo(session);
  session.onInput = (data) => {
    session.push('stdout', data);
    session.finish();
  };
  const client = fixture.raw().send(`${ATTACH}early`);
  const all = await client.all();
  assert.match(all.toString('latin1'), /vnd\.docker\.raw-stream/);
  assert.equal(bodyOf(all).toString(), 'early');
});

test('without an upgrade, and before 1.42, the stream is named raw', async () => {
  const session = new FakeSession(false);
  await using fixture = await attachTo(session);
  session.onInput = (data) => {
    session.push('stdout', data);
    session.finish();
  };
  const client = fixture.raw();
  client.send('POST /v1.24/containers/x/attach?stream=1 HTTP/1.1\r\nHost: d\r\nContent-Length: 0\r\n\r\n');
  assert.match(
    await client.until('\r\n\r\n'),
    /^HTTP\/1\.1 200 OK\r\nContent-Type: application\/vnd\.docker\.raw-stream/,
  );
  client.send('abc');
  assert.equal(
    bodyOf(await client.all())
      .subarray(8)
      .toString(),
    'abc',
  );
});

test('detach keys across packets end the connection and not the process', async () => {
  const session = new FakeSession(true);
  await using fixture = await attachTo(session);
  const client = fixture.raw().send(ATTACH);
  await client.until('\r\n\r\n');
  client.send(Buffer.from('ab\x10'));
  await new Promise<void>((resolve) => (session.onInput = () => resolve()));
  client.send(Buffer.from('\x11cd'));
  await client.all();
  assert.equal(session.detached, true);
  assert.equal(Buffer.concat(session.received).toString(), 'ab');
  assert.equal(session.inputEnded, false);
});

test('without a terminal, bytes like detach keys are input', async () => {
  const session = new FakeSession(false);
  await using fixture = await attachTo(session);
  session.onEnd = () => session.finish();
  const client = fixture.raw().send(ATTACH);
  await client.until('\r\n\r\n');
  client.socket.end(Buffer.from('a\x10\x11b'));
  await client.all();
  assert.equal(session.detached, false);
  assert.equal(Buffer.concat(session.received).toString(), 'a\x10\x11b');
});

test('64 MB through a session arrive byte for byte while the client reads slowly', async () => {
  const session = new FakeSession(true);
  await using fixture = await attachTo(session);
  session.onInput = (data) => session.push('stdout', data);
  session.onEnd = () => session.finish();
  const client = fixture.raw().send(ATTACH);
  await client.until('\r\n\r\n');
  let got = 0;
  let sum = 0;
  client.socket.removeAllListeners('data');
  client.socket.on('data', (chunk: Buffer) => {
    got += chunk.length;
    sum = (sum + chunk[0]! + chunk.at(-1)!) % 65_536;
  });
  const block = Buffer.alloc(1024 * 1024, 7);
  for (let sent = 0; sent < 64; sent++) {
    if (!client.socket.write(block)) await new Promise((resolve) => client.socket.once('drain', resolve));
  }
  client.socket.end();
  await client.all();
  assert.equal(got, 64 * 1024 * 1024);
});

test('a client that vanishes closes the session', async () => {
  const session = new FakeSession(true);
  await using fixture = await attachTo(session);
  const client = fixture.raw().send(ATTACH);
  await client.until('\r\n\r\n');
  client.socket.destroy();
  const flood = setInterval(() => session.push('stdout', 'x'.repeat(1000)), 1);
  while (!session.closed) await new Promise((resolve) => setImmediate(resolve));
  clearInterval(flood);
});

test('a client that vanishes before the container was found leaves no session and no connection', async () => {
  const session = new FakeSession(true);
  const asked = Promise.withResolvers<AbortSignal>();
  const found = Promise.withResolvers<void>();
  await using fixture = await ServerFixture.start({
    containers: {
      attach: async (_ref, _input, signal) => {
        asked.resolve(signal);
        await found.promise;
        return session;
      },
    },
  });
  const client = fixture.raw().send(ATTACH);
  const signal = await asked.promise;
  client.socket.destroy();
  found.resolve();
  session.push('stdout', 'x');
  session.finish();
  while (!session.closed || fixture.server.connections > 0)
    await new Promise((resolve) => setImmediate(resolve));
  assert.equal(signal.aborted, true);
});

test('many sessions at once, ended from both sides, leave nothing behind', async () => {
  const sessions: FakeSession[] = [];
  await using fixture = await ServerFixture.start({
    containers: {
      attach: async () => {
        const session = new FakeSession(false);
        sessions.push(session);
        session.onInput = (data) => session.push('stdout', data);
        session.onEnd = () => session.finish();
        return session;
      },
    },
  });
  const clients = Array.from({ length: 200 }, () => fixture.raw().send(ATTACH));
  await Promise.all(clients.map((client) => client.until('\r\n\r\n')));
  for (const [index, client] of clients.entries()) {
    if (index % 3 === 0) sessions[index]!.finish();
    else client.socket.end(`hello ${index}`);
  }
  for (const client of clients) await client.all();
  for (const client of clients) client.socket.destroy();
  while (fixture.server.connections > 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(
    sessions.every((session) => session.closed),
    true,
  );
});

test('an upgrade request that fails is answered in HTTP and the connection closed', async () => {
  await using fixture = await ServerFixture.start();
  const all = (await fixture.raw().send(ATTACH).all()).toString('latin1');
  assert.match(all, /^HTTP\/1\.1 404 Not Found[\s\S]*\{"message":"No such container: x"\}\n$/);
  const chunked = ATTACH.replace('POST /containers/x/attach', 'POST /exec/e/start');
  const refused = await fixture
    .raw()
    .send(chunked.replace('Content-Length: 0', 'Transfer-Encoding: chunked'))
    .all();
  assert.match(refused.toString('latin1'), /^HTTP\/1\.1 400 /);
});

test('exec start reads its body behind an upgrade, and says on the stream why it cannot start', async () => {
  const session = new FakeSession(false);
  const inputs: unknown[] = [];
  await using fixture = await ServerFixture.start({
    execs: {
      start: async (id, input) => {
        inputs.push(input);
        if (id === 'none') throw new WharfError('not-found', 'No such exec instance: none');
        if (id === 'ran') throw new WharfError('conflict', 'exec command ran has already run');
        session.push('stdout', 'hi\n');
        session.finish();
        return session;
      },
    },
  });
  const start = (id: string, body: string) =>
    `POST /exec/${id}/start HTTP/1.1\r\n${UPGRADE}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  const body = '{"Tty":false,"ConsoleSize":[24,80]}';
  const client = fixture.raw().send(start('e', body)).send(body);
  assert.equal(
    bodyOf(await client.all())
      .subarray(8)
      .toString(),
    'hi\n',
  );
  assert.deepEqual(inputs[0], { detach: false, tty: false, consoleSize: { height: 24, width: 80 } });
  const ran = (
    await fixture
      .raw()
      .send(`${start('ran', '{}')}{}`)
      .all()
  ).toString('latin1');
  assert.match(ran, /^HTTP\/1\.1 101 [\s\S]*exec command ran has already run\r\n$/);
  const none = (
    await fixture
      .raw()
      .send(`${start('none', '{}')}{}`)
      .all()
  ).toString('latin1');
  assert.match(none, /^HTTP\/1\.1 404 [\s\S]*\{"message":"No such exec instance: none"\}\n$/);
  assert.equal((await fixture.ask('POST', '/exec/none/start', { Detach: true })).status, 404);
});

test('attach over a WebSocket carries bytes both ways', async () => {
  const session = new FakeSession(false);
  await using fixture = await attachTo(session);
  session.onInput = (data) => {
    session.push('stdout', `echo ${data}`);
    session.finish();
  };
  const socket = new WebSocket(`ws+unix://${fixture.path}:/containers/x/attach/ws?stream=1&stdin=1`);
  const got: Buffer[] = [];
  socket.on('message', (data) => got.push(data as Buffer));
  socket.on('open', () => socket.send('ping'));
  await new Promise((resolve) => socket.once('close', resolve));
  assert.equal(Buffer.concat(got).toString(), 'echo ping');
  assert.equal((await fixture.ask('GET', '/containers/x/attach/ws')).status, 400);
});

test('wait and events send their head at once, and the rest when it happens', async () => {
  const exit = Promise.withResolvers<{ exitCode: number }>();
  const happened = Promise.withResolvers<void>();
  let eventsEnded = false;
  await using fixture = await ServerFixture.start({
    containers: { wait: async () => ({ done: exit.promise }) },
    system: {
      async *events(_input, signal) {
        try {
          await happened.promise;
          yield { Type: 'container', Action: 'start' };
          await new Promise<void>((resolve) =>
            signal.addEventListener('abort', () => resolve(), { once: true }),
          );
        } finally {
          eventsEnded = true;
        }
      },
    },
  });
  const waiting = fixture.raw().send('POST /containers/x/wait HTTP/1.1\r\nHost: d\r\n\r\n');
  assert.match(await waiting.until('\r\n\r\n'), /^HTTP\/1\.1 200 OK/);
  exit.resolve({ exitCode: 3 });
  await waiting.until('{"StatusCode":3}\n');
  const watching = fixture.raw().send('GET /events HTTP/1.1\r\nHost: d\r\n\r\n');
  await watching.until('\r\n\r\n');
  happened.resolve();
  await watching.until('{"Type":"container","Action":"start"}\n');
  watching.socket.destroy();
  while (!eventsEnded) await new Promise((resolve) => setImmediate(resolve));
});

test('progress: a failure before the first line is a status, a later one a line', async () => {
  await using fixture = await ServerFixture.start({
    images: {
      async *load() {
        yield { stream: 'Loaded image: a\n' };
        throw new WharfError('corrupt', 'the archive is cut short');
      },
      // biome-ignore lint/correctness/useYield: it fails before its first line
      async *pull() {
        throw new WharfError('not-implemented', 'no registry yet');
      },
    },
  });
  const load = await fixture.ask('POST', '/images/load', 'x');
  assert.equal(load.status, 200);
  assert.deepEqual(
    load.body
      .split('\r\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
    [
      { stream: 'Loaded image: a\n' },
      { errorDetail: { message: 'the archive is cut short' }, error: 'the archive is cut short' },
    ],
  );
  assert.equal((await fixture.ask('POST', '/images/create?fromImage=a')).status, 501);
});

test('logs go out as they come, and are named by terminal and version', async () => {
  await using fixture = await ServerFixture.start({
    containers: {
      logs: async () => ({
        tty: false,
        output: (async function* () {
          yield Buffer.from('\x01\0\0\0\0\0\0\x04one\n');
          yield Buffer.from('\x02\0\0\0\0\0\0\x04two\n');
        })(),
      }),
    },
  });
  const now = await fixture.ask('GET', '/containers/x/logs?stdout=1');
  assert.equal(now.headers['content-type'], 'application/vnd.docker.multiplexed-stream');
  assert.equal(now.body, '\x01\0\0\0\0\0\0\x04one\n\x02\0\0\0\0\0\0\x04two\n');
  const old = await fixture.ask('GET', '/v1.41/containers/x/logs?stdout=1');
  assert.equal(old.headers['content-type'], 'application/vnd.docker.raw-stream');
});
