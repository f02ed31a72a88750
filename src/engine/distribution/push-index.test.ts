import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WharfError } from '../../base/index.ts';
import { digestOf, MediaTypes } from '../../oci/index.ts';
import { tagImage } from '../images/index.ts';
import { HOST, openDistribution } from './testing/fixture.ts';
import { errorOf, image, indexed, push, pushedDigest, short, states } from './testing/pushing.ts';

test('an index of which all is here goes byte for byte, its unknown entries too', async () => {
  await using home = openDistribution();
  const record = await image(home, ['plain:1'], 'one');
  const { content } = home.fixture;
  const attested = await content.put(Buffer.from('{"in":"toto"}'), 'application/vnd.in-toto+json');
  const empty = await content.put(Buffer.from('{}'), MediaTypes.ociEmpty);
  const document = { schemaVersion: 2, mediaType: MediaTypes.ociManifest, config: empty, layers: [attested] };
  const attestation = await content.put(Buffer.from(JSON.stringify(document)), MediaTypes.ociManifest);
  const unknown = await content.put(Buffer.from('{"what":"is this"}'), 'application/vnd.example+json');
  const { target, bytes } = await indexed(home, record, 'app:1', [
    { ...attestation, platform: { os: 'unknown', architecture: 'unknown' } },
    unknown,
  ]);
  const lines = await push(home, 'app', '1');
  assert.deepEqual(lines.at(-1)?.['aux'], { Tag: '1', Digest: target.digest, Size: target.size });
  const there = home.registry.contents('app');
  assert.deepEqual(there.manifests.get(target.digest), { bytes, mediaType: MediaTypes.ociIndex });
  assert.equal(there.manifests.get(unknown.digest)?.mediaType, 'application/vnd.example+json');
  assert.ok(there.blobs.has(attested.digest));
  assert.deepEqual(states(lines, short(attested.digest)), ['Preparing', 'Pushed']);
  assert.deepEqual(home.registry.asked('put').at(-1), 'app 1');
  assert.deepEqual(home.fixture.images.name(`${HOST}/app@${target.digest}`)?.target, target);
});

test('an entry that the registry does not take as a document goes as a blob', async () => {
  await using home = openDistribution();
  const record = await image(home, ['plain:1'], 'one');
  const unknown = await home.fixture.content.put(Buffer.from('{"a":1}'), 'application/vnd.example+json');
  await indexed(home, record, 'app:1', [unknown]);
  home.registry.before = ({ method, about }) => {
    if (method === 'put' && about === unknown.digest) throw new WharfError('invalid', 'manifest invalid');
  };
  assert.equal(errorOf(await push(home, 'app', '1')), undefined);
  assert.ok(home.registry.contents('app').blobs.has(unknown.digest));
});

test('of an index with other platforms the one that is here goes alone, with a note', async () => {
  await using home = openDistribution();
  const record = await image(home, ['plain:1'], 'one');
  const absent = { mediaType: MediaTypes.ociManifest, digest: digestOf('arm'), size: 3 };
  const entries = [{ ...absent, platform: { os: 'linux', architecture: 'riscv64' } }];
  const { target } = await indexed(home, record, 'app:1', entries);
  const lines = await push(home, 'app', '1');
  const { digest, size, mediaType } = record.manifest;
  assert.deepEqual(lines.slice(-2), [
    { progressDetail: {}, aux: { Tag: '1', Digest: digest, Size: size } },
    {
      progressDetail: {},
      aux: {
        manifestPushedInsteadOfIndex: true,
        originalIndex: target,
        selectedManifest: { mediaType, digest, size },
      },
    },
  ]);
  assert.deepEqual([...home.registry.contents('app').manifests.keys()], [digest]);
});

test('an index that was lost is no reason not to push what is here', async () => {
  await using home = openDistribution();
  const record = await image(home, ['plain:1'], 'one');
  const { target } = await indexed(home, record, 'app:1', []);
  await home.fixture.content.remove(target.digest);
  const lines = await push(home, 'app', '1');
  assert.equal(home.registry.contents('app').tags.get('1'), record.manifest.digest);
  assert.deepEqual((lines.at(-1)?.['aux'] as { originalIndex: unknown } | undefined)?.originalIndex, target);
});

test('an index goes whole when the registry has what is not here', async () => {
  await using home = openDistribution();
  const record = await image(home, ['plain:1'], 'one');
  const other = home.registry.addManifest('app', { some: 'image' }, MediaTypes.ociManifest);
  const { target } = await indexed(home, record, 'app:1', [other]);
  const lines = await push(home, 'app', '1');
  assert.deepEqual(lines.at(-1)?.['aux'], { Tag: '1', Digest: target.digest, Size: target.size });
});

test('one platform of an index goes when it is asked for', async () => {
  await using home = openDistribution();
  const record = await image(home, ['plain:1'], 'one');
  const other = await image(home, ['other:1'], 'two');
  const platform = { os: 'linux', architecture: 'riscv64' };
  const { target } = await indexed(home, record, 'app:1', [{ ...other.manifest, platform }]);
  const lines = await push(home, 'app', '1', { platform });
  assert.equal(pushedDigest(lines), other.manifest.digest);
  assert.ok(!home.registry.contents('app').manifests.has(target.digest));
  await push(home, 'app', '1', { platform: record.platform });
  assert.equal(home.registry.contents('app').tags.get('1'), record.manifest.digest);
  assert.match(
    String(errorOf(await push(home, 'app', '1', { platform: { os: 'linux', architecture: 's390x' } }))),
    /platform \(linux\/amd64\) does not match the specified platform \(linux\/s390x\)$/,
  );
});

test('a tag is pushed as the very name it was made from, whatever other names the image has', async () => {
  await using home = openDistribution();
  const record = await image(home, ['plain:1'], 'one');
  const { target } = await indexed(home, record, 'app:1', []);
  home.fixture.images.setName(`${HOST}/app@${target.digest}`, record.id, target);
  const own = record.manifest.digest;
  const cases = [
    { from: `${HOST}/app:1`, to: 'copy', sends: target.digest },
    { from: `${HOST}/app@${target.digest}`, to: 'digest', sends: target.digest },
    { from: `${HOST}/plain:1`, to: 'other', sends: own },
    { from: record.id, to: 'byid', sends: own },
    { from: record.id.slice(7, 19), to: 'prefix', sends: own },
  ];
  for (const { from, to, sends } of cases) {
    await tagImage(home.fixture, from, { repo: `${HOST}/${to}`, tag: '1' });
    assert.equal(errorOf(await push(home, to, '1')), undefined);
    assert.equal(home.registry.contents(to).tags.get('1'), sends, from);
  }
});

test('an index that does not hold the image is not published under its name', async () => {
  await using home = openDistribution();
  const record = await image(home, ['plain:1'], 'one');
  const other = await image(home, ['other:1'], 'two');
  const { target } = await indexed(home, other, 'both:1', []);
  for (const wrong of [target, other.manifest]) {
    home.fixture.images.setName(`${HOST}/app:1`, record.id, wrong);
    const lines = await push(home, 'app', '1');
    assert.equal(pushedDigest(lines), record.manifest.digest);
    assert.equal(home.registry.contents('app').tags.get('1'), record.manifest.digest);
  }
  assert.ok(!home.registry.contents('app').manifests.has(other.manifest.digest));
});

test("another platform's manifest that was pushed is no name of the image, nor does a name move", async () => {
  await using home = openDistribution();
  const { images } = home.fixture;
  const record = await image(home, ['plain:1'], 'one');
  const other = await image(home, ['other:1'], 'two');
  const platform = { os: 'linux', architecture: 'riscv64' };
  const { target } = await indexed(home, record, 'app:1', [{ ...other.manifest, platform }]);
  await push(home, 'app', '1', { platform });
  assert.equal(images.name(`${HOST}/app@${other.manifest.digest}`), undefined);
  images.setName(`${HOST}/app@${target.digest}`, other.id, target);
  await push(home, 'app', '1');
  assert.equal(images.named(`${HOST}/app@${target.digest}`), other.id);
});

test('each name of an image that came in two packings sends the one it stood for, while it is kept', async () => {
  await using home = openDistribution();
  const { content, images } = home.fixture;
  const record = await image(home, ['plain:1'], 'one');
  const layers = record.layers.map(({ blob }) => blob);
  const annotations = { packed: 'elsewhere' };
  const document = { schemaVersion: 2, mediaType: MediaTypes.ociManifest, config: record.config, layers };
  const bytes = Buffer.from(JSON.stringify({ ...document, annotations }));
  const packing = await content.put(bytes, MediaTypes.ociManifest);
  const absent = { mediaType: MediaTypes.ociManifest, digest: digestOf('arm'), size: 3 };
  const manifests = [{ ...packing, platform: record.platform }, absent];
  const list = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MediaTypes.ociIndex, manifests }));
  const index = await content.put(list, MediaTypes.ociIndex);
  for (const [name, target] of [['index', index] as const, ['pulled', packing] as const]) {
    images.setName(`${HOST}/${name}:1`, record.id, target);
    images.keepIndex({ digest: target.digest, blobs: [packing] });
  }
  for (const name of ['plain', 'pulled', 'index'])
    assert.equal(errorOf(await push(home, name, '1')), undefined);
  const sent = (name: string) => home.registry.contents(name).tags.get('1');
  assert.equal(sent('plain'), record.manifest.digest);
  assert.equal(sent('pulled'), packing.digest);
  assert.equal(sent('index'), packing.digest);
  await push(home, 'index', '1', { platform: record.platform });
  assert.equal(sent('index'), packing.digest);
  await content.remove(packing.digest);
  for (const name of ['pulled', 'index']) {
    await push(home, name, '1');
    assert.equal(sent(name), record.manifest.digest);
  }
});
