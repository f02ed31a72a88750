import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type ErrorKind, isKind } from '../base/index.ts';
import { digestOf } from '../oci/index.ts';
import { GrowingFile, type TarInput, TarPacker, unpackLayer } from './index.ts';

let base: string;
let count = 0;

beforeEach(() => {
  base = mkdtempSync('/var/tmp/wharf-unpack-');
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function tar(...entries: (TarInput & { body?: Uint8Array })[]): Buffer {
  const packer = new TarPacker();
  for (const entry of entries) packer.add(entry);
  return packer.finish();
}

function stored(bytes: Uint8Array): string {
  count += 1;
  const path = join(base, `layer-${count}`);
  writeFileSync(path, bytes);
  return path;
}

function freshTarget(): string {
  count += 1;
  const path = join(base, `target-${count}`);
  mkdirSync(path);
  return path;
}

const kind = (wanted: ErrorKind) => (thrown: unknown) => {
  assert.ok(isKind(thrown, wanted), String(thrown));
  return true;
};

/** A layer of some files that don't compress. */
function layer(files = 20, size = 50_000): { bytes: Buffer; packed: Buffer } {
  const bytes = tar(
    ...Array.from({ length: files }, (_, at) => ({ name: `f${at}`, body: randomBytes(size) })),
  );
  return { bytes, packed: gzipSync(bytes, { level: 1 }) };
}

describe('a layer whose file still grows', () => {
  it('is unpacked while it comes, though its file is renamed before its end', async () => {
    const { bytes, packed } = layer();
    const path = stored(Buffer.alloc(0));
    const target = freshTarget();
    const growing = new GrowingFile(path, packed.length);
    const unpacking = unpackLayer({ source: growing, target, expectedDiffId: digestOf(bytes) });
    let at = 0;
    // Nobody says that it ended before a file is there: what is there came out of the growing file.
    while (!existsSync(join(target, 'f10'))) {
      appendFileSync(path, packed.subarray(at, at + 30_000));
      at = Math.min(at + 30_000, packed.length);
      growing.advance(at);
      await turn();
    }
    appendFileSync(path, packed.subarray(at));
    renameSync(path, `${path}-renamed`);
    growing.advance(packed.length);
    growing.end();
    assert.equal((await unpacking).bytes, bytes.length);
    assert.equal(readdirSync(target).length, 20);
  });

  it('may come byte by byte, be whole before the call, or end without a last advance', async () => {
    const bytes = tar({ name: 'a', body: Buffer.from('text') });
    for (const packed of [bytes, gzipSync(bytes), zstdCompressSync(bytes)]) {
      const growing = new GrowingFile(stored(packed));
      const unpacking = unpackLayer({ source: growing, target: freshTarget() });
      for (let at = 1; at <= packed.length; at++) {
        growing.advance(at);
        if (at % 97 === 0) await turn();
      }
      growing.end();
      growing.end();
      assert.equal((await unpacking).diffId, digestOf(bytes));
      const whole = new GrowingFile(stored(packed));
      whole.advance(packed.length);
      whole.end();
      assert.equal((await unpackLayer({ source: whole, target: freshTarget() })).diffId, digestOf(bytes));
    }
  });

  it('fails with the reason of its writer, at once, though it waits', async () => {
    const { packed } = layer();
    const target = freshTarget();
    const growing = new GrowingFile(stored(packed));
    const reason = new Error('the line broke');
    const unpacking = unpackLayer({ source: growing, target });
    growing.advance(packed.length >> 1);
    while (!existsSync(join(target, 'f3'))) await turn();
    growing.fail(reason);
    growing.fail(new Error('a second one'));
    growing.end();
    await assert.rejects(unpacking, reason);
    const failed = new GrowingFile(stored(packed));
    failed.fail(reason);
    await assert.rejects(unpackLayer({ source: failed, target: freshTarget() }), reason);
  });

  it('is cancelled by a signal, before and while it waits', async () => {
    const { packed } = layer();
    const growing = new GrowingFile(stored(packed));
    const cancel = new AbortController();
    const unpacking = unpackLayer({ source: growing, target: freshTarget() }, cancel.signal);
    growing.advance(1000);
    await turn();
    cancel.abort();
    await assert.rejects(unpacking, kind('cancelled'));
    const path = stored(packed);
    await assert.rejects(
      unpackLayer({ source: path, target: freshTarget() }, cancel.signal),
      kind('cancelled'),
    );
  });

  it('that ends too early, or is shorter than was said, is damaged', async () => {
    const { packed } = layer();
    const cut = new GrowingFile(stored(packed));
    cut.advance(packed.length - 1);
    cut.end();
    await assert.rejects(unpackLayer({ source: cut, target: freshTarget() }), kind('corrupt'));
    const path = stored(packed);
    truncateSync(path, 1000);
    const short = new GrowingFile(path);
    short.advance(packed.length);
    short.end();
    await assert.rejects(unpackLayer({ source: short, target: freshTarget() }), kind('corrupt'));
  });
});

describe('zeros in a layer', () => {
  it('take no room on the disk, and are there when they are read', async () => {
    const bodies = {
      within: Buffer.concat([Buffer.alloc(5000, 'a'), Buffer.alloc(1 << 20), Buffer.from('end')]),
      behind: Buffer.concat([Buffer.from('begin'), Buffer.alloc(1 << 20)]),
      only: Buffer.alloc(1 << 20),
      none: Buffer.alloc(0),
    };
    const bytes = tar(...Object.entries(bodies).map(([name, body]) => ({ name, body })));
    const source = new GrowingFile(stored(bytes));
    source.advance(bytes.length);
    source.end();
    const target = freshTarget();
    assert.equal((await unpackLayer({ source, target })).diffId, digestOf(bytes));
    for (const [name, body] of Object.entries(bodies)) {
      assert.ok(body.equals(readFileSync(join(target, name))), name);
      assert.ok(statSync(join(target, name)).blocks * 512 <= 16_384, name);
    }
  });
});

describe('many layers at once', () => {
  it('are all unpacked, though some wait for bytes that never come', async () => {
    const stuck = Array.from({ length: 5 }, () => new GrowingFile(stored(Buffer.from('x'))));
    const waiting = stuck.map((source) => unpackLayer({ source, target: freshTarget() }));
    const layers = Array.from({ length: 9 }, (_, at) => layer(3 + at, 20_000));
    const done = await Promise.all(
      layers.map(({ packed }) => unpackLayer({ source: stored(packed), target: freshTarget() })),
    );
    assert.deepEqual(
      done.map(({ diffId }) => diffId),
      layers.map(({ bytes }) => digestOf(bytes)),
    );
    for (const source of stuck) source.fail(new Error('enough'));
    for (const one of await Promise.allSettled(waiting))
      assert.match(String(one.status === 'rejected' && one.reason), /enough/);
  });

  it('that are cancelled do not wait for those before them', async () => {
    const path = stored(tar({ name: 'large', body: Buffer.alloc(60 << 20) }));
    const cancel = new AbortController();
    const order: string[] = [];
    const work = Array.from({ length: 8 }, (_, at) =>
      unpackLayer({ source: path, target: freshTarget() }, at === 7 ? cancel.signal : undefined).then(
        () => order.push('unpacked'),
        () => order.push('cancelled'),
      ),
    );
    await turn();
    cancel.abort();
    await Promise.all(work);
    assert.equal(order[0], 'cancelled');
    assert.equal(order.filter((end) => end === 'unpacked').length, 7);
  });

  it('do not disturb each other when some are damaged, and leave no descriptor', async () => {
    const good = layer(5);
    await unpackLayer({ source: stored(good.packed), target: freshTarget() });
    const open = () => readdirSync('/proc/self/fd').map((fd) => link(fd));
    const ours = () => open().filter((path) => path?.startsWith(base));
    const damaged = Buffer.from(good.packed);
    damaged.fill(0xff, 20_000, 40_000);
    const all = await Promise.allSettled(
      Array.from({ length: 12 }, (_, at) =>
        unpackLayer({ source: stored(at % 3 === 0 ? damaged : good.packed), target: freshTarget() }),
      ),
    );
    assert.deepEqual(
      all.map(({ status }) => status),
      all.map((_, at) => (at % 3 === 0 ? 'rejected' : 'fulfilled')),
    );
    assert.deepEqual(ours(), []);
  });

  it('tell how far they are', async () => {
    const { packed } = layer(50, 100_000);
    const seen: number[] = [];
    const source = stored(packed);
    await unpackLayer({ source, target: freshTarget(), onProgress: (read) => seen.push(read) });
    assert.ok(seen.length >= 3 && seen.length <= 6, String(seen));
    assert.deepEqual(
      seen,
      seen.toSorted((a, b) => a - b),
    );
    assert.ok((seen.at(-1) ?? 0) <= packed.length);
  });
});

/** What a descriptor is open on; undefined when it was closed meanwhile. */
function link(fd: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return undefined;
  }
}
