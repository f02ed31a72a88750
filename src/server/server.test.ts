import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLog, WharfError } from '../base/index.ts';
import type { CreateContainerInput } from './index.ts';
import { createServer } from './server.ts';
import { fakeBackends } from './testing/fake-backends.ts';
import { ServerFixture } from './testing/fixture.ts';

const HOST = 'Host: d\r\n';

test('ping answers GET and HEAD with the headers that clients negotiate by', async () => {
  await using fixture = await ServerFixture.start();
  const get = await fixture.ask('GET', '/_ping');
  assert.equal(get.status, 200);
  assert.equal(get.body, 'OK');
  assert.equal(get.headers['api-version'], '1.51');
  assert.equal(get.headers['builder-version'], '2');
  assert.equal(get.headers['swarm'], 'inactive');
  assert.equal(get.headers['cache-control'], 'no-cache, no-store, must-revalidate');
  assert.equal(get.headers['server'], 'Wharf/0.1.0 (linux)');
  const head = await fixture.ask('HEAD', '/v1.30/_ping');
  assert.equal(head.status, 200);
  assert.equal(head.headers['content-length'], '0');
});

test('versions out of range, unknown paths and wrong methods are refused as Docker does', async () => {
  await using fixture = await ServerFixture.start();
  const cases: [string, string, number, string][] = [
    ['GET', '/v1.99/info', 400, 'client version 1.99 is too new. Maximum supported API version is 1.51'],
    [
      'GET',
      '/v1.10/info',
      400,
      'client version 1.10 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version',
    ],
    ['GET', '/nope', 404, 'page not found'],
    ['GET', '/v1.51', 404, 'page not found'],
    ['GET', '/v1.5x/info', 404, 'page not found'],
    ['PUT', '/containers/json', 404, 'page not found'],
    ['GET', '/containers/x/json/', 404, 'page not found'],
    ['DELETE', '/containers/create', 404, 'No such container: create'],
    ['POST', '/v1.24/containers/prune', 404, 'page not found'],
    ['GET', '/containers/%zz/json', 400, 'invalid URL escape in "%zz"'],
    ['POST', '/swarm/leave', 503, 'This node is not part of a swarm'],
    ['POST', '/containers/x/wait?condition=zz', 400, 'invalid condition: "zz"'],
    ['GET', '/containers/json?filters=x', 400, 'invalid filter'],
    ['GET', '/containers/json?limit=x', 400, 'strconv.Atoi: parsing "x": invalid syntax'],
    ['GET', '/containers/x/logs', 400, 'Bad parameters: you must choose at least one stream'],
    ['GET', '/events?since=10&until=5', 400, '`since` time (10) cannot be after `until` time (5)'],
    ['POST', '/containers/x/resize?h=x', 400, 'invalid resize height "x": invalid syntax'],
    [
      'POST',
      '/containers/x/start?checkpoint=c1',
      501,
      'starting from a checkpoint is not supported by this version of Wharf',
    ],
  ];
  for (const [method, path, status, message] of cases) {
    const answer = await fixture.ask(method, path);
    assert.deepEqual([answer.status, JSON.parse(answer.body)], [status, { message }], `${method} ${path}`);
  }
  assert.equal((await fixture.ask('GET', '/plugins')).body, '[]\n');
  assert.equal((await fixture.ask('OPTIONS', '/info')).status, 200);
});

test('a create request reaches the backend decoded; broken ones do not', async () => {
  const seen: CreateContainerInput[] = [];
  await using fixture = await ServerFixture.start({
    containers: {
      create: async (input) => {
        seen.push(input);
        return { id: 'f'.repeat(64), warnings: ['w'] };
      },
    },
  });
  const body = { Image: 'busybox', cmd: 'true', HostConfig: { AutoRemove: true, KernelMemory: 5 } };
  const made = await fixture.ask('POST', '/containers/create?name=web&platform=linux/arm64/v8', body);
  assert.equal(made.status, 201);
  assert.deepEqual(JSON.parse(made.body), { Id: 'f'.repeat(64), Warnings: ['w'] });
  assert.deepEqual(seen[0]!.config, { Image: 'busybox', Cmd: ['true'] });
  assert.deepEqual(seen[0]!.hostConfig, { AutoRemove: true });
  assert.deepEqual(seen[0]!.platform, { os: 'linux', architecture: 'arm64', variant: 'v8' });
  assert.equal(seen[0]!.name, 'web');
  await fixture.ask('POST', '/v1.24/containers/create', body);
  assert.equal(seen[1]!.hostConfig.AutoRemove, false);
  assert.equal(seen[1]!.hostConfig.CgroupnsMode, 'host');
  const refusals: [string | undefined, string][] = [
    [undefined, 'invalid JSON: got EOF while reading request body'],
    ['{}', 'config cannot be empty in order to create a container'],
    ['xyz', "invalid JSON: invalid character 'x' looking for beginning of value"],
    ['{"Image":"b"} x', 'unexpected content after JSON'],
    [`{"a":${'['.repeat(20_000)}`, 'invalid JSON: exceeded max depth'],
    [`{"a":"${'x'.repeat(5_000_000)}"}`, 'the request body is larger than 4 MiB'],
  ];
  for (const [text, message] of refusals) {
    const answer = await fixture.ask('POST', '/containers/create', text);
    assert.deepEqual([answer.status, JSON.parse(answer.body)], [400, { message }]);
  }
  assert.equal(seen.length, 2);
});

test('a handler that crashes is a 500 with a logged id; later requests are served', async () => {
  const logged: Record<string, unknown>[] = [];
  const log = {
    ...silentLog,
    error: (_: string, fields?: Record<string, unknown>) => void logged.push(fields ?? {}),
  };
  await using fixture = await ServerFixture.start(
    {
      containers: {
        list: async () => {
          throw new TypeError('secret detail');
        },
        inspect: async () => {
          throw new WharfError('internal', 'the disk is on fire');
        },
        start: async () => {
          throw new WharfError('not-modified', 'container already started');
        },
        stop: async () => {
          throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
        },
      },
    },
    log,
  );
  const crash = await fixture.ask('GET', '/containers/json');
  assert.equal(crash.status, 500);
  assert.match(crash.body, new RegExp(`internal error ${logged[0]!['id']}`));
  assert.doesNotMatch(crash.body, /secret detail/);
  assert.match((await fixture.ask('GET', '/containers/x/json')).body, /on fire/);
  const same = await fixture.ask('POST', '/containers/x/start');
  assert.deepEqual([same.status, same.body], [304, '']);
  const full = await fixture.ask('POST', '/containers/x/stop');
  assert.equal(full.status, 507);
  assert.match(full.body, /no space left on device/);
  assert.equal(logged.length, 1);
});

test('malformed HTTP gets 400 or a closed connection, and pipelined requests answers in order', async () => {
  await using fixture = await ServerFixture.start();
  const broken = [
    'GARBAGE\r\n\r\n',
    `GET / HTTP/1.1\r\n${HOST}Content-Length: x\r\n\r\n`,
    `GET / HTTP/1.1\r\n${HOST}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
    `GET / HTTP/1.1\r\n${HOST}Bad Header: 1\r\n\r\n`,
    `GET /\u0000 HTTP/1.1\r\n${HOST}\r\n`,
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    `GET / HTTP/1.1\r\n${HOST}X: ${'y'.repeat(200_000)}\r\n\r\n`,
    'GET / HTTP/1.1\r\n\r\n',
    `POST /containers/create HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
  ];
  for (const bytes of broken) {
    const answer = (await fixture.raw().send(bytes).all()).toString('latin1');
    assert.match(answer, /^(HTTP\/1\.1 4\d\d|$)/, bytes.slice(0, 60));
  }
  const client = fixture.raw();
  client.send(
    `GET /_ping HTTP/1.1\r\n${HOST}\r\nGET /nope HTTP/1.1\r\n${HOST}\r\nGET /plugins HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
  );
  const all = (await client.all()).toString('latin1');
  assert.match(all, /^HTTP\/1\.1 200 OK[\s\S]*HTTP\/1\.1 404 Not Found[\s\S]*HTTP\/1\.1 200 OK/);
});

test('an h2c upgrade that no route offers is served as plain HTTP', async () => {
  await using fixture = await ServerFixture.start();
  const client = fixture.raw();
  client.send(`GET /plugins HTTP/1.1\r\n${HOST}Connection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n`);
  assert.match((await client.all()).toString('latin1'), /^HTTP\/1\.1 200 OK/);
});

test('sockets are 0660; a stale one is replaced, a living one and a file are not', async () => {
  await using fixture = await ServerFixture.start();
  assert.equal(statSync(fixture.path).mode & 0o777, 0o660);
  const second = createServer({ backends: fakeBackends(), log: silentLog, version: '0' });
  await assert.rejects(second.listen({ kind: 'unix', path: fixture.path }), /another process listens there/);
  const file = join(fixture.path, '..', 'file');
  writeFileSync(file, '');
  await assert.rejects(second.listen({ kind: 'unix', path: file }), /is no socket/);
  assert.equal((await fixture.ask('GET', '/_ping')).status, 200);
  await second.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 });
  const answer = await fetch(`http://127.0.0.1:${second.ports[0]}/_ping`);
  assert.equal(await answer.text(), 'OK');
  await second.close();
});

test('closing aborts what is under way and cuts every connection', async () => {
  let aborted = false;
  const fixture = await ServerFixture.start({
    containers: {
      wait: async (_ref, _condition, signal) => {
        signal.addEventListener('abort', () => {
          aborted = true;
        });
        return { done: new Promise(() => undefined) };
      },
    },
  });
  const client = fixture.raw();
  client.send(`POST /containers/x/wait HTTP/1.1\r\n${HOST}\r\n`);
  await client.until('\r\n\r\n');
  await fixture[Symbol.asyncDispose]();
  assert.equal(aborted, true);
  assert.equal(fixture.server.connections, 0);
});
