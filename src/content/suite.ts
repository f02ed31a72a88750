import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { type ErrorKind, isKind } from '../base/index.ts';
import { type Digest, digestOf } from '../oci/index.ts';
import type { ContentStore } from './types.ts';

/** Bytes in pieces, as a network brings them. */
export async function* pieces(...parts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

/** All that a stream or a listing gives, in order. */
export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of source) all.push(item);
  return all;
}

/** What every `ContentStore` must keep. `open` makes an empty one that the caller's disposer removes. */
export function contentSuite(name: string, open: () => { store: ContentStore } & Disposable): void {
  const on = (title: string, check: (store: ContentStore) => Promise<void>) =>
    test(`${name}: ${title}`, async () => {
      using opened = open();
      await check(opened.store);
    });
  const names = async (store: ContentStore) =>
    (await collect(store.list())).map((blob) => blob.digest).sort();
  const corrupt = (thrown: unknown) => isKind(thrown, 'corrupt');
  const missing = (thrown: unknown) => isKind(thrown, 'not-found');

  on('what was written is there under its digest', async (store) => {
    const written = await store.write(pieces('hello ', '', 'world'));
    assert.equal(written.digest, digestOf('hello world'));
    assert.equal(written.size, 11);
    assert.deepEqual(await store.stat(written.digest), { size: 11 });
    assert.equal(String(await store.read(written.digest)), 'hello world');
    assert.deepEqual(await collect(store.list()), [{ digest: written.digest, size: 11 }]);
  });

  on('expectations that hold are accepted, in sha512 too', async (store) => {
    await store.write(pieces('abc'), { digest: digestOf('abc'), size: 3 });
    const long = `sha512:${createHash('sha512').update('abc').digest('hex')}` as Digest;
    assert.equal((await store.write(pieces('abc'), { digest: long, size: 3 })).digest, long);
    assert.equal(String(await store.read(long)), 'abc');
    assert.deepEqual(await names(store), [digestOf('abc'), long].sort());
  });

  on('a lie leaves nothing', async (store) => {
    await assert.rejects(store.write(pieces('abc'), { digest: digestOf('abd') }), corrupt);
    await assert.rejects(store.write(pieces('abc'), { size: 4 }), corrupt);
    await assert.rejects(store.write(pieces('ab'), { digest: digestOf('abc'), size: 3 }), corrupt);
    await assert.rejects(store.write(pieces('abcd'), { digest: digestOf('abc'), size: 3 }), corrupt);
    assert.deepEqual(await names(store), []);
  });

  on('stops reading as soon as more came than announced', async (store) => {
    let given = 0;
    let closed = false;
    async function* endless() {
      try {
        for (;;) {
          given += 1;
          yield Buffer.alloc(1024);
        }
      } finally {
        closed = true;
      }
    }
    await assert.rejects(store.write(endless(), { size: 4096 }), corrupt);
    assert.ok(given <= 6, `${given} pieces were read`);
    assert.ok(closed);
  });

  on('a source that fails leaves nothing', async (store) => {
    async function* failing() {
      yield Buffer.from('half');
      throw new Error('the line broke');
    }
    await assert.rejects(store.write(failing()), /the line broke/);
    assert.deepEqual(await names(store), []);
  });

  on('a watcher is told of each piece, and of the digest before the blob is there', async (store) => {
    const told: unknown[] = [];
    let here: Promise<unknown> | undefined;
    await store.write(pieces('abc', 'de'), undefined, undefined, {
      grew: (size) => told.push(size),
      verified(digest) {
        told.push(digest);
        here = store.stat(digest);
      },
    });
    assert.equal(told.at(-1), digestOf('abcde'));
    assert.ok(told.slice(0, -1).every((size) => size === 3 || size === 5));
    await here;
    await assert.rejects(
      store.write(pieces('x'), { size: 2 }, undefined, { verified: () => assert.fail('it was not') }),
      corrupt,
    );
  });

  on('a cancelled write ends though its source hangs, and leaves nothing', async (store) => {
    const cancel = new AbortController();
    async function* hanging() {
      yield Buffer.from('half');
      cancel.abort();
      await new Promise(() => undefined);
    }
    await assert.rejects(store.write(hanging(), {}, cancel.signal), (thrown) => isKind(thrown, 'cancelled'));
    assert.deepEqual(await names(store), []);
    await assert.rejects(store.write(pieces('x'), {}, cancel.signal), (thrown) =>
      isKind(thrown, 'cancelled'),
    );
  });

  on('many writers of one blob all succeed', async (store) => {
    const writes = Array.from({ length: 8 }, () =>
      store.write(pieces('same', 'bytes'), { digest: digestOf('samebytes') }),
    );
    const all = await Promise.all(writes);
    assert.equal(new Set(all.map((one) => one.digest)).size, 1);
    assert.equal(String(await store.read(digestOf('samebytes'))), 'samebytes');
    assert.equal((await names(store)).length, 1);
  });

  on('put takes small blobs, twice the same as once', async (store) => {
    const bytes = Buffer.from('{"a":1}');
    const first = await store.put(bytes, 'application/json');
    assert.deepEqual(first, { mediaType: 'application/json', digest: digestOf(bytes), size: 7 });
    assert.deepEqual(await store.put(bytes, 'application/json'), first);
    assert.equal((await names(store)).length, 1);
    const empty = await store.put(Buffer.alloc(0), 'x');
    assert.deepEqual(await store.stat(empty.digest), { size: 0 });
  });

  on('reads are bounded', async (store) => {
    const { digest } = await store.put(Buffer.alloc(100), 'x');
    assert.equal((await store.read(digest, 100)).length, 100);
    await assert.rejects(store.read(digest, 99), (thrown) => isKind(thrown, 'invalid'));
  });

  on('open streams the whole or a part', async (store) => {
    const { digest } = await store.put(Buffer.from('0123456789'), 'x');
    const text = async (range?: { start: number; end?: number }) =>
      Buffer.concat(await collect<Buffer>(store.open(digest, range))).toString();
    assert.equal(await text(), '0123456789');
    assert.equal(await text({ start: 7 }), '789');
    assert.equal(await text({ start: 2, end: 4 }), '234');
  });

  on('what is not here is said to be not here', async (store) => {
    const digest = digestOf('nothing');
    assert.equal(await store.stat(digest), undefined);
    assert.equal(await store.remove(digest), false);
    await assert.rejects(store.read(digest), missing);
    await assert.rejects(collect(store.open(digest)), missing);
  });

  on('remove removes, once', async (store) => {
    const { digest } = await store.put(Buffer.from('x'), 'x');
    assert.equal(await store.remove(digest), true);
    assert.equal(await store.remove(digest), false);
    assert.deepEqual(await names(store), []);
  });

  on('a text that is no digest never reaches the disk', async (store) => {
    const bad = 'sha256:../../../etc/passwd' as Digest;
    const invalid = (thrown: unknown) => isKind(thrown, 'invalid');
    await assert.rejects(store.stat(bad), invalid);
    await assert.rejects(store.read(bad), invalid);
    await assert.rejects(store.remove(bad), invalid);
  });

  on(
    'what is removed is gone at the call, for a stat, a read and an open that come after it',
    async (store) => {
      const { digest } = await store.put(Buffer.alloc(1 << 16), 'x');
      const removing = store.remove(digest);
      const after = [store.stat(digest), store.read(digest).catch(() => 'gone')];
      const streamed = collect(store.open(digest)).catch(() => 'gone');
      assert.deepEqual(await Promise.all([...after, streamed]), [undefined, 'gone', 'gone']);
      assert.equal(await removing, true);
    },
  );

  ingestSuite(name, open);
}

/** What every `ContentStore` must keep for blobs that come in piece by piece. */
function ingestSuite(name: string, open: () => { store: ContentStore } & Disposable): void {
  const on = (title: string, check: (store: ContentStore) => Promise<void>) =>
    test(`${name}: ingest: ${title}`, async () => {
      using opened = open();
      await check(opened.store);
    });
  const kind = (wanted: ErrorKind) => (thrown: unknown) => isKind(thrown, wanted);
  const keys = async (store: ContentStore) =>
    (await collect(store.ingests())).map(({ key, size }) => [key, size]);

  on('pieces become a blob when it is committed, and nothing is a blob before', async (store) => {
    const ingest = await store.ingest('upload-1');
    assert.equal(ingest.key, 'upload-1');
    assert.equal(ingest.offset, 0);
    for (const piece of ['hello ', '', 'world']) await ingest.write(Buffer.from(piece));
    assert.equal(ingest.offset, 11);
    assert.deepEqual(await keys(store), [['upload-1', 11]]);
    assert.deepEqual(await collect(store.list()), []);
    const digest = digestOf('hello world');
    const made = await ingest.commit({ digest, size: 11 });
    assert.deepEqual(made, { mediaType: 'application/octet-stream', digest, size: 11 });
    assert.equal(String(await store.read(digest)), 'hello world');
    assert.deepEqual(await keys(store), []);
    await ingest.close();
    await ingest.discard();
    await assert.rejects(ingest.write(Buffer.from('x')), kind('conflict'));
    await assert.rejects(ingest.commit(), kind('conflict'));
    assert.equal(String(await store.read(digest)), 'hello world');
  });

  on('one that was cut goes on where it was, also after recover', async (store) => {
    const first = await store.ingest('sha256-1');
    await first.write(Buffer.from('one '));
    await first.close();
    await first.close();
    await store.recover();
    const [cut] = await collect(store.ingests());
    assert.deepEqual([cut?.key, cut?.size], ['sha256-1', 4]);
    assert.ok(Math.abs((cut?.modified ?? 0) - Date.now()) < 60_000);
    const second = await store.ingest('sha256-1');
    assert.equal(second.offset, 4);
    // Written before what is there can have been read again.
    await second.write(Buffer.from('two '));
    await second.write(Buffer.from('three'));
    assert.equal(second.offset, 13);
    assert.equal((await second.commit({ digest: digestOf('one two three') })).size, 13);
  });

  on('a lie is found at the commit, and what came is dropped', async (store) => {
    for (const expected of [{ size: 4 }, { digest: digestOf('abd') }, { size: 3, digest: digestOf('') }]) {
      const ingest = await store.ingest('lie');
      assert.equal(ingest.offset, 0);
      await ingest.write(Buffer.from('abc'));
      await assert.rejects(ingest.commit(expected), kind('corrupt'));
      assert.deepEqual([await keys(store), await collect(store.list())], [[], []]);
    }
  });

  on('sha512 is taken as well, and an empty blob', async (store) => {
    const ingest = await store.ingest('long');
    await ingest.write(Buffer.from('abc'));
    const digest = `sha512:${createHash('sha512').update('abc').digest('hex')}` as Digest;
    assert.equal((await ingest.commit({ digest })).digest, digest);
    assert.equal(String(await store.read(digest)), 'abc');
    const empty = await store.ingest('empty');
    assert.equal((await empty.commit()).digest, digestOf(''));
  });

  on('a key has one writer; discarding and dropping free it', async (store) => {
    const ingest = await store.ingest('upload-a');
    await ingest.write(Buffer.from('abc'));
    await assert.rejects(store.ingest('upload-a'), kind('conflict'));
    await assert.rejects(store.dropIngest('upload-a'), kind('conflict'));
    await ingest.discard();
    await ingest.discard();
    const again = await store.ingest('upload-a');
    assert.equal(again.offset, 0);
    await again.write(Buffer.from('abc'));
    await again.close();
    assert.equal(await store.dropIngest('upload-a'), true);
    assert.equal(await store.dropIngest('upload-a'), false);
    assert.deepEqual(await keys(store), []);
  });

  on('a blob that came another way meanwhile is no hindrance', async (store) => {
    const ingests = await Promise.all(['a', 'b', 'c'].map((key) => store.ingest(key)));
    for (const ingest of ingests) await ingest.write(Buffer.from('same'));
    await store.put(Buffer.from('same'), 'x');
    const made = await Promise.all(ingests.map((ingest) => ingest.commit({ digest: digestOf('same') })));
    assert.equal(new Set(made.map(({ digest }) => digest)).size, 1);
    assert.equal((await collect(store.list())).length, 1);
  });

  on('a key that could be a path is refused', async (store) => {
    for (const key of ['', '.', '..', '-a', 'a/b', 'A', 'a.b', 'a_b', 'a\0', 'a'.repeat(192), '__proto__']) {
      await assert.rejects(store.ingest(key), kind('invalid'), key);
      await assert.rejects(store.dropIngest(key), kind('invalid'), key);
    }
    await (await store.ingest('a'.repeat(191))).discard();
  });
}
