import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLog } from '../base/index.ts';
import { openMemoryDatabase } from '../meta/index.ts';
import { LocalDriver, type VolumeMounter } from './local-driver.ts';
import { volumeMount } from './mount-options.ts';
import { systemQuota } from './open.ts';
import { openPlugins } from './plugin/index.ts';
import { RecordedVolumes } from './store.ts';
import { volumeStoreSuite } from './suite.ts';

/** A mounter that only remembers. */
function recordingMounter() {
  const mounted = new Set<string>();
  const calls: string[] = [];
  const mounter: VolumeMounter = {
    mount(mount, target) {
      if (mount.source === '/bad') throw new Error('no such device');
      calls.push(`mount ${mount.type} ${mount.source} ${mount.flags.join('+')} ${mount.data}`);
      mounted.add(target);
    },
    unmount(target) {
      calls.push('unmount');
      mounted.delete(target);
    },
    mounts: () => [...mounted],
  };
  return { mounter, calls, mounted };
}

function openTemporary(fake = recordingMounter()) {
  const root = mkdtempSync(join(tmpdir(), 'wharf-volumes-'));
  const database = openMemoryDatabase();
  const open = () => {
    const own = { root: join(root, 'v'), log: silentLog, mounter: fake.mounter, quota: systemQuota };
    const local = new LocalDriver({ ...own, resolve: async () => '192.0.2.7' });
    const plugins = openPlugins({ folders: { sockets: [], specs: [] }, dataRoot: root, log: silentLog });
    return new RecordedVolumes({ local, plugins, database, log: silentLog });
  };
  const close = async () => {
    database[Symbol.dispose]();
    rmSync(root, { recursive: true, force: true });
  };
  return { store: open(), open, close, root: join(root, 'v'), ...fake };
}

volumeStoreSuite('local', async () => openTemporary());

test('directories have the modes that keep others out', async () => {
  const { store, root, close } = openTemporary();
  try {
    await store.create({ name: 'modes' });
    assert.equal(statSync(root).mode & 0o777, 0o701);
    assert.equal(statSync(join(root, 'modes')).mode & 0o777, 0o701);
    assert.equal(statSync(join(root, 'modes', '_data')).mode & 0o777, 0o755);
  } finally {
    await close();
  }
});

test('volumes and their files survive another opening', async () => {
  const { store, open, close } = openTemporary();
  try {
    const { volume } = await store.create({ name: 'keep', labels: { l: '1' } });
    writeFileSync(join(store.mountpoint('keep'), 'f'), 'here');
    const again = open();
    assert.deepEqual(again.get('keep'), volume);
    assert.equal(readFileSync(join(again.mountpoint('keep'), 'f'), 'utf8'), 'here');
  } finally {
    await close();
  }
});

test('a volume with mount options is mounted for its first user and unmounted after its last', async () => {
  const { store, close, calls, mounted } = openTemporary();
  try {
    const options = { type: 'tmpfs', device: 'tmpfs', o: 'size=1m,ro,uid=1000' };
    await store.create({ name: 'mem', options });
    assert.deepEqual(calls, []);
    await store.acquire('mem', 'a');
    await store.acquire('mem', 'b');
    assert.deepEqual(calls, ['mount tmpfs tmpfs ro size=1m,uid=1000']);
    await store.release('mem', 'a');
    assert.equal(mounted.size, 1);
    await store.release('mem', 'b');
    assert.equal(mounted.size, 0);
    assert.equal(calls.at(-1), 'unmount');
  } finally {
    await close();
  }
});

test('a mount that an earlier daemon left is used, and taken away before the files are removed', async () => {
  const { store, open, close, calls } = openTemporary();
  try {
    await store.create({ name: 'left', options: { type: 'none', device: '/data', o: 'bind' } });
    await store.acquire('left', 'a');
    const again = open();
    await again.acquire('left', 'a');
    assert.equal(calls.length, 1);
    const third = open();
    await third.remove('left');
    assert.deepEqual(calls.slice(1), ['unmount']);
  } finally {
    await close();
  }
});

test('a failed mount says which volume and why, and leaves no user behind', async () => {
  const { store, close } = openTemporary();
  try {
    await store.create({ name: 'bad', options: { type: 'none', device: '/bad', o: 'bind' } });
    await assert.rejects(
      store.acquire('bad', 'a'),
      /error while mounting volume .*\/bad\/_data'.*no such device/,
    );
    await store.remove('bad');
  } finally {
    await close();
  }
});

test('what a crash left of a removal goes at the next opening, and nothing else does', async () => {
  const { store, open, root, close } = openTemporary();
  try {
    await store.create({ name: 'stays' });
    await store.create({ name: 'goes' });
    mkdirSync(join(root, '.removed-1', '_data'), { recursive: true });
    const next = open();
    assert.deepEqual(readdirSync(root).sort(), ['.removed-1', 'goes', 'stays'], 'nobody waits for it');
    await next.settled();
    assert.deepEqual(readdirSync(root).sort(), ['goes', 'stays']);
    await store.remove('goes');
    assert.deepEqual(readdirSync(root), ['stays']);
  } finally {
    await close();
  }
});

test('a file that can not be made leaves no record', async () => {
  const { store, root, close } = openTemporary();
  try {
    writeFileSync(join(root, 'taken'), 'not a directory');
    await assert.rejects(store.create({ name: 'taken' }));
    assert.equal(store.get('taken'), undefined);
  } finally {
    await close();
  }
});

test('mount words become flags, the rest data', () => {
  assert.equal(volumeMount({}), undefined);
  assert.deepEqual(volumeMount({ type: 'nfs', device: ':/x', o: 'addr=10.0.0.1,rw,nosuid' }), {
    type: 'nfs',
    source: ':/x',
    flags: ['rw', 'nosuid'],
    data: 'addr=10.0.0.1',
  });
});
