import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { decompress } from '../../archive/index.ts';
import { isKind } from '../../base/index.ts';
import { chainIds, digestOf } from '../../oci/index.ts';
import { makeLayer, storePlainLayer } from './layers.ts';
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
  await assert.rejects(
    makeLayer(fixture, { ...layer, parent: digestOf('none') }, taking(fixture)),
    (thrown) => isKind(thrown, 'not-found'),
  );
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
  assert.deepEqual(keepImage(fixture.images, image, ['docker.io/library/a:1']), new Map());
  assert.deepEqual(await buildImage(fixture, { config, layers: [blob] }, taking(fixture)), image);
  const other = await buildImage(fixture, { config: configOf([tar]), layers: [blob] }, taking(fixture));
  const taken = keepImage(fixture.images, other, ['docker.io/library/a:1', 'docker.io/library/b:1']);
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
