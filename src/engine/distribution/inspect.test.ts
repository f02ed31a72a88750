import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WharfError } from '../../base/index.ts';
import { digestOf, MediaTypes } from '../../oci/index.ts';
import { inspectDistribution } from './index.ts';
import { FakeRegistry, fakeRegistries } from './testing/fake-registry.ts';

const HOST = 'registry.test:5000';
const never = new AbortController().signal;

function home() {
  const registry = new FakeRegistry();
  const registries = fakeRegistries({ [HOST]: registry });
  const inspect = (name: string, credentials = {}) =>
    inspectDistribution({ registries: () => registries, own: undefined }, name, credentials, never);
  return { registry, inspect };
}

function image(registry: FakeRegistry, config: object | string, tag?: string) {
  const text = typeof config === 'string' ? config : JSON.stringify(config);
  const blob = registry.addBlob('app', Buffer.from(text), MediaTypes.ociConfig);
  const document = { schemaVersion: 2, config: blob, layers: [], annotations: { a: 'b' } };
  return registry.addManifest('app', document, MediaTypes.ociManifest, tag);
}

test('an image has the platform of its config', async () => {
  const { registry, inspect } = home();
  const descriptor = image(registry, { os: 'linux', architecture: 'arm', variant: 'v7', more: 1 }, 'latest');
  const expected = {
    Descriptor: descriptor,
    Platforms: [{ architecture: 'arm', os: 'linux', variant: 'v7' }],
  };
  assert.deepEqual(await inspect(`${HOST}/app`), expected);
  assert.deepEqual(await inspect(`${HOST}/app@${descriptor.digest}`), expected);
  assert.deepEqual(await inspect(`${HOST}/app:none@${descriptor.digest}`), expected);
  await assert.rejects(inspect(`${HOST}/app:none`), { kind: 'not-found', message: /manifest unknown/ });
});

test('an index has those of its entries, in order', async () => {
  const { registry, inspect } = home();
  const { mediaType, digest, size } = image(registry, { os: 'linux', architecture: 'amd64' });
  const windows = {
    os: 'windows',
    architecture: 'arm64',
    variant: 'v8',
    'os.version': '10',
    'os.features': ['x'],
  };
  const entry = { mediaType, digest, size };
  const manifests = [
    { ...entry, platform: { os: 'linux', architecture: 'amd64' } },
    { ...entry, platform: windows },
    entry,
  ];
  for (const type of [MediaTypes.ociIndex, MediaTypes.dockerIndex]) {
    const document = { schemaVersion: 2, mediaType: type, manifests };
    const descriptor = registry.addManifest('app', document, type, 'many');
    assert.deepEqual(await inspect(`${HOST}/app:many`), {
      Descriptor: descriptor,
      Platforms: [{ architecture: 'amd64', os: 'linux' }, windows, { architecture: '', os: '' }],
    });
  }
});

test('what has no platform says null, as the reference does', async () => {
  const { registry, inspect } = home();
  for (const config of ['{}', 'no JSON', 'null', '[]']) {
    image(registry, config, 'artifact');
    assert.equal((await inspect(`${HOST}/app:artifact`)).Platforms, null, config);
  }
  const lost = { mediaType: MediaTypes.ociConfig, digest: digestOf('lost'), size: 4 };
  registry.addManifest('app', { schemaVersion: 2, config: lost, layers: [] }, MediaTypes.ociManifest, 'lost');
  assert.equal((await inspect(`${HOST}/app:lost`)).Platforms, null);
});

test('a config that is not what its descriptor says is not believed', async () => {
  const { registry, inspect } = home();
  const config = JSON.stringify({ os: 'linux', architecture: 'amd64' });
  const { digest } = registry.addBlob('app', Buffer.from(config), MediaTypes.ociConfig);
  const lies = [
    { digest, size: 3 },
    { digest, size: 9 << 20 },
  ];
  for (const lie of lies) {
    const document = { schemaVersion: 2, config: { mediaType: MediaTypes.ociConfig, ...lie }, layers: [] };
    registry.addManifest('app', document, MediaTypes.ociManifest, 'lie');
    assert.equal((await inspect(`${HOST}/app:lie`)).Platforms, null);
  }
  image(registry, config, 'other');
  registry.contents('app').blobs.set(digest, Buffer.from(config.replace('amd64', 'arm64')));
  assert.equal((await inspect(`${HOST}/app:other`)).Platforms, null);
  assert.equal(registry.asked('blob').length, 2, 'one that claims to be too large is not even asked for');
});

test('errors keep their kinds, and ids are no names', async () => {
  const { registry, inspect } = home();
  image(registry, { os: 'linux', architecture: 'amd64' }, '1');
  await assert.rejects(inspect('BAD'), { kind: 'invalid' });
  const id = 'ab'.repeat(32);
  for (const name of [id, `sha256:${id}`])
    await assert.rejects(inspect(name), { kind: 'internal', message: 'no manifest found for full image ID' });
  await assert.rejects(inspect('other.test/app'), { kind: 'internal', message: /no such host/ });
  registry.before = ({ method, credentials }) => {
    if (credentials.username !== 'alice') throw new WharfError('unauthorized', 'authentication required');
    if (method === 'blob') throw new WharfError('unavailable', 'connection reset');
  };
  await assert.rejects(inspect(`${HOST}/app:1`), { kind: 'unauthorized' });
  await assert.rejects(inspect(`${HOST}/app:1`, { username: 'alice' }), { kind: 'internal' });
  registry.before = () => {
    throw new WharfError('rate-limited', 'toomanyrequests: enough');
  };
  await assert.rejects(inspect(`${HOST}/app:1`), { kind: 'rate-limited' });
});

test('the registry of this process is asked directly', async () => {
  const registry = new FakeRegistry();
  image(registry, { os: 'linux', architecture: 'amd64' }, '1');
  const deps = {
    registries: () => fakeRegistries({}),
    own: {
      serves: (domain: string) => domain === 'localhost:1',
      repository: async (path: string) => registry.repository(path),
    },
  };
  assert.ok((await inspectDistribution(deps, 'localhost:1/app:1', {}, never)).Descriptor);
});
