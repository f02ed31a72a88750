import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { decompress } from '../../archive/index.ts';
import { isKind } from '../../base/index.ts';
import { chainIds, type Descriptor, digestOf } from '../../oci/index.ts';
import { inChain, type LayerUnpacker, makeLayer, storePlainLayer } from './layers.ts';
import { MadeLayers } from './made-layers.ts';
import { buildImage, keepImage } from './register.ts';
import { collect, configOf, type Fixture, inventory, layerOf, openFixture } from './test-fixture.ts';

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const tar = layerOf({ a: Buffer.alloc(100_000, 'a'), b: 'b' });
const diffId = digestOf(tar);
const chainId = chainIds([diffId])[0] ?? diffId;

const taking = (fixture: Fixture) => ({ lease: fixture.leases.open() });

async function stored(fixture: Fixture, bytes = tar) {
  return (await storePlainLayer(fixture.content, once(bytes), { lease: fixture.leases.open() })).blob;
}

test('a plain layer is kept packed, and gives the same bytes again', async () => {
  await using fixture = openFixture();
  const { blob, diffId: found } = await storePlainLayer(fixture.content, once(tar), {
    lease: fixture.leases.open(),
  });
  assert.equal(found, diffId);
  assert.ok(blob.size < tar.length / 10);
  assert.deepEqual(Buffer.concat(await collect(decompress(fixture.content.open(blob.digest)))), tar);
});

test('a plain layer that would be refused as a bomb once it is packed stays plain', async () => {
  await using fixture = openFixture();
  const zeros = layerOf({ zeros: Buffer.alloc(1_000_000) });
  const bounds = { ratioFreeBytes: 500_000, maxRatio: 200 };
  const store = (bytes: Buffer, lease = fixture.leases.open()) =>
    storePlainLayer(fixture.content, once(bytes), { lease }, bounds);
  const { blob, diffId: found } = await store(zeros);
  assert.deepEqual([blob.digest, blob.size, found], [digestOf(zeros), zeros.length, digestOf(zeros)]);
  assert.equal(blob.mediaType, 'application/vnd.oci.image.layer.v1.tar');
  assert.deepEqual(Buffer.concat(await collect(fixture.content.open(blob.digest))), zeros);
  assert.match((await store(tar)).blob.mediaType, /zstd$/, 'few bytes are no bomb');
});

test('a source that fails leaves no blob', async () => {
  await using fixture = openFixture();
  const failing = async function* () {
    yield tar.subarray(0, 5000);
    throw new Error('the disk went away');
  };
  await assert.rejects(
    storePlainLayer(fixture.content, failing(), { lease: fixture.leases.open() }),
    /the disk went away/,
  );
  assert.deepEqual((await inventory(fixture))['blobs'], []);
});

test('a layer is made once, however many want it', async () => {
  await using fixture = openFixture();
  const layer = { chainId, parent: undefined, diffId, blob: await stored(fixture) };
  const made = await Promise.all([
    makeLayer(fixture, layer, taking(fixture)),
    makeLayer(fixture, layer, taking(fixture)),
    makeLayer(fixture, layer, taking(fixture)),
  ]);
  for (const one of made)
    assert.deepEqual(one, { chainId, diffId, blob: layer.blob, tarBytes: tar.length, bytes: 100_001 });
  assert.deepEqual(fixture.snapshots.list(), [{ key: chainId, kind: 'layer', parent: undefined }]);
  assert.equal(readFileSync(join(fixture.snapshots.directory(chainId), 'b'), 'utf8'), 'b');
});

test('a blob that unpacks to something else is corrupt, and leaves no snapshot', async () => {
  await using fixture = openFixture();
  const layer = { chainId, parent: undefined, diffId, blob: await stored(fixture, layerOf({ other: 'x' })) };
  await assert.rejects(makeLayer(fixture, layer, taking(fixture)), (thrown) => isKind(thrown, 'corrupt'));
  assert.deepEqual(fixture.snapshots.list(), []);
  const orphan = { ...layer, blob: await stored(fixture), parent: digestOf('none') };
  await assert.rejects(makeLayer(fixture, orphan, taking(fixture)), (thrown) => isKind(thrown, 'not-found'));
  assert.deepEqual(fixture.snapshots.list(), []);
});

test('an image is built without being recorded, and recorded with its names', async () => {
  await using fixture = openFixture();
  const config = configOf([tar], { variant: 'v8', config: { Labels: { a: 'b' } } });
  const blob = await stored(fixture);
  const image = await buildImage(fixture, { config, layers: [blob] }, taking(fixture));
  assert.deepEqual(fixture.images.all(), []);
  assert.equal(image.id, digestOf(config));
  assert.equal(image.platform.variant, 'v8');
  assert.deepEqual(image.labels, { a: 'b' });
  const manifest = JSON.parse(String(await fixture.content.read(image.manifest.digest)));
  assert.deepEqual(manifest.layers, [{ mediaType: blob.mediaType, digest: blob.digest, size: blob.size }]);
  assert.deepEqual(keepImage(fixture.images, image, [{ name: 'docker.io/library/a:1' }]), new Map());
  assert.deepEqual(await buildImage(fixture, { config, layers: [blob] }, taking(fixture)), image);
  const other = await buildImage(fixture, { config: configOf([tar]), layers: [blob] }, taking(fixture));
  const taken = keepImage(fixture.images, other, [
    { name: 'docker.io/library/a:1' },
    { name: 'docker.io/library/b:1' },
  ]);
  assert.deepEqual([...taken], [['docker.io/library/a:1', image.id]]);
});

test('layers must be as many as the config says', async () => {
  await using fixture = openFixture();
  const building = buildImage(
    fixture,
    { config: configOf([tar, tar]), layers: [await stored(fixture)] },
    taking(fixture),
  );
  await assert.rejects(building, { message: 'invalid manifest, layers length mismatch: expected 1, got 2' });
});

const chain = (count: number) => {
  const tars = Array.from({ length: count }, (_, at) => layerOf({ [`file${at}`]: `text ${at}` }));
  const names = chainIds(tars.map((one) => digestOf(one)));
  return tars.map((one, at) => ({
    tar: one,
    chainId: names[at] ?? digestOf(one),
    parent: at > 0 ? names[at - 1] : undefined,
    diffId: digestOf(one),
  }));
};

test('layers are unpacked before their parents, and stand on them in the end', async () => {
  await using fixture = openFixture();
  const wanted = chain(3);
  const ended: string[] = [];
  const first = Promise.withResolvers<void>();
  const unpack: LayerUnpacker = async (request, signal) => {
    if (request.expectedDiffId === wanted[0]?.diffId) await first.promise;
    const result = await fixture.unpack(request, signal);
    ended.push(result.diffId);
    if (ended.length === 2) first.resolve();
    return result;
  };
  const blobs = await Promise.all(wanted.map((layer) => stored(fixture, layer.tar)));
  const made = await inChain(wanted, undefined, (layer, below, signal) => {
    const whole = { ...layer, blob: blobs[wanted.indexOf(layer)] as Descriptor };
    return makeLayer({ ...fixture, unpack }, whole, { ...taking(fixture), signal }, { below });
  });
  assert.equal(ended.at(-1), wanted[0]?.diffId, 'the lowest was the last');
  assert.deepEqual(
    made.map(({ chainId }) => fixture.snapshots.stat(chainId)?.parent),
    wanted.map(({ parent }) => parent),
  );
});

test('when one layer fails the others are cancelled, and nothing is thrown before they have ended', async () => {
  const ended: number[] = [];
  const working = inChain([0, 1, 2, 3], undefined, async (item, below, signal) => {
    if (item === 2) throw new Error('the third is broken');
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
    await new Promise((resolve) => setImmediate(resolve));
    ended.push(item);
    if (item > 2) await below;
  });
  await assert.rejects(working, /the third is broken/);
  assert.deepEqual(ended, [0, 1, 3]);
});

test('when the beginnings can’t be recorded all of them end before that is thrown', async () => {
  const ended: number[] = [];
  const working = inChain(
    [0, 1, 2],
    undefined,
    async (item, below, signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      ended.push(item);
      await below;
      throw new Error('what was begun is gone');
    },
    (all) => {
      all();
      throw new Error('the disk is full');
    },
  );
  await assert.rejects(working, /the disk is full/);
  assert.deepEqual(ended, [0, 1, 2]);
});

test('of very many layers some begin in a turn, and after a failure no more of them', async () => {
  const items = Array.from({ length: 500 }, (_, at) => at);
  let begun = 0;
  const begins: number[] = [];
  const begin = (all: () => void) => {
    all();
    begins.push(begun);
  };
  const work = async (item: number, below: Promise<unknown>) => {
    begun++;
    await below;
    return item;
  };
  assert.deepEqual(await inChain(items, undefined, work, begin), items);
  assert.deepEqual(begins, [64, 128, 192, 256, 320, 384, 448, 500]);
  begun = 0;
  const failing = async () => {
    begun++;
    throw new Error('broken');
  };
  await assert.rejects(inChain(items, undefined, failing), /broken/);
  assert.equal(begun, 64);
});

test('who waits for a layer that another makes can give up; who makes it ends first', async () => {
  await using fixture = openFixture();
  const layer = { chainId, parent: undefined, diffId, blob: await stored(fixture) };
  const step = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const unpack: LayerUnpacker = async (request) => {
    begun.resolve();
    await step.promise;
    return fixture.unpack(request);
  };
  const [maker, waiter] = [new AbortController(), new AbortController()];
  const deps = { ...fixture, unpack };
  const made = makeLayer(deps, layer, { ...taking(fixture), signal: maker.signal });
  const waited = makeLayer(deps, layer, { ...taking(fixture), signal: waiter.signal });
  waiter.abort();
  await assert.rejects(waited, (thrown) => isKind(thrown, 'cancelled'));
  await begun.promise;
  maker.abort();
  step.resolve();
  assert.equal((await made).chainId, chainId);
  const late = { ...taking(fixture), signal: AbortSignal.abort() };
  await assert.rejects(makeLayer(deps, layer, late), (thrown) => isKind(thrown, 'cancelled'));
});

test('a blob counts as another packing of a layer that is here only when it holds the same', async () => {
  await using fixture = openFixture();
  const layer = { chainId, parent: undefined, diffId, blob: await stored(fixture) };
  const first = await makeLayer(fixture, layer, taking(fixture));
  const put = (bytes: Buffer) => fixture.content.put(bytes, 'x');
  const again = { ...layer, blob: await put(gzipSync(tar)) };
  assert.deepEqual(await makeLayer(fixture, again, taking(fixture)), { ...first, blob: again.blob });
  // Of neither is anything remembered: the figures are counted anew.
  const forgetful = { ...fixture, made: new MadeLayers(fixture.images) };
  assert.deepEqual(await makeLayer(forgetful, again, taking(fixture)), { ...first, blob: again.blob });
  for (const made of [fixture.made, new MadeLayers(fixture.images)]) {
    for (const lie of [
      gzipSync(layerOf({ other: 'x' })),
      gzipSync(Buffer.concat([tar, Buffer.alloc(512)])),
    ]) {
      const lying = { ...layer, blob: await put(lie) };
      await assert.rejects(makeLayer({ ...fixture, made }, lying, taking(fixture)), (thrown) =>
        isKind(thrown, 'corrupt'),
      );
    }
  }
  assert.deepEqual(fixture.snapshots.list(), [{ key: chainId, kind: 'layer', parent: undefined }]);
});

test('a packing that does not come holds up no other one of the same layer', async () => {
  await using fixture = openFixture();
  const gate = Promise.withResolvers<void>();
  const good = { chainId, parent: undefined, diffId, blob: await stored(fixture) };
  const slow = { ...good, blob: await fixture.content.put(gzipSync(tar), 'x') };
  const waiting = makeLayer(fixture, slow, taking(fixture), {
    source: async () => {
      await gate.promise;
      return fixture.content.pathOf(slow.blob.digest);
    },
  });
  const made = await makeLayer(fixture, good, taking(fixture));
  gate.resolve();
  assert.deepEqual(await waiting, { ...made, blob: slow.blob });
  assert.deepEqual(fixture.snapshots.list(), [{ key: chainId, kind: 'layer', parent: undefined }]);
});
