import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isKind, type LogFields, silentLog } from '../base/index.ts';
import { type Database, openMemoryDatabase } from '../meta/index.ts';
import { diskUsage, mkfifo, mount, umountIfMounted } from '../sys/index.ts';
import { treeChanges } from './changes.ts';
import { DiskSync } from './disk-sync.ts';
import { openOverlaySnapshotter } from './index.ts';
import { makeLayer } from './suite.ts';
import { Trash } from './trash.ts';

let top: string;
let root: string;
let database: Database;

beforeEach(() => {
  top = mkdtempSync('/var/tmp/wharf-snap-failures-');
  root = join(top, 'snapshots');
  database = openMemoryDatabase();
});
afterEach(() => {
  database[Symbol.dispose]();
  umountIfMounted(top, { detach: true });
  rmSync(top, { recursive: true, force: true });
});

const descriptors = () => readdirSync('/proc/self/fd').length;
const folders = () => readdirSync(root).filter((name) => /^\d+$/.test(name));

describe('a snapshot that cannot be made', () => {
  it('for want of room leaves neither folder nor record, and the next one fits', async () => {
    mount({ source: 'tmpfs', target: top, type: 'tmpfs', data: 'nr_inodes=14' });
    const snapshots = openOverlaySnapshotter({ root, database });
    await makeLayer(snapshots, 'base', undefined, {});
    const made: string[] = [];
    await assert.rejects(async () => {
      for (let at = 0; at < 20; at++) {
        await snapshots.prepare(`c${at}`, 'base');
        made.push(`c${at}`);
      }
    });
    assert.ok(made.length > 0 && made.length < 20);
    assert.deepEqual(
      snapshots
        .list()
        .map(({ key }) => key)
        .sort(),
      ['base', ...made].sort(),
    );
    await snapshots.settled();
    assert.equal(folders().length, made.length + 1);
    await snapshots.remove('c0');
    await snapshots.settled();
    await snapshots.prepare('again', 'base');
  });

  it('because its record is refused leaves no folder', async () => {
    const records = database.collection.bind(database);
    const failing = { put: false };
    database.collection = ((spec: Parameters<typeof records>[0]) => {
      const collection = records(spec);
      const put = collection.put.bind(collection);
      collection.put = (value) => {
        if (failing.put) throw new Error('the disk of the records is full');
        put(value);
      };
      return collection;
    }) as typeof database.collection;
    const snapshots = openOverlaySnapshotter({ root, database });
    failing.put = true;
    await assert.rejects(snapshots.prepare('x', undefined), /records is full/);
    failing.put = false;
    assert.equal(snapshots.stat('x'), undefined);
    await snapshots.settled();
    assert.deepEqual(folders(), []);
    await snapshots.prepare('x', undefined);
  });

  it('twice at once under one key is made once', async () => {
    const snapshots = openOverlaySnapshotter({ root, database });
    await makeLayer(snapshots, 'base', undefined, { '/a': '1' });
    const both = await Promise.allSettled([snapshots.prepare('c', 'base'), snapshots.prepare('c', 'base')]);
    assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    const refused = both.find((one) => one.status === 'rejected');
    assert.ok(refused?.status === 'rejected' && isKind(refused.reason, 'conflict'));
    await snapshots.settled();
    assert.equal(folders().length, 2);
  });
});

describe('a layer that is given its parent at the commit', () => {
  it('is refused when the parent goes while the disk is synced, and can be committed again', async () => {
    const snapshots = openOverlaySnapshotter({ root, database });
    await makeLayer(snapshots, 'base', undefined, { '/a': '1' });
    await snapshots.prepare('extract-1', undefined);
    const commit = snapshots.commit('top', 'extract-1', 'base');
    await snapshots.remove('base');
    await assert.rejects(commit, (thrown) => isKind(thrown, 'not-found'));
    assert.equal(snapshots.stat('top'), undefined);
    assert.equal(snapshots.stat('extract-1')?.kind, 'active');
    await makeLayer(snapshots, 'base', undefined, { '/a': '1' });
    await snapshots.commit('top', 'extract-1', 'base');
    assert.equal(snapshots.stat('top')?.parent, 'base');
  });
});

describe('looking at trees', () => {
  it('keeps no descriptor when a folder below is gone', async () => {
    const [upper, lower] = [join(top, 'upper'), join(top, 'lower')];
    for (const path of [upper, lower]) mkdirSync(join(path, 'dir/deep'), { recursive: true });
    const before = descriptors();
    await assert.rejects(treeChanges(upper, [lower, join(top, 'none')]), { kind: 'not-found' });
    await assert.rejects(treeChanges(join(top, 'none'), []));
    await assert.rejects(diskUsage(join(top, 'none')));
    assert.deepEqual(await treeChanges(upper, [lower]), []);
    assert.equal(descriptors(), before);
  });

  it('does not follow, open or wait for what a container put there', async () => {
    const upper = join(top, 'upper');
    mkdirSync(upper);
    mkfifo(join(upper, 'fifo'), 0o600);
    symlinkSync('/proc', join(upper, 'proc'));
    symlinkSync('..', join(upper, 'up'));
    const found = await treeChanges(upper, []);
    assert.deepEqual(
      found.map(({ path }) => path),
      ['/fifo', '/proc', '/up'],
    );
    assert.equal((await diskUsage(upper)).inodes, 4);
  });

  it('goes down a thousand directories and comes back with its descriptors', async () => {
    const deep = join(top, 'deep');
    let path = deep;
    for (let level = 0; level < 1000; level++) path += '/d';
    mkdirSync(path, { recursive: true });
    const before = descriptors();
    assert.equal((await diskUsage(deep)).inodes, 1001);
    assert.equal((await treeChanges(deep, [])).length, 1000);
    assert.equal(descriptors(), before);
  });

  it('counts the blocks of a sparse file and not its length', async () => {
    writeFileSync(join(top, 'sparse'), 'x');
    truncateSync(join(top, 'sparse'), 2 ** 40);
    const { bytes } = await diskUsage(top);
    assert.ok(bytes < 1 << 20, String(bytes));
  });
});

describe('syncing', () => {
  it('serves many at once, and goes on after one that failed', async () => {
    const folder = join(top, 'folder');
    const disk = new DiskSync(folder);
    const all = await Promise.allSettled([disk.sync(), disk.sync()]);
    assert.deepEqual(
      all.map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    await assert.rejects(disk.sync(), /ENOENT/);
    mkdirSync(folder);
    await Promise.all(Array.from({ length: 10 }, () => disk.sync()));
    await disk.sync();
  });

  it('that is asked for while one runs is a later one, shared by all who ask', async () => {
    const disk = new DiskSync(top);
    const first = disk.sync();
    // The first one runs from the next turn on: who asks before shares it.
    assert.equal(disk.sync(), first);
    await new Promise((resolve) => setImmediate(resolve));
    const second = disk.sync();
    assert.notEqual(second, first);
    assert.equal(disk.sync(), second);
    await Promise.all([first, second]);
  });
});

describe('the trash', () => {
  it('takes folders at once, deletes them behind, and minds none that is gone', async () => {
    const trash = new Trash(join(top, 'trash'), silentLog);
    for (const name of ['a', 'b']) mkdirSync(join(top, name, 'inner'), { recursive: true });
    for (const name of ['a', 'b', 'none']) trash.take(join(top, name));
    assert.ok(!existsSync(join(top, 'a')) && !existsSync(join(top, 'b')));
    await trash.settled();
    assert.deepEqual(readdirSync(join(top, 'trash')), []);
  });

  it('says what stays behind, and deletes the rest', async () => {
    const warnings: (LogFields | undefined)[] = [];
    const log = { ...silentLog, warn: (_message: string, fields?: LogFields) => void warnings.push(fields) };
    const stuck = join(top, 'trash/stuck');
    mkdirSync(stuck, { recursive: true });
    mount({ source: 'tmpfs', target: stuck, type: 'tmpfs' });
    try {
      const trash = new Trash(join(top, 'trash'), log);
      trash.emptyLater();
      mkdirSync(join(top, 'other'));
      trash.take(join(top, 'other'));
      await trash.settled();
      assert.deepEqual(
        warnings.map((fields) => fields?.['path']),
        [stuck],
      );
      assert.deepEqual(readdirSync(join(top, 'trash')), ['stuck']);
    } finally {
      umountIfMounted(stuck, { detach: true });
    }
  });
});

it('an overlay of more layers than mount(2) takes is refused by number, not cut short', async () => {
  const snapshots = openOverlaySnapshotter({ root, database });
  let parent: string | undefined;
  const records = database.collection<{
    key: string;
    kind: string;
    parent?: string;
    folder: number;
    lower: number[];
  }>({
    name: 'snapshots',
    key: ({ key }) => key,
    indexes: { parent: { of: (record) => record.parent } },
  });
  await makeLayer(snapshots, 'base', parent, {});
  parent = 'base';
  const lower = Array.from({ length: 400 }, (_, at) => 100_000 + at);
  records.put({ key: 'tall', kind: 'active', parent, folder: 1, lower });
  assert.throws(() => snapshots.mount('tall'), { kind: 'invalid', message: /tall has 400 layers: too many/ });
});
