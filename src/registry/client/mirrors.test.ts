import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKind } from '../../base/index.ts';
import { digestOf, MediaTypes } from '../../oci/index.ts';
import { blobSource, collect } from '../suite.ts';
import { serveChaos } from './testing/chaos.ts';
import { type MemoryRegistry, memoryRegistry } from './testing/memory-registry.ts';
import { testRegistries } from './testing/registries.ts';
import { type Handler, type Served, serve } from './testing/serve.ts';

const BYTES = Buffer.alloc(400_000, 'mirrored');
const BLOB = { ...blobSource(BYTES).descriptor };
const manifestOf = (note: string) =>
  Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MediaTypes.ociManifest,
      config: { mediaType: MediaTypes.ociConfig, digest: digestOf(note), size: note.length },
      layers: [],
    }),
  );

/** A registry with image and blob, and mirrors before it, each with what its handler makes of another such registry. */
async function withMirrors(
  handlers: ((memory: MemoryRegistry) => Handler)[],
  check: (scene: {
    own: Served;
    mirrors: Served[];
    registries: ReturnType<typeof testRegistries>;
  }) => Promise<void>,
): Promise<void> {
  const full = (note: string) => {
    const memory = memoryRegistry();
    memory.put('app', 'v1', manifestOf(note), MediaTypes.ociManifest);
    memory.addBlob('app', BYTES);
    return memory;
  };
  await using stack = new AsyncDisposableStack();
  const own = stack.use(await serve(full('own').handler));
  const mirrors: Served[] = [];
  for (const [at, handler] of handlers.entries())
    mirrors.push(stack.use(await serve(handler(full(`mirror ${at}`)))));
  const urls = mirrors.map(({ origin }) => `${origin}/cache`);
  const registries = stack.use(testRegistries({ mirrors: new Map([[own.host, urls]]) }));
  await check({ own, mirrors, registries });
}

/** Below `/cache`, as a proxying registry serves. */
const cached =
  (memory: MemoryRegistry): Handler =>
  (request, response) => {
    request.url = request.url?.replace(/^\/cache/, '') ?? '';
    return memory.handler(request, response);
  };
const empty = (): Handler => cached(memoryRegistry());
const broken = (): Handler => (_, response) => response.writeHead(500).end();
const closed = (): Handler => (request) => request.socket.destroy();
const image = ({ own, registries }: { own: Served; registries: ReturnType<typeof testRegistries> }) =>
  registries.repository({ domain: own.host, path: 'app' }, { actions: ['pull'] });

test('a mirror serves in place of the registry, and is told for whom', () =>
  withMirrors([cached], async (scene) => {
    const { own, mirrors } = scene;
    const app = image(scene);
    assert.deepEqual((await app.manifest('v1')).bytes, manifestOf('mirror 0'));
    assert.deepEqual(Buffer.concat(await collect((await app.blob(BLOB, 0)).body)), BYTES);
    assert.equal(own.seen.length, 0);
    const asked = mirrors[0]?.seen.slice(1).map(({ url }) => url);
    const ns = `ns=${encodeURIComponent(own.host)}`;
    assert.deepEqual(asked, [`/cache/v2/app/manifests/v1?${ns}`, `/cache/v2/app/blobs/${BLOB.digest}?${ns}`]);
  }));

test('mirrors are asked in order; one that fails or lacks it is passed over', () =>
  withMirrors([broken, closed, empty, cached], async (scene) => {
    assert.deepEqual((await image(scene).manifest('v1')).bytes, manifestOf('mirror 3'));
    assert.ok(scene.mirrors.every(({ seen }) => seen.length > 0));
    assert.equal(scene.own.seen.length, 0);
  }));

test('a mirror without referrers does not hide those of the registry', () =>
  withMirrors([cached], async (scene) => {
    const digest = digestOf(manifestOf('own'));
    const app = image(scene);
    const signature = {
      ...(JSON.parse(String(manifestOf('own'))) as object),
      artifactType: 'application/vnd.example.signature',
      subject: { mediaType: MediaTypes.ociManifest, digest, size: manifestOf('own').length },
    };
    const writer = scene.registries.repository(
      { domain: scene.own.host, path: 'app' },
      { actions: ['pull', 'push'] },
    );
    const bytes = Buffer.from(JSON.stringify(signature));
    await writer.putManifest(bytes, MediaTypes.ociManifest, digestOf(bytes));
    const listed = await app.referrers(digest);
    assert.deepEqual(
      listed.manifests.map((one) => one.digest),
      [digestOf(bytes)],
    );
    assert.deepEqual((await app.referrers(digestOf('nothing'))).manifests, []);
    assert.ok(scene.mirrors[0]?.seen.some(({ url }) => url.includes('/referrers/')));
    // Where only the mirror can be reached its word holds.
    await scene.own[Symbol.asyncDispose]();
    assert.deepEqual((await app.referrers(digest)).manifests, []);
  }));

test('without a mirror that has it, the registry itself has the last word', () =>
  withMirrors([empty, broken], async (scene) => {
    const app = image(scene);
    assert.deepEqual((await app.manifest('v1')).bytes, manifestOf('own'));
    await assert.rejects(app.manifest('v2'), (thrown) => isKind(thrown, 'not-found'));
    assert.equal(await app.statBlob(digestOf('absent')), undefined);
  }));

test('a mirror that breaks in the middle of a blob is not asked for the rest', async () => {
  const memory = memoryRegistry();
  memory.addBlob('app', BYTES);
  await using mirror = await serveChaos(memory.handler, () => ({ kind: 'cut', after: 100_000 }));
  await using own = await serve(memory.handler);
  using registries = testRegistries({ mirrors: new Map([['*', [mirror.origin]]]) });
  const app = image({ own, registries });
  const first = await app.blob(BLOB, 0);
  await assert.rejects(collect(first.body), (thrown) => isKind(thrown, 'unavailable'));
  const { start, body } = await app.blob(BLOB, 50_000);
  assert.deepEqual(Buffer.concat(await collect(body)), BYTES.subarray(start));
  assert.equal(mirror.seen.filter(({ url }) => url.includes('/blobs/')).length, 1);
});

test('pushes and deletions never ask a mirror', () =>
  withMirrors([cached], async ({ own, mirrors, registries }) => {
    const app = registries.repository({ domain: own.host, path: 'app' }, { actions: ['pull', 'push'] });
    await app.uploadBlob(blobSource(Buffer.from('new')));
    await app.resolve('v1');
    await app.deleteManifest('v1');
    assert.equal(mirrors[0]?.seen.length, 0);
  }));

test('a cancelled pull does not go on to the next mirror', () =>
  withMirrors([cached, cached], async (scene) => {
    const signal = AbortSignal.abort();
    await assert.rejects(image(scene).manifest('v1', signal), (thrown) => isKind(thrown, 'cancelled'));
    assert.equal(scene.own.seen.length, 0);
  }));

test('a mirror that is down costs one try, and its login is its own', async () => {
  const memory = memoryRegistry();
  memory.put('app', 'v1', manifestOf('m'), MediaTypes.ociManifest);
  const login = `Basic ${Buffer.from('m:mirror-secret').toString('base64')}`;
  await using mirror = await serve((request, response) => {
    if (request.headers.authorization === login) return memory.handler(request, response);
    return response.writeHead(401, { 'www-authenticate': 'Basic realm="m"', 'content-length': '0' }).end();
  });
  await using own = await serve(memory.handler);
  const url = mirror.origin.replace('//', '//m:mirror-secret@');
  using registries = testRegistries({ mirrors: new Map([['*', ['http://127.0.0.1:1', url]]]) });
  assert.deepEqual((await image({ own, registries }).manifest('v1')).bytes, manifestOf('m'));
  assert.equal(own.seen.length, 0);
});
