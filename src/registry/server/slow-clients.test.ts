import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { hashSync } from 'bcryptjs';
import { isKind, silentLog } from '../../base/index.ts';
import { digestOf } from '../../oci/index.ts';
import { HtpasswdUsers, USERS_POLICY, UserGatekeeper } from './index.ts';
import { sendFile } from './send-file.ts';
import { TestRegistry } from './testing/registry.ts';

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

const closed = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve));

/** A folder and a registry with one user, to whom it gives tokens. */
async function withUsers() {
  const dir = mkdtempSync(join(tmpdir(), 'wharf-slow-'));
  writeFileSync(join(dir, 'users'), `ann:${hashSync('ann-pass', 4)}\n`);
  const users = new HtpasswdUsers(join(dir, 'users'), silentLog);
  const gatekeeper = new UserGatekeeper({
    users,
    policy: USERS_POLICY,
    key: randomBytes(32),
    service: 'registry',
    stallMs: 200,
  });
  const registry = await TestRegistry.open({ gatekeeper });
  return {
    registry,
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      users[Symbol.dispose]();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

describe('slow clients of the token service', () => {
  it('one whose form stops or drips is cut', async () => {
    await using fixture = await withUsers();
    for (const drip of [false, true]) {
      const socket = await connected(fixture.registry.port);
      socket.resume();
      socket.write('POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\ngrant_type=');
      const timer = drip ? setInterval(() => socket.write('x'), 20) : undefined;
      await closed(socket);
      clearInterval(timer);
    }
  });

  it('one that asks before it sends its form is told to go on', async () => {
    await using fixture = await withUsers();
    const form = 'grant_type=password&username=ann&password=ann-pass';
    const headers = { expect: '100-continue', 'content-type': 'application/x-www-form-urlencoded' };
    const { status } = await fixture.registry.ask('POST', '/token', { headers, body: form });
    assert.equal(status, 200);
  });
});

describe('clients that take nothing', () => {
  it('of a manifest are cut: an answer holds no connection for ever', async () => {
    await using registry = await TestRegistry.open({ stallMs: 200 });
    await registry.image('a', 'x', 'v1', { annotations: { note: 'n'.repeat(60_000) } });
    const socket = await connected(registry.port);
    socket.pause();
    socket.write('GET /v2/a/manifests/v1 HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(400));
    // Who does not read sees the end only by writing.
    const timer = setInterval(() => socket.write('G'), 20);
    await closed(socket);
    clearInterval(timer);
  });

  it('of a blob, or next to nothing, are cut, and its file is let go', async (context) => {
    context.mock.timers.enable({ apis: ['setInterval'] });
    const dir = mkdtempSync(join(tmpdir(), 'wharf-slow-'));
    try {
      writeFileSync(join(dir, 'blob'), Buffer.alloc(2_000_000));
      await using file = await open(join(dir, 'blob'));
      let pieces = 0;
      const response = new Writable({
        highWaterMark: 1,
        write(_chunk, _encoding, taken) {
          // The first two are taken in time, and nothing more.
          pieces += 1;
          if (pieces > 2) return;
          context.mock.timers.tick(262_144);
          taken();
        },
      }) as unknown as ServerResponse;
      let sent = 0;
      const sending = sendFile(response, file, { start: 0, end: 1_999_999 }, (bytes) => {
        sent += bytes;
      });
      const end = assert.rejects(sending, (thrown) => isKind(thrown, 'cancelled'));
      while (pieces < 3) await new Promise((resolve) => setImmediate(resolve));
      assert.equal(response.destroyed, false);
      context.mock.timers.tick(262_144);
      context.mock.timers.tick(262_144);
      await end;
      assert.equal(response.destroyed, true);
      assert.ok(sent < 2_000_000);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});

it('while an upload is verified, who asks how far it is hears that, and who writes is refused', async () => {
  await using registry = await TestRegistry.open({ disk: true });
  const body = randomBytes(30_000_000);
  const location = await registry.upload('a');
  await registry.ask('PATCH', location, { body });
  let verifying = true;
  const end = registry.ask('PUT', `${location}?digest=${digestOf(body)}`).finally(() => {
    verifying = false;
  });
  const [asked, written] = [new Set<number>(), new Set<number>()];
  while (verifying) {
    asked.add((await registry.ask('GET', location)).status);
    written.add((await registry.ask('PATCH', location, { body: 'more' })).status);
  }
  assert.equal((await end).status, 201);
  // 404 when it was over already.
  assert.deepEqual([...asked].sort().slice(0, 1), [204]);
  assert.deepEqual([...written].sort().at(-1), 416);
  for (const status of [...asked, ...written]) assert.ok([204, 404, 416].includes(status), String(status));
});
