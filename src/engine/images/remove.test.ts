import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Filters } from '../../api/index.ts';
import { isKind } from '../../base/index.ts';
import { pruneImages } from './prune.ts';
import { removeImage } from './remove.ts';
import { tagImage } from './tag.ts';
import {
  collect,
  configOf,
  dockerMembers,
  EMPTY,
  type Fixture,
  imported,
  inventory,
  layerOf,
  load,
  openFixture,
  packed,
  someImage,
} from './test-fixture.ts';

const remove = (fixture: Fixture, ref: string, force = false) =>
  removeImage(fixture, ref, { force, noPrune: false });
const short = (id: string) => id.slice(7, 19);
const user = 'c'.repeat(64);
const conflict = (text: string) => (thrown: Error) => {
  assert.equal(thrown.message, text);
  return isKind(thrown, 'conflict');
};

async function tagged(...more: string[]) {
  const fixture = openFixture();
  const layers = [layerOf({ a: 'a' }), layerOf({ b: 'b' })];
  const config = configOf(layers, { config: { Labels: { k: 'v' } } });
  await load(fixture, packed(dockerMembers({ config, layers, tags: ['app:1', ...more] })));
  fixture.published.length = 0;
  return { fixture, image: fixture.images.resolve('app:1') };
}

test('the last name takes the image, its layers and its blobs with it', async () => {
  const { fixture, image } = await tagged();
  await using _ = fixture;
  assert.deepEqual(await remove(fixture, 'app:1'), [
    { Untagged: 'app:1' },
    { Deleted: image.id },
    { Deleted: image.layers[1]?.chainId },
    { Deleted: image.layers[0]?.chainId },
  ]);
  await fixture.snapshots.settled();
  assert.deepEqual(await inventory(fixture), EMPTY);
  assert.deepEqual(
    fixture.published.map(({ action, attributes }) => [action, attributes]),
    [
      ['untag', { k: 'v', name: image.id }],
      ['delete', { name: image.id }],
    ],
  );
});

test('what can’t be recorded as a whole is not begun, and nothing is told of it', async () => {
  const { fixture, image } = await tagged('app:2');
  await using _ = fixture;
  const names = fixture.images.namesOf(image.id);
  const whole = fixture.images.delete.bind(fixture.images);
  fixture.images.delete = () => {
    throw new Error('the disk is full');
  };
  await assert.rejects(remove(fixture, image.id, true), /the disk is full/);
  assert.deepEqual(fixture.images.namesOf(image.id), names);
  await assert.rejects(prune(fixture, { dangling: ['false'] }), /the disk is full/);
  assert.deepEqual([fixture.images.namesOf(image.id), fixture.published], [names, []]);
  fixture.images.delete = whole;
  await remove(fixture, image.id, true);
  assert.equal(fixture.published.length, 3);
});

test('another name stays when one goes', async () => {
  const { fixture, image } = await tagged('team/app:2');
  await using _ = fixture;
  assert.deepEqual(await remove(fixture, 'app:1'), [{ Untagged: 'app:1' }]);
  assert.equal(fixture.images.resolve('team/app:2').id, image.id);
});

test('the digests of a repository go with its last tag, also when other repositories have the image', async () => {
  const { fixture, image } = await tagged('team/app:2');
  await using _ = fixture;
  const digest = `sha256:${'d'.repeat(64)}`;
  for (const path of ['library', 'team']) fixture.images.setName(`docker.io/${path}/app@${digest}`, image.id);
  assert.deepEqual(await remove(fixture, 'app:1'), [{ Untagged: 'app:1' }, { Untagged: `app@${digest}` }]);
  assert.deepEqual((await remove(fixture, 'team/app:2')).slice(0, 3), [
    { Untagged: 'team/app:2' },
    { Untagged: `team/app@${digest}` },
    { Deleted: image.id },
  ]);
  await fixture.snapshots.settled();
  assert.deepEqual(await inventory(fixture), EMPTY);
});

test('by id the names of one repository go, those of several need force', async () => {
  const { fixture, image } = await tagged('team/app:2');
  await using _ = fixture;
  await assert.rejects(
    remove(fixture, image.id),
    conflict(
      `conflict: unable to delete ${short(image.id)} (must be forced) - image is referenced in multiple repositories`,
    ),
  );
  const items = await remove(fixture, short(image.id), true);
  assert.deepEqual(items.slice(0, 3), [
    { Untagged: 'app:1' },
    { Untagged: 'team/app:2' },
    { Deleted: image.id },
  ]);
});

test('layers of other images stay', async () => {
  const { fixture } = await tagged();
  await using _ = fixture;
  const layer = layerOf({ a: 'a' });
  await load(
    fixture,
    packed(dockerMembers({ config: configOf([layer]), layers: [layer], tags: ['base:1'] })),
  );
  const items = await remove(fixture, 'app:1');
  assert.equal(items.length, 3);
  assert.ok(fixture.snapshots.stat(fixture.images.resolve('base:1').layers[0]?.chainId ?? ''));
  assert.ok(
    await fixture.content.stat(fixture.images.resolve('base:1').layers[0]?.blob.digest ?? ('' as never)),
  );
});

test('a stopped container keeps the last name and the image, unless forced', async () => {
  const { fixture, image } = await tagged('team/app:2');
  await using _ = fixture;
  fixture.users.set(image.id, [{ id: user, running: false }]);
  assert.deepEqual(await remove(fixture, 'app:1'), [{ Untagged: 'app:1' }]);
  await assert.rejects(
    remove(fixture, 'team/app:2'),
    conflict(
      `conflict: unable to remove repository reference "team/app:2" (must force) - container ${user.slice(0, 12)} is using its referenced image ${short(image.id)}`,
    ),
  );
  await assert.rejects(
    remove(fixture, image.id),
    conflict(
      `conflict: unable to delete ${short(image.id)} (must be forced) - image is being used by stopped container ${user.slice(0, 12)}`,
    ),
  );
  // The container stands on the layers.
  await fixture.snapshots.prepare(user, image.layers[1]?.chainId);
  assert.deepEqual(await remove(fixture, image.id, true), [
    { Untagged: 'team/app:2' },
    { Deleted: image.id },
  ]);
  assert.ok(fixture.snapshots.stat(image.layers[1]?.chainId ?? ''));
});

test('a running container keeps it even against force', async () => {
  const { fixture, image } = await tagged();
  await using _ = fixture;
  fixture.users.set(image.id, [{ id: user, running: true }]);
  const text = `conflict: unable to delete ${short(image.id)} (cannot be forced) - image is being used by running container ${user.slice(0, 12)}`;
  await assert.rejects(remove(fixture, image.id, true), conflict(text));
  assert.equal(fixture.images.resolve('app:1').id, image.id);
});

test('what is not there is not found', async () => {
  const { fixture } = await tagged();
  await using _ = fixture;
  await assert.rejects(
    remove(fixture, 'nope'),
    (thrown: Error) => isKind(thrown, 'not-found') && thrown.message === 'No such image: nope:latest',
  );
  await assert.rejects(remove(fixture, 'a:b:c'), { message: 'invalid reference format' });
});

test('an image removed while it is loaded again is whole after', async () => {
  const { fixture, image } = await tagged();
  await using _ = fixture;
  const layers = [layerOf({ a: 'a' }), layerOf({ b: 'b' })];
  const archive = packed(
    dockerMembers({ config: configOf(layers, { config: { Labels: { k: 'v' } } }), layers, tags: ['app:1'] }),
  );
  for (let round = 0; round < 5; round++) {
    const [lines] = await Promise.all([
      load(fixture, archive),
      remove(fixture, image.id, true).catch(() => []),
    ]);
    assert.deepEqual(lines, [{ stream: 'Loaded image: app:1\n' }]);
    const now = fixture.images.find('app:1');
    for (const layer of now?.layers ?? []) {
      assert.equal(fixture.snapshots.stat(layer.chainId)?.kind, 'layer');
      assert.ok(await fixture.content.stat(layer.blob.digest));
    }
    await load(fixture, archive);
  }
});

/** Each layer takes 10,000 bytes of disk, each of the small blobs a block. */
const prune = (fixture: Fixture, filters: Record<string, string[]> = {}) =>
  pruneImages({ ...fixture, layerBytes: async () => 10_000 }, new Map(Object.entries(filters)) as Filters);

test('prune removes what has no name and no container, and counts what that freed', async () => {
  await using fixture = openFixture();
  await someImage(fixture, 'named:1');
  const used = await someImage(fixture, '', 'used');
  const free = await someImage(fixture, '', 'free!');
  fixture.users.set(used.id, [{ id: user, running: false }]);
  fixture.published.length = 0;
  const { deleted, spaceReclaimed } = await prune(fixture);
  assert.deepEqual(deleted, [{ Deleted: free.id }, { Deleted: free.layers[0]?.chainId }]);
  // A layer, and the blobs of the layer, the config and the manifest.
  assert.equal(spaceReclaimed, 10_000 + 3 * 4096);
  assert.deepEqual(fixture.published.at(-1), {
    type: 'image',
    action: 'prune',
    id: '',
    attributes: { reclaimed: String(spaceReclaimed) },
  });
  assert.equal(fixture.images.all().length, 2);
});

test('prune drops downloads that were cut, but for those that a pull has, and uploads', async () => {
  await using fixture = openFixture();
  const { content } = fixture;
  const [cut, leased, open] = ['a', 'b', 'c'].map((letter) => `sha256-${letter.repeat(64)}`);
  for (const key of [cut, leased, 'upload-1'] as string[]) {
    const ingest = await content.ingest(key);
    await ingest.write(Buffer.from('half'));
    await ingest.close();
  }
  await using _open = disposable(await content.ingest(open as string));
  using lease = fixture.leases.open();
  lease.add(`sha256:${'b'.repeat(64)}`);
  const keys = async () => (await collect(content.ingests())).map(({ key }) => key).sort();
  for (const filters of [{ label: ['a=b'] }, { until: ['1h'] }] as Record<string, string[]>[]) {
    assert.equal((await prune(fixture, filters)).spaceReclaimed, 0);
    assert.equal((await keys()).length, 4);
  }
  assert.equal((await prune(fixture)).spaceReclaimed, 4096, 'its one block');
  assert.deepEqual(await keys(), [leased, open, 'upload-1'].sort());
});

/** Closes what a test opened, at its end. */
function disposable(ingest: { close(): Promise<void> }): AsyncDisposable {
  return { [Symbol.asyncDispose]: () => ingest.close() };
}

test('prune says nothing of an image that somebody else removed meanwhile', async () => {
  await using fixture = openFixture();
  const images = [await someImage(fixture, '', 'one'), await someImage(fixture, '', 'two')];
  fixture.published.length = 0;
  const [first, second] = fixture.images.all();
  const pruned = prune(fixture);
  // The first is gone already, and prune waits for its files.
  const removed = await remove(fixture, String(second?.id));
  assert.ok(removed.length > 0);
  const { deleted } = await pruned;
  assert.deepEqual(
    deleted.filter(({ Deleted }) => images.some(({ id }) => id === Deleted)),
    [{ Deleted: first?.id }],
  );
  assert.equal(fixture.published.filter(({ action }) => action === 'delete').length, 2);
});

test('prune frees the documents alone where another image has the layer', async () => {
  await using fixture = openFixture();
  const tar = layerOf({ a: 'a' });
  await imported(fixture, tar, { repo: 'kept' });
  const other = await imported(fixture, tar, { message: 'other' });
  assert.deepEqual(await prune(fixture), { deleted: [{ Deleted: other.id }], spaceReclaimed: 2 * 4096 });
});

test('prune takes an image that has a digest and no tag', async () => {
  await using fixture = openFixture();
  await someImage(fixture, 'kept:1', 'kept');
  const image = await imported(fixture, layerOf({ a: 'a' }));
  const digest = `sha256:${'d'.repeat(64)}`;
  fixture.images.setName(`docker.io/library/app@${digest}`, image.id);
  fixture.images.setName(`docker.io/library/kept@${digest}`, fixture.images.resolve('kept:1').id);
  const { deleted } = await prune(fixture);
  assert.deepEqual(deleted.slice(0, 2), [{ Untagged: `app@${digest}` }, { Deleted: image.id }]);
  assert.ok(fixture.images.resolve('kept:1'));
});

test('prune of all takes named ones, by filter', async () => {
  await using fixture = openFixture();
  await someImage(fixture, 'old:1', 'old', { created: '2020-01-01T00:00:00Z' });
  await someImage(fixture, 'new:1', 'new', { created: '2023-10-01T00:00:00Z' });
  await someImage(fixture, 'kept:1', 'kept', {
    created: '2020-01-01T00:00:00Z',
    config: { Labels: { keep: '' } },
  });
  await tagImage(fixture, 'old:1', { repo: 'again', tag: '' });
  const { deleted } = await prune(fixture, {
    dangling: ['false'],
    until: ['2022-01-01'],
    'label!': ['keep'],
  });
  assert.deepEqual(deleted.slice(0, 2), [{ Untagged: 'again:latest' }, { Untagged: 'old:1' }]);
  assert.deepEqual(
    fixture.images
      .names()
      .map((entry) => entry.name)
      .sort(),
    ['docker.io/library/kept:1', 'docker.io/library/new:1'],
  );
});

for (const [filters, text] of [
  [{ dangling: ['x'] }, "invalid filter 'dangling=[x]'"],
  [{ dangling: ['true', 'false'] }, "invalid filter 'dangling=[true false]'"],
  [{ nope: ['x'] }, "invalid filter 'nope'"],
  [{ before: ['x'] }, "invalid filter 'before'"],
  [{ reference: ['x'] }, "invalid filter 'reference'"],
  [{ until: ['x'] }, 'failed to parse value as time or duration: "x"'],
  [{ until: ['1h', '2h'] }, 'more than one until filter specified'],
] as [Record<string, string[]>, string][]) {
  test(`prune refuses ${JSON.stringify(filters)}`, async () => {
    await using fixture = openFixture();
    await someImage(fixture, '', 'free');
    await assert.rejects(
      prune(fixture, filters),
      (thrown: Error) => isKind(thrown, 'invalid') && thrown.message === text,
    );
    assert.equal(fixture.images.all().length, 1);
  });
}

test('an image of another platform than the one named stays', async () => {
  await using fixture = openFixture();
  const image = await someImage(fixture, 'app:1');
  const options = { force: false, noPrune: false };
  const mips = { os: 'linux', architecture: 'mips' };
  await assert.rejects(
    removeImage(fixture, 'app:1', { ...options, platforms: [mips] }),
    /^WharfError: image with reference app:1 was found but its platform .* \(linux\/mips\)$/,
  );
  await assert.rejects(
    removeImage(fixture, 'app:1', { ...options, platforms: [mips, image.platform] }),
    /^WharfError: multiple platforms are not supported$/,
  );
  assert.equal(fixture.images.all().length, 1);
  await removeImage(fixture, 'app:1', { ...options, platforms: [image.platform] });
  assert.equal(fixture.images.all().length, 0);
});
