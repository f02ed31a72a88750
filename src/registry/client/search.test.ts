import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKind, WharfError } from '../../base/index.ts';
import { MediaTypes } from '../../oci/index.ts';
import { collect } from '../suite.ts';
import { memoryRegistry } from './testing/memory-registry.ts';
import { testRegistries } from './testing/registries.ts';
import { fault, type Handler, json, type Served, serve } from './testing/serve.ts';

const RESULT = {
  name: 'busybox',
  description: 'Tools',
  star_count: 3,
  is_official: true,
  is_automated: false,
};

async function asking(
  handler: Handler,
  check: (registries: ReturnType<typeof testRegistries>, server: Served) => Promise<void>,
): Promise<void> {
  await using server = await serve(handler);
  using registries = testRegistries();
  await check(registries, server);
}

test('a search by /v1/search, as Docker asks', () =>
  asking(
    (request, response) => {
      if (request.url === '/v2/') return json(response, 200, {});
      return json(response, 200, {
        num_results: 3,
        results: [RESULT, { ...RESULT, name: 'b' }, { name: 'c' }],
      });
    },
    async (registries, { host, seen }) => {
      const found = await registries.search(host, { term: 'busy box&n=9', limit: 2 });
      assert.deepEqual(found, [RESULT, { ...RESULT, name: 'b' }]);
      assert.equal(seen.at(-1)?.url, '/v1/search?q=busy+box%26n%3D9&n=2');
    },
  ));

test('a registry without search is searched by its catalogue, up to the limit', async () => {
  const memory = memoryRegistry({ page: 2 });
  for (const path of ['team/app', 'team/web', 'other/App'.toLowerCase(), 'tools/apple', 'zzz'])
    memory.put(path, 'latest', Buffer.from('{}'), MediaTypes.ociManifest);
  await asking(memory.handler, async (registries, { host }) => {
    const names = async (term: string, limit: number) =>
      (await registries.search(host, { term, limit })).map(({ name }) => name);
    assert.deepEqual(await names('APP', 25), ['other/app', 'team/app', 'tools/apple']);
    assert.deepEqual(await names('app', 2), ['other/app', 'team/app']);
    assert.deepEqual(await names('absent', 25), []);
    assert.deepEqual(await collect(registries.repositories(host)), [
      'other/app',
      'team/app',
      'team/web',
      'tools/apple',
      'zzz',
    ]);
  });
});

test('one without either says why', () =>
  asking(
    (request, response) =>
      request.url === '/v2/'
        ? json(response, 200, {})
        : fault(response, 404, 'UNSUPPORTED', 'no search here'),
    async (registries, { host }) => {
      const failure = registries.search(host, { term: 'x', limit: 1 });
      await assert.rejects(
        failure,
        (thrown) => isKind(thrown, 'not-found') && /no search here/.test(String(thrown)),
      );
    },
  ));

test('results are data, not terminal commands', () =>
  asking(
    (request, response) => {
      if (request.url === '/v2/') return json(response, 200, {});
      return json(response, 200, {
        results: [{ name: 'a\u001b[2J', description: 7, star_count: '9', is_official: 'yes' }, null],
      });
    },
    async (registries, { host }) => {
      const nothing = { name: '', description: '', star_count: 0, is_official: false, is_automated: false };
      const found = await registries.search(host, { term: 'x', limit: 5 });
      assert.deepEqual(found, [{ ...nothing, name: 'a [2J' }, nothing]);
    },
  ));

test('names in a catalogue that are none are refused', () =>
  asking(
    (_, response) => json(response, 200, { repositories: ['../../etc'] }),
    async (registries, { host }) => {
      await assert.rejects(collect(registries.repositories(host)), (thrown) => isKind(thrown, 'invalid'));
    },
  ));

test('login: as Docker says it, for registries with Basic, without any login, and for those that fail', async () => {
  const joe = { username: 'joe', password: 'secret' };
  const right = `Basic ${Buffer.from('joe:secret').toString('base64')}`;
  const basic: Handler = (request, response) => {
    if (request.headers.authorization === right) return json(response, 200, {});
    return fault(response, 401, 'UNAUTHORIZED', 'authentication required', {
      'www-authenticate': 'Basic realm="r"',
    });
  };
  const message = async (work: Promise<unknown>) =>
    (await work.then(() => assert.fail(), WharfError.from)).message;
  await asking(basic, async (registries, { host, origin }) => {
    assert.deepEqual(await registries.login(host, joe), { status: 'Login Succeeded', identityToken: '' });
    assert.equal(
      await message(registries.login(host, { ...joe, password: 'wrong' })),
      `login attempt to ${origin}/v2/ failed with status: 401 Unauthorized`,
    );
    assert.equal(await message(registries.login(host, {})), `Get "${origin}/v2/": no basic auth credentials`);
  });
  await asking(
    (_, response) => json(response, 200, {}),
    async (registries, { host }) => {
      assert.equal((await registries.login(host, joe)).status, 'Login Succeeded');
    },
  );
  await asking(
    (_, response) => response.writeHead(503).end(),
    async (registries, { host, origin }) => {
      const text = `login attempt to ${origin}/v2/ failed with status: 503 Service Unavailable`;
      assert.equal(await message(registries.login(host, joe)), text);
    },
  );
  using registries = testRegistries();
  assert.match(
    await message(registries.login('127.0.0.1:1', joe)),
    /^Get "http:\/\/127\.0\.0\.1:1\/v2\/": dial tcp 127\.0\.0\.1:1: connect: connection refused$/,
  );
});
