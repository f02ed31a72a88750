import assert from 'node:assert/strict';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isKind, silentLog } from '../base/index.ts';
import { type Database, openMemoryDatabase } from '../meta/index.ts';
import { mkfifo, mount, mountInfo, umountIfMounted } from '../sys/index.ts';
import { openVolumeStore, type VolumeStore } from './index.ts';
import { checkDriverOptions, volumeMount } from './mount-options.ts';
import { checkVolumeName } from './names.ts';

let top: string;
let root: string;
let database: Database;
let store: VolumeStore;

const open = () => openVolumeStore({ root, database, log: silentLog });
const mountsBelow = () => mountInfo().filter(({ mountPoint }) => mountPoint.startsWith(`${root}/`));

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'wharf-volume-failures-'));
  root = join(top, 'volumes');
  database = openMemoryDatabase();
  store = open();
});
afterEach(() => {
  for (const { mountPoint } of mountsBelow().reverse()) umountIfMounted(mountPoint, { detach: true });
  umountIfMounted(top, { detach: true });
  database[Symbol.dispose]();
  rmSync(top, { recursive: true, force: true });
});

/** A store whose records refuse to be deleted. */
function undeletable(): VolumeStore {
  const collect = database.collection.bind(database);
  const stubborn = Object.assign(Object.create(database) as Database, {
    collection: (spec: Parameters<typeof collect>[0]) =>
      Object.assign(Object.create(collect(spec)), {
        delete: () => {
          throw new Error('the records are full');
        },
      }),
  });
  return openVolumeStore({ root, database: stubborn, log: silentLog });
}

describe('files of a volume', () => {
  it('are there, whole, after a removal that could not be recorded', async () => {
    await store.create({ name: 'data' });
    writeFileSync(join(store.mountpoint('data'), 'precious'), 'kept');
    const failing = undeletable();
    await assert.rejects(failing.remove('data'), /records are full/);
    assert.equal(readFileSync(join(failing.mountpoint('data'), 'precious'), 'utf8'), 'kept');
    assert.equal(failing.get('data')?.name, 'data');
    await store.remove('data');
    assert.deepEqual(readdirSync(root), []);
  });

  it('are never found by the next volume of that name when a removal was cut off', async () => {
    await store.create({ name: 'data' });
    writeFileSync(join(store.mountpoint('data'), 'secret'), 'old');
    // As a crash between the two steps leaves it: the files are away, the record is not.
    renameSync(join(root, 'data'), join(root, '.removed-x'));
    const next = open();
    await next.settled();
    assert.deepEqual(readdirSync(root), []);
    await next.remove('data');
    await next.create({ name: 'data' });
    assert.deepEqual(readdirSync(next.mountpoint('data')), []);
  });

  it('that lie there without a record survive a creation that fails, and are taken over by one that does not', async () => {
    mkdirSync(join(root, 'orphan/_data'), { recursive: true });
    writeFileSync(join(root, 'orphan/_data/precious'), 'kept');
    const transaction = database.collection.bind(database);
    database.collection = ((spec: Parameters<typeof transaction>[0]) => {
      const collection = transaction(spec);
      collection.put = () => {
        throw new Error('the records are full');
      };
      return collection;
    }) as typeof database.collection;
    const failing = open();
    await assert.rejects(failing.create({ name: 'orphan' }), /records are full/);
    await assert.rejects(failing.create({ name: 'fresh' }), /records are full/);
    assert.equal(readFileSync(join(root, 'orphan/_data/precious'), 'utf8'), 'kept');
    assert.deepEqual(readdirSync(root), ['orphan']);
    await store.create({ name: 'orphan' });
    assert.equal(readFileSync(join(store.mountpoint('orphan'), 'precious'), 'utf8'), 'kept');
  });

  it('on a full disk: what was made goes, what was there stays', async () => {
    mount({ source: 'tmpfs', target: top, type: 'tmpfs', data: 'nr_inodes=5' });
    const small = openVolumeStore({ root, database, log: silentLog });
    await small.create({ name: 'fits' });
    await assert.rejects(small.create({ name: 'full' }));
    assert.equal(small.get('full'), undefined);
    assert.deepEqual(readdirSync(root), ['fits']);
    await small.remove('fits');
    await small.create({ name: 'full' });
  });

  it('behind a link out of the volume are never removed with it', async () => {
    const outside = join(top, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'file'), 'safe');
    await store.create({ name: 'linked' });
    symlinkSync(outside, join(store.mountpoint('linked'), 'link'));
    await store.remove('linked');
    assert.equal(readFileSync(join(outside, 'file'), 'utf8'), 'safe');
    rmSync(join(root, 'gone'), { recursive: true, force: true });
    await store.create({ name: 'gone' });
    rmSync(join(root, 'gone'), { recursive: true });
    await store.remove('gone');
    assert.equal(store.get('gone'), undefined);
  });
});

describe('a volume with real mounts', () => {
  it('is a file system of its own while it is used, by whomever first and last', async () => {
    await store.create({
      name: 'mem',
      options: { type: 'tmpfs', device: 'tmpfs', o: 'size=64k,nosuid,nodev,noexec,uid=7' },
    });
    const [first] = await Promise.all(['a', 'b', 'a'].map((user) => store.acquire('mem', user)));
    assert.equal(mountsBelow().length, 1);
    assert.equal(statSync(first as string).uid, 7);
    assert.ok(['nosuid', 'nodev', 'noexec'].every((word) => mountsBelow()[0]?.options.includes(word)));
    await store.release('mem', 'a');
    await store.release('mem', 'nobody');
    assert.equal(mountsBelow().length, 1);
    await store.release('mem', 'b');
    assert.equal(mountsBelow().length, 0);
  });

  it('by a bind shows the other directory, and its removal leaves that as it is', async () => {
    const data = join(top, 'data');
    mkdirSync(data);
    writeFileSync(join(data, 'file'), 'safe');
    await store.create({ name: 'bound', options: { type: 'none', device: data, o: 'bind,ro' } });
    const directory = await store.acquire('bound', 'a');
    assert.equal(readFileSync(join(directory, 'file'), 'utf8'), 'safe');
    assert.throws(() => writeFileSync(join(directory, 'file'), ''), /EROFS/);
    // Another daemon, which does not know of the user, takes the mount away before it deletes.
    await open().remove('bound');
    assert.equal(mountsBelow().length, 0);
    assert.ok(!existsSync(directory));
    assert.equal(readFileSync(join(data, 'file'), 'utf8'), 'safe');
  });

  it('that cannot be mounted says what was tried, each time anew, and counts no user', async () => {
    await store.create({ name: 'bad', options: { type: 'nosuchfs', device: 'x', o: 'a=b' } });
    for (let round = 0; round < 2; round++) {
      const words =
        /^error while mounting volume '.*\/bad\/_data': failed to mount local volume: mount x:.*\/bad\/_data, data: a=b: no such device$/;
      await assert.rejects(store.acquire('bad', 'a'), (thrown: Error) => words.test(thrown.message));
    }
    assert.equal(mountsBelow().length, 0);
    await store.remove('bad');
  });
});

describe('usage', () => {
  it('counts blocks, each hard link once, and neither what is linked to nor what is mounted below', async () => {
    await store.create({ name: 'used' });
    const at = (name: string) => join(store.mountpoint('used'), name);
    const empty = await store.usage('used');
    assert.equal(empty.inodes, 2, 'its directory, and that of its files');
    writeFileSync(at('file'), Buffer.alloc(8192, 1));
    linkSync(at('file'), at('second'));
    symlinkSync('/', at('root'));
    mkfifo(at('fifo'), 0o600);
    writeFileSync(at('sparse'), '');
    truncateSync(at('sparse'), 2 ** 40);
    mkdirSync(at('below'));
    mount({ source: 'tmpfs', target: at('below'), type: 'tmpfs' });
    writeFileSync(at('below/large'), Buffer.alloc(200_000, 1));
    const { bytes, inodes } = await store.usage('used');
    assert.equal(inodes, 2 + 4);
    assert.ok(bytes >= empty.bytes + 8192 && bytes < 100_000, String(bytes));
  });
});

describe('names and options', () => {
  it('of the alphabet and no longer than a file’s name pass; all else is refused', () => {
    for (const name of ['ab', '00', 'a.', 'A_b-c.d', 'x'.repeat(255)])
      assert.doesNotThrow(() => checkVolumeName(name), name);
    for (const name of ['', 'a', '..', '-a', '_a', 'a/', 'a\0b', 'a\n', 'ä0', 'a:b', 'x'.repeat(256)])
      assert.throws(
        () => checkVolumeName(name),
        (thrown) => isKind(thrown, 'invalid'),
        JSON.stringify(name),
      );
  });

  it('need type and device together, know no other, and no quota', () => {
    const refusal = (options: Record<string, string>) => {
      try {
        checkDriverOptions('v', options);
      } catch (thrown) {
        assert.ok(isKind(thrown, 'invalid'));
        return (thrown as Error).message;
      }
      return '';
    };
    assert.equal(refusal({}), '');
    assert.equal(refusal({ type: 'tmpfs', device: 'tmpfs' }), '');
    assert.equal(refusal({ o: 'bind', device: '/x' }), 'create v: missing required option: "type"');
    assert.equal(refusal({ type: 'none' }), 'create v: missing required option: "device"');
    assert.equal(refusal({ type: '', device: '' }), '');
    assert.equal(refusal({ size: '1G' }), '');
    assert.equal(refusal({ size: 'abc' }), "create v: invalid size: 'abc'");
    assert.match(
      refusal({ size: '1G', type: 'tmpfs', device: 'x' }),
      /^create v: the quota "size" is for volumes without/,
    );
    assert.equal(refusal({ Type: 'tmpfs' }), 'create v: invalid option: "Type"');
    assert.equal(
      refusal(JSON.parse('{"__proto__":"x"}') as Record<string, string>),
      'create v: invalid option: "__proto__"',
    );
  });

  it('words are told apart from data, in their order, empty ones left out', () => {
    const words = volumeMount({
      type: 'ext4',
      device: '/dev/x',
      o: ',ro,,data=journal,rprivate,Bind,errors=continue,',
    });
    assert.deepEqual(words, {
      type: 'ext4',
      source: '/dev/x',
      flags: ['ro', 'rprivate'],
      data: 'data=journal,Bind,errors=continue',
    });
    assert.equal(volumeMount({ type: 'tmpfs' }), undefined);
    assert.deepEqual(volumeMount({ type: 'tmpfs', device: 'tmpfs' })?.flags, []);
  });
});
