import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { silentLog, WharfError } from '../base/index.ts';
import { type Database, openMemoryDatabase } from '../meta/index.ts';
import { mountInfo, umountIfMounted } from '../sys/index.ts';
import { LocalDriver } from './local-driver.ts';
import { systemMounter, systemQuota } from './open.ts';
import { openPlugins } from './plugin/index.ts';
import type { QuotaOps } from './quota.ts';
import { RecordedVolumes } from './store.ts';
import { parseVolumeSize } from './volume-size.ts';

let root: string;
let database: Database;

function open(quota: QuotaOps = systemQuota) {
  const own = { root: join(root, 'volumes'), log: silentLog, mounter: systemMounter, quota };
  const local = new LocalDriver({ ...own, resolve: async () => '192.0.2.7' });
  const plugins = openPlugins({ folders: { sockets: [], specs: [] }, dataRoot: root, log: silentLog });
  return new RecordedVolumes({ local, plugins, database, log: silentLog });
}
const mountsBelow = () => mountInfo().filter(({ mountPoint }) => mountPoint.startsWith(`${root}/`));

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wharf-quota-'));
  database = openMemoryDatabase();
});
afterEach(() => {
  for (const { mountPoint } of mountsBelow()) umountIfMounted(mountPoint, { detach: true });
  database[Symbol.dispose]();
  rmSync(root, { recursive: true, force: true });
});

/** A filesystem with project quota, that remembers; see the kernel's own in the tests of `sys`. */
function projects() {
  const limits = new Map<number, { directory: string; bytes: number }>();
  const quota: QuotaOps = {
    ...systemQuota,
    limitProject(directory, projectId, bytes) {
      limits.set(projectId, { directory, bytes });
      return true;
    },
  };
  return { limits, quota };
}

describe('a volume with a size, without project quota', () => {
  const noProjects: QuotaOps = { ...systemQuota, limitProject: () => false };

  it('is a filesystem in a file, empty at first, that takes no more than that', async () => {
    const store = open(noProjects);
    const { volume } = await store.create({ name: 'small', options: { size: '8m' } });
    assert.deepEqual(volume.quota, { method: 'disk', bytes: 8 << 20 });
    const directory = await store.acquire('small', 'c');
    assert.deepEqual(readdirSync(directory), []);
    assert.equal(statSync(directory).mode & 0o777, 0o755);
    writeFileSync(join(directory, 'fits'), Buffer.alloc(2 << 20, 1));
    assert.throws(() => writeFileSync(join(directory, 'much'), Buffer.alloc(9 << 20, 1)), /ENOSPC/);
    assert.ok((await store.usage('small')).bytes >= 2 << 20);
    await store.release('small', 'c');
    assert.equal(mountsBelow().length, 0);
    assert.ok(existsSync(join(await store.acquire('small', 'd'), 'fits')));
    await store.release('small', 'd');
    await store.remove('small');
    assert.deepEqual(readdirSync(join(root, 'volumes')), []);
  });

  it('keeps its files over a daemon that died with it mounted', async () => {
    const store = open(noProjects);
    await store.create({ name: 'small', options: { size: '4m' } });
    writeFileSync(join(await store.acquire('small', 'c'), 'file'), 'kept');
    const next = open(noProjects);
    assert.ok(existsSync(join(await next.acquire('small', 'c', { adopted: true }), 'file')));
    await next.release('small', 'c');
    assert.equal(mountsBelow().length, 0);
    await next.remove('small');
  });

  it('says what is missing when it can not be made, and leaves nothing', async () => {
    const without: QuotaOps = {
      ...noProjects,
      makeDisk: () =>
        Promise.reject(new WharfError('unavailable', 'quota size requested but no quota support')),
    };
    const store = open(without);
    await assert.rejects(store.create({ name: 'v1', options: { size: '4m' } }), {
      message: 'create v1: quota size requested but no quota support',
    });
    assert.equal(store.get('v1'), undefined);
    assert.deepEqual(readdirSync(join(root, 'volumes')), []);
  });
});

describe('a volume with a size, with project quota', () => {
  it('has a project of its own, whose limit goes with it', async () => {
    const { limits, quota } = projects();
    const store = open(quota);
    const made = await Promise.all(
      ['v1', 'v2'].map((name) => store.create({ name, options: { size: '1g' } })),
    );
    const ids = made.map(({ volume }) => (volume.quota?.method === 'project' ? volume.quota.projectId : 0));
    assert.equal(new Set(ids).size, 2);
    assert.equal(limits.get(ids[0] as number)?.bytes, 1 << 30);
    assert.equal(mountsBelow().length, 0);
    await store.remove('v1');
    assert.equal(limits.get(ids[0] as number)?.bytes, 0);
  });

  it('gets its limit again at each start, and no number twice', async () => {
    const { limits, quota } = projects();
    await open(quota).create({ name: 'v1', options: { size: '1g' } });
    const [[id]] = [...limits] as [[number, unknown]];
    limits.clear();
    const next = open(quota);
    assert.equal(limits.get(id)?.bytes, 1 << 30);
    const { volume } = await next.create({ name: 'v2', options: { size: '2m' } });
    assert.notEqual(volume.quota?.method === 'project' && volume.quota.projectId, id);
  });
});

describe('what a crash cut off', () => {
  it('in the middle of making is finished when it is recorded, and dropped when not', async () => {
    await open().create({ name: 'known' });
    const making = join(root, 'volumes/.making');
    mkdirSync(join(making, 'known/_data'), { recursive: true });
    mkdirSync(join(making, 'unknown/_data'), { recursive: true });
    rmSync(join(root, 'volumes/known'), { recursive: true });
    const store = open();
    await store.settled();
    assert.deepEqual(readdirSync(join(root, 'volumes')), ['known']);
    assert.ok(existsSync(store.mountpoint('known')));
  });

  it('in the middle of removing is finished', async () => {
    const store = open();
    await store.create({ name: 'goes' });
    await store.create({ name: 'stays' });
    mkdirSync(join(root, 'volumes/.removed-0123456789ab-goes'));
    rmSync(join(root, 'volumes/goes'), { recursive: true });
    const next = open();
    await next.settled();
    assert.deepEqual(readdirSync(join(root, 'volumes')), ['stays']);
    assert.equal(next.get('goes'), undefined);
    assert.equal((await next.create({ name: 'goes' })).created, true);
  });

  it('a volume below which something is mounted is not removed', async () => {
    const store = open();
    await store.create({ name: 'v1' });
    const below = join(store.mountpoint('v1'), 'sub');
    mkdirSync(below);
    systemMounter.mount({ type: 'tmpfs', source: 'tmpfs', flags: [], data: '' }, below);
    await assert.rejects(store.remove('v1'), {
      kind: 'conflict',
      message: new RegExp(`mounted on ${below}`),
    });
    systemMounter.unmount(below);
    await store.remove('v1');
  });
});

describe('sizes', () => {
  it('have units of 1024, as in Docker', () => {
    const known = {
      '1048576': 1 << 20,
      '10m': 10 << 20,
      '1.5GiB': 1.5 * 2 ** 30,
      '2 gb': 2 ** 31,
      '1T': 2 ** 40,
    };
    for (const [text, bytes] of Object.entries(known)) assert.equal(parseVolumeSize('v', text), bytes, text);
    for (const bad of ['', 'abc', '-1m', '1x', '10k', '9999999p', '1e9', ' 1m']) {
      assert.throws(() => parseVolumeSize('v', bad), { kind: 'invalid' }, bad);
    }
    assert.throws(() => parseVolumeSize('v', 'abc'), { message: "create v: invalid size: 'abc'" });
  });
});
