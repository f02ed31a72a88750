import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { silentLog } from '../base/index.ts';
import { LocalDriver } from './local-driver.ts';
import type { VolumeMount } from './mount-options.ts';
import type { QuotaOps } from './quota.ts';
import type { VolumeQuota, VolumeRecord } from './types.ts';

let root: string;
let mounted: Map<string, VolumeMount | 'disk'>;
let calls: string[];
let warnings: string[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wharf-local-driver-'));
  mounted = new Map();
  calls = [];
  warnings = [];
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const at = (...path: string[]) => join(root, ...path);
const noop = () => undefined;
const fail = () => {
  throw new Error('the records are full');
};

function volume(name: string, options: Record<string, string> = {}, quota?: VolumeQuota): VolumeRecord {
  const own = { name, driver: 'local', options, labels: {}, createdAt: '', anonymous: false };
  return { ...own, ...(quota ? { quota } : {}) };
}

/** On a host whose mounts are a list, and that has project quota unless told otherwise. */
function driver(quota: Partial<QuotaOps> = {}): LocalDriver {
  return new LocalDriver({
    root,
    log: { ...silentLog, warn: (text: string) => void warnings.push(text) },
    mounter: {
      mount: (mount, target) => void mounted.set(target, mount),
      unmount: (target) => void mounted.delete(target),
      mounts: () => [...mounted.keys()],
    },
    quota: {
      limitProject: (directory, id, bytes) => {
        calls.push(
          `limit ${directory.slice(root.length + 1).replace(/^\.removed-\w+/, 'TRASH')} ${id} ${bytes}`,
        );
        return true;
      },
      makeDisk: async (file, bytes) => writeFileSync(file, String(bytes)),
      mountDisk: (_file, target) => void mounted.set(target, 'disk'),
      ...quota,
    },
    resolve: async () => '192.0.2.7',
  });
}

const NFS = { type: 'nfs', device: ':/x', o: 'addr=files.test,ro' };

describe('mounting', () => {
  it('is done for the first user and undone for the last, with the address that the name has', async () => {
    const local = driver();
    const share = volume('share', NFS);
    await local.create(share, noop);
    assert.equal(mounted.size, 0);
    const target = await local.acquire(share, 'a', true);
    await local.acquire(share, 'b', false);
    const wanted = { type: 'nfs', source: ':/x', flags: ['ro'], data: 'addr=192.0.2.7' };
    assert.deepEqual([...mounted], [[target, wanted]]);
    await local.release(share, 'a', false);
    assert.equal(mounted.size, 1);
    await local.release(share, 'b', true);
    assert.equal(mounted.size, 0);
  });

  it('of a plain directory is none, and what somebody else mounted there stays', async () => {
    const local = driver();
    const plain = volume('plain');
    await local.create(plain, noop);
    mounted.set(local.mountpoint(plain), 'disk');
    await local.acquire(plain, 'a', true);
    await local.release(plain, 'a', true);
    assert.equal(mounted.size, 1);
    await assert.rejects(local.remove(plain, noop), { kind: 'conflict', message: /something is mounted on/ });
    assert.equal(existsSync(local.mountpoint(plain)), true);
  });

  it('is not done twice over one that an earlier daemon left', async () => {
    const local = driver();
    const share = volume('share', NFS);
    await local.create(share, noop);
    mounted.set(local.mountpoint(share), 'disk');
    await local.acquire(share, 'a', true);
    assert.deepEqual([...mounted.values()], ['disk']);
    await local.remove(share, noop);
    assert.equal(mounted.size, 0);
  });

  it('takes nothing of this disk for files that lie elsewhere', async () => {
    const local = driver();
    const share = volume('share', NFS);
    await local.create(share, noop);
    assert.deepEqual(await local.usage(share), { bytes: 0, inodes: 0 });
    const plain = volume('plain');
    await local.create(plain, noop);
    assert.equal((await local.usage(plain)).inodes, 2);
  });
});

describe('a size', () => {
  it('is a project’s, lifted where the files went before they are deleted', async () => {
    const local = driver();
    const sized = volume('sized', { size: '8m' }, { method: 'project', projectId: 7, bytes: 8 << 20 });
    await local.create(sized, noop);
    await local.remove(sized, noop);
    assert.deepEqual(calls, ['limit .making/sized/_data 7 8388608', 'limit TRASH-sized/_data 7 0']);
    assert.deepEqual(readdirSync(root), []);
  });

  it('becomes a disk where there are no projects, and the record says so before it is written', async () => {
    const local = driver({ limitProject: () => false });
    const sized = volume('sized', { size: '8m' }, { method: 'project', projectId: 7, bytes: 8 << 20 });
    let recorded: VolumeQuota | undefined;
    await local.create(sized, () => {
      recorded = sized.quota && { ...sized.quota };
    });
    assert.deepEqual(recorded, { method: 'disk', bytes: 8 << 20 });
    assert.equal(readFileSync(at('sized/disk.ext4'), 'utf8'), String(8 << 20));
    await local.acquire(sized, 'a', true);
    assert.deepEqual([...mounted], [[local.mountpoint(sized), 'disk']]);
    await local.release(sized, 'a', true);
    assert.equal(mounted.size, 0);
  });

  it('that the filesystem does not keep any more is warned of, and costs no start', async () => {
    const sized = volume('sized', {}, { method: 'project', projectId: 7, bytes: 8 << 20 });
    await driver().create(sized, noop);
    await driver({ limitProject: () => false }).recover([sized], noop);
    await driver({ limitProject: fail }).recover([sized], noop);
    assert.deepEqual(warnings, [
      'the size of a volume is not kept: its filesystem is mounted without prjquota',
      'the size of a volume is not kept',
    ]);
  });
});

describe('recovery', () => {
  it('finishes what was recorded and not yet at its place', async () => {
    mkdirSync(at('.making/half/_data'), { recursive: true });
    writeFileSync(at('.making/half/_data/file'), 'kept');
    mkdirSync(at('.making/unknown/_data'), { recursive: true });
    const forgotten: string[] = [];
    await driver().recover([volume('half')], ({ name }) => void forgotten.push(name));
    assert.equal(readFileSync(at('half/_data/file'), 'utf8'), 'kept');
    assert.deepEqual([readdirSync(root), forgotten], [['half'], []]);
  });

  it('finishes removals, and forgets no volume whose files are there or merely missing', async () => {
    for (const path of ['.removed-0123456789ab-gone/_data', '.removed-0123456789ab-here/_data', 'here/_data'])
      mkdirSync(at(path), { recursive: true });
    const forgotten: string[] = [];
    const records = ['gone', 'here', 'lost'].map((name) => volume(name));
    const remote = { ...volume('gone'), driver: 'plugin' };
    await driver().recover([...records, remote], ({ driver: by }) => void forgotten.push(by));
    assert.deepEqual(forgotten, ['local']);
    assert.deepEqual(readdirSync(root), ['here']);
  });

  it('names what it still deletes, and what is being made, and nothing more once that is over', async () => {
    mkdirSync(at('.removed-0123456789ab-gone/_data'), { recursive: true });
    const local = driver();
    const recovered = local.recover([], noop);
    assert.deepEqual(local.underway(), ['.removed-0123456789ab-gone']);
    await recovered;
    await local.create(volume('new'), () => assert.deepEqual(local.underway(), ['.making']));
    await local.remove(volume('new'), () =>
      assert.deepEqual(local.underway().sort(), [...readdirSync(root), 'new']),
    );
    assert.deepEqual([local.underway(), readdirSync(root)], [[], []]);
  });

  it('is needless after failures that were seen', async () => {
    const local = driver();
    await assert.rejects(local.create(volume('new'), fail), /records are full/);
    assert.deepEqual(readdirSync(root), []);
    await local.create(volume('old'), noop);
    writeFileSync(at('old/_data/file'), 'kept');
    await assert.rejects(local.remove(volume('old'), fail), /records are full/);
    assert.equal(readFileSync(at('old/_data/file'), 'utf8'), 'kept');
    assert.equal(statSync(at('old')).mode & 0o777, 0o701);
  });
});
