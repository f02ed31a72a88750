import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKind } from '../../base/index.ts';
import { blobSource } from '../suite.ts';
import type { Repository } from '../types.ts';
import { type Plan, serveChaos } from './testing/chaos.ts';
import { type MemoryOptions, type MemoryRegistry, memoryRegistry } from './testing/memory-registry.ts';
import { testClock, testRegistries } from './testing/registries.ts';
import type { Served } from './testing/serve.ts';

const BYTES = Buffer.from(Array.from({ length: 3_000_000 }, (_, at) => (at * 11 + (at >> 9)) & 255));

async function under(
  plan: Plan,
  check: (scene: {
    repository: Repository;
    memory: MemoryRegistry;
    server: Served;
    slept: number[];
  }) => Promise<void>,
  options: MemoryOptions = {},
): Promise<void> {
  const memory = memoryRegistry(options);
  await using server = await serveChaos(memory.handler, plan);
  const clock = testClock();
  using registries = testRegistries({}, { clock });
  const repository = registries.repository(
    { domain: server.host, path: 'app' },
    { actions: ['pull', 'push'] },
  );
  await check({ repository, memory, server, slept: clock.slept });
}

const methods = (server: Served) => server.seen.slice(1).map(({ method }) => method);
const has = (memory: MemoryRegistry, bytes: Buffer) =>
  [...memory.repository('app').blobs.values()].some((blob) => blob.equals(bytes));

test('a large blob goes in one piece, streamed; a small one with the request that ends it', () =>
  under(
    () => undefined,
    async ({ repository, memory, server }) => {
      const offsets: number[] = [];
      await repository.uploadBlob(blobSource(BYTES, offsets));
      await repository.uploadBlob(blobSource(Buffer.from('small'), offsets));
      assert.ok(has(memory, BYTES) && has(memory, Buffer.from('small')));
      assert.deepEqual(methods(server), ['POST', 'PATCH', 'PUT', 'POST', 'PUT']);
      assert.deepEqual(offsets, [0, 0]);
      const patch = server.seen[2]?.headers;
      assert.deepEqual(
        [patch?.['content-length'], patch?.['content-range'], patch?.['transfer-encoding']],
        ['3000000', '0-2999999', undefined],
      );
      assert.match(server.seen[2]?.url ?? '', /_state=secret-state$/, 'the Location is used as it was given');
    },
  ));

test('progress is told byte by byte, up to all of it', () =>
  under(
    () => undefined,
    async ({ repository }) => {
      const told: number[] = [];
      await repository.uploadBlob(blobSource(BYTES), (bytes) => told.push(bytes));
      assert.equal(told.at(-1), BYTES.length);
      assert.ok(told.length > 10 && told.every((bytes, at) => bytes >= (told[at - 1] ?? 0)));
    },
  ));

test('an upload that is cut goes on where the registry has it', () =>
  under(
    (request, at) =>
      request.method === 'PATCH' && at < 3 ? { kind: 'cut-request', after: 1_000_000 } : undefined,
    async ({ repository, memory, server, slept }) => {
      const offsets: number[] = [];
      await repository.uploadBlob(blobSource(BYTES, offsets));
      assert.ok(has(memory, BYTES));
      assert.ok(offsets.length >= 2 && offsets[0] === 0 && (offsets[1] ?? 0) >= 1_000_000, String(offsets));
      assert.equal(server.seen.filter(({ method }) => method === 'POST').length, 1, 'it is one upload');
      assert.ok(slept.length >= 1);
    },
  ));

test('an upload that the registry forgot begins anew', () =>
  under(
    (request, at) => {
      if (request.method === 'PATCH' && at < 2) return { kind: 'reset' };
      if (request.method === 'GET' && at < 3)
        return { kind: 'status', status: 404, body: '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}' };
      return undefined;
    },
    async ({ repository, memory, server }) => {
      await repository.uploadBlob(blobSource(BYTES));
      assert.ok(has(memory, BYTES));
      assert.equal(server.seen.filter(({ method }) => method === 'POST').length, 2);
    },
  ));

for (const method of ['POST', 'PATCH', 'PUT'])
  test(`a burst of 503 at ${method} passes; without end it fails in bounds`, async () => {
    let left = 2;
    await under(
      (request) => (request.method === method && left-- > 0 ? { kind: 'status', status: 503 } : undefined),
      async ({ repository, memory }) => {
        await repository.uploadBlob(blobSource(BYTES));
        assert.ok(has(memory, BYTES));
      },
    );
    await under(
      (request) => (request.method === method ? { kind: 'status', status: 503 } : undefined),
      async ({ repository, server }) => {
        for (const source of [blobSource(BYTES), blobSource(Buffer.from('s'))]) {
          if (source.descriptor.size === 1 && method === 'PATCH') continue;
          await assert.rejects(repository.uploadBlob(source), (thrown) => isKind(thrown, 'unavailable'));
        }
        assert.ok(server.seen.length < 40, `${server.seen.length} requests`);
      },
    );
  });

test('where only small requests pass, it is sent in pieces', () =>
  under(
    () => undefined,
    async ({ repository, memory, server }) => {
      const large = Buffer.alloc(40 << 20, BYTES);
      await repository.uploadBlob(blobSource(large));
      assert.ok(has(memory, large));
      const ranges = server.seen.flatMap(({ headers }) => headers['content-range'] ?? []);
      assert.deepEqual(ranges.slice(1), ['0-16777215', '16777216-33554431', '33554432-41943039']);
    },
    { maxChunk: 16 << 20 },
  ));

test('a refusal is final', () =>
  under(
    (request) => (request.method === 'PATCH' ? { kind: 'status', status: 403 } : undefined),
    async ({ repository, slept }) => {
      await assert.rejects(repository.uploadBlob(blobSource(BYTES)), (thrown) => isKind(thrown, 'forbidden'));
      assert.deepEqual(slept, []);
    },
  ));

test('a refused mount leaves its upload to the blob that is sent in its place', () =>
  under(
    () => undefined,
    async ({ repository, memory, server }) => {
      const source = blobSource(BYTES);
      assert.equal(await repository.mountBlob(source.descriptor.digest, 'other'), false);
      await repository.uploadBlob(source);
      assert.deepEqual(methods(server), ['POST', 'PATCH', 'PUT']);
      assert.equal(memory.uploads.size, 0);
    },
  ));

for (const status of [400, 401, 403, 404, 405])
  test(`a mount that is answered by ${status} is no mount, or no login`, () =>
    under(
      () => ({ kind: 'status', status }),
      async ({ repository }) => {
        const mounted = repository.mountBlob(blobSource(BYTES).descriptor.digest, 'other');
        if (status === 401) await assert.rejects(mounted, (thrown) => isKind(thrown, 'unauthorized'));
        else assert.equal(await mounted, false);
      },
    ));

test('a source that fails ends the upload with its own error, at once', () =>
  under(
    () => undefined,
    async ({ repository, slept }) => {
      const source = blobSource(BYTES);
      const broken = {
        ...source,
        async *open() {
          yield BYTES.subarray(0, 100_000);
          throw new Error('the disk is broken');
        },
      };
      await assert.rejects(repository.uploadBlob(broken), /^WharfError: the disk is broken$/);
      assert.deepEqual(slept, []);
    },
  ));

test('a cancelled upload ends, and reads no further', () =>
  under(
    () => undefined,
    async ({ repository }) => {
      const stop = new AbortController();
      const sending = repository.uploadBlob(
        blobSource(Buffer.alloc(50 << 20)),
        () => stop.abort(),
        stop.signal,
      );
      await assert.rejects(sending, (thrown) => isKind(thrown, 'cancelled'));
    },
  ));

test('a registry without a Location, or with another digest at the end, is refused', async () => {
  await under(
    () => ({ kind: 'status', status: 202 }),
    async ({ repository }) => {
      await assert.rejects(repository.uploadBlob(blobSource(BYTES)), (thrown) => isKind(thrown, 'invalid'));
    },
  );
  const headers = { 'docker-content-digest': `sha256:${'0'.repeat(64)}` };
  await under(
    (request) => (request.method === 'PUT' ? { kind: 'status', status: 201, headers } : undefined),
    async ({ repository }) => {
      await assert.rejects(repository.uploadBlob(blobSource(BYTES)), (thrown) => isKind(thrown, 'corrupt'));
    },
  );
});
