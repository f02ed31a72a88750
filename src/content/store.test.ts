import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { digestOf } from '../oci/index.ts';
import { openContentStore, openMemoryContentStore } from './index.ts';
import { collect, contentSuite, pieces } from './suite.ts';

function local() {
  const dir = mkdtempSync(join(tmpdir(), 'wharf-content-'));
  return {
    dir,
    store: openContentStore(dir),
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}

contentSuite('local', local);
contentSuite('memory', () => ({ store: openMemoryContentStore(), [Symbol.dispose]() {} }));

test('a failed write leaves no file in ingest', async () => {
  using home = local();
  await assert.rejects(home.store.write(pieces('abc'), { size: 2 }));
  await assert.rejects(home.store.write(pieces('abc'), { digest: digestOf('x') }));
  assert.deepEqual(readdirSync(join(home.dir, 'ingest')), []);
});

test('the file of a blob is its content, closed to others', async () => {
  using home = local();
  const { digest } = await home.store.write(pieces('abc'));
  assert.equal(readFileSync(home.store.pathOf(digest), 'utf8'), 'abc');
  assert.equal(statSync(home.store.pathOf(digest)).mode & 0o077, 0);
});

test('blobs are there when the store is opened again', async () => {
  using home = local();
  const { digest } = await home.store.write(pieces('abc'));
  assert.equal(String(await openContentStore(home.dir).read(digest)), 'abc');
});

test('recover removes unfinished writes and strangers, and keeps blobs', async () => {
  using home = local();
  const { digest } = await home.store.write(pieces('kept'));
  writeFileSync(join(home.dir, 'ingest', 'half'), 'x');
  mkdirSync(join(home.dir, 'ingest', 'folder', 'deep'), { recursive: true });
  writeFileSync(join(home.dir, 'blobs/sha256/stranger'), 'x');
  await home.store.recover();
  assert.deepEqual(readdirSync(join(home.dir, 'ingest')), []);
  assert.deepEqual(
    (await collect(home.store.list())).map((blob) => blob.digest),
    [digest],
  );
  assert.deepEqual(readdirSync(join(home.dir, 'blobs/sha256')), [digest.slice(7)]);
});

test('a blob of many megabytes passes unchanged', async () => {
  using home = local();
  const part = Buffer.alloc(1 << 20, 'abcdefg');
  const parts = Array.from({ length: 12 }, () => part);
  const { digest, size } = await home.store.write(pieces(...parts));
  assert.equal(size, 12 << 20);
  assert.equal(digest, digestOf(Buffer.concat(parts)));
  assert.equal(digestOf(readFileSync(home.store.pathOf(digest))), digest);
});
