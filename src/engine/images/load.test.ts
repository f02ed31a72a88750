import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { TarPacker } from '../../archive/index.ts';
import { digestOf } from '../../oci/index.ts';
import { tagImage } from './tag.ts';
import {
  configOf,
  dockerMembers,
  EMPTY,
  imported,
  inventory,
  layerOf,
  load,
  ociMembers,
  openFixture,
  packed,
} from './test-fixture.ts';

const lower = layerOf({ 'etc/motd': 'hello', big: Buffer.alloc(1_500_000, 'x') });
const upper = layerOf({ 'etc/motd': 'other', '.wh.big': '' });
const layers = [lower, upper];
const config = configOf(layers, { config: { Labels: { k: 'v' } } });
const id = digestOf(config);

test('a docker-archive becomes an image with its layers unpacked', async () => {
  await using fixture = openFixture();
  const archive = packed(dockerMembers({ config, layers, tags: ['team/app:1', 'app:2'] }));
  assert.deepEqual(await load(fixture, archive), [
    { stream: 'Loaded image: team/app:1\n' },
    { stream: 'Loaded image: app:2\n' },
  ]);
  const image = fixture.images.resolve('team/app:1');
  assert.equal(image.id, id);
  assert.equal(fixture.images.resolve('app:2').id, id);
  assert.deepEqual(
    image.layers.map((layer) => [layer.diffId, layer.tarBytes, layer.bytes]),
    [
      [digestOf(lower), lower.length, 1_500_005],
      [digestOf(upper), upper.length, 5],
    ],
  );
  const [bottom, top] = image.layers.map((layer) => fixture.snapshots.directory(layer.chainId));
  assert.equal(readFileSync(join(bottom as string, 'etc/motd'), 'utf8'), 'hello');
  assert.equal(readFileSync(join(top as string, 'etc/motd'), 'utf8'), 'other');
  assert.deepEqual(await fixture.content.read(image.config.digest), config);
  assert.deepEqual(fixture.published, [
    { type: 'image', action: 'load', id, attributes: { k: 'v', name: id } },
  ]);
  assert.deepEqual((await inventory(fixture))['temporary'], []);
  assert.equal(image.lastTagTime, '0001-01-01T00:00:00Z', 'loading is not tagging, in Docker');
});

test('a layer that several images of an archive share is packed once, to one blob', async () => {
  await using fixture = openFixture();
  const images = ['a', 'b', 'c'].map((author) => ({
    config: configOf(layers, { author }),
    layers,
    tags: [`${author}:1`],
  }));
  await load(fixture, packed(dockerMembers(...images)));
  const blobs = fixture.images.all().map((image) => image.layers.map(({ blob }) => blob.digest).join());
  assert.equal(new Set(blobs).size, 1);
  // Of each image its config and its manifest, too.
  assert.equal((await inventory(fixture))['blobs']?.length, layers.length + 2 * images.length);
});

test('layers are reported as they come in when not quiet, and only what is new', async () => {
  await using fixture = openFixture();
  const archive = packed(dockerMembers({ config, layers, tags: ['app:1'] }));
  const lines = await load(fixture, archive, { quiet: false });
  const loading = lines.filter((line) => line['status'] === 'Loading layer');
  assert.deepEqual(
    [...new Set(loading.map((line) => line['id']))],
    layers.map((layer) => digestOf(layer).slice(7, 19)),
  );
  const last = loading.at(-1)?.['progressDetail'];
  assert.deepEqual(last, { current: upper.length, total: upper.length });
  assert.deepEqual(lines.at(-1), { stream: 'Loaded image: app:1\n' });
  assert.deepEqual(await load(fixture, archive, { quiet: false }), [{ stream: 'Loaded image: app:1\n' }]);
});

for (const [name, pack] of [
  ['gzip', gzipSync],
  ['zstd', zstdCompressSync],
] as const) {
  test(`archives and layers may be packed by ${name}`, async () => {
    await using fixture = openFixture();
    const members = dockerMembers({ config, layers: layers.map((layer) => pack(layer)), tags: ['app:1'] });
    assert.deepEqual(await load(fixture, pack(packed(members))), [{ stream: 'Loaded image: app:1\n' }]);
    const image = fixture.images.resolve('app:1');
    assert.equal(image.layers[0]?.blob.digest, digestOf(pack(lower)), 'kept as it came');
    assert.equal(image.layers[0]?.tarBytes, lower.length);
  });
}

test('an image without a name is told by its id', async () => {
  await using fixture = openFixture();
  const lines = await load(fixture, packed(dockerMembers({ config, layers })));
  assert.deepEqual(lines, [{ stream: `Loaded image ID: ${id}\n` }]);
});

test('a name that another image had is taken from it, and that is said', async () => {
  await using fixture = openFixture();
  const old = await imported(fixture, layerOf({ a: '1' }), { repo: 'app', tag: '1' });
  const lines = await load(fixture, packed(dockerMembers({ config, layers, tags: ['app:1'] })));
  assert.deepEqual(lines, [
    { stream: `The image app:1 already exists, renaming the old one with ID ${old.id} to empty string\n` },
    { stream: 'Loaded image: app:1\n' },
  ]);
  assert.deepEqual(fixture.images.namesOf(old.id), []);
});

test('several images share layers, and links of the archive are followed', async () => {
  await using fixture = openFixture();
  const other = configOf([lower], { author: 'other' });
  const items = [
    { Config: 'one.json', RepoTags: ['one:1'], Layers: ['l/layer.tar', 'up.tar'] },
    { Config: 'two.json', RepoTags: ['two:1'], Layers: ['again/layer.tar'] },
  ];
  const archive = new TarPacker()
    .add({ name: './manifest.json', body: Buffer.from(JSON.stringify(items)) })
    .add({ name: 'again/layer.tar', type: 'symlink', linkName: '../l/layer.tar' })
    .add({ name: 'up.tar', body: upper })
    .add({ name: 'l/layer.tar', body: lower })
    .add({ name: 'one.json', body: config })
    .add({ name: 'two.json', type: 'link', linkName: 'deep/two.json' })
    .add({ name: 'deep/two.json', body: other })
    .finish();
  await load(fixture, archive);
  assert.equal(fixture.images.resolve('two:1').id, digestOf(other));
  assert.equal(fixture.snapshots.list().filter(({ kind }) => kind === 'layer').length, 2);
});

test('an image without layers can be loaded', async () => {
  await using fixture = openFixture();
  const empty = configOf([]);
  await load(fixture, packed(dockerMembers({ config: empty, layers: [], tags: ['empty:1'] })));
  assert.deepEqual(fixture.images.resolve('empty:1').layers, []);
});

test('an OCI layout is loaded with its blobs as they are', async () => {
  await using fixture = openFixture();
  const blobs = [gzipSync(lower), zstdCompressSync(upper)];
  const layerTypes = [
    'application/vnd.oci.image.layer.v1.tar+gzip',
    'application/vnd.oci.image.layer.v1.tar+zstd',
  ];
  const members = ociMembers(
    { config, layers, blobs, layerTypes },
    { 'io.containerd.image.name': 'docker.io/team/app:3', 'org.opencontainers.image.ref.name': '3' },
  );
  assert.deepEqual(await load(fixture, packed(members)), [{ stream: 'Loaded image: team/app:3\n' }]);
  const image = fixture.images.resolve('team/app:3');
  assert.equal(image.id, id);
  assert.deepEqual(
    image.layers.map((layer) => layer.blob.digest),
    blobs.map((blob) => digestOf(blob)),
  );
  assert.ok(members.has(`blobs/${image.manifest.digest.replace(':', '/')}`), 'the manifest is kept, too');
});

test('of an index the image for this platform is taken, and a bare tag is no name', async () => {
  await using fixture = openFixture();
  const members = ociMembers({ config, layers }, { 'org.opencontainers.image.ref.name': 'latest' });
  const child = JSON.parse(String(members.get('index.json'))).manifests[0];
  const { os, architecture } = JSON.parse(String(config));
  const index = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [
        { ...child, digest: digestOf('absent'), platform: { os, architecture: 'mips' } },
        { ...child, platform: { os, architecture } },
      ],
    }),
  );
  members.set(`blobs/${digestOf(index).replace(':', '/')}`, index);
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const top = { schemaVersion: 2, manifests: [{ mediaType, digest: digestOf(index), size: index.length }] };
  members.set('index.json', Buffer.from(JSON.stringify(top)));
  assert.deepEqual(await load(fixture, packed(members)), [{ stream: `Loaded image ID: ${id}\n` }]);
});

test('what is not for the platform asked for is not taken', async () => {
  await using fixture = openFixture();
  const platform = { os: 'linux', architecture: 'mips' };
  const archive = dockerMembers({ config, layers, tags: ['a:1'] });
  // As in the reference, an archive without an image for the platform is no failure.
  assert.deepEqual(await load(fixture, packed(archive), { platform }), [{}]);
  const message = 'the layout holds no image for this platform';
  const lines = await load(fixture, packed(ociMembers({ config, layers })), { platform });
  assert.deepEqual(lines, [{ errorDetail: { message }, error: message }]);
  assert.deepEqual(await inventory(fixture), EMPTY);
  assert.deepEqual(await load(fixture, packed(new Map([['manifest.json', Buffer.from('[]')]]))), [{}]);
});

test('two loads of one archive at once both succeed, and unpack once', async () => {
  await using fixture = openFixture();
  let unpackings = 0;
  const counting = {
    ...fixture,
    unpack: (...args: Parameters<typeof fixture.unpack>) => {
      unpackings++;
      return fixture.unpack(...args);
    },
  };
  const archive = packed(dockerMembers({ config, layers, tags: ['app:1'] }));
  const both = await Promise.all([load(counting, archive), load(counting, archive)]);
  assert.deepEqual(both[0], both[1]);
  assert.equal(unpackings, 2, 'one for each layer');
  assert.equal((await inventory(fixture))['images']?.length, 1);
});

test('a layer that a crash or a forced removal left is used, and counted anew', async () => {
  await using fixture = openFixture();
  const archive = packed(dockerMembers({ config, layers, tags: ['app:1'] }));
  await load(fixture, archive);
  // Packing the same bytes again need not give the same blob.
  const figures = () => fixture.images.resolve('app:1').layers.map(({ blob: _, ...figures }) => figures);
  const before = figures();
  fixture.images.delete(id);
  await load(fixture, archive);
  assert.deepEqual(figures(), before);
});

test('a load that is cancelled in the middle leaves nothing', async () => {
  await using fixture = openFixture();
  const archive = packed(dockerMembers({ config, layers, tags: ['app:1'] }));
  const abort = new AbortController();
  const stopping = {
    ...fixture,
    unpack: (...[request, signal]: Parameters<typeof fixture.unpack>) => {
      abort.abort();
      return fixture.unpack(request, signal);
    },
  };
  await assert.rejects(load(stopping, archive, {}, abort.signal));
  await fixture.snapshots.settled();
  assert.deepEqual(await inventory(fixture), EMPTY);
  assert.deepEqual(fixture.published, []);
});

test('a tag given while a load runs is not lost', async () => {
  await using fixture = openFixture();
  const archive = packed(dockerMembers({ config, layers, tags: ['app:1'] }));
  await load(fixture, archive);
  const again = load(fixture, archive);
  await tagImage(fixture, 'app:1', { repo: 'kept', tag: '1' });
  await again;
  assert.equal(fixture.images.resolve('kept:1').id, id);
  assert.notEqual(fixture.images.resolve('kept:1').lastTagTime, '0001-01-01T00:00:00Z');
  assert.ok(existsSync(fixture.temporary));
});
