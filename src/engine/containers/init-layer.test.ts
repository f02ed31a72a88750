import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { mountInfo } from '../../sys/index.ts';
import { ensureInitLayer, fillInitLayer, initLayerKey, removeInitLayer } from './init-layer.ts';
import { CHAIN, openFixture } from './test-fixture.ts';

function openTree() {
  const top = mkdtempSync(join(tmpdir(), 'wharf-init-'));
  const [root, canary] = [join(top, 'root'), join(top, 'canary')];
  mkdirSync(root);
  mkdirSync(canary);
  writeFileSync(join(canary, 'hosts'), 'host');
  return { root, canary, [Symbol.dispose]: () => rmSync(top, { recursive: true, force: true }) };
}

function assertReal(root: string) {
  for (const name of ['dev', 'dev/pts', 'dev/shm', 'proc', 'sys', 'etc']) {
    assert.ok(lstatSync(join(root, name)).isDirectory(), name);
  }
  for (const name of ['etc/hosts', 'etc/hostname', 'etc/resolv.conf', '.dockerenv', 'dev/console']) {
    assert.ok(lstatSync(join(root, name)).isFile(), name);
  }
}

test('an empty root gets all mount points', () => {
  using tree = openTree();
  fillInitLayer(tree.root);
  assertReal(tree.root);
  assert.equal(readlinkSync(join(tree.root, 'etc/mtab')), '/proc/mounts');
  assert.equal(lstatSync(join(tree.root, '.dockerenv')).mode & 0o777, 0o755);
  fillInitLayer(tree.root);
});

test('hostile links and files are replaced, and what they point at is untouched', () => {
  for (const name of ['dev', 'proc', 'sys', 'etc']) {
    using tree = openTree();
    symlinkSync(tree.canary, join(tree.root, name));
    fillInitLayer(tree.root);
    assertReal(tree.root);
    assert.deepEqual(readdirSync(tree.canary), ['hosts']);
  }
  using tree = openTree();
  mkdirSync(join(tree.root, 'etc'));
  mkdirSync(join(tree.root, 'dev'));
  for (const name of ['etc/hosts', 'etc/hostname', 'etc/resolv.conf', '.dockerenv']) {
    symlinkSync(join(tree.canary, 'hosts'), join(tree.root, name));
  }
  symlinkSync('../../canary', join(tree.root, 'dev/shm'));
  writeFileSync(join(tree.root, 'proc'), 'a file');
  fillInitLayer(tree.root);
  assertReal(tree.root);
  assert.equal(lstatSync(join(tree.canary, 'hosts')).size, 4);
});

test('files of the image stay as they are', () => {
  using tree = openTree();
  mkdirSync(join(tree.root, 'etc'));
  writeFileSync(join(tree.root, 'etc/hosts'), 'mine');
  fillInitLayer(tree.root);
  assert.equal(lstatSync(join(tree.root, 'etc/hosts')).size, 4);
});

test('the layer is made once, stands on the image, and goes when asked', async () => {
  await using fixture = await openFixture();
  const { snapshotter } = fixture.deps;
  const keys = await Promise.all(Array.from({ length: 5 }, () => ensureInitLayer(fixture.deps, CHAIN)));
  assert.deepEqual(new Set(keys), new Set([initLayerKey(CHAIN)]));
  assert.equal(snapshotter.stat(initLayerKey(CHAIN))?.parent, CHAIN);
  assert.ok(lstatSync(join(snapshotter.directory(initLayerKey(CHAIN)), 'etc/hosts')).isFile());
  assert.ok(!mountInfo().some((entry) => entry.mountPoint.startsWith(fixture.root)));
  await snapshotter.prepare('c1', initLayerKey(CHAIN));
  await removeInitLayer(fixture.deps, CHAIN);
  assert.ok(snapshotter.stat(initLayerKey(CHAIN)), 'kept while a container stands on it');
  await snapshotter.remove('c1');
  await removeInitLayer(fixture.deps, CHAIN);
  await removeInitLayer(fixture.deps, CHAIN);
  assert.equal(snapshotter.stat(initLayerKey(CHAIN)), undefined);
});

test('an image without layers has an init layer too', async () => {
  await using fixture = await openFixture();
  assert.equal(await ensureInitLayer(fixture.deps, ''), 'empty-init');
  assert.equal(fixture.deps.snapshotter.stat('empty-init')?.parent, undefined);
});
