import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { isKind } from '../base/index.ts';
import { openDatabase, openMemoryDatabase } from './index.ts';
import { migrate } from './schema.ts';
import { databaseSuite } from './suite.ts';
import type { Database } from './types.ts';

function scratch(): { dir: string } & Disposable {
  const dir = mkdtempSync(join(tmpdir(), 'wharf-meta-'));
  return { dir, [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) };
}

function onDisk(): Database {
  const dir = mkdtempSync(join(tmpdir(), 'wharf-meta-'));
  const database = openDatabase(join(dir, 'state.db'));
  return {
    collection: (spec) => database.collection(spec),
    transaction: (work) => database.transaction(work),
    schemaVersion: database.schemaVersion,
    check: () => database.check(),
    [Symbol.dispose]() {
      database[Symbol.dispose]();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

interface Named {
  id: string;
  name?: string;
}
const byId = { name: 'named', key: (value: Named) => value.id };

databaseSuite('a file', onDisk);
databaseSuite('memory', openMemoryDatabase);

test('what was put is there when the file is opened again', () => {
  using home = scratch();
  const file = join(home.dir, 'deeper', 'state.db');
  {
    using database = openDatabase(file);
    database.collection<Named>(byId).put({ id: 'a', name: 'kept' });
  }
  using again = openDatabase(file);
  assert.deepEqual(again.collection<Named>(byId).get('a'), { id: 'a', name: 'kept' });
});

test('what was put survives a kill of its process', () => {
  using home = scratch();
  const file = join(home.dir, 'state.db');
  const script = `
    const { openDatabase } = await import(${JSON.stringify(new URL('./index.ts', import.meta.url).href)});
    const database = openDatabase(${JSON.stringify(file)});
    const all = database.collection({ name: 'named', key: (value) => value.id });
    all.put({ id: 'done' });
    database.transaction(() => { all.put({ id: 'half' }); process.kill(process.pid, 'SIGKILL'); for (;;); });`;
  const { signal } = spawnSync(process.execPath, ['--input-type=module', '-e', script]);
  assert.equal(signal, 'SIGKILL');
  using database = openDatabase(file);
  const all = database.collection<Named>(byId);
  assert.deepEqual(all.all(), [{ id: 'done' }]);
  assert.deepEqual(database.check(), []);
});

test('a second owner is refused, the first goes on', () => {
  using home = scratch();
  const file = join(home.dir, 'state.db');
  using first = openDatabase(file);
  const refused = (thrown: unknown) =>
    isKind(thrown, 'conflict') && String(thrown).includes(`the data root ${home.dir} is in use`);
  assert.throws(() => openDatabase(file), refused);
  const script = `
    const { openDatabase } = await import(${JSON.stringify(new URL('./index.ts', import.meta.url).href)});
    try { openDatabase(${JSON.stringify(file)}); console.log('opened'); } catch (e) { console.log(e.kind); }`;
  const other = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  assert.equal(other.trim(), 'conflict');
  first.collection<Named>(byId).put({ id: 'a' });
  assert.equal(first.collection<Named>(byId).count(), 1);
});

test('the file is free again after disposal, and after a refused opening', () => {
  using home = scratch();
  const file = join(home.dir, 'state.db');
  writeFileSync(file, 'this is no database, and it is long enough to be looked at as one'.repeat(20));
  assert.throws(
    () => openDatabase(file),
    (thrown) => isKind(thrown, 'corrupt'),
  );
  rmSync(file);
  openDatabase(file)[Symbol.dispose]();
  openDatabase(file)[Symbol.dispose]();
  assert.ok(existsSync(file));
});

test('a file of a newer build is refused and left as it is', () => {
  using home = scratch();
  const file = join(home.dir, 'state.db');
  openDatabase(file)[Symbol.dispose]();
  const raw = new DatabaseSync(file);
  raw.exec('PRAGMA user_version = 999');
  raw.close();
  assert.throws(
    () => openDatabase(file),
    (thrown) => isKind(thrown, 'conflict') && /schema 999/.test(String(thrown)),
  );
  const after = new DatabaseSync(file);
  assert.equal(after.prepare('PRAGMA user_version').get()?.['user_version'], 999);
  after.close();
});

test('migrations run once each, in order, and a failing one leaves nothing', () => {
  const db = new DatabaseSync(':memory:');
  const ran: number[] = [];
  const steps = [() => ran.push(1), () => ran.push(2)].map((step) => () => void step());
  assert.equal(migrate(db, steps.slice(0, 1)), 1);
  assert.equal(migrate(db, steps), 2);
  assert.equal(migrate(db, steps), 2);
  assert.deepEqual(ran, [1, 2]);
  const failing = [
    ...steps,
    (on: DatabaseSync) => on.exec('CREATE TABLE half (x)'),
    () => {
      throw new Error('no');
    },
  ];
  assert.throws(() => migrate(db, failing));
  assert.equal(db.prepare('PRAGMA user_version').get()?.['user_version'], 2);
  assert.equal(db.prepare("SELECT count(*) AS n FROM sqlite_master WHERE name = 'half'").get()?.['n'], 0);
  db.close();
});

test('an index added later is filled from the documents', () => {
  using home = scratch();
  const file = join(home.dir, 'state.db');
  {
    using database = openDatabase(file);
    database.collection<Named>(byId).put({ id: 'a', name: 'web' });
  }
  using again = openDatabase(file);
  const indexed = again.collection<Named>({
    ...byId,
    indexes: { name: { unique: true, of: (value) => value.name } },
  });
  assert.deepEqual(indexed.find('name', 'web'), [{ id: 'a', name: 'web' }]);
  assert.throws(() => indexed.put({ id: 'b', name: 'web' }));
});

test('a document that is not JSON is reported as corrupt', () => {
  using home = scratch();
  const file = join(home.dir, 'state.db');
  {
    using database = openDatabase(file);
    database.collection<Named>(byId).put({ id: 'a' });
  }
  const raw = new DatabaseSync(file);
  raw.exec("UPDATE named SET document = '{'");
  raw.close();
  using database = openDatabase(file);
  assert.throws(
    () => database.collection<Named>(byId).get('a'),
    (thrown) => isKind(thrown, 'corrupt'),
  );
});
