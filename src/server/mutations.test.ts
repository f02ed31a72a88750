import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { silentLog } from '../base/index.ts';
import { FakeSession } from './testing/fake-backends.ts';
import { ServerFixture } from './testing/fixture.ts';

const UPGRADE = 'Host: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n';
const JSON_TYPE = 'Content-Type: application/json\r\n';
const SEEDS = [
  `POST /v1.51/containers/create HTTP/1.1\r\nHost: d\r\n${JSON_TYPE}Content-Length: 19\r\n\r\n{"Image":"busybox"}`,
  `POST /containers/x/attach?stream=1 HTTP/1.1\r\n${UPGRADE}Content-Length: 0\r\n\r\nhello`,
  `POST /exec/x/start HTTP/1.1\r\n${UPGRADE}${JSON_TYPE}Content-Length: 2\r\n\r\n{}`,
  'POST /images/load HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'GET /events?filters=%7B%7D HTTP/1.1\r\nHost: d\r\n\r\n',
].map((text) => Buffer.from(text, 'latin1'));

/** A fixed sequence, so that a failure comes back. */
function sequence(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

function mutate(seed: Buffer, random: (limit: number) => number): Buffer {
  let bytes = seed;
  for (let left = random(4); left > 0; left--) {
    const at = random(bytes.length);
    const kind = random(3);
    const insert = kind === 1 ? Buffer.from([random(256)]) : Buffer.alloc(0);
    const rest = kind === 2 ? Buffer.alloc(0) : bytes.subarray(kind === 0 ? at + 1 : at);
    bytes = Buffer.concat([bytes.subarray(0, Math.max(at, 5)), insert, rest]);
  }
  return bytes;
}

test('a thousand mutated requests crash nothing and leave no connection', async () => {
  const unforeseen: unknown[] = [];
  const finished = () => {
    const session = new FakeSession(false);
    session.push('stdout', 'out');
    session.finish();
    return session;
  };
  await using fixture = await ServerFixture.start(
    { containers: { attach: async () => finished() }, execs: { start: async () => finished() } },
    { ...silentLog, error: (message, fields) => void unforeseen.push([message, fields]) },
  );
  const random = sequence(42);
  for (let round = 0; round < 20; round++) {
    const clients = Array.from({ length: 50 }, () => {
      const socket = connect({ path: fixture.path });
      socket.on('error', () => undefined).resume();
      socket.write(mutate(SEEDS[random(SEEDS.length)]!, random));
      return socket;
    });
    // Its answer is behind all that was sent before it.
    assert.equal((await fixture.ask('GET', '/_ping')).status, 200);
    const closed = clients.map((client) => (client.closed ? undefined : once(client, 'close')));
    for (const client of clients) client.destroy();
    await Promise.all(closed);
  }
  while (fixture.server.connections > 0) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(unforeseen, []);
});
