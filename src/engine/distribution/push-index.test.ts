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

test('a name that was tagged from a pulled one is pushed as the pulled one was', async () => {
  await using home = openDistribution();
  const record = await image(home, ['plain:1'], 'one');
  const { target } = await indexed(home, record, 'app:1', []);
  await tagImage(home.fixture, `${HOST}/app:1`, { repo: `${HOST}/copy`, tag: '1' });
  await tagImage(home.fixture, record.id, { repo: `${HOST}/byid`, tag: '1' });
  for (const name of ['copy', 'byid']) {
    assert.equal(errorOf(await push(home, name, '1')), undefined);
    assert.equal(home.registry.contents(name).tags.get('1'), target.digest);
  }
});
