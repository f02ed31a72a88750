import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WharfError } from '../../base/index.ts';
import { type Descriptor, type Digest, isDigest } from '../../oci/index.ts';
import { collect, someImage } from '../images/test-fixture.ts';
import { pushImage } from './index.ts';
import { HOST, openDistribution } from './testing/fixture.ts';
import { errorOf, image, never, push, pushedDigest, short, states } from './testing/pushing.ts';

test('a push brings what is lacking, in the order that registries want, and says so', async () => {
  await using home = openDistribution();
  const record = await image(home, ['app:1'], 'one', 'two');
  const lines = await push(home, 'app', '1');
  const [lower, upper] = record.layers.map(({ diffId }) => short(diffId));
  const { digest, size } = record.manifest;
  assert.deepEqual(lines[0], { status: `The push refers to repository [${HOST}/app]` });
  assert.deepEqual(lines.slice(1, 3), [
    { status: 'Preparing', progressDetail: {}, id: upper },
    { status: 'Preparing', progressDetail: {}, id: lower },
  ]);
  for (const id of [lower, upper]) assert.deepEqual(states(lines, id as string), ['Preparing', 'Pushed']);
  assert.deepEqual(lines.slice(-2), [
    { status: `1: digest: ${digest} size: ${size}` },
    { progressDetail: {}, aux: { Tag: '1', Digest: digest, Size: size } },
  ]);
  const { methods } = { methods: home.registry.calls.map(({ method }) => method) };
  assert.ok(methods.lastIndexOf('upload') < methods.indexOf('put'));
  const there = home.registry.contents('app');
  assert.deepEqual(there.manifests.get(digest)?.bytes, await home.fixture.content.read(digest));
  assert.equal(there.manifests.get(digest)?.mediaType, record.manifest.mediaType);
  for (const { blob } of record.layers)
    assert.deepEqual(there.blobs.get(blob.digest), await home.fixture.content.read(blob.digest));
  assert.deepEqual(home.fixture.images.name(`${HOST}/app@${digest}`), {
    name: `${HOST}/app@${digest}`,
    imageId: record.id,
    target: record.manifest,
  });
  assert.deepEqual(home.fixture.published.at(-1), {
    type: 'image',
    action: 'push',
    id: `${HOST}/app:1`,
    attributes: { name: `${HOST}/app` },
  });
});

test('what is there is not sent again', async () => {
  await using home = openDistribution();
  const record = await image(home, ['app:1', 'app:2'], 'one', 'two');
  await push(home, 'app', '1');
  home.registry.calls.length = 0;
  const lines = await push(home, 'app', '1');
  for (const { diffId } of record.layers)
    assert.deepEqual(states(lines, short(diffId)), ['Preparing', 'Layer already exists']);
  assert.deepEqual(home.registry.asked('upload'), []);
  assert.equal(home.registry.asked('stat').length, 3);
});

test('all tags go when none is named, each with its lines, and one event', async () => {
  await using home = openDistribution();
  const record = await image(home, ['app:2', 'app:1', 'appendix:1'], 'one');
  home.fixture.images.setName(`${HOST}/app@${record.manifest.digest}`, record.id);
  const events = home.fixture.published.length;
  const lines = await push(home, 'app');
  const tags = lines.flatMap(({ aux }) => (aux ? [(aux as { Tag: string }).Tag] : []));
  assert.deepEqual(tags, ['1', '2']);
  assert.deepEqual([...home.registry.contents('app').tags.keys()].sort(), ['1', '2']);
  assert.deepEqual([...home.registry.repositories.keys()], ['app']);
  assert.deepEqual(
    home.fixture.published.slice(events).map(({ action, id }) => [action, id]),
    [['push', `${HOST}/app`]],
  );
});

test('a tag within the name counts as well', async () => {
  await using home = openDistribution();
  await image(home, ['app:1', 'app:2'], 'one');
  await push(home, 'app:2');
  assert.deepEqual([...home.registry.contents('app').tags.keys()], ['2']);
});

test('what is not here is refused with the texts that clients know', async () => {
  await using home = openDistribution();
  const record = await image(home, ['app:1'], 'one');
  assert.equal(
    errorOf(await push(home, 'none', '1')),
    `An image does not exist locally with the tag: ${HOST}/none`,
  );
  assert.equal(
    errorOf(await push(home, 'none')),
    `An image does not exist locally with the tag: ${HOST}/none`,
  );
  assert.equal(errorOf(await push(home, 'app', 'none')), `tag does not exist: ${HOST}/app:none`);
  assert.equal(errorOf(await push(home, `app@${record.id}`)), 'cannot push a digest reference');
  assert.deepEqual(home.registry.calls, []);
  await assert.rejects(push(home, 'App', '1'), { kind: 'invalid', message: /must be lowercase/ });
  await assert.rejects(push(home, 'app', '-'), { kind: 'invalid', message: 'invalid tag format' });
});

test('a registry out of reach is all that is said; a refusal comes after the layers', async () => {
  await using home = openDistribution();
  await image(home, ['app:1'], 'one', 'two');
  const asked = `Head "http://${HOST}/v2/app/blobs/x": `;
  home.registry.before = () => {
    throw new WharfError('unavailable', 'connection refused');
  };
  assert.deepEqual((await push(home, 'app', '1')).slice(1), [
    { errorDetail: { message: 'connection refused' }, error: 'connection refused' },
  ]);
  home.registry.before = () => {
    throw new WharfError('unauthorized', `${asked}no basic auth credentials`);
  };
  const lines = await push(home, 'app', '1');
  assert.equal(lines.filter(({ status }) => status === 'Preparing').length, 2);
  assert.equal(errorOf(lines), 'no basic auth credentials');
});

test('a failure is the last line, nothing is recorded, and what came over stays there', async () => {
  await using home = openDistribution();
  await image(home, ['app:1'], 'one', 'two');
  home.registry.before = ({ method }) => {
    if (method === 'put')
      throw new WharfError('forbidden', 'denied: requested access to the resource is denied');
  };
  const lines = await push(home, 'app', '1');
  const message = 'denied: requested access to the resource is denied';
  assert.deepEqual(lines.at(-1), { errorDetail: { message }, error: message });
  assert.ok(!home.fixture.images.names().some(({ name }) => name.includes('@')));
  assert.ok(!home.fixture.published.some(({ action }) => action === 'push'));
  home.registry.before = () => {};
  home.registry.calls.length = 0;
  assert.equal(errorOf(await push(home, 'app', '1')), undefined);
  assert.deepEqual(home.registry.asked('upload'), []);
});

test('layers beyond the limit wait, and no more than the limit are sent at once', async () => {
  await using home = openDistribution({ uploads: 2 });
  const record = await image(home, ['app:1'], 'a', 'b', 'c', 'd', 'e');
  let active = 0;
  let arrived = 0;
  let most = 0;
  let pair = Promise.withResolvers<void>();
  // Six blobs, config and all: each waits for another one, so that two are sent at once if two may be.
  home.registry.during = async () => {
    most = Math.max(most, ++active);
    const { promise, resolve } = pair;
    if (++arrived % 2 === 0) {
      pair = Promise.withResolvers();
      resolve();
    }
    await promise;
    await new Promise(setImmediate);
    active--;
  };
  const lines = await push(home, 'app', '1');
  assert.equal(most, 2);
  const waited = lines.filter(({ status }) => status === 'Waiting').map(({ id }) => id);
  const topDown = record.layers.map(({ diffId }) => short(diffId)).reverse();
  assert.deepEqual(waited, topDown.slice(2));
  assert.deepEqual(states(lines, topDown[4] as string), ['Preparing', 'Waiting', 'Pushed']);
});

test('a layer that an image has twice is announced twice and sent once', async () => {
  await using home = openDistribution();
  const record = await image(home, ['app:1'], 'same', 'other', 'same');
  const lines = await push(home, 'app', '1');
  const id = short(record.layers[0]?.diffId ?? '');
  assert.deepEqual(states(lines, id), ['Preparing', 'Preparing', 'Pushed']);
  assert.equal(home.registry.asked('upload').length, 3);
});

test('sent bytes are reported now and then, up to the last one', async () => {
  await using home = openDistribution();
  const record = await image(
    home,
    ['app:1'],
    Buffer.from(crypto.getRandomValues(new Uint8Array(60_000)))
      .toString('hex')
      .repeat(30),
  );
  home.registry.piece = 1000;
  const [layer] = record.layers;
  const size = layer?.blob.size;
  const lines = (await push(home, 'app', '1')).filter(({ status }) => status === 'Pushing');
  const details = lines.map(({ progressDetail }) => progressDetail as { current: number; total: number });
  assert.deepEqual(details.at(-1), { current: size, total: size });
  assert.ok(lines.every(({ progress }) => /^\[=*> *\] +[\d.]+k?B\/[\d.]+kB$/.test(String(progress))));
});

test('a layer that another repository of the registry has is mounted, or sent where it would not', async () => {
  await using home = openDistribution();
  const record = await image(home, ['team/base:1', 'app:1', 'more:1'], 'one');
  await push(home, 'team/base', '1');
  const lines = await push(home, 'app', '1');
  const id = short(record.layers[0]?.diffId ?? '');
  assert.deepEqual(states(lines, id), ['Preparing', 'Mounted from team/base']);
  assert.deepEqual(
    home.registry.asked('upload').filter((call) => call.startsWith('app')),
    [],
  );
  home.registry.mounts = false;
  assert.deepEqual(states(await push(home, 'more', '1'), id), ['Preparing', 'Pushed']);
  assert.ok(home.registry.asked('mount').some((call) => call.startsWith('more') && call.endsWith('app')));
});

test('a refused mount is no failure, but a registry that is gone is', async () => {
  await using home = openDistribution();
  await image(home, ['base:1', 'app:1', 'late:1'], 'one');
  await push(home, 'base', '1');
  home.registry.before = ({ method }) => {
    if (method === 'mount') throw new WharfError('forbidden', 'denied');
  };
  assert.equal(errorOf(await push(home, 'app', '1')), undefined);
  home.registry.before = ({ method }) => {
    if (method === 'mount') throw new WharfError('unavailable', 'connection refused');
  };
  assert.equal(errorOf(await push(home, 'late', '1')), 'connection refused');
});

test('repositories of other registries are not asked to be mounted from', async () => {
  await using home = openDistribution();
  const record = await image(home, ['app:1'], 'one');
  home.fixture.images.setName(`elsewhere.test/app@${record.manifest.digest}`, record.id, record.manifest);
  home.fixture.images.setName(`${HOST}/app@${record.manifest.digest}`, record.id, record.manifest);
  await push(home, 'app', '1');
  assert.deepEqual(home.registry.asked('mount'), []);
});

test('cancelling stops everything at once', async () => {
  await using home = openDistribution();
  await image(home, ['app:1'], 'a', 'b', 'c');
  const stop = new AbortController();
  home.registry.during = () => stop.abort();
  await assert.rejects(push(home, 'app', '1', {}, stop.signal), { kind: 'cancelled' });
  assert.equal(home.registry.contents('app').manifests.size, 0);
  assert.ok(!home.fixture.images.names().some(({ name }) => name.includes('@')));
});

test('blobs are leased while they are pushed', async () => {
  await using home = openDistribution();
  const record = await image(home, ['app:1'], 'one');
  const needed = [record.manifest.digest, record.config.digest, record.layers[0]?.blob.digest as Digest];
  let leased: boolean[] = [];
  home.registry.before = () => {
    leased = needed.map((digest) => home.fixture.leases.has(digest));
  };
  await push(home, 'app', '1');
  assert.deepEqual(leased, [true, true, true]);
  assert.ok(needed.every((digest) => !home.fixture.leases.has(digest)));
});

test('a platform that an image alone does not have is refused before the first line', async () => {
  await using home = openDistribution();
  const record = await image(home, ['app:1'], 'one');
  await assert.rejects(push(home, 'app', '1', { platform: { os: 'linux', architecture: 's390x' } }), {
    kind: 'not-found',
    message: `image with reference ${HOST}/app:1 was found but its platform (linux/amd64) does not match the specified platform (linux/s390x)`,
  });
  assert.equal(errorOf(await push(home, 'app', '1', { platform: record.platform })), undefined);
});

test('content that is neither here nor there is named', async () => {
  await using home = openDistribution();
  const record = await image(home, ['app:1'], 'one');
  const blob = record.layers[0]?.blob as Descriptor;
  const bytes = await home.fixture.content.read(blob.digest);
  await home.fixture.content.remove(blob.digest);
  assert.equal(errorOf(await push(home, 'app', '1')), `content of ${HOST}/app:1 is not here: ${blob.digest}`);
  home.registry.addBlob('app', bytes);
  assert.equal(errorOf(await push(home, 'app', '1')), undefined);
});

test('the registry of this process is reached without the network', async () => {
  const own: { serves: (domain: string) => boolean; asked: unknown[] } = {
    serves: (domain) => domain === 'localhost:5000',
    asked: [],
  };
  await using home = openDistribution({
    own: {
      serves: own.serves,
      async repository(path, credentials) {
        own.asked.push([path, credentials]);
        return home.registry.repository(path, credentials);
      },
    },
  });
  await someImage(home.fixture, 'localhost:5000/app:1');
  const credentials = { username: 'alice', password: 'secret' };
  const input = { name: 'localhost:5000/app', tag: '1', credentials };
  const lines = await collect(pushImage(home.deps, input, never));
  assert.equal(isDigest(pushedDigest(lines)), true);
  assert.deepEqual(own.asked, [['app', credentials]]);
});
