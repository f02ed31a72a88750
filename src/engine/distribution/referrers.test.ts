import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WharfError } from '../../base/index.ts';
import { type Descriptor, MediaTypes } from '../../oci/index.ts';
import { tagImage } from '../images/index.ts';
import { HOST, openDistribution } from './testing/fixture.ts';
import { publish, publishIndex, pull, told } from './testing/published.ts';
import { errorOf, type Home, push } from './testing/pushing.ts';

const amd = { os: 'linux', architecture: 'amd64' };
const arm = { os: 'linux', architecture: 'arm64', variant: 'v8' };

/** Puts a document that speaks of another one into the repository `app`, as signing tools do. */
function refer(home: Home, subject: Descriptor, text: string, more: object = {}): Descriptor {
  const config = home.registry.addBlob('app', Buffer.from('{}'), MediaTypes.ociEmpty);
  const layer = home.registry.addBlob('app', Buffer.from(text), 'text/plain');
  const document = {
    schemaVersion: 2,
    mediaType: MediaTypes.ociManifest,
    artifactType: 'application/vnd.sign',
  };
  return home.registry.addManifest(
    'app',
    { ...document, config, layers: [layer], subject, ...more },
    MediaTypes.ociManifest,
  );
}

/** An index of two platforms at the registry, with what refers to it, to an entry, and to a referrer. */
function signed(home: Home) {
  const host = publish(home.registry, 'app', { files: [{ a: 'one' }], platform: amd });
  const other = publish(home.registry, 'app', { files: [{ a: 'two' }], platform: arm });
  const entries = [
    { ...host.manifest, platform: amd },
    { ...other.manifest, platform: arm },
  ];
  const index = publishIndex(home.registry, 'app', entries, '1');
  const ofIndex = refer(home, index, 'signature of the index');
  const ofEntry = refer(home, other.manifest, 'sbom of the other platform');
  const ofReferrer = refer(home, ofEntry, 'signature of the sbom');
  return { host, index, ofIndex, ofEntry, ofReferrer };
}

const everywhere = { tag: '1', platform: amd, allPlatforms: true };
const referrersOf = (home: Home, { digest }: Descriptor) =>
  (home.deps.images.index(digest)?.referrers ?? []).map((one) => one.digest);

test('all platforms of an index come with what refers to any of it, and with what refers to that', async () => {
  await using home = openDistribution();
  const { index, ofIndex, ofEntry, ofReferrer } = signed(home);
  const tooFar = refer(home, ofReferrer, 'a word on the signature of the sbom');
  await pull(home.deps, 'app', everywhere);
  const kept = referrersOf(home, index);
  assert.deepEqual([...kept].sort(), [ofIndex, ofEntry, ofReferrer].map(({ digest }) => digest).sort());
  assert.ok(kept.indexOf(ofReferrer.digest) > kept.indexOf(ofEntry.digest));
  const { content, images } = home.deps;
  const { layers } = JSON.parse(String(await content.read(ofReferrer.digest))) as { layers: Descriptor[] };
  for (const { digest } of [ofIndex, ofEntry, ofReferrer, ...layers]) {
    assert.ok(images.needed().blobs.has(digest) && (await content.stat(digest)));
  }
  assert.equal(await content.stat(tooFar.digest), undefined);
  // A pull of one platform asks for none, and forgets none.
  const asked = home.registry.asked('referrers').length;
  await pull(home.deps, 'app', { tag: '1', platform: amd });
  assert.deepEqual(referrersOf(home, index), kept);
  assert.equal(home.registry.asked('referrers').length, asked);
});

test('a single manifest comes with its referrers when they are asked for', async () => {
  await using home = openDistribution();
  const { manifest } = publish(home.registry, 'app', { tag: '1' });
  const signature = refer(home, manifest, 'signature');
  await pull(home.deps, 'app', { tag: '1' });
  assert.equal(await home.deps.content.stat(signature.digest), undefined);
  await pull(home.deps, 'app', { tag: '1', allPlatforms: true });
  assert.deepEqual(referrersOf(home, manifest), [signature.digest]);
  home.deps.images.removeName(`${HOST}/app:1`);
  home.deps.images.removeName(`${HOST}/app@${manifest.digest}`);
  assert.ok(!home.deps.images.needed().blobs.has(signature.digest));
});

test('a list that names what speaks of something else, or what is not there, adds nothing', async () => {
  await using home = openDistribution();
  const { index } = signed(home);
  const stranger = refer(home, index, 'says so', {
    subject: { ...index, digest: `sha256:${'1'.repeat(64)}` },
  });
  const lost = { ...stranger, digest: `sha256:${'2'.repeat(64)}` as const };
  const repository = home.registry.repository('app');
  const manifests = [stranger, lost, { ...stranger, mediaType: 'application/vnd.example' }];
  const registries = home.deps.registries();
  home.deps.registries = () => ({
    ...registries,
    repository: () => Object.assign(repository, { referrers: async () => ({ schemaVersion: 2, manifests }) }),
  });
  assert.match(told(await pull(home.deps, 'app', everywhere)).at(-1) ?? '', /^Status: Downloaded/);
  assert.deepEqual(referrersOf(home, index), []);
});

test('who may not read the list has none; a registry that fails fails the pull', async () => {
  await using home = openDistribution();
  const { index } = signed(home);
  let kind: 'forbidden' | 'unavailable' = 'forbidden';
  home.registry.before = ({ method }) => {
    if (method === 'referrers') throw new WharfError(kind, 'no list today');
  };
  assert.match(told(await pull(home.deps, 'app', everywhere)).at(-1) ?? '', /^Status: /);
  assert.deepEqual(referrersOf(home, index), []);
  kind = 'unavailable';
  assert.equal(told(await pull(home.deps, 'app', everywhere)).at(-1), 'error: no list today');
});

test('large things that refer to an image are left where they are', async () => {
  await using home = openDistribution();
  const { index } = signed(home);
  const large = { mediaType: 'text/plain', digest: `sha256:${'3'.repeat(64)}`, size: 2 ** 31 };
  const referrer = refer(home, index, 'x', { layers: [large] });
  await pull(home.deps, 'app', everywhere);
  assert.ok(referrersOf(home, index).includes(referrer.digest));
  assert.ok(!home.registry.asked('blob').some((call) => call.includes(large.digest)));
  // It is here in part only: a push leaves it out.
  await tagImage(home.fixture, `${HOST}/app:1`, { repo: `${HOST}/copy`, tag: '1' });
  assert.equal(errorOf(await push(home, 'copy', '1')), undefined);
  assert.ok(!home.registry.contents('copy').manifests.has(referrer.digest));
});

test('a push sends the referrers after their subjects', async () => {
  await using home = openDistribution();
  const { index, ofIndex, ofEntry, ofReferrer } = signed(home);
  await pull(home.deps, 'app', everywhere);
  await tagImage(home.fixture, `${HOST}/app:1`, { repo: `${HOST}/copy`, tag: '1' });
  assert.equal(errorOf(await push(home, 'copy', '1')), undefined);
  const copy = home.registry.contents('copy').manifests;
  for (const { digest } of [index, ofIndex, ofEntry, ofReferrer]) {
    assert.deepEqual(copy.get(digest), home.registry.contents('app').manifests.get(digest));
  }
  const order = home.registry.asked('put');
  assert.ok(order.indexOf('copy 1') < order.indexOf(`copy ${ofIndex.digest}`));
  assert.ok(order.indexOf(`copy ${ofEntry.digest}`) < order.indexOf(`copy ${ofReferrer.digest}`));
  // One platform alone takes only what speaks of it.
  await tagImage(home.fixture, `${HOST}/app:1`, { repo: `${HOST}/alone`, tag: '1' });
  await push(home, 'alone', '1', { platform: arm });
  const alone = home.registry.contents('alone').manifests;
  assert.deepEqual(
    [ofIndex, ofEntry, ofReferrer].map(({ digest }) => alone.has(digest)),
    [false, true, true],
  );
});

test('a registry that does not take referrers takes the image', async () => {
  await using home = openDistribution();
  const { ofIndex, index } = signed(home);
  await pull(home.deps, 'app', everywhere);
  await tagImage(home.fixture, `${HOST}/app:1`, { repo: `${HOST}/copy`, tag: '1' });
  let thrown = new WharfError('invalid', 'manifest invalid');
  home.registry.before = ({ method, about }) => {
    if (method === 'put' && about === ofIndex.digest) throw thrown;
  };
  const lines = await push(home, 'copy', '1');
  assert.deepEqual(lines.at(-1)?.['aux'], { Tag: '1', Digest: index.digest, Size: index.size });
  thrown = new WharfError('unavailable', 'gone');
  assert.equal(errorOf(await push(home, 'copy', '1')), 'gone');
});
