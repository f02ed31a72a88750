import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { WharfError } from '../../base/index.ts';
import { digestOf, MediaTypes } from '../../oci/index.ts';
import { type Gatekeeper, openGatekeeper } from './index.ts';
import { codeOf, TestRegistry } from './testing/registry.ts';

/** Waits for something that happens soon on its own. */
async function until(what: string, check: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    if (await check()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail(what);
}

async function opened(port: number, head: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.write(`${head}\r\nHost: x\r\n`);
  return socket;
}

async function ended(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    text += chunk;
  });
  await new Promise((resolve) => socket.once('close', resolve));
  return text;
}

describe('clients that vanish', () => {
  it('in the middle of a piece: what came stays, and the upload goes on there', async () => {
    await using registry = await TestRegistry.open({ disk: true });
    const location = await registry.upload('a');
    const socket = await opened(registry.port, `PATCH ${location} HTTP/1.1`);
    socket.write('Content-Length: 1000\r\n\r\nonetwo');
    await until('the bytes came', async () => (await registry.ask('GET', location)).headers.range === '0-5');
    socket.resetAndDestroy();
    const rest = { headers: { 'content-range': '6-10' }, body: 'three' };
    await until('the writer left', async () => (await registry.ask('PATCH', location, rest)).status === 202);
    const digest = digestOf('onetwothree');
    assert.equal((await registry.ask('PUT', `${location}?digest=${digest}`)).status, 201);
    assert.ok(
      registry.audit.some(({ method, status, bytes }) => method === 'PATCH' && status === 499 && bytes === 6),
    );
  });

  it('in the middle of a manifest or a whole blob: nothing is stored', async () => {
    await using registry = await TestRegistry.open({ disk: true });
    const digest = digestOf('whole');
    for (const line of [
      'PUT /v2/a/manifests/v1 HTTP/1.1',
      `POST /v2/a/blobs/uploads/?digest=${digest} HTTP/1.1`,
    ]) {
      const before = registry.audit.length;
      const socket = await opened(registry.port, line);
      socket.write('Content-Length: 5\r\n\r\nwhol');
      await new Promise((resolve) => setTimeout(resolve, 20));
      socket.destroy();
      await until('it was noted', () => registry.audit.length > before);
    }
    assert.equal((await registry.ask('HEAD', `/v2/a/blobs/${digest}`)).status, 404);
    for await (const blob of registry.content.list()) assert.fail(blob.digest);
  });

  it('in the middle of a download: the others get theirs', async () => {
    await using registry = await TestRegistry.open({ disk: true });
    const content = Buffer.alloc(20_000_000, 'x');
    const digest = await registry.blob('a', content);
    for (let times = 0; times < 20; times += 1) {
      const socket = await opened(registry.port, `GET /v2/a/blobs/${digest} HTTP/1.1`);
      socket.write('\r\n');
      socket.once('data', () => socket.destroy());
      await new Promise((resolve) => socket.once('close', resolve));
    }
    const answers = await Promise.all([1, 2, 3].map(() => registry.ask('GET', `/v2/a/blobs/${digest}`)));
    for (const { body } of answers) assert.ok(body.equals(content));
  });
});

describe('clients that stall', () => {
  it('one that sends nothing is cut, one that sends a byte now and then, too; what came stays', async () => {
    await using registry = await TestRegistry.open({ stallMs: 200 });
    for (const drip of [false, true]) {
      const location = await registry.upload('a');
      const socket = await opened(registry.port, `PATCH ${location} HTTP/1.1`);
      socket.write('Content-Length: 1000000\r\n\r\nonetwo');
      const timer = drip ? setInterval(() => socket.write('.'), 20) : undefined;
      socket.on('error', () => undefined);
      assert.equal(await ended(socket), '');
      clearInterval(timer);
      const { status, headers } = await registry.ask('GET', location);
      assert.equal(status, 204);
      if (drip) assert.match(String(headers.range), /^0-\d\d?$/);
      else assert.equal(headers.range, '0-5');
    }
  });

  it('one that takes nothing is cut, and its file closed', async () => {
    await using registry = await TestRegistry.open({ disk: true, stallMs: 200 });
    const digest = await registry.blob('a', Buffer.alloc(30_000_000));
    const socket = await opened(registry.port, `GET /v2/a/blobs/${digest} HTTP/1.1`);
    socket.pause();
    socket.write('\r\n');
    await until('it was cut', () => registry.audit.some(({ method }) => method === 'GET'));
    socket.destroy();
    assert.equal((await registry.ask('HEAD', `/v2/a/blobs/${digest}`)).status, 200);
  });

  it('one whose request is complete may wait as long as it takes', async () => {
    await using registry = await TestRegistry.open({ stallMs: 50 });
    const { putManifest } = registry.storage;
    Object.assign(registry.storage, {
      putManifest: async (...args: Parameters<typeof putManifest>) => {
        await new Promise((resolve) => setTimeout(resolve, 200));
        return putManifest(...args);
      },
    });
    await registry.image('a', 'slow', 'v1');
  });
});

describe('bodies that are not wanted', () => {
  it('a refusal reaches a client that is still sending', async () => {
    await using registry = await TestRegistry.open();
    const missing = '/v2/a/blobs/uploads/00000000-0000-4000-8000-000000000000';
    const answer = await registry.ask('PATCH', missing, { body: Buffer.alloc(5_000_000) });
    assert.deepEqual([answer.status, codeOf(answer)], [404, 'BLOB_UPLOAD_UNKNOWN']);
  });

  it('who asks before he sends is told to go on only when the body is wanted', async () => {
    await using registry = await TestRegistry.open();
    const ask = (path: string) =>
      new Promise<{ status: number; continued: boolean }>((resolve, reject) => {
        let continued = false;
        const headers = { expect: '100-continue', 'content-length': '3' };
        const sent = request({ host: '127.0.0.1', port: registry.port, method: 'PATCH', path, headers });
        sent.on('continue', () => {
          continued = true;
          sent.end('abc');
        });
        sent.on('response', (response) => {
          response.resume();
          if (!continued) sent.destroy();
          resolve({ status: response.statusCode ?? 0, continued });
        });
        sent.on('error', (error) => (continued ? reject(error) : undefined));
        sent.flushHeaders();
      });
    assert.deepEqual(await ask(await registry.upload('a')), { status: 202, continued: true });
    const missing = '/v2/a/blobs/uploads/00000000-0000-4000-8000-000000000000';
    assert.deepEqual(await ask('/v2/a/tags/list'), { status: 405, continued: false });
    assert.equal((await ask(missing)).status, 404);
  });

  it('what is no HTTP is answered as such, and cut', async () => {
    await using registry = await TestRegistry.open();
    for (const text of ['nonsense\r\n\r\n', 'GET /v2/ HTTP/1.1\r\nHost: x\r\nBad Header: y\r\n\r\n']) {
      const socket = connect(registry.port, '127.0.0.1');
      socket.write(text);
      assert.match(await ended(socket), /^HTTP\/1\.1 400 Bad Request\r\n/);
    }
    const socket = connect(registry.port, '127.0.0.1');
    socket.write(`GET /v2/ HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(70_000)}\r\n\r\n`);
    assert.match(await ended(socket), /^HTTP\/1\.1 431 /);
  });
});

describe('a storage that fails', () => {
  /** A registry whose storage fails at every upload's bytes. */
  async function failing(error: Error) {
    const registry = await TestRegistry.open();
    const location = await registry.upload('a');
    Object.assign(registry.storage, { appendUpload: () => Promise.reject(error) });
    return { registry, location };
  }

  it('a full disk is 507, and says so', async () => {
    const { registry, location } = await failing(new WharfError('exhausted', 'ENOSPC at /secret/path'));
    await using _ = registry;
    const answer = await registry.ask('PATCH', location, { body: 'x' });
    assert.equal(answer.status, 507);
    assert.match(String(answer.body), /no space/);
    assert.equal((await registry.ask('GET', location)).status, 204);
  });

  it('a blob whose file was lost is unknown until somebody brings it again', async () => {
    await using registry = await TestRegistry.open({ disk: true });
    const digest = await registry.blob('a', 'lost');
    rmSync(registry.content.pathOf(digest));
    const answer = await registry.ask('GET', `/v2/a/blobs/${digest}`);
    assert.deepEqual([answer.status, codeOf(answer)], [404, 'BLOB_UNKNOWN']);
    assert.equal((await registry.ask('HEAD', `/v2/a/blobs/${digest}`)).status, 404);
    await registry.blob('a', 'lost');
    assert.equal(String((await registry.ask('GET', `/v2/a/blobs/${digest}`)).body), 'lost');
  });

  it('a blob that is removed while it is asked for is unknown', async () => {
    await using registry = await TestRegistry.open({ disk: true });
    const digest = await registry.blob('a', 'lost');
    rmSync(registry.content.pathOf(digest));
    Object.assign(registry.storage, { statBlob: async () => ({ size: 4 }) });
    const answer = await registry.ask('GET', `/v2/a/blobs/${digest}`);
    assert.deepEqual([answer.status, codeOf(answer)], [404, 'BLOB_UNKNOWN']);
  });

  it('any other fault is 500, and tells nothing of the inside', async () => {
    const { registry, location } = await failing(new Error('ENOENT /secret/path'));
    await using _ = registry;
    const answer = await registry.ask('PATCH', location, { body: 'x' });
    assert.deepEqual([answer.status, codeOf(answer)], [500, 'UNKNOWN']);
    assert.doesNotMatch(String(answer.body), /secret/);
    assert.equal((await registry.ask('GET', '/v2/')).status, 200);
  });
});

describe('rights', () => {
  const only: Gatekeeper = {
    authorize(_, needs) {
      const allows = (action: string, repository: string) =>
        action === 'pull' || repository.startsWith('mine/');
      if (needs === 'base' || needs === 'catalog' || allows(needs.action, needs.repository))
        return {
          user: 'bob',
          allows: (action, repository) => allows(action, repository) && repository !== 'secret',
          allowsOverwrite: () => false,
        };
      return {
        user: 'bob',
        status: 401,
        code: 'UNAUTHORIZED',
        message: 'no',
        challenge: 'Bearer realm="r"',
        retryAfter: 3,
      };
    },
  };

  it('a refusal carries status, code, challenge and delay, and comes before anything is looked at', async () => {
    await using registry = await TestRegistry.open({ gatekeeper: only });
    const answer = await registry.ask('POST', '/v2/other/blobs/uploads/');
    assert.deepEqual([answer.status, codeOf(answer)], [401, 'UNAUTHORIZED']);
    assert.equal(answer.headers['www-authenticate'], 'Bearer realm="r"');
    assert.equal(answer.headers['retry-after'], '3');
    // The grammar comes first: what is no name has no rights.
    assert.equal((await registry.ask('POST', '/v2/OTHER/blobs/uploads/')).status, 400);
  });

  it('a blob of a repository that may not be read is not mounted, named or not', async () => {
    await using registry = await TestRegistry.open({ gatekeeper: only });
    const digest = digestOf('hidden');
    const body = (async function* () {
      yield Buffer.from('hidden');
    })();
    await registry.storage.putBlob('secret', body, { digest });
    for (const query of [`?mount=${digest}&from=secret`, `?mount=${digest}`])
      assert.equal((await registry.ask('POST', `/v2/mine/a/blobs/uploads/${query}`)).status, 202);
    assert.equal((await registry.ask('HEAD', `/v2/mine/a/blobs/${digest}`)).status, 404);
  });

  it('who may only add moves no tag', async () => {
    await using registry = await TestRegistry.open({ gatekeeper: only });
    const first = await registry.image('mine/a', 'first', 'latest');
    await registry.put('mine/a', 'latest', first);
    const second = await registry.image('mine/a', 'second');
    const headers = { 'content-type': MediaTypes.ociManifest };
    const answer = await registry.ask('PUT', '/v2/mine/a/manifests/latest', { headers, body: second });
    assert.deepEqual([answer.status, codeOf(answer)], [403, 'DENIED']);
    assert.ok((await registry.ask('GET', '/v2/mine/a/manifests/latest')).body.equals(first));
  });

  it('an open gatekeeper keeps to the policy for nobody', async () => {
    const policy = {
      allows: (_: unknown, action: string) => action === 'pull',
      allowsOverwrite: () => true,
      allowsCatalog: () => false,
    };
    await using registry = await TestRegistry.open({ gatekeeper: openGatekeeper(policy) });
    assert.equal((await registry.ask('GET', '/v2/')).status, 200);
    assert.equal((await registry.ask('GET', '/v2/_catalog')).status, 403);
    assert.equal((await registry.ask('POST', '/v2/a/blobs/uploads/')).status, 403);
    assert.equal((await registry.ask('GET', '/v2/a/tags/list')).status, 404);
  });
});

describe('the audit', () => {
  it('has an entry for each request: who, what, when, from where', async () => {
    await using registry = await TestRegistry.open();
    const layer = Buffer.from('layer');
    const digest = await registry.blob('a', layer);
    await registry.ask('POST', `/v2/b/blobs/uploads/?mount=${digest}&from=a`);
    await registry.ask('GET', `/v2/a/blobs/${digest}`, { headers: { 'user-agent': `x${'y'.repeat(300)}` } });
    await registry.ask('HEAD', '/v2/a/manifests/v1');
    await registry.ask('DELETE', `/v2/a/blobs/${digest}`);
    await registry.ask('GET', '/v2/_catalog');
    await registry.ask('GET', '/v2/');
    await until('all were noted', () => registry.audit.length === 7);
    const seen = registry.audit.map(({ method, action, repository, reference, status, bytes }) =>
      [method, action, repository, reference, status, bytes].join(' '),
    );
    assert.deepEqual(seen, [
      `POST push a ${digest} 201 5`,
      `POST mount b ${digest} 201 0`,
      `GET pull a ${digest} 200 5`,
      'HEAD pull a v1 404 0',
      `DELETE delete a ${digest} 202 0`,
      'GET catalog   200 19',
      'GET login   200 2',
    ]);
    for (const entry of registry.audit) {
      assert.equal(entry.from, '127.0.0.1');
      assert.equal(entry.user, null);
      assert.ok(Math.abs(Date.parse(entry.time) - Date.now()) < 60_000);
      assert.ok(entry.agent.length <= 200);
    }
  });
});

describe('a registry that is killed', () => {
  it('in the middle of an upload: it goes on where the last byte was written', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'wharf-killed-'));
    const fixture = join(import.meta.dirname, 'testing', 'killed-registry.ts');
    const start = async () => {
      const child = spawn(process.execPath, [fixture, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
      const port = await new Promise<number>((resolve) =>
        child.stdout.once('data', (text: Buffer) => resolve(Number(text))),
      );
      const ask = (method: string, path: string, body?: Buffer) =>
        fetch(`http://127.0.0.1:${port}${path}`, { method, ...(body && { body: new Uint8Array(body) }) });
      const kill = async () => {
        const gone = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGKILL');
        await gone;
      };
      return { port, ask, kill };
    };
    const content = Buffer.alloc(3_000_000, 'long blob ');
    const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
    let registry = await start();
    try {
      const location = (await registry.ask('POST', '/v2/a/blobs/uploads/')).headers.get('location') ?? '';
      let offset = 0;
      for (const part of [700_000, 1_300_001]) {
        const socket = await opened(registry.port, `PATCH ${location} HTTP/1.1`);
        socket.write(`Content-Length: ${content.length}\r\n\r\n`);
        socket.write(content.subarray(offset, part));
        socket.on('error', () => undefined);
        const here = async () =>
          Number((await registry.ask('GET', location)).headers.get('range')?.slice(2)) + 1;
        await until('the bytes came', async () => (await here()) === part);
        await registry.kill();
        socket.destroy();
        registry = await start();
        assert.equal(await here(), part);
        offset = part;
      }
      assert.equal((await registry.ask('PATCH', location, content.subarray(offset))).status, 202);
      assert.equal((await registry.ask('PUT', `${location}?digest=${digest}`)).status, 201);
      await registry.kill();
      registry = await start();
      const blob = await registry.ask('GET', `/v2/a/blobs/${digest}`);
      assert.ok(Buffer.from(await blob.arrayBuffer()).equals(content));
    } finally {
      await registry.kill();
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
