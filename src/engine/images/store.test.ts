import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKind, ZERO_TIME } from '../../base/index.ts';
import { openMemoryDatabase } from '../../meta/index.ts';
import { type Digest, digestOf } from '../../oci/index.ts';
import { canonicalName, familiarName, type ImageRecord, openImageStore } from './store.ts';

function record(id: Digest): ImageRecord {
  const blob = { mediaType: 'x', digest: digestOf('x'), size: 1 };
  const platform = { os: 'linux', architecture: 'amd64' };
  return {
    id,
    manifest: blob,
    config: blob,
    platform,
    created: ZERO_TIME,
    layers: [],
    labels: null,
    lastTagTime: ZERO_TIME,
  };
}

const id = (hex: string) => `sha256:${hex.padEnd(64, '0')}` as Digest;

function opened() {
  const database = openMemoryDatabase();
  const store = openImageStore(database);
  return { database, store, [Symbol.dispose]: () => database[Symbol.dispose]() };
}

test('an image is found by name, tag, id, and unique prefix', () => {
  using home = opened();
  const { store } = home;
  store.put(record(id('abc1')));
  store.put(record(id('abd2')));
  store.setName('docker.io/library/box:latest', id('abc1'));
  store.setName('host:5000/team/app:2', id('abd2'));
  for (const ref of [
    'box',
    'box:latest',
    'docker.io/library/box',
    'library/box',
    id('abc1'),
    'abc',
    'sha256:abc1',
  ]) {
    assert.equal(store.resolve(ref).id, id('abc1'), ref);
  }
  assert.equal(store.resolve('host:5000/team/app:2').id, id('abd2'));
  assert.equal(store.find('ab'), undefined, 'two images have that prefix');
  assert.equal(store.find('host:5000/team/app'), undefined, 'latest is another tag');
});

test('a name wins over an id prefix that is spelled alike', () => {
  using home = opened();
  const { store } = home;
  store.put(record(id('cafe')));
  store.put(record(id('beef')));
  store.setName('docker.io/library/cafe:latest', id('beef'));
  assert.equal(store.resolve('cafe').id, id('beef'));
});

const missing: [ref: string, text: string, kind: 'not-found' | 'invalid'][] = [
  ['nope', 'No such image: nope:latest', 'not-found'],
  ['team/nope:3', 'No such image: team/nope:3', 'not-found'],
  ['IMGP/x', 'No such image: IMGP/x:latest', 'not-found'],
  ['deadbeef', 'No such image: deadbeef:latest', 'not-found'],
  ['sha256:deadbeef', 'No such image: sha256:deadbeef', 'not-found'],
  ['f'.repeat(64), `No such image: sha256:${'f'.repeat(64)}`, 'not-found'],
  [`a@${digestOf('a')}`, `No such image: a@${digestOf('a')}`, 'not-found'],
  ['a:b:c', 'invalid reference format', 'invalid'],
  ['', 'invalid reference format', 'invalid'],
  ['team/Nope', 'invalid reference format: repository name (team/Nope) must be lowercase', 'invalid'],
];
for (const [ref, text, kind] of missing) {
  test(`${ref || 'nothing'} is missing in the words of the reference`, () => {
    using home = opened();
    assert.throws(
      () => home.store.resolve(ref),
      (thrown: Error) => isKind(thrown, kind) && thrown.message === text,
    );
  });
}

test('names go with their image, and one image may have many', () => {
  using home = opened();
  const { store } = home;
  store.put(record(id('a')));
  store.put(record(id('b')));
  store.setName('docker.io/library/z:1', id('a'));
  store.setName('docker.io/library/a:1', id('a'));
  store.setName('docker.io/library/b:1', id('b'));
  assert.deepEqual(store.namesOf(id('a')), ['docker.io/library/a:1', 'docker.io/library/z:1']);
  store.setName('docker.io/library/z:1', id('b'));
  assert.equal(store.named('docker.io/library/z:1'), id('b'));
  assert.deepEqual(store.namesOf(id('a')), ['docker.io/library/a:1']);
  store.delete(id('b'));
  assert.deepEqual(
    store.names().map((entry) => entry.name),
    ['docker.io/library/a:1'],
  );
  assert.equal(store.removeName('docker.io/library/a:1'), true);
  assert.equal(store.removeName('docker.io/library/a:1'), false);
  assert.deepEqual(
    store.all().map((image) => image.id),
    [id('a')],
  );
});

test('a transaction that throws leaves nothing', () => {
  using home = opened();
  const { store } = home;
  const work = () =>
    store.transaction(() => {
      store.put(record(id('a')));
      store.setName('docker.io/library/a:1', id('a'));
      throw new Error('no');
    });
  assert.throws(work, /no/);
  assert.deepEqual([store.all(), store.names()], [[], []]);
});

test('names are written out and shortened as Docker does', () => {
  const pairs = [
    ['box', 'docker.io/library/box:latest', 'box:latest'],
    ['team/box:1', 'docker.io/team/box:1', 'team/box:1'],
    ['host.test/box', 'host.test/box:latest', 'host.test/box:latest'],
    ['localhost/box', 'localhost/box:latest', 'localhost/box:latest'],
  ] as const;
  for (const [given, canonical, familiar] of pairs) {
    assert.equal(canonicalName(given), canonical);
    assert.equal(familiarName(canonical), familiar);
  }
  assert.equal(canonicalName(`box:1@${digestOf('x')}`), `docker.io/library/box@${digestOf('x')}`);
  for (const bad of ['', 'Box', 'a b', digestOf('x'), '../x', 'a//b', '-a']) {
    assert.equal(canonicalName(bad), undefined, bad);
  }
});

test('what the target of a name keeps is needed until its last name goes', () => {
  using home = opened();
  const { store } = home;
  const target = { mediaType: 'index', digest: digestOf('index'), size: 5 };
  const kept = { digest: target.digest, blobs: [{ digest: digestOf('attestation'), size: 11 }] };
  const names = ['docker.io/library/a:1', `docker.io/library/a@${target.digest}`] as const;
  const own = digestOf('x');
  store.transaction(() => {
    store.put(record(id('a')));
    for (const name of names) store.setName(name, id('a'), target);
    store.keepIndex(kept);
  });
  assert.deepEqual(store.name(names[0]), { name: names[0], imageId: id('a'), target });
  assert.deepEqual([...store.needed().blobs].sort(), [own, target.digest, digestOf('attestation')].sort());
  assert.deepEqual(store.blobsOf(id('a')).sort(), [own, digestOf('attestation')].sort());
  store.removeName(names[0]);
  assert.deepEqual(store.indexes(), [kept]);
  // The last name comes to stand for something else.
  store.setName(names[1], id('a'));
  assert.deepEqual(store.indexes(), []);
  assert.deepEqual([...store.needed().blobs], [own]);
  store.setName(names[0], id('a'), target);
  store.keepIndex(kept);
  store.delete(id('a'));
  assert.deepEqual([store.indexes(), [...store.needed().blobs]], [[], []]);
});

test('who keeps less of a target takes nothing of it from the others', () => {
  using home = opened();
  const { store } = home;
  const target = { mediaType: 'index', digest: digestOf('index'), size: 5 };
  const blob = (of: string) => ({ digest: digestOf(of), size: of.length });
  store.put(record(id('a')));
  store.setName('docker.io/library/a:1', id('a'), target);
  store.keepIndex({ digest: target.digest, blobs: [blob('one'), blob('two')] });
  store.keepIndex({ digest: target.digest, blobs: [blob('two'), blob('three')] });
  assert.deepEqual(store.index(target.digest), {
    digest: target.digest,
    blobs: [blob('one'), blob('two'), blob('three')],
  });
});

test('what is needed is read again after a transaction that was taken back', () => {
  using home = opened();
  const { store } = home;
  const work = () =>
    store.transaction(() => {
      store.put(record(id('a')));
      assert.equal(store.needed().blobs.size, 1);
      throw new Error('no');
    });
  assert.throws(work, /no/);
  assert.equal(store.needed().blobs.size, 0);
});
