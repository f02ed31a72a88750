import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isKind } from '../base/index.ts';
import { type Digest, digestOf } from '../oci/index.ts';
import { mount, umountIfMounted } from '../sys/index.ts';
import { type ContentStore, openContentStore } from './index.ts';
import { collect, pieces } from './suite.ts';

let dir: string;
let store: ContentStore;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wharf-content-failures-'));
  store = openContentStore(dir);
});
afterEach(() => {
  umountIfMounted(dir, { detach: true });
  rmSync(dir, { recursive: true, force: true });
});

const descriptors = () => readdirSync('/proc/self/fd').length;
const unfinished = () => readdirSync(join(dir, 'ingest'));

describe('a disk that is full', () => {
  beforeEach(() => {
    mount({ source: 'tmpfs', target: dir, type: 'tmpfs', data: 'size=128k' });
    store = openContentStore(dir);
  });

  it('refuses with `exhausted`, leaves nothing, and takes a blob again that fits', async () => {
    const large = Buffer.alloc(300_000, 'x');
    await assert.rejects(store.write(pieces(large)), (thrown) => isKind(thrown, 'exhausted'));
    await assert.rejects(store.put(large, 'x'), (thrown) => isKind(thrown, 'exhausted'));
    assert.deepEqual([unfinished(), await collect(store.list())], [[], []]);
    const { digest } = await store.put(Buffer.alloc(50_000), 'x');
    await assert.rejects(store.write(pieces(Buffer.alloc(90_000))), (thrown) => isKind(thrown, 'exhausted'));
    assert.equal((await store.read(digest)).length, 50_000);
    await store.remove(digest);
    await store.put(Buffer.alloc(90_000), 'x');
  });
});

describe('descriptors', () => {
  it('are closed after every end of a write and of a read', async () => {
    const { digest } = await store.put(Buffer.alloc(2 << 20, 'abc'), 'x');
    const before = descriptors();
    const aborted = AbortSignal.abort();
    async function* failing() {
      yield Buffer.from('x');
      throw new Error('the line broke');
    }
    const attempts = [
      () => store.write(pieces('abc'), { size: 2 }),
      () => store.write(pieces('abc'), { digest }),
      () => store.write(pieces('abc'), {}, aborted),
      () => store.write(failing()),
      () => store.read(digest, 10),
      () => store.read(digestOf('nothing')),
      () => collect(store.open(digestOf('nothing'))),
    ];
    for (const attempt of attempts) await assert.rejects(attempt());
    const reading = store.open(digest);
    for await (const _chunk of reading) break;
    await new Promise((resolve) => (reading.closed ? resolve(undefined) : reading.once('close', resolve)));
    assert.equal(descriptors(), before);
    assert.deepEqual(unfinished(), []);
  });
});

describe('what lies in the store', () => {
  it('is listed when it is a blob by its name, and never else', async () => {
    const { digest } = await store.put(Buffer.from('x'), 'x');
    const folder = join(dir, 'blobs/sha256');
    const strangers = ['x', '.', 'A'.repeat(64), 'a'.repeat(63), `${'a'.repeat(64)}.tmp`, '..a'];
    for (const name of strangers.filter((one) => one !== '.')) writeFileSync(join(folder, name), 'stranger');
    writeFileSync(join(dir, 'blobs/sha512', digest.slice(7)), 'too short a name');
    assert.deepEqual(await collect(store.list()), [{ digest, size: 1 }]);
    await store.recover();
    assert.deepEqual(readdirSync(folder), [digest.slice(7)]);
    assert.deepEqual(readdirSync(join(dir, 'blobs/sha512')), []);
  });

  it('is written again by put when a crash left another length of it', async () => {
    const bytes = Buffer.from('the whole blob');
    const { digest } = await store.put(bytes, 'x');
    writeFileSync(store.pathOf(digest), 'the wh');
    await store.put(bytes, 'x');
    assert.deepEqual(await store.read(digest), bytes);
  });

  it('is kept by recover, and links in ingest lose nothing that they point at', async () => {
    const { digest } = await store.put(Buffer.from('kept'), 'x');
    const outside = join(dir, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'file'), 'safe');
    symlinkSync(outside, join(dir, 'ingest/link'));
    await store.recover();
    await store.recover();
    assert.deepEqual(unfinished(), []);
    assert.equal(readFileSync(join(outside, 'file'), 'utf8'), 'safe');
    assert.equal(String(await store.read(digest)), 'kept');
  });

  it('never is a path out of it, whatever is passed for a digest', async () => {
    const hex = 'a'.repeat(64);
    const lies = [
      '',
      'sha256:',
      `sha256:${hex}/..`,
      `sha256:../../${hex.slice(6)}`,
      `sha256:${hex}\0`,
      `sha1:${hex.slice(24)}`,
      `SHA256:${hex}`,
      `__proto__:${hex}`,
      hex,
    ];
    for (const lie of lies as Digest[]) {
      assert.throws(() => store.pathOf(lie), { kind: 'invalid' }, lie);
      assert.throws(() => store.open(lie), { kind: 'invalid' }, lie);
      for (const work of [store.stat(lie), store.read(lie), store.remove(lie)])
        await assert.rejects(work, { kind: 'invalid' });
      await assert.rejects(store.write(pieces('x'), { digest: lie }));
    }
    assert.deepEqual([unfinished(), await collect(store.list())], [[], []]);
  });
});

describe('random work at once', () => {
  it('ends with exactly the blobs that were told to be there, each of its digest', async () => {
    const blobs = Array.from({ length: 12 }, (_, at) => randomBytes(at * 700));
    const works = Array.from({ length: 120 }, (_, at) => {
      const bytes = blobs[at % blobs.length] as Buffer;
      const parts = [bytes.subarray(0, at), bytes.subarray(at)];
      const expected = at % 3 === 0 ? { digest: digestOf(bytes), size: bytes.length } : {};
      // Every fifth lies about what comes.
      return at % 5 === 3
        ? store.write(pieces(...parts), { digest: digestOf(`${at}`) }).catch(() => undefined)
        : store.write(pieces(...parts), expected);
    });
    await Promise.all(works);
    assert.deepEqual(unfinished(), []);
    const all = await collect(store.list());
    assert.deepEqual(new Set(all.map(({ digest }) => digest)), new Set(blobs.map(digestOf)));
    for (const { digest, size } of all) {
      const bytes = await store.read(digest);
      assert.equal(bytes.length, size);
      assert.equal(`sha256:${createHash('sha256').update(bytes).digest('hex')}`, digest);
      assert.equal(statSync(store.pathOf(digest)).mode & 0o177, 0);
    }
  });
});
