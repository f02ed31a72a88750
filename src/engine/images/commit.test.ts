import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKind, WharfError } from '../../base/index.ts';
import { digestOf, type ExecutionConfig } from '../../oci/index.ts';
import { commitImage, type ImageCommit } from './commit.ts';
import { imageHistory } from './history.ts';
import { inspectImage, readConfig } from './inspect.ts';
import { listImages } from './list.ts';
import { pruneImages } from './prune.ts';
import { removeImage } from './remove.ts';
import type { ImageRecord } from './store.ts';
import { collect, EMPTY, type Fixture, inventory, layerOf, openFixture, someImage } from './test-fixture.ts';
import { unpackImage } from './unpack-image.ts';

const never = new AbortController().signal;

async function* pieces(...parts: Uint8Array[]) {
  yield* parts;
}

function commit(
  fixture: Fixture,
  parent: ImageRecord,
  tar: Uint8Array | AsyncIterable<Uint8Array>,
  more: Partial<ImageCommit> = {},
): Promise<ImageRecord> {
  const parts: ImageCommit = {
    parent: parent.id,
    tar: tar instanceof Uint8Array ? pieces(tar) : tar,
    config: { Cmd: ['sh'], Labels: { l: '1' } } as ExecutionConfig,
    author: 'me',
    comment: 'a note',
    createdBy: 'touch /x',
    name: undefined,
    timeNs: undefined,
    origin: { container: 'c' },
    ...more,
  };
  return commitImage(fixture, parts, never);
}

const listed = (fixture: Fixture, all: boolean) =>
  listImages(
    { ...fixture, containersOf: () => [] },
    { all, digests: false, sharedSize: false, manifests: false, filters: new Map() },
  ).map(({ Id }) => Id);

test('a commit adds a layer, a line of history and a parent, and is told of', async () => {
  await using fixture = openFixture();
  const base = await someImage(fixture, 'base:latest');
  fixture.published.length = 0;
  const tar = layerOf({ x: 'hello' });
  const name = 'docker.io/library/made:1';
  const made = await commit(fixture, base, tar, { name });
  assert.equal(made.layers.length, 2);
  assert.deepEqual(made.layers[0], base.layers[0]);
  assert.equal(made.layers[1]?.diffId, digestOf(tar));
  assert.equal(made.layers[1]?.bytes, 5);
  const file = await readConfig(fixture.content, made);
  assert.deepEqual(file.history?.at(-1), {
    created: file.created,
    created_by: 'touch /x',
    author: 'me',
    comment: 'a note',
  });
  assert.equal(file['container'], 'c');
  assert.deepEqual(
    fixture.published.map(({ action, attributes }) => [action, attributes?.['name'], attributes?.['l']]),
    [
      ['create', made.id, '1'],
      ['tag', 'made:1', '1'],
    ],
  );
  const shown = await inspectImage(fixture, 'made:1', {});
  assert.deepEqual([shown.Parent, shown.Comment, shown.Author], [base.id, 'a note', 'me']);
  const history = await imageHistory(fixture, 'made:1');
  assert.deepEqual([history[0]?.Id, history[0]?.Size, history[0]?.CreatedBy], [made.id, 5, 'touch /x']);
  assert.deepEqual([history[1]?.Id, history[1]?.Tags], [base.id, ['base:latest']]);
});

test('its layer is unpacked at first use, once', async () => {
  await using fixture = openFixture();
  const base = await someImage(fixture, 'base:latest');
  const made = await commit(fixture, base, layerOf({ x: 'hello' }));
  const [, layer] = made.layers;
  assert.equal(fixture.snapshots.stat(layer?.chainId ?? ''), undefined);
  await Promise.all([unpackImage(fixture, made.id), unpackImage(fixture, made.id)]);
  assert.equal(fixture.snapshots.stat(layer?.chainId ?? '')?.parent, base.layers[0]?.chainId);
  assert.equal(fixture.snapshots.list().length, 2);
  await assert.rejects(unpackImage(fixture, `sha256:${'0'.repeat(64)}`), (thrown) =>
    isKind(thrown, 'not-found'),
  );
});

test('a blob that went bad is told when the layer is unpacked, and leaves no layer', async () => {
  await using fixture = openFixture();
  const base = await someImage(fixture, 'base:latest');
  const made = await commit(fixture, base, layerOf({ x: 'hello' }));
  const { writeFileSync } = await import('node:fs');
  writeFileSync(fixture.content.pathOf(made.layers[1]!.blob.digest), layerOf({ x: 'other' }));
  await assert.rejects(unpackImage(fixture, made.id), (thrown) => isKind(thrown, 'corrupt'));
  assert.equal(fixture.snapshots.list().length, 1);
});

test('a tar without entries adds no layer', async () => {
  await using fixture = openFixture();
  const base = await someImage(fixture, 'base:latest');
  const made = await commit(fixture, base, layerOf({}));
  assert.deepEqual(made.layers, base.layers);
  const file = await readConfig(fixture.content, made);
  assert.equal(file.history?.at(-1)?.empty_layer, true);
  assert.deepEqual(file.rootfs.diff_ids, [base.layers[0]?.diffId]);
});

test('with a time, the same content gives the same image, byte by byte', async () => {
  await using fixture = openFixture();
  const base = await someImage(fixture, 'base:latest');
  const fixed = { timeNs: 1_600_000_000_000_000_000n, origin: {} };
  const one = await commit(fixture, base, layerOf({ x: 'hello' }), fixed);
  fixture.time.nanos += 5_000_000_000n;
  const two = await commit(fixture, base, layerOf({ x: 'hello' }), fixed);
  assert.equal(one.id, two.id);
  assert.equal(one.manifest.digest, two.manifest.digest);
  assert.equal(one.created, '2020-09-13T12:26:40Z');
  const other = await commit(fixture, base, layerOf({ x: 'hello' }));
  assert.notEqual(other.id, one.id);
  assert.equal(other.layers[1]?.blob.digest, one.layers[1]?.blob.digest);
});

test('what fails midway leaves nothing, and the retried commit succeeds', async () => {
  await using fixture = openFixture();
  const base = await someImage(fixture, 'base:latest');
  const before = await inventory(fixture);
  const tar = layerOf({ x: 'x'.repeat(100_000) });
  async function* broken() {
    yield tar.subarray(0, 2000);
    throw new WharfError('internal', 'read: EIO');
  }
  await assert.rejects(commit(fixture, base, broken(), { name: 'docker.io/library/n:1' }), /EIO/);
  // A tar that is cut is no layer, whatever its digest.
  await assert.rejects(commit(fixture, base, tar.subarray(0, 2000)), (thrown) => isKind(thrown, 'corrupt'));
  assert.deepEqual(await inventory(fixture), before);
  const full: Fixture = {
    ...fixture,
    content: Object.assign(Object.create(fixture.content) as Fixture['content'], {
      write: () => Promise.reject(new WharfError('exhausted', 'write: ENOSPC')),
    }),
  };
  await assert.rejects(commit(full, base, tar), (thrown) => isKind(thrown, 'exhausted'));
  assert.deepEqual(await inventory(fixture), before);
  assert.equal((await commit(fixture, base, tar)).layers.length, 2);
});

test('a cancelled commit leaves nothing', async () => {
  await using fixture = openFixture();
  const base = await someImage(fixture, 'base:latest');
  const before = await inventory(fixture);
  const cancel = new AbortController();
  async function* hanging() {
    yield layerOf({ x: 'x' }).subarray(0, 512);
    cancel.abort();
    await new Promise<never>(() => {});
  }
  const parts = { parent: base.id, tar: hanging(), config: {}, author: '', comment: '', createdBy: '' };
  await assert.rejects(
    commitImage(fixture, { ...parts, name: undefined, timeNs: undefined, origin: {} }, cancel.signal),
    (thrown) => isKind(thrown, 'cancelled'),
  );
  assert.deepEqual(await inventory(fixture), before);
});

test('without its parent there is no commit; a parent that goes meanwhile leaves its layers', async () => {
  await using fixture = openFixture();
  const base = await someImage(fixture, 'base:latest');
  async function* removing() {
    const tar = layerOf({ x: 'x' });
    yield tar.subarray(0, 512);
    await removeImage(fixture, 'base:latest', { force: true, noPrune: false });
    yield tar.subarray(512);
  }
  const made = await commit(fixture, base, removing());
  assert.equal(made.parent, undefined);
  await unpackImage(fixture, made.id);
  assert.equal(fixture.snapshots.list().length, 2);
  await assert.rejects(commit(fixture, base, layerOf({})), (thrown) => isKind(thrown, 'not-found'));
});

test('an image that others were committed from stays, out of sight when it has no name', async () => {
  await using fixture = openFixture();
  const base = await someImage(fixture, 'base:latest');
  const child = await commit(fixture, base, layerOf({ x: 'x' }), { name: 'docker.io/library/child:1' });
  for (const force of [false, true]) {
    await assert.rejects(removeImage(fixture, base.id, { force, noPrune: false }), {
      message: `conflict: unable to delete ${base.id.slice(7, 19)} (cannot be forced) - image has dependent child images`,
    });
  }
  assert.deepEqual(await removeImage(fixture, 'base:latest', { force: false, noPrune: false }), [
    { Untagged: 'base:latest' },
  ]);
  assert.deepEqual(listed(fixture, false), [child.id]);
  assert.deepEqual(listed(fixture, true).sort(), [child.id, base.id].sort());
  const { deleted } = await pruneImages(fixture, new Map());
  assert.deepEqual(deleted, []);
});

test('with the last child go the nameless images that it was committed from', async () => {
  await using fixture = openFixture();
  const base = await someImage(fixture, 'base:latest');
  const middle = await commit(fixture, base, layerOf({ x: 'x' }));
  const top = await commit(fixture, middle, layerOf({ y: 'y' }), { name: 'docker.io/library/top:1' });
  await removeImage(fixture, 'base:latest', { force: false, noPrune: false });
  assert.deepEqual(await removeImage(fixture, 'top:1', { force: false, noPrune: false }), [
    { Untagged: 'top:1' },
    { Deleted: top.id },
    { Deleted: top.layers[2]?.chainId },
    { Deleted: middle.id },
    { Deleted: middle.layers[1]?.chainId },
    { Deleted: base.id },
    { Deleted: base.layers[0]?.chainId },
  ]);
  assert.deepEqual(await inventory(fixture), EMPTY);
});

test('parents stay when that is asked, when they have a name, and when a container uses them', async () => {
  await using fixture = openFixture();
  const base = await someImage(fixture, 'base:latest');
  const child = (name: string) => commit(fixture, base, layerOf({ [name]: name }), { comment: name });
  const [one, two, three] = [await child('one'), await child('two'), await child('three')];
  await removeImage(fixture, one.id, { force: false, noPrune: false });
  assert.ok(fixture.images.get(base.id), 'it has a name');
  await removeImage(fixture, 'base:latest', { force: false, noPrune: false });
  fixture.users.set(base.id, [{ id: 'c', running: false }]);
  await removeImage(fixture, two.id, { force: false, noPrune: false });
  assert.ok(fixture.images.get(base.id), 'a container uses it');
  fixture.users.clear();
  await removeImage(fixture, three.id, { force: false, noPrune: true });
  assert.deepEqual(listed(fixture, false), [base.id]);
});

test('a committed layer is saved and loaded as any other', async () => {
  await using fixture = openFixture();
  await using other = openFixture();
  const base = await someImage(fixture, 'base:latest');
  const tar = layerOf({ x: 'hello' });
  const made = await commit(fixture, base, tar, { name: 'docker.io/library/made:1' });
  const { saveImages } = await import('./save.ts');
  const { loadImages } = await import('./load.ts');
  const archive = await saveImages(fixture, ['made:1'], {});
  await collect(loadImages(other, archive, { quiet: true }, never));
  assert.equal(other.images.resolve('made:1').id, made.id);
  assert.equal(other.images.resolve('made:1').layers[1]?.diffId, digestOf(tar));
});
