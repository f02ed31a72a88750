import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isKind } from '../../base/index.ts';
import { openDatabase, openMemoryDatabase } from '../../meta/index.ts';
import { compareTimes, openContainerStore } from './container-store.ts';
import { testRecord } from './test-fixture.ts';

const id = (start: string) => start.padEnd(64, '0');

test('containers are found by id, name, slashed name and unique prefix', () => {
  using database = openMemoryDatabase();
  const store = openContainerStore(database);
  const first = testRecord({ id: id('abc1'), name: 'first' });
  const second = testRecord({ id: id('abd2'), name: 'abc' });
  store.insert(first);
  store.insert(second);
  assert.equal(store.resolve(first.id), first);
  assert.equal(store.resolve('first'), first);
  assert.equal(store.resolve('/first'), first);
  assert.equal(store.resolve('abd'), second);
  assert.equal(store.resolve('abc'), second, 'a name wins over a prefix');
  assert.throws(() => store.resolve('ab'), {
    kind: 'invalid',
    message: 'multiple IDs found with provided prefix: ab',
  });
  for (const missing of ['nosuch', '', 'ff', 'constructor']) {
    assert.throws(() => store.resolve(missing), {
      kind: 'not-found',
      message: `No such container: ${missing}`,
    });
  }
});

test('a taken name is refused with the text that clients read', () => {
  using database = openMemoryDatabase();
  const store = openContainerStore(database);
  store.insert(testRecord({ id: id('1'), name: 'web' }));
  const other = testRecord({ id: id('2'), name: 'web' });
  const message =
    `Conflict. The container name "/web" is already in use by container "${id('1')}". ` +
    'You have to remove (or rename) that container to be able to reuse that name.';
  assert.throws(() => store.insert(other), { kind: 'conflict', message });
  other.name = 'db';
  store.insert(other);
  assert.throws(() => store.rename(other, 'web'), { kind: 'conflict', message });
  store.rename(other, 'db2');
  assert.equal(store.resolve('db2'), other);
  assert.throws(
    () => store.resolve('db'),
    (thrown) => isKind(thrown, 'not-found'),
  );
  store.insert(testRecord({ id: id('3'), name: 'db' }));
});

test('what was saved is there for the next daemon', () => {
  const directory = mkdtempSync(join(tmpdir(), 'wharf-store-'));
  try {
    const file = join(directory, 'db');
    {
      using database = openDatabase(file);
      const store = openContainerStore(database);
      const record = testRecord({ id: id('1'), name: 'kept' });
      store.insert(record);
      record.state.status = 'exited';
      store.save(record);
      store.rename(record, 'renamed');
      store.insert(testRecord({ id: id('2'), name: 'gone' }));
      store.delete(id('2'));
    }
    using database = openDatabase(file);
    const store = openContainerStore(database);
    assert.deepEqual(
      store.all().map((record) => [record.name, record.state.status]),
      [['renamed', 'exited']],
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('all gives the newest first, and a copy', () => {
  using database = openMemoryDatabase();
  const store = openContainerStore(database);
  store.insert(testRecord({ id: id('1'), name: 'old', created: '2026-01-01T00:00:00.5Z' }));
  store.insert(testRecord({ id: id('2'), name: 'new', created: '2026-01-01T00:00:00.51Z' }));
  assert.deepEqual(
    store.all().map((record) => record.name),
    ['new', 'old'],
  );
  store.all().pop();
  assert.equal(store.all().length, 2);
});

test('times of different precision are ordered by what they mean', () => {
  assert.ok(compareTimes('2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000000001Z') < 0);
  assert.ok(compareTimes('2026-01-01T00:00:01Z', '2026-01-01T00:00:00.9Z') > 0);
  assert.equal(compareTimes('2026-01-01T00:00:00.5Z', '2026-01-01T00:00:00.500Z'), 0);
});

test('work on one container never overlaps, and work on a removed one is refused', async () => {
  using database = openMemoryDatabase();
  const store = openContainerStore(database);
  store.insert(testRecord({ id: id('1'), name: 'one' }));
  const order: string[] = [];
  const first = store.withLock('one', async () => {
    order.push('in');
    await new Promise((resolve) => setImmediate(resolve));
    order.push('out');
  });
  const second = store.withLock(id('1'), async (record) => {
    order.push('second');
    store.delete(record.id);
  });
  const third = store.withLock('one', async () => order.push('never'));
  await Promise.all([first, second]);
  await assert.rejects(third, { kind: 'not-found', message: 'No such container: one' });
  assert.deepEqual(order, ['in', 'out', 'second']);
  assert.throws(
    () => store.save(testRecord({ id: id('1') })),
    (thrown) => isKind(thrown, 'not-found'),
  );
});

test('a thousand containers are looked up at once', () => {
  using database = openMemoryDatabase();
  const store = openContainerStore(database);
  database.transaction(() => {
    for (let count = 0; count < 1000; count += 1) {
      store.insert(testRecord({ id: id(`f${count.toString(16).padStart(4, '0')}`), name: `c${count}x` }));
    }
  });
  for (let count = 0; count < 1000; count += 1) {
    assert.equal(store.resolve(`f${count.toString(16).padStart(4, '0')}`).name, `c${count}x`);
  }
});
