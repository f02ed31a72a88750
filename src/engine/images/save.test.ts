import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readTar } from '../../archive/index.ts';
import { isKind } from '../../base/index.ts';
import { digestOf } from '../../oci/index.ts';
import { removeImage } from './remove.ts';
import { saveImages } from './save.ts';
import {
  collect,
  configOf,
  dockerMembers,
  EMPTY,
  imported,
  inventory,
  layerOf,
  load,
  openFixture,
  packed,
  someImage,
  unpacked,
} from './test-fixture.ts';

const layers = [layerOf({ a: Buffer.alloc(200_000, 'a') }), layerOf({ b: 'b' })];
const config = configOf(layers);
const id = digestOf(config);
const sha = (bytes: Uint8Array) => digestOf(bytes).slice(7);

async function loaded(tags: string[]) {
  const fixture = openFixture();
  await load(
    fixture,
    packed(dockerMembers({ config, layers: [gzipSync(layers[0] as Buffer), layers[1] as Buffer], tags })),
  );
  fixture.published.length = 0;
  return fixture;
}

test('the archive has the members and documents of the reference', async () => {
  await using fixture = await loaded(['app:1', 'team/app:2']);
  const members = await unpacked(saveImages(fixture, ['app:1', 'team/app:2'], {}));
  const manifest = Buffer.from(
    `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"${id}","size":${config.length}},"layers":[${layers
      .map(
        (layer) =>
          `{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"${digestOf(layer)}","size":${layer.length}}`,
      )
      .join(',')}]}`,
  );
  const blobs = [...layers, config, manifest].sort((one, other) => (sha(one) < sha(other) ? -1 : 1));
  assert.deepEqual(
    [...members.keys()],
    [
      'blobs/',
      'blobs/sha256/',
      ...blobs.map((blob) => `blobs/sha256/${sha(blob)}`),
      'index.json',
      'manifest.json',
      'oci-layout',
      'repositories',
    ],
  );
  for (const blob of blobs) assert.deepEqual(members.get(`blobs/sha256/${sha(blob)}`), blob);
  const entry = `{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"${digestOf(manifest)}","size":${manifest.length},"annotations":{"io.containerd.image.name"`;
  assert.equal(
    String(members.get('index.json')),
    `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[${entry}:"docker.io/library/app:1","org.opencontainers.image.ref.name":"1"}},${entry}:"docker.io/team/app:2","org.opencontainers.image.ref.name":"2"}}]}`,
  );
  const sources = [...layers]
    .sort((one, other) => (sha(one) < sha(other) ? -1 : 1))
    .map(
      (layer) =>
        `"${digestOf(layer)}":{"mediaType":"application/vnd.oci.image.layer.v1.tar","size":${layer.length},"digest":"${digestOf(layer)}"}`,
    );
  assert.equal(
    String(members.get('manifest.json')),
    `[{"Config":"blobs/sha256/${sha(config)}","RepoTags":["app:1","team/app:2"],"Layers":[${layers.map((layer) => `"blobs/sha256/${sha(layer)}"`).join(',')}],"LayerSources":{${sources.join(',')}}}]\n`,
  );
  assert.equal(String(members.get('oci-layout')), '{"imageLayoutVersion": "1.0.0"}');
  const top = sha(layers[1] as Buffer);
  assert.equal(String(members.get('repositories')), `{"app":{"1":"${top}"},"team/app":{"2":"${top}"}}\n`);
  assert.deepEqual(fixture.published, [{ type: 'image', action: 'save', id, attributes: { name: id } }]);
});

test('times are the image’s, and 1970 for what is made for the archive', async () => {
  await using fixture = await loaded(['app:1']);
  const created = BigInt(Date.parse('2024-01-02T03:04:05Z')) * 1_000_000n;
  for await (const entry of readTar(saveImages(fixture, ['app:1'], {}))) {
    const own =
      entry.name.startsWith('blobs/') &&
      (entry.type === 'directory' ||
        entry.name.endsWith(sha(config)) ||
        layers.some((layer) => entry.name.endsWith(sha(layer))));
    assert.equal(entry.mtimeNs, own ? created : 0n, entry.name);
    assert.equal(entry.mode, entry.type === 'directory' ? 0o755 : 0o644);
  }
});

test('by id nothing is named, by repository every tag is', async () => {
  await using fixture = await loaded(['app:1', 'app:2', 'application:1']);
  const byId = await unpacked(saveImages(fixture, [id], {}));
  assert.equal(byId.has('repositories'), false);
  assert.equal(JSON.parse(String(byId.get('manifest.json')))[0].RepoTags, null);
  assert.equal(JSON.parse(String(byId.get('index.json'))).manifests[0].annotations, undefined);
  const all = await unpacked(saveImages(fixture, ['app'], {}));
  assert.deepEqual(JSON.parse(String(all.get('manifest.json')))[0].RepoTags, ['app:1', 'app:2']);
});

test('what is loaded, saved and loaded elsewhere stays the same', async () => {
  await using one = await loaded(['app:1']);
  const tar = layerOf({ root: 'fs', 'usr/bin/x': Buffer.alloc(70_000, 1) });
  const image = await imported(one, tar, { repo: 'imported', tag: '', changes: ['CMD ["x"]'] });
  const first = Buffer.concat(await collect(saveImages(one, ['app:1', 'imported'], {})));
  await using two = openFixture();
  assert.deepEqual(await load(two, first), [
    { stream: 'Loaded image: app:1\n' },
    { stream: 'Loaded image: imported:latest\n' },
  ]);
  assert.deepEqual(
    two.images
      .resolve('imported')
      .layers.map(({ diffId, chainId, bytes, tarBytes }) => [diffId, chainId, bytes, tarBytes]),
    image.layers.map(({ diffId, chainId, bytes, tarBytes }) => [diffId, chainId, bytes, tarBytes]),
  );
  assert.equal(two.images.resolve('imported').id, image.id);
  const second = Buffer.concat(await collect(saveImages(two, ['app:1', 'imported'], {})));
  assert.ok(first.equals(second), 'saving gives the same bytes again');
});

test('the same archive without manifest.json is an OCI layout of the same image', async () => {
  await using one = await loaded(['app:1']);
  const members = await unpacked(saveImages(one, ['app:1'], {}));
  members.delete('manifest.json');
  for (const name of [...members.keys()]) if (name.endsWith('/')) members.delete(name);
  await using two = openFixture();
  assert.deepEqual(await load(two, packed(members)), [{ stream: 'Loaded image: app:1\n' }]);
  assert.equal(two.images.resolve('app:1').id, id);
});

const missing: [ref: string, kind: 'not-found' | 'invalid', text: string][] = [
  ['nope', 'not-found', 'No such image: nope'],
  ['imgp/nope:3', 'not-found', 'reference does not exist'],
  ['IMGP/x', 'not-found', 'No such image: IMGP/x'],
  ['deadbeef', 'not-found', 'No such image: deadbeef'],
  ['sha256:deadbeef', 'not-found', 'No such image: sha256:deadbeef'],
  [`a@${digestOf('x')}`, 'not-found', 'reference does not exist'],
  ['a:b:c', 'invalid', 'invalid reference format'],
];
for (const [ref, kind, text] of missing) {
  test(`${ref} is missing before anything is sent`, async () => {
    await using fixture = await loaded(['app:1']);
    assert.throws(
      () => saveImages(fixture, ['app:1', ref], {}),
      (thrown: Error) => isKind(thrown, kind) && thrown.message === text,
    );
    assert.deepEqual(fixture.published, []);
  });
}

test('another platform does not exist', async () => {
  await using fixture = await loaded(['app:1']);
  assert.throws(() => saveImages(fixture, ['app:1'], { platform: { os: 'linux', architecture: 'mips' } }), {
    message: 'no suitable export target found for platform linux/mips',
  });
});

test('an image removed while it is saved is saved as a whole, and swept after', async () => {
  await using fixture = await loaded(['app:1']);
  const stream = saveImages(fixture, ['app:1'], {});
  const whole = Buffer.concat(await collect(saveImages(fixture, ['app:1'], {})));
  const parts: Buffer[] = [];
  for await (const part of stream as AsyncIterable<Buffer>) {
    if (parts.length === 0) await removeImage(fixture, 'app:1', { force: false, noPrune: false });
    parts.push(part);
  }
  assert.ok(Buffer.concat(parts).equals(whole));
  await fixture.snapshots.settled();
  assert.deepEqual(await inventory(fixture), EMPTY);
});

test('a client that stops reading lets sweeps go on', async () => {
  await using fixture = await loaded(['app:1']);
  const stream = saveImages(fixture, ['app:1'], {});
  for await (const _ of stream) break;
  await removeImage(fixture, 'app:1', { force: false, noPrune: false });
  await fixture.snapshots.settled();
  assert.deepEqual((await inventory(fixture))['blobs'], []);
});

test('a save whose image was removed before it is read fails, and does not pass for whole', async () => {
  await using fixture = await loaded([]);
  const image = await someImage(fixture, 'other:1');
  const stream = saveImages(fixture, [image.id], {});
  await removeImage(fixture, image.id, { force: true, noPrune: false });
  await assert.rejects(collect(stream));
});
