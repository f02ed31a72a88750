import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { WharfError } from '../../base/index.ts';
import { putFile } from '../containers/test-fixture.ts';
import { CopyWorld, calm } from './copy.cases.ts';
import { copyInFromHost, copyOutToHost, type HostCopyStep } from './index.ts';

function folder() {
  const path = mkdtempSync(join(tmpdir(), 'wharf-in-place-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

function fill(root: string): void {
  putFile(root, 'd/f', 'hi', 0o640);
  putFile(root, 'etc/passwd', 'app:x:77:78::/:/bin/sh\n');
  mkdirSync(join(root, 'empty'));
}

async function last(steps: AsyncIterable<HostCopyStep>): Promise<HostCopyStep> {
  let step: HostCopyStep = { bytes: 0 };
  for await (step of steps);
  return step;
}

async function answer(steps: AsyncIterable<HostCopyStep>): Promise<string> {
  try {
    const { bytes, hostError } = await last(steps);
    return hostError ?? (bytes > 0 ? 'done' : 'nothing');
  } catch (thrown) {
    if (!(thrown instanceof WharfError)) throw thrown;
    return `${thrown.kind}: ${thrown.message}`;
  }
}

const keep = { noOverwriteDirNonDir: true, copyUidGid: false };

test('what is on the host goes in under its new name, and comes out again', async () => {
  await using world = await CopyWorld.open(fill);
  await world.create('one', {}, { User: 'app' });
  using host = folder();
  writeFileSync(join(host.path, 'f'), 'from the host', { mode: 0o604 });
  const source = { folder: host.path, entry: 'f', name: 'new' };
  assert.equal(await answer(copyInFromHost(world.deps, 'one', '/d', source, keep, calm)), 'done');
  assert.deepEqual(await world.get('one', '/d/new'), ['new:from the host']);
  const owned = { ...keep, copyUidGid: true };
  assert.equal(
    await answer(
      copyInFromHost(world.deps, 'one', '/empty', { ...source, entry: '.', name: '.' }, owned, calm),
    ),
    'done',
  );
  assert.deepEqual(await world.get('one', '/empty/f'), ['f:from the host']);

  const out = join(host.path, 'out');
  mkdirSync(out);
  const to = { folder: out, name: undefined, keepOwners: false };
  assert.equal(await answer(copyOutToHost(world.deps, 'one', '/d', to, calm)), 'done');
  assert.equal(readFileSync(join(out, 'd/f'), 'utf8'), 'hi');
  assert.equal(statSync(join(out, 'd/f')).mode & 0o777, 0o640);
  const named = { ...to, name: 'other', keepOwners: true };
  assert.equal(await answer(copyOutToHost(world.deps, 'one', '/empty/f', named, calm)), 'done');
  const { uid, gid } = statSync(join(out, 'other'));
  assert.deepEqual([uid, gid], [77, 78]);
  const plain = { ...named, name: 'plain', keepOwners: false };
  assert.equal(await answer(copyOutToHost(world.deps, 'one', '/empty/f', plain, calm)), 'done');
  assert.equal(statSync(join(out, 'plain')).uid, 0);
  assert.deepEqual(
    world.actions().map((one) => one.replace(/ .*/, '')),
    [
      'extract-to-dir',
      'archive-path',
      'extract-to-dir',
      'archive-path',
      'archive-path',
      'archive-path',
      'archive-path',
    ],
  );
});

test('what is wrong in the container is told as of streams, what is wrong on the host by the host’s words', async () => {
  await using world = await CopyWorld.open(fill);
  await world.create('one');
  using host = folder();
  mkdirSync(join(host.path, 'd'));
  const source = { folder: host.path, entry: 'd', name: 'f' };
  const put = (path: string, more: object = {}) =>
    answer(copyInFromHost(world.deps, 'one', path, { ...source, ...more }, keep, calm));
  assert.equal(await put('/none'), 'not-found: Could not find the file /none in container one');
  assert.match(await put('/d'), /^internal: cannot overwrite non-directory/);
  assert.match(await put('/d', { entry: 'none' }), /none.*ENOENT/);
  assert.match(await put('/d', { folder: 'relative' }), /^invalid: the folder of this host is not absolute$/);
  const get = (path: string, name?: string) =>
    answer(copyOutToHost(world.deps, 'one', path, { folder: host.path, name, keepOwners: false }, calm));
  assert.equal(await get('/none'), 'not-found: Could not find the file /none in container one');
  assert.match(await get('/d/f', 'd'), /cannot overwrite directory/);
  assert.deepEqual(world.actions(), []);
});

test('a copy that is cancelled lets the container go', async () => {
  await using world = await CopyWorld.open(fill);
  await world.create('one');
  using host = folder();
  const to = { folder: host.path, name: undefined, keepOwners: false };
  await assert.rejects(
    last(copyOutToHost(world.deps, 'one', '/d', to, AbortSignal.abort())),
    (thrown: unknown) => thrown instanceof WharfError && thrown.kind === 'cancelled',
  );
  assert.deepEqual(await world.get('one', '/d/f'), ['f:hi']);
});
