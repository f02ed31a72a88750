import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { isKind } from '../base/index.ts';
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
}
