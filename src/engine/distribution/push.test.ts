import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WharfError } from '../../base/index.ts';
import { type Descriptor, type Digest, digestOf, isDigest, MediaTypes } from '../../oci/index.ts';
import type { ImageRecord } from '../images/index.ts';
import { tagImage } from '../images/index.ts';
import {
  collect,
  configOf,
  dockerMembers,
  layerOf,
  load,
  packed,
  someImage,
} from '../images/test-fixture.ts';
import { pushImage } from './index.ts';
import { HOST, openDistribution } from './testing/fixture.ts';
import type { ProgressLine, PushInput } from './types.ts';

type Home = ReturnType<typeof openDistribution>;

const never = new AbortController().signal;
const short = (digest: string) => digest.slice(7, 19);

function push(home: Home, name: string, tag = '', more: Partial<PushInput> = {}, signal = never) {
  const input = { name: `${HOST}/${name}`, tag, credentials: {}, ...more };
  return collect(pushImage(home.deps, input, signal));
}

const states = (lines: ProgressLine[], id: string) =>
  lines.filter((line) => line['id'] === id && line['status'] !== 'Pushing').map((line) => line['status']);
const pushedDigest = (lines: ProgressLine[]) =>
  String((lines.at(-1)?.['aux'] as { Digest: string } | undefined)?.Digest);
const errorOf = (lines: ProgressLine[]) => lines.at(-1)?.['error'];

/** An image of these files, one layer each, named at the registry. */
async function image(home: Home, tags: string[], ...files: string[]): Promise<ImageRecord> {
  const layers = files.map((text) => layerOf({ [text.slice(0, 20)]: text }));
  const config = configOf(layers, { author: tags.join() });
  const named = tags.map((tag) => `${HOST}/${tag}`);
  await load(home.fixture, packed(dockerMembers({ config, layers, tags: named })));
  return home.fixture.images.get(digestOf(config)) as ImageRecord;
}

/** Names an image by an index of its manifest and of these further entries, as a pull does. */
async function indexed(home: Home, record: ImageRecord, name: string, entries: Descriptor[]) {
  const manifests = [{ ...record.manifest, platform: record.platform }, ...entries];
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MediaTypes.ociIndex, manifests }));
  const target = await home.fixture.content.put(bytes, MediaTypes.ociIndex);
  home.fixture.images.transaction(() => {
    home.fixture.images.setName(`${HOST}/${name}`, record.id, target);
    home.fixture.images.keepIndex({ digest: target.digest, blobs: [target, ...entries] });
  });
  return { target, bytes };
}

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
  let most = 0;
  home.registry.during = async () => {
    most = Math.max(most, ++active);
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

test('pushes at once share their layers: each is sent once, to whatever repository', async () => {
  await using home = openDistribution();
  const names = Array.from({ length: 8 }, (_, at) => `app${at}:1`);
  for (const name of names) await image(home, [name], 'shared', `own of ${name}`);
  const same = await image(home, ['same:1', 'same:2'], 'shared', 'both');
  const all = await Promise.all([
    ...names.map((name) => push(home, name)),
    push(home, 'same', '1'),
    push(home, 'same', '2'),
  ]);
  assert.deepEqual(all.map(errorOf).filter(Boolean), []);
  const shared = same.layers[0]?.blob.digest as Digest;
  const sent = home.registry.asked('upload').map((call) => call.split(' ')[1]);
  assert.equal(sent.filter((digest) => digest === shared).length, 1);
  assert.equal(sent.filter((digest) => digest === same.layers[1]?.blob.digest).length, 1);
  const mounts = home.registry.asked('mount').filter((call) => call.includes(shared));
  assert.equal(new Set(mounts.map((call) => call.split(' ')[0])).size, 8);
});

test('a layer that came over with a push still under way is mounted, not sent again', async () => {
  await using home = openDistribution();
  const [one] = [await image(home, ['one:1'], 'shared'), await image(home, ['two:1'], 'shared')];
  const stored = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  home.registry.before = async ({ method, path }) => {
    if (method !== 'put' || path !== 'one') return;
    stored.resolve();
    await go.promise;
  };
  const first = push(home, 'one', '1');
  await stored.promise;
  const id = short(one.layers[0]?.diffId ?? '');
  assert.deepEqual(states(await push(home, 'two', '1'), id), ['Preparing', 'Mounted from one']);
  go.resolve();
  assert.equal(errorOf(await first), undefined);
});

test('a push that joins goes on when the one it joined is cancelled or refused', async () => {
  await using home = openDistribution();
  await image(home, ['app:1', 'app:2'], 'one');
  const begun = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  home.registry.during = async () => {
    begun.resolve();
    await go.promise;
  };
  const stop = new AbortController();
  const first = assert.rejects(push(home, 'app', '1', {}, stop.signal), { kind: 'cancelled' });
  await begun.promise;
  const second = push(home, 'app', '2');
  while (home.registry.asked('stat').length < 4) await new Promise(setImmediate);
  await new Promise(setImmediate);
  stop.abort();
  go.resolve();
  await first;
  assert.equal(errorOf(await second), undefined);
  assert.deepEqual([...home.registry.contents('app').tags.keys()], ['2']);
  assert.equal(home.registry.asked('upload').length, 2, 'layer and config once');
});

test('the failure of another push with other rights is not ours', async () => {
  await using home = openDistribution();
  await image(home, ['app:1'], 'one');
  const both = Promise.withResolvers<void>();
  home.registry.before = async ({ method, credentials }) => {
    if (method !== 'upload' || credentials.username !== 'eve') return;
    await both.promise;
    throw new WharfError('forbidden', 'denied');
  };
  const eve = push(home, 'app', '1', { credentials: { username: 'eve' } });
  while (home.registry.asked('upload').length < 2) await new Promise(setImmediate);
  const alice = push(home, 'app', '1', { credentials: { username: 'alice' } });
  while (home.registry.asked('stat').length < 4) await new Promise(setImmediate);
  both.resolve();
  assert.equal(errorOf(await eve), 'denied');
  assert.equal(errorOf(await alice), undefined);
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

test('a name that was tagged from a pulled one is pushed as the pulled one was', async () => {
  await using home = openDistribution();
  const record = await image(home, ['plain:1'], 'one');
  const { target } = await indexed(home, record, 'app:1', []);
  tagImage(home.fixture, `${HOST}/app:1`, { repo: `${HOST}/copy`, tag: '1' });
  tagImage(home.fixture, record.id, { repo: `${HOST}/byid`, tag: '1' });
  for (const name of ['copy', 'byid']) {
    assert.equal(errorOf(await push(home, name, '1')), undefined);
    assert.equal(home.registry.contents(name).tags.get('1'), target.digest);
  }
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
