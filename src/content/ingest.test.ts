import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it, type TestContext } from 'node:test';
import { isKind } from '../base/index.ts';
import { type Digest, digestOf } from '../oci/index.ts';
import { mount, umountIfMounted } from '../sys/index.ts';
import { type ContentStore, type Ingest, openContentStore } from './index.ts';
import { collect } from './suite.ts';

let dir: string;
let store: ContentStore;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wharf-ingest-'));
  store = openContentStore(dir);
});
afterEach(() => {
  umountIfMounted(dir, { detach: true });
  rmSync(dir, { recursive: true, force: true });
});

const files = (folder: string) => readdirSync(join(dir, folder));
const descriptors = () => readdirSync('/proc/self/fd').length;
const corrupt = (thrown: unknown) => isKind(thrown, 'corrupt');

describe('an unfinished blob on disk', () => {
  it('may be read along up to its offset, by a path that the commit takes away', async () => {
    const ingest = await store.ingest('upload-1');
    for (let at = 1; at <= 40; at++) {
      const piece = randomBytes(16 << 10);
      await ingest.write(piece);
      const there = readFileSync(ingest.path);
      assert.equal(there.length, ingest.offset);
      assert.deepEqual(there.subarray(-piece.length), piece);
    }
    const { digest } = await ingest.commit();
    assert.equal(existsSync(ingest.path), false);
    assert.equal(statSync(store.pathOf(digest)).mode & 0o177, 0);
    assert.deepEqual([files('ingest'), files('partial')], [[], []]);
  });

  it('survives the end of its process at any byte, and the store opened anew', async () => {
    const bytes = randomBytes(3_000_001);
    const digest = digestOf(bytes);
    for (const cut of [1, 511, 1 << 20, (1 << 20) + 1, bytes.length - 1, bytes.length]) {
      const first = await openContentStore(dir).ingest('sha256-x');
      await first.write(bytes.subarray(first.offset, cut));
      // Not closed: that process is gone.
      const after = openContentStore(dir);
      await after.recover();
      const second = await after.ingest('sha256-x');
      assert.equal(second.offset, cut);
      await second.close();
      await first.close();
    }
    const last = await openContentStore(dir).ingest('sha256-x');
    assert.equal((await last.commit({ digest, size: bytes.length })).digest, digest);
  });

  it('is hashed right though pieces come while its beginning is read again', async () => {
    const bytes = randomBytes(9 << 20);
    writeFileSync(join(dir, 'partial/sha256-y'), bytes.subarray(0, 5 << 20));
    const ingest = await store.ingest('sha256-y');
    for (let at = 5 << 20; at < bytes.length; at += 100_000) {
      await ingest.write(bytes.subarray(at, at + 100_000));
      // Lets the reading go on between some of the pieces.
      if (at % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal((await ingest.commit()).digest, digestOf(bytes));
  });

  it('that a crash filled with something else is refused, dropped, and comes again from nothing', async () => {
    const bytes = randomBytes(100_000);
    writeFileSync(join(dir, 'partial/sha256-z'), Buffer.alloc(50_000));
    const torn = await store.ingest('sha256-z');
    await torn.write(bytes.subarray(50_000));
    await assert.rejects(torn.commit({ digest: digestOf(bytes), size: bytes.length }), corrupt);
    const again = await store.ingest('sha256-z');
    assert.equal(again.offset, 0);
    await again.write(bytes);
    await again.commit({ digest: digestOf(bytes) });
  });

  it('that someone cut under its writer is refused', async () => {
    writeFileSync(join(dir, 'partial/cut'), Buffer.alloc(8 << 20));
    const ingest = await store.ingest('cut');
    truncateSync(ingest.path, 100);
    await assert.rejects(ingest.commit(), corrupt);
    assert.deepEqual(files('partial'), []);
  });

  it('closes its descriptor at every end', async () => {
    const before = descriptors();
    writeFileSync(join(dir, 'partial/a'), Buffer.alloc(4 << 20));
    const ends = [
      async () => (await store.ingest('a')).close(),
      async () => (await store.ingest('a')).commit({ size: 1 }),
      async () => (await store.ingest('b')).discard(),
      async () => (await store.ingest('c')).commit(),
      async () => (await store.ingest('d')).commit({ digest: digestOf('x') }),
    ];
    for (const end of ends) await end().catch((thrown: unknown) => assert.ok(corrupt(thrown)));
    assert.equal(descriptors(), before);
  });

  it('keeps its key free when it cannot be opened', async () => {
    mkdirSync(join(dir, 'partial/taken'));
    symlinkSync('/etc/passwd', join(dir, 'partial/link'));
    await assert.rejects(store.ingest('taken'));
    await assert.rejects(store.ingest('link'));
    await store.recover();
    assert.deepEqual(files('partial'), []);
    await (await store.ingest('taken')).discard();
    await (await store.ingest('link')).discard();
  });
});

describe('a disk on which every write waits', () => {
  it('takes the pieces in the thread pool, in their order, and reports when it is full', async (t) => {
    mount({ source: 'tmpfs', target: dir, type: 'tmpfs', data: 'size=4m' });
    store = openContentStore(dir);
    let now = 0;
    // A clock by which each call takes ten milliseconds.
    t.mock.method(performance, 'now', () => {
      now += 10;
      return now;
    });
    const bytes = randomBytes(3 << 20);
    const ingest = await store.ingest('slow');
    for (let at = 0; at < bytes.length; at += 10_000) await ingest.write(bytes.subarray(at, at + 10_000));
    assert.equal(ingest.offset, bytes.length);
    assert.deepEqual(readFileSync(ingest.path), bytes);
    await assert.rejects(ingest.write(Buffer.alloc(2 << 20)), (thrown) => isKind(thrown, 'exhausted'));
    truncateSync(ingest.path, bytes.length);
    await ingest.close();
    const again = await store.ingest('slow');
    assert.equal((await again.commit()).digest, digestOf(bytes));
  });
});

describe('on a full disk an unfinished blob', () => {
  beforeEach(() => {
    mount({ source: 'tmpfs', target: dir, type: 'tmpfs', data: 'size=256k' });
    store = openContentStore(dir);
  });

  it('keeps what fitted, and goes on when there is room', async () => {
    const bytes = randomBytes(200_000);
    const other = await store.put(Buffer.alloc(128 << 10), 'x');
    const ingest = await store.ingest('sha256-full');
    await assert.rejects(ingest.write(bytes), (thrown) => isKind(thrown, 'exhausted'));
    const fitted = ingest.offset;
    assert.ok(fitted > 0 && fitted < bytes.length);
    assert.deepEqual(readFileSync(ingest.path), bytes.subarray(0, fitted));
    await ingest.close();
    await store.remove(other.digest);
    const again = await store.ingest('sha256-full');
    assert.equal(again.offset, fitted);
    await again.write(bytes.subarray(fitted));
    assert.equal((await again.commit()).digest, digestOf(bytes));
  });

  it('is hashed on from what fitted by the same writer, too', async () => {
    const bytes = randomBytes(200_000);
    const other = await store.put(Buffer.alloc(128 << 10), 'x');
    const ingest = await store.ingest('upload-full');
    await assert.rejects(ingest.write(bytes));
    await store.remove(other.digest);
    await ingest.write(bytes.subarray(ingest.offset));
    assert.equal((await ingest.commit()).digest, digestOf(bytes));
  });
});

describe('unfinished blobs at random', () => {
  it('written, cut, opened again and committed end as exactly their bytes', async () => {
    const seed = randomBytes(4).readUInt32LE();
    const random = generator(seed);
    const blobs = Array.from({ length: 6 }, () => randomBytes(random(600_000)));
    await Promise.all(blobs.map((bytes, at) => bringIn(`sha256-${at}`, bytes, random)));
    const there = new Map((await collect(store.list())).map(({ digest, size }) => [digest, size]));
    assert.deepEqual(
      blobs.map((bytes) => there.get(digestOf(bytes))),
      blobs.map((bytes) => bytes.length),
      `seed ${seed}`,
    );
    for (const bytes of blobs) {
      const kept = readFileSync(store.pathOf(digestOf(bytes)));
      assert.equal(createHash('sha256').update(kept).digest('hex'), digestOf(bytes).slice(7), `seed ${seed}`);
    }
    assert.deepEqual(files('partial'), []);
  });
});

async function bringIn(key: string, bytes: Buffer, random: (below: number) => number): Promise<void> {
  let ingest = await store.ingest(key);
  while (ingest.offset < bytes.length) {
    await ingest.write(bytes.subarray(ingest.offset, ingest.offset + 1 + random(70_000)));
    if (random(5) > 0) continue;
    await ingest.close();
    if (random(4) === 0) await store.dropIngest(key);
    ingest = await store.ingest(key);
  }
  await ingest.commit({ digest: digestOf(bytes), size: bytes.length });
}

/** Numbers below a bound, always the same ones for a seed (a linear congruence). */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

it('a large blob, which is synced while it comes in, is whole', async () => {
  const piece = Buffer.alloc(1 << 20, 'wharf');
  const pieces = 80;
  const ingest = await store.ingest('sha256-large');
  for (let at = 0; at < pieces; at++) await ingest.write(piece);
  const hash = createHash('sha256');
  for (let at = 0; at < pieces; at++) hash.update(piece);
  const digest = `sha256:${hash.digest('hex')}` as Digest;
  assert.deepEqual(await ingest.commit({ digest, size: pieces << 20 }), {
    mediaType: 'application/octet-stream',
    digest,
    size: pieces << 20,
  });
  assert.deepEqual(await store.stat(digest), { size: pieces << 20 });
});

describe('a disk that fails to take what was written', () => {
  async function failing(t: TestContext): Promise<Ingest> {
    const file = await open(join(dir, 'any'), 'w');
    const handle = Object.getPrototypeOf(file) as FileHandle;
    await file.close();
    let syncs = 0;
    const datasync = handle.datasync;
    t.mock.method(handle, 'datasync', function (this: FileHandle) {
      // As the kernel does: of a failure it tells once.
      return syncs++ === 0 ? Promise.reject(new Error('EIO: i/o error, fdatasync')) : datasync.call(this);
    });
    const ingest = await store.ingest('sha256-bad');
    for (let at = 0; at < 33; at++) await ingest.write(Buffer.alloc(1 << 20, 'x'));
    return ingest;
  }

  it('loses the blob at its end, though the last sync goes well', async (t) => {
    const ingest = await failing(t);
    await assert.rejects(ingest.commit(), /i\/o error/);
    assert.deepEqual(files('partial'), []);
    assert.deepEqual(await collect(store.list()), []);
  });

  it('leaves nothing for a later writer to go on with', async (t) => {
    const ingest = await failing(t);
    await ingest.close();
    assert.equal((await store.ingest('sha256-bad')).offset, 0);
  });
});
