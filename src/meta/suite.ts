import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKind } from '../base/index.ts';
import type { Collection, Database } from './types.ts';

interface Thing {
  id: string;
  label?: string;
  group?: string;
  nested?: { list: (number | null)[]; text: string };
}

/** What every `Database` must keep. `open` makes an empty one; it is disposed by the suite. */
export function databaseSuite(name: string, open: () => Database): void {
  const on = (title: string, check: (things: Collection<Thing>, database: Database) => void) =>
    test(`${name}: ${title}`, () => {
      using database = open();
      check(things(database), database);
    });

  on('gives back what was put, and replaces by key', (all) => {
    const value = { id: 'a', nested: { list: [1, null, 2.5], text: 'ä\u0000"\u{1F4A9}' } };
    all.put(value);
    assert.deepEqual(all.get('a'), value);
    all.put({ id: 'a', label: 'second' });
    assert.deepEqual(all.get('a'), { id: 'a', label: 'second' });
    assert.equal(all.count(), 1);
    assert.equal(all.get('b'), undefined);
  });

  on('hands out copies: changing one changes nothing stored', (all) => {
    const value: Thing = { id: 'a', label: 'one' };
    all.put(value);
    value.label = 'changed after';
    const read = all.get('a');
    assert.equal(read?.label, 'one');
    if (read) read.label = 'changed';
    assert.equal(all.get('a')?.label, 'one');
  });

  on('keeps the order of first insertion in all()', (all) => {
    for (const id of ['z', 'a', 'm']) all.put({ id });
    all.put({ id: 'z', label: 'again' });
    assert.deepEqual(
      all.all().map((thing) => thing.id),
      ['z', 'a', 'm'],
    );
  });

  on('deletes once', (all) => {
    all.put({ id: 'a', label: 'x' });
    assert.equal(all.delete('a'), true);
    assert.equal(all.delete('a'), false);
    assert.deepEqual(all.all(), []);
    all.put({ id: 'b', label: 'x' });
    assert.equal(all.find('label', 'x')[0]?.id, 'b');
  });

  on('finds by index, and follows changes of the indexed value', (all) => {
    all.put({ id: 'a', group: 'g' });
    all.put({ id: 'b', group: 'g' });
    all.put({ id: 'c' });
    assert.deepEqual(
      all.find('group', 'g').map((thing) => thing.id),
      ['a', 'b'],
    );
    all.put({ id: 'a', group: 'h' });
    assert.deepEqual(
      all.find('group', 'g').map((thing) => thing.id),
      ['b'],
    );
    assert.throws(
      () => all.find('nothing', 'x'),
      (thrown) => isKind(thrown, 'internal'),
    );
  });

  on('refuses a second holder of a unique value and keeps the first', (all) => {
    all.put({ id: 'a', label: 'web' });
    assert.throws(
      () => all.put({ id: 'b', label: 'web' }),
      (thrown) => isKind(thrown, 'conflict') && /the label "web" is taken/.test(String(thrown)),
    );
    assert.equal(all.get('b'), undefined);
    all.put({ id: 'a', label: 'web', group: 'its own holder may write again' });
    all.put({ id: 'c' });
    all.put({ id: 'd' });
    assert.equal(all.count(), 3);
  });

  on('lists keys by prefix, in order, up to the limit, and takes % and _ literally', (all) => {
    for (const id of ['ab1', 'ab2', 'ab3', 'ac', 'a%', 'a_x', 'b']) all.put({ id });
    assert.deepEqual(all.keysByPrefix('ab', 2), ['ab1', 'ab2']);
    assert.deepEqual(all.keysByPrefix('a%', 9), ['a%']);
    assert.deepEqual(all.keysByPrefix('a_', 9), ['a_x']);
    assert.equal(all.keysByPrefix('', 99).length, 7);
    assert.deepEqual(all.keysByPrefix('zz', 9), []);
  });

  on('a transaction holds as a whole or not at all', (all, database) => {
    all.put({ id: 'before' });
    assert.throws(() =>
      database.transaction(() => {
        all.put({ id: 'inside' });
        all.delete('before');
        throw new Error('no');
      }),
    );
    assert.deepEqual(
      all.all().map((thing) => thing.id),
      ['before'],
    );
    const answer = database.transaction(() => {
      all.put({ id: 'inside' });
      return all.count();
    });
    assert.equal(answer, 2);
  });

  on('a failed inner transaction takes back only its own writes', (all, database) => {
    database.transaction(() => {
      all.put({ id: 'outer' });
      assert.throws(() =>
        database.transaction(() => {
          all.put({ id: 'inner' });
          throw new Error('no');
        }),
      );
      database.transaction(() => all.put({ id: 'second' }));
    });
    assert.deepEqual(
      all.all().map((thing) => thing.id),
      ['outer', 'second'],
    );
  });

  on('a conflict that is caught inside a transaction leaves the transaction usable', (all, database) => {
    database.transaction(() => {
      all.put({ id: 'a', label: 'x' });
      assert.throws(() => all.put({ id: 'b', label: 'x' }));
      all.put({ id: 'c' });
    });
    assert.equal(all.count(), 2);
  });

  on('refuses asynchronous work in a transaction', (all, database) => {
    assert.throws(
      () =>
        database.transaction(async () => {
          all.put({ id: 'a' });
        }),
      (thrown) => isKind(thrown, 'internal'),
    );
    assert.equal(all.count(), 0);
  });

  on('keeps collections apart, and lets one be opened twice', (all, database) => {
    const others = database.collection<Thing>({ name: 'index', key: (thing) => thing.id });
    others.put({ id: 'a', label: 'other' });
    assert.equal(all.get('a'), undefined);
    assert.equal(things(database).count(), 0);
    assert.equal(others.count(), 1);
  });

  on('refuses names that are not plain words', (_all, database) => {
    for (const bad of ['', 'A', 'a b', 'a"; DROP TABLE things; --', '1a']) {
      assert.throws(() => database.collection<Thing>({ name: bad, key: (thing) => thing.id }), bad);
    }
  });

  on('is sound', (_all, database) => {
    assert.deepEqual(database.check(), []);
    assert.ok(database.schemaVersion >= 1);
  });
}

function things(database: Database): Collection<Thing> {
  return database.collection<Thing>({
    name: 'things',
    key: (thing) => thing.id,
    indexes: { label: { unique: true, of: (thing) => thing.label }, group: { of: (thing) => thing.group } },
  });
}
