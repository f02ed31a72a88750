import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKind, WharfError } from '../../base/index.ts';
import { digestOf, MediaTypes } from '../../oci/index.ts';
import { blobSource, collect } from '../suite.ts';
import type { Repository } from '../types.ts';
import { type Plan, serveChaos } from './testing/chaos.ts';
import { type MemoryOptions, type MemoryRegistry, memoryRegistry } from './testing/memory-registry.ts';
import { testClock, testRegistries } from './testing/registries.ts';
import type { Served } from './testing/serve.ts';
import type { RegistryHosts } from './types.ts';

const CONFIG = Buffer.from('{"os":"linux"}');
const IMAGE = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: MediaTypes.ociManifest,
    config: { mediaType: MediaTypes.ociConfig, digest: digestOf(CONFIG), size: CONFIG.length },
    layers: [],
  }),
);
const BYTES = Buffer.from(Array.from({ length: 2_500_000 }, (_, at) => (at * 7 + (at >> 8)) & 255));
const LAYER = blobSource(BYTES);

interface Scene {
  repository: Repository;
  memory: MemoryRegistry;
  server: Served;
  slept: number[];
}

async function under(
  plan: Plan,
  check: (scene: Scene) => Promise<void>,
  options: MemoryOptions & Partial<RegistryHosts> = {},
): Promise<void> {
  const memory = memoryRegistry(options);
  memory.put('app', 'v1', IMAGE, MediaTypes.ociManifest);
  memory.addBlob('app', BYTES);
  await using server = await serveChaos(memory.handler, plan);
  const clock = testClock();
  using registries = testRegistries(options, { clock });
  const domain = server.host;
  const repository = registries.repository({ domain, path: 'app' }, { actions: ['pull', 'push', 'delete'] });
  await check({ repository, memory, server, slept: clock.slept });
}

const failure = async (work: Promise<unknown>): Promise<WharfError> => {
  const thrown = await work.then(
    () => assert.fail('it passed'),
    (error: unknown) => error,
  );
  assert.ok(thrown instanceof WharfError, String(thrown));
  return thrown;
};
const first =
  (count: number, fault: ReturnType<Plan>): Plan =>
  (_, at) =>
    at < count ? fault : undefined;

/** Reads a blob as a pull does: on from where it was cut, for as long as something comes. */
async function resume(repository: Repository): Promise<Buffer> {
  let got = Buffer.alloc(0);
  for (let round = 0; round < 20; round++) {
    const { start, body } = await repository.blob(LAYER.descriptor, got.length);
    got = got.subarray(0, start);
    try {
      for await (const chunk of body) got = Buffer.concat([got, chunk]);
      return got;
    } catch (thrown) {
      assert.ok(isKind(thrown, 'unavailable'), String(thrown));
    }
  }
  throw new Error('it never ended');
}

for (const status of [429, 500, 502, 503, 504]) {
  test(`a burst of ${status} passes`, () =>
    under(first(2, { kind: 'status', status }), async ({ repository, slept }) => {
      assert.deepEqual((await repository.manifest('v1')).bytes, IMAGE);
      assert.equal(slept.length, 2);
    }));

  test(`${status} without end fails after the tries that are set`, () =>
    under(
      () => ({ kind: 'status', status }),
      async ({ repository, server }) => {
        const error = await failure(repository.manifest('v1'));
        assert.equal(error.kind, status === 429 ? 'rate-limited' : 'unavailable');
        assert.equal(server.seen.filter(({ url }) => url !== '/v2/').length, 3);
      },
    ));
}

test('the words of who is busy are asked for by GET, once', () =>
  under(
    () => ({
      kind: 'status',
      status: 429,
      body: '{"errors":[{"code":"TOOMANYREQUESTS","message":"enough"}]}',
    }),
    async ({ repository, server, slept }) => {
      const { kind, message } = await failure(repository.resolve('v1'));
      assert.deepEqual([kind, message], ['rate-limited', 'toomanyrequests: enough']);
      const methods = server.seen.filter(({ url }) => url !== '/v2/').map(({ method }) => method);
      assert.deepEqual(methods, ['HEAD', 'HEAD', 'HEAD', 'GET']);
      assert.equal(slept.length, 2);
    },
  ));

test('waits grow, with jitter, and none follows the last try', () =>
  under(
    () => ({ kind: 'status', status: 503 }),
    async ({ server }) => {
      const clock = testClock();
      using registries = testRegistries({ attempts: 6 }, { clock, random: () => 0.5 });
      const repository = registries.repository({ domain: server.host, path: 'app' }, { actions: ['pull'] });
      await failure(repository.resolve('v1'));
      assert.deepEqual(clock.slept, [250, 500, 1000, 2000, 4000]);
    },
  ));

for (const status of [400, 403, 404, 409, 422])
  test(`${status} is final`, () =>
    under(
      () => ({ kind: 'status', status, body: 'no' }),
      async ({ repository, server, slept }) => {
        await failure(repository.manifest('v1'));
        assert.deepEqual([server.seen.length, slept.length], [2, 0]);
      },
    ));

test('a refusal without end does not loop', () =>
  under(
    () => ({ kind: 'status', status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } }),
    async ({ server }) => {
      using registries = testRegistries();
      const credentials = { username: 'joe', password: 'secret' };
      const repository = registries.repository(
        { domain: server.host, path: 'app' },
        { actions: ['pull'], credentials },
      );
      const error = await failure(repository.manifest('v1'));
      assert.deepEqual(
        [error.kind, error.message],
        ['unauthorized', 'unauthorized: authentication required'],
      );
      assert.equal(server.seen.length, 3);
    },
  ));

test('redirects in a circle end', () =>
  under(
    (request) => ({ kind: 'status', status: 307, headers: { location: request.url ?? '' } }),
    async ({ repository, server }) => {
      const error = await failure(repository.manifest('v1'));
      assert.match(error.message, /stopped after 5 redirects$/);
      assert.equal(server.seen.length, 7);
    },
  ));

test('a broken connection is tried again, and named when it stays broken', async () => {
  await under(first(2, { kind: 'reset' }), async ({ repository }) => {
    assert.deepEqual((await repository.manifest('v1')).bytes, IMAGE);
  });
  await under(
    () => ({ kind: 'reset' }),
    async ({ repository }) => {
      const error = await failure(repository.manifest('v1'));
      assert.equal(error.kind, 'unavailable');
      assert.match(
        error.message,
        /^Get "http:\/\/127.0.0.1:\d+\/v2\/app\/manifests\/v1": (unexpected EOF|connection reset by peer)$/,
      );
    },
  );
});

test('a request that fails for good leaves the others alone', () =>
  under(
    (request) => (request.url?.includes('/manifests/') ? { kind: 'reset' } : undefined),
    async ({ repository }) => {
      const { body } = await repository.blob(LAYER.descriptor, 0);
      let got = 0;
      for await (const chunk of body) {
        if (got === 0) await failure(repository.manifest('v1'));
        got += chunk.length;
      }
      assert.equal(got, BYTES.length);
    },
  ));

test('silence counts as a stall', () =>
  under(
    () => ({ kind: 'silence' }),
    async ({ repository, slept }) => {
      const error = await failure(repository.manifest('v1'));
      assert.match(
        error.message,
        /context deadline exceeded \(Client\.Timeout exceeded while awaiting headers\)$/,
      );
      assert.equal(slept.length, 2);
    },
    { stallMs: 1000 },
  ));

test('a blob that is cut again and again comes whole by ranges', () =>
  under(
    (request, at) =>
      request.url?.includes('/blobs/') && at < 4 ? { kind: 'cut', after: 500_000 } : undefined,
    async ({ repository, server }) => {
      assert.ok((await resume(repository)).equals(BYTES));
      const ranges = server.seen.flatMap(({ headers }) => (headers.range ? [headers.range] : []));
      assert.ok(
        ranges.length >= 3 && ranges.every((range) => /^bytes=[1-9]\d*-$/.test(range)),
        String(ranges),
      );
    },
  ));

test('a registry without ranges begins anew, and says so', () =>
  under(
    first(1, { kind: 'cut', after: 500_000 }),
    async ({ repository }) => {
      assert.ok((await resume(repository)).equals(BYTES));
      assert.equal((await repository.blob(LAYER.descriptor, 1000)).start, 0);
    },
    { ranges: false },
  ));

test('a blob that stalls is given up, and goes on', () =>
  under(
    first(1, { kind: 'stall', after: 70_000 }),
    async ({ repository }) => assert.ok((await resume(repository)).equals(BYTES)),
    { stallMs: 1500 },
  ));

test('a reader of ours that is slow is no stall', () =>
  under(
    () => undefined,
    async ({ repository }) => {
      const { body } = await repository.blob(LAYER.descriptor, 0);
      let got = 0;
      for await (const chunk of body) {
        if (got === 0) await new Promise((resolve) => setTimeout(resolve, 2000));
        got += chunk.length;
      }
      assert.equal(got, BYTES.length);
    },
    { stallMs: 1500 },
  ));

test('another range than was asked for is refused', () =>
  under(
    () => ({ kind: 'status', status: 206, headers: { 'content-range': 'bytes 999-1000/2500000' } }),
    async ({ repository }) => {
      assert.equal((await failure(repository.blob(LAYER.descriptor, 10))).kind, 'invalid');
    },
  ));

test('a manifest that is not what its digest says is refused, by tag and by digest', () =>
  under(
    () => ({ kind: 'lie' }),
    async ({ repository }) => {
      for (const reference of ['v1', digestOf(IMAGE)]) {
        const error = await failure(repository.manifest(reference));
        assert.equal(error.kind, 'corrupt');
        assert.match(error.message, /^manifest verification failed for digest sha256:/);
      }
    },
  ));

test('a manifest or a listing without end is cut off', () =>
  under(
    () => ({ kind: 'flood' }),
    async ({ repository }) => {
      assert.equal((await failure(repository.manifest('v1'))).kind, 'invalid');
      assert.equal((await failure(collect(repository.tags()))).kind, 'invalid');
      assert.equal((await failure(repository.referrers(digestOf('x')))).kind, 'invalid');
    },
  ));

test('pages that go round in circles end', () =>
  under(
    () => ({
      kind: 'status',
      status: 200,
      headers: { link: '</v2/app/tags/list?last=a>; rel="next"' },
      body: '{"tags":["a"]}',
    }),
    async ({ repository, server }) => {
      assert.equal((await failure(collect(repository.tags()))).kind, 'invalid');
      assert.ok(server.seen.length < 5);
    },
  ));

test('answers that are none of a registry are refused in words', async () => {
  const answers: [string, Record<string, string>][] = [
    ['{"tags":"all"}', {}],
    ['{"tags":["a\\u001b[2J"]}', {}],
    ['[]', {}],
    ['<html>', { 'content-type': 'text/html' }],
    ['', {}],
  ];
  for (const [body, headers] of answers)
    await under(
      () => ({ kind: 'status', status: 200, body, headers }),
      async ({ repository }) => {
        assert.equal((await failure(collect(repository.tags()))).kind, 'invalid', body);
        assert.equal((await failure(repository.manifest('v1'))).kind, 'invalid', body);
        assert.equal((await failure(repository.referrers(digestOf('x')))).kind, 'invalid', body);
      },
    );
});

test('a document of a type that is none of ours is left as it is; a web page is no such document', async () => {
  const body = '{"mediaType":"application/vnd.example.thing","blobs":[]}';
  const typed =
    (type: string): Plan =>
    () => ({ kind: 'status', status: 200, headers: { 'content-type': type }, body });
  const reference = digestOf(body);
  await under(typed('application/vnd.example.thing+json'), async ({ repository }) => {
    const { descriptor, bytes } = await repository.manifest(reference);
    assert.deepEqual(descriptor, {
      mediaType: 'application/vnd.example.thing+json',
      digest: reference,
      size: body.length,
    });
    assert.equal(String(bytes), body);
  });
  for (const type of ['text/html', 'application/json', MediaTypes.ociManifest, MediaTypes.dockerIndex])
    await under(typed(type), async ({ repository }) => {
      assert.equal((await failure(repository.manifest(reference))).kind, 'invalid', type);
    });
});

test('schema 1 is refused by name', () => {
  const body = JSON.stringify({ schemaVersion: 1, name: 'app', tag: 'v1', fsLayers: [], history: [] });
  const headers = { 'content-type': MediaTypes.dockerSchema1Signed };
  return under(
    () => ({ kind: 'status', status: 200, headers, body }),
    async ({ repository }) => {
      for (const error of [
        await failure(repository.manifest('v1')),
        await failure(repository.resolve('v1')),
      ]) {
        assert.equal(error.kind, 'not-implemented');
        assert.match(error.message, /schema 1 is not supported/);
      }
    },
  );
});

test('a registry that answers HEAD without headers is asked by GET', () =>
  under(
    (request) => (request.method === 'HEAD' ? { kind: 'status', status: 200 } : undefined),
    async ({ repository }) => {
      const { digest, size, mediaType } = await repository.resolve('v1');
      assert.deepEqual([digest, size, mediaType], [digestOf(IMAGE), IMAGE.length, MediaTypes.ociManifest]);
    },
  ));

test('a kept connection that was closed meanwhile costs no try', () =>
  under(
    () => undefined,
    async ({ repository, slept, server }) => {
      for (let round = 0; round < 5; round++)
        assert.deepEqual((await repository.manifest('v1')).bytes, IMAGE);
      assert.equal(server.connections(), 2, 'one for the try by HTTPS, and one that is kept');
      assert.deepEqual(slept, []);
    },
    { attempts: 1 },
  ));
