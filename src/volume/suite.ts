import assert from 'node:assert/strict';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isKind } from '../base/index.ts';
import type { VolumeStore } from './types.ts';

/** What every VolumeStore promises. `open` gives a fresh, empty store and how to take it away. */
export function volumeStoreSuite(
  name: string,
  open: () => Promise<{ store: VolumeStore; close: () => Promise<void> }>,
): void {
  let store: VolumeStore;
  let close: () => Promise<void>;
  before(async () => {
    ({ store, close } = await open());
  });
  after(() => close());

  test(`${name}: a named volume is made once and found again`, async () => {
    const first = await store.create({ name: 'data', labels: { a: 'b' } });
    assert.equal(first.created, true);
    assert.equal(first.volume.anonymous, false);
    assert.deepEqual(first.volume.labels, { a: 'b' });
    assert.match(first.volume.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const second = await store.create({ name: 'data', labels: { other: 'x' } });
    assert.equal(second.created, false);
    assert.deepEqual(second.volume, first.volume);
    assert.deepEqual(store.get('data'), first.volume);
    assert.ok(store.list().some((volume) => volume.name === 'data'));
  });

  test(`${name}: parallel creates of one name make one volume`, async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => store.create({ name: 'race' })));
    assert.equal(made.filter((result) => result.created).length, 1);
  });

  test(`${name}: without a name it is anonymous, with 64 hex digits`, async () => {
    const { volume } = await store.create({});
    assert.match(volume.name, /^[0-9a-f]{64}$/);
    assert.equal(volume.anonymous, true);
    assert.equal(volume.labels['com.docker.volume.anonymous'], '');
  });

  test(`${name}: bad names, drivers and options are refused with Docker's texts`, async () => {
    await assert.rejects(
      store.create({ name: 'x' }),
      /^WharfError: create x: volume name is too short, names/,
    );
    for (const bad of ['a/b', '../x', '.aa', 'a b', 'n!', `a${'b'.repeat(300)}`]) {
      await assert.rejects(store.create({ name: bad }), (thrown) => isKind(thrown, 'invalid'), bad);
    }
    await assert.rejects(store.create({ name: 'vv', driver: 'foo' }), {
      kind: 'not-found',
      message: 'create vv: error looking up volume plugin foo: plugin "foo" not found',
    });
    await assert.rejects(store.create({ name: 'vv', options: { foo: 'x' } }), {
      message: 'create vv: invalid option: "foo"',
    });
    await assert.rejects(store.create({ name: 'vv', options: { type: 'tmpfs' } }), {
      message: 'create vv: missing required option: "device"',
    });
    assert.equal(store.get('vv'), undefined);
  });

  test(`${name}: files stay until the volume is removed, and are gone then`, async () => {
    await store.create({ name: 'files' });
    const directory = await store.acquire('files', 'c1');
    assert.equal(directory, store.mountpoint('files'));
    await writeFile(join(directory, 'f'), 'x'.repeat(10_000));
    assert.ok((await store.usage('files')).bytes >= 8192);
    await assert.rejects(store.remove('files'), (thrown) => isKind(thrown, 'conflict'));
    await store.release('files', 'c1');
    await store.release('files', 'c1');
    await store.remove('files');
    await assert.rejects(stat(directory), /ENOENT/);
    assert.equal(store.get('files'), undefined);
  });

  test(`${name}: a reserved volume is not removed, whether it was there before or not`, async () => {
    const first = store.reserve('held', 'c1');
    await store.create({ name: 'held' });
    const second = store.reserve('held', 'c1');
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    await assert.rejects(store.remove('held'), {
      kind: 'conflict',
      message: 'remove held: volume is in use - [c1]',
    });
    second[Symbol.dispose]();
    await store.remove('held');
    assert.equal(store.get('held'), undefined);
  });

  test(`${name}: what does not exist is not found`, async () => {
    await assert.rejects(store.remove('nosuch'), {
      kind: 'not-found',
      message: 'get nosuch: no such volume',
    });
    await assert.rejects(store.acquire('nosuch', 'c'), (thrown) => isKind(thrown, 'not-found'));
    await assert.rejects(store.usage('nosuch'), (thrown) => isKind(thrown, 'not-found'));
    await store.release('nosuch', 'c');
  });
}
