import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { test } from 'node:test';
import { GrowingFile } from '../../archive/index.ts';
import { type Clock, isKind, systemClock, WharfError } from '../../base/index.ts';
import { openContentStore } from '../../content/index.ts';
import { digestOf } from '../../oci/index.ts';
import type { Repository } from '../../registry/types.ts';
import { mount, umountIfMounted } from '../../sys/index.ts';
import { openFixture } from '../images/test-fixture.ts';
import { BlobFetcher, type FetchRequest, type FetchWatcher, type Transfer } from './fetch.ts';
import { RESTARTED, retryDelay } from './fetch-failures.ts';
import { FakeRegistry } from './testing/fake-registry.ts';

const never = new AbortController().signal;
const later = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A fetcher on a real store, a registry with one blob, and a clock on which no wait takes time. */
function opened(bytes = Buffer.alloc(300_000, 'blob'), limits = { downloads: 2, attempts: 3 }) {
  const fixture = openFixture();
  const registry = new FakeRegistry();
  registry.piece = 100_000;
  const waits: number[] = [];
  const clock: Clock = { ...systemClock, sleep: async (ms) => void waits.push(ms) };
  const fetcher = new BlobFetcher({
    content: fixture.content,
    clock,
    limits: { downloads: () => limits.downloads, attempts: () => limits.attempts },
  });
  const blob = registry.addBlob('app', bytes);
  const fetch = (of: Partial<FetchRequest> = {}, signal = never, watcher: FetchWatcher = {}): Transfer =>
    fetcher.fetch({ blob, repository: registry.repository('app'), place: 'app', ...of }, watcher, signal);
  const ingests = async () => {
    const found: [string, number][] = [];
    for await (const { key, size } of fixture.content.ingests()) found.push([key, size]);
    return found;
  };
  return {
    fixture,
    registry,
    waits,
    blob,
    bytes,
    fetch,
    ingests,
    key: blob.digest.replace(':', '-'),
    [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose](),
  };
}

/** A registry whose bodies break off at these offsets, one after the other. */
function breakAt(registry: FakeRegistry, ...offsets: number[]): number[] {
  const begun: number[] = [];
  let body = 0;
  registry.before = (call) => {
    if (call.method === 'blob') body = 0;
  };
  registry.during = (_call, at) => {
    if (body++ === 0) begun.push(at);
    if (offsets.length > 0 && body > 1 && at >= (offsets[0] as number)) {
      offsets.shift();
      throw new WharfError('unavailable', 'read: connection reset by peer');
    }
  };
  return begun;
}

test('a blob is fetched once, whoever wants it, and whoever comes after', async () => {
  await using home = opened();
  const counts: number[] = [];
  const all = Array.from({ length: 100 }, () =>
    home.fetch({}, never, { progress: (bytes) => void counts.push(bytes) }),
  );
  await Promise.all(all.map(({ arrived }) => arrived));
  await home.fetch().arrived;
  assert.equal(home.registry.asked('blob').length, 1);
  assert.equal(counts.length, 300, 'each of them is told of each piece');
  assert.deepEqual(await home.fixture.content.read(home.blob.digest), home.bytes);
});

test('who gives up leaves the others their fetch; the last one ends it, and what came is kept', async () => {
  await using home = opened();
  const reached = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  home.registry.during = async (_call, at, signal) => {
    if (at < 200_000) return;
    reached.resolve();
    signal?.addEventListener('abort', () => gate.resolve());
    await gate.promise;
  };
  const givingUp = Array.from({ length: 4 }, () => new AbortController());
  const all = givingUp.map(({ signal }) => home.fetch({}, signal).arrived);
  await reached.promise;
  for (const one of givingUp.slice(0, 2)) one.abort();
  await assert.rejects(all[0] as Promise<void>, (thrown) => isKind(thrown, 'cancelled'));
  await assert.rejects(all[1] as Promise<void>, (thrown) => isKind(thrown, 'cancelled'));
  for (const one of givingUp.slice(2)) one.abort();
  await assert.rejects(Promise.all(all.slice(2)), (thrown) => isKind(thrown, 'cancelled'));
  // A new wish waits for the end of the old fetch, and goes on where that was cut.
  const again = home.fetch();
  home.registry.during = () => {};
  await again.arrived;
  assert.equal(home.registry.asked('blob').length, 2);
  assert.deepEqual(await home.fixture.content.read(home.blob.digest), home.bytes);
});

test('a fetch that was cut goes on with the same bytes in another process', async () => {
  await using home = opened();
  const ingest = await home.fixture.content.ingest(home.key);
  await ingest.write(home.bytes.subarray(0, 250_000));
  await ingest.close();
  const begun = breakAt(home.registry);
  await home.fetch().arrived;
  assert.deepEqual(home.registry.asked('blob').length, 1);
  assert.equal(begun.length, 1);
  assert.deepEqual(await home.fixture.content.read(home.blob.digest), home.bytes);
});

test('what was whole but not yet named is not asked for again', async () => {
  await using home = opened();
  const ingest = await home.fixture.content.ingest(home.key);
  await ingest.write(home.bytes);
  await ingest.close();
  await home.fetch().arrived;
  assert.deepEqual(home.registry.asked('blob'), []);
});

for (const ranges of [true, false]) {
  test(`a body that breaks is resumed ${ranges ? 'by range' : 'by passing over what is here'}`, async () => {
    await using home = opened();
    home.registry.ranges = ranges;
    breakAt(home.registry, 100_000, 200_000);
    const seconds: number[] = [];
    await home.fetch({}, never, { retrying: (left) => void seconds.push(left) }).arrived;
    assert.ok(home.registry.asked('blob').length >= 2);
    assert.ok(seconds.length >= 1 && seconds.every((left) => left >= 1));
    assert.deepEqual(await home.fixture.content.read(home.blob.digest), home.bytes);
  });
}

test('tries end, with the last reason, and what came stays for the next pull', async () => {
  await using home = opened();
  home.registry.during = (_call, at) => {
    if (at > 0) throw new WharfError('unavailable', 'read: connection reset by peer');
  };
  home.registry.ranges = false;
  await assert.rejects(home.fetch().arrived, {
    message: 'read: connection reset by peer',
    kind: 'unavailable',
  });
  assert.equal(home.registry.asked('blob').length, 3);
  assert.deepEqual(await home.ingests(), [[home.key, 100_000]]);
});

test('a body that ends early counts as broken', async () => {
  await using home = opened();
  home.registry.contents('app').blobs.set(home.blob.digest, home.bytes.subarray(0, 150_000));
  await assert.rejects(home.fetch().arrived, { message: 'unexpected EOF' });
  assert.equal(home.registry.asked('blob').length, 3);
});

test('a line that is cut again and again but moves on is no reason to give up', async () => {
  const bytes = Buffer.alloc(12 << 20, 'x');
  await using home = opened(bytes, { downloads: 1, attempts: 2 });
  home.registry.piece = 1 << 20;
  let pieces = 0;
  home.registry.during = () => {
    if (++pieces % 3 === 0) throw new WharfError('unavailable', 'cut');
  };
  await home.fetch().arrived;
  assert.equal(home.registry.asked('blob').length, 6);
});

test('wrong bytes are dropped and fetched anew, once', async () => {
  await using home = opened();
  const wrong = Buffer.alloc(home.bytes.length, 'evil');
  const { blobs } = home.registry.contents('app');
  blobs.set(home.blob.digest, wrong);
  home.registry.before = () => {
    if (home.registry.asked('blob').length === 2) blobs.set(home.blob.digest, home.bytes);
  };
  const transfer = home.fetch();
  await transfer.arrived;
  assert.deepEqual([transfer.restarts, home.registry.asked('blob').length], [1, 2]);
  assert.deepEqual(await home.fixture.content.read(home.blob.digest), home.bytes);
});

for (const [what, spoil] of [
  ['other bytes', (bytes: Buffer) => Buffer.alloc(bytes.length, 'evil')],
  ['more bytes', (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('more')])],
  ['far more bytes', (bytes: Buffer) => Buffer.concat([bytes, bytes, bytes])],
] as const) {
  test(`a registry that sends ${what} again is refused in Docker’s words, and nothing is left`, async () => {
    await using home = opened();
    home.registry.contents('app').blobs.set(home.blob.digest, spoil(home.bytes));
    await assert.rejects(home.fetch().arrived, {
      kind: 'corrupt',
      message: `filesystem layer verification failed for digest ${home.blob.digest}`,
    });
    assert.equal(home.registry.asked('blob').length, 2);
    assert.deepEqual(
      [await home.ingests(), await home.fixture.content.stat(home.blob.digest)],
      [[], undefined],
    );
  });
}

test('an endless body is left at the announced size', async () => {
  await using home = opened();
  let sent = 0;
  const endless: Repository = Object.create(home.registry.repository('app'), {
    blob: {
      value: async () => ({
        start: 0,
        body: (async function* () {
          for (;;) {
            sent += 50_000;
            yield Buffer.alloc(50_000);
          }
        })(),
      }),
    },
  });
  await assert.rejects(home.fetch({ repository: endless }).arrived, (thrown) => isKind(thrown, 'corrupt'));
  assert.ok(sent <= 2 * (home.bytes.length + 100_000));
});

test('a blob that is here in another size than announced is refused', async () => {
  await using home = opened();
  await home.fetch().arrived;
  const blob = { ...home.blob, size: 5 };
  await assert.rejects(home.fetch({ blob }).arrived, (thrown) => isKind(thrown, 'corrupt'));
});

test('a refusal ends the fetch at once; those who know another place try that', async () => {
  await using home = opened();
  const elsewhere = new FakeRegistry();
  elsewhere.addBlob('app', home.bytes);
  home.registry.before = async () => {
    await later();
    throw new WharfError('forbidden', 'denied');
  };
  const refused = [home.fetch().arrived, home.fetch().arrived];
  const served = home.fetch({ repository: elsewhere.repository('app'), place: 'other' }).arrived;
  for (const one of refused) await assert.rejects(one, (thrown) => isKind(thrown, 'forbidden'));
  await served;
  assert.deepEqual([home.registry.asked('blob').length, elsewhere.asked('blob').length], [1, 1]);
});

test('who reads along begins anew when the disk failed at the end, and another place is tried', async () => {
  await using home = opened();
  home.registry.contents('other').blobs.set(home.blob.digest, home.bytes);
  const { content } = home.fixture;
  let failures = 1;
  const ingest = content.ingest.bind(content);
  content.ingest = async (key) => {
    const opened = await ingest(key);
    const commit = opened.commit.bind(opened);
    opened.commit = async (expected) => {
      if (failures-- <= 0) return commit(expected);
      await opened.discard();
      throw new WharfError('internal', 'EIO: i/o error, fdatasync');
    };
    return opened;
  };
  const first = home.fetch();
  const second = home.fetch({ repository: home.registry.repository('other'), place: 'other' });
  const along = (await second.source()) as GrowingFile;
  await assert.rejects(first.arrived, /i\/o error/);
  await second.arrived;
  assert.equal(along.failure?.reason, RESTARTED);
  assert.equal(second.restarts, 1);
  assert.deepEqual(await content.read(home.blob.digest), home.bytes);
});

test('so many are fetched at once; who waits is told, and the urgent do not', async () => {
  await using home = opened(Buffer.from('one'), { downloads: 2, attempts: 1 });
  const gate = Promise.withResolvers<void>();
  let running = 0;
  let most = 0;
  home.registry.before = async ({ about }) => {
    if (about === home.blob.digest) return;
    most = Math.max(most, ++running);
    await gate.promise;
    running--;
  };
  const waiting: number[] = [];
  const blobs = [1, 2, 3, 4].map((number) => home.registry.addBlob('app', Buffer.from(`blob ${number}`)));
  const all = blobs.map((blob, at) => home.fetch({ blob }, never, { waiting: () => void waiting.push(at) }));
  while (running < 2 || waiting.length < 2) await later();
  assert.deepEqual(waiting, [2, 3]);
  await home.fetch({ urgent: true }).arrived;
  gate.resolve();
  await Promise.all(all.map(({ arrived }) => arrived));
  assert.equal(most, 2);
});

test('a full disk is told of, and what fitted is kept', async () => {
  await using home = opened();
  const content = Object.create(home.fixture.content, {
    ingest: {
      value: async (key: string) => {
        const ingest = await home.fixture.content.ingest(key);
        return new Proxy(ingest, {
          get(target, name) {
            const own = Reflect.get(target, name) as unknown;
            if (typeof own !== 'function') return own;
            if (name !== 'write') return own.bind(target);
            return async (chunk: Uint8Array) => {
              if (target.offset >= 200_000)
                throw new WharfError('exhausted', 'ENOSPC: no space left on device, write');
              await target.write(chunk);
            };
          },
        });
      },
    },
  });
  const limits = { downloads: () => 1, attempts: () => 3 };
  const full = new BlobFetcher({ content, clock: systemClock, limits });
  const request = { blob: home.blob, repository: home.registry.repository('app'), place: 'app' };
  await assert.rejects(full.fetch(request, {}, never).arrived, (thrown: Error) => {
    assert.ok(isKind(thrown, 'exhausted'));
    assert.match(thrown.message, /no space left on device.*200000 of 300000 bytes of sha256:.* are kept/);
    return true;
  });
  assert.deepEqual(await home.ingests(), [[home.key, 200_000]]);
  await home.fetch().arrived;
});

test('on a disk that is full what fitted is kept, and with room the next fetch goes on there', async () => {
  await using home = opened();
  const disk = mkdtempSync('/var/tmp/wharf-full-');
  const tmpfs = { source: 'tmpfs', target: disk, type: 'tmpfs' };
  mount({ ...tmpfs, data: 'size=200k' });
  try {
    const content = openContentStore(disk);
    const limits = { downloads: () => 1, attempts: () => 3 };
    const fetcher = new BlobFetcher({ content, clock: systemClock, limits });
    const request = { blob: home.blob, repository: home.registry.repository('app'), place: 'app' };
    await assert.rejects(fetcher.fetch(request, {}, never).arrived, (thrown) => isKind(thrown, 'exhausted'));
    const sizes: number[] = [];
    for await (const { size } of content.ingests()) sizes.push(size);
    assert.ok(sizes.length === 1 && (sizes[0] ?? 0) >= 100_000);
    mount({ ...tmpfs, flags: ['remount'], data: 'size=2m' });
    let first = 0;
    const progress = (bytes: number) => {
      first ||= bytes;
    };
    await fetcher.fetch(request, { progress }, never).arrived;
    assert.equal(first, sizes[0]);
    assert.deepEqual(await content.read(home.blob.digest), home.bytes);
  } finally {
    umountIfMounted(disk, { detach: true });
    rmSync(disk, { recursive: true });
  }
});

test('the file that grows can be read along, and is whole in the end', async () => {
  await using home = opened();
  const gate = Promise.withResolvers<void>();
  home.registry.during = async (_call, at) => {
    if (at === 200_000) await gate.promise;
  };
  const transfer = home.fetch();
  const source = await transfer.source();
  assert.ok(source instanceof GrowingFile);
  assert.equal(source.size, home.bytes.length);
  gate.resolve();
  await transfer.arrived;
  assert.equal(source.failure, undefined);
  assert.deepEqual(readFileSync((await transfer.source()) as string), home.bytes);
});

test('a file that grew with wrong bytes fails when they are dropped, or with the fetch', async () => {
  await using home = opened();
  home.registry.contents('app').blobs.set(home.blob.digest, Buffer.alloc(home.bytes.length));
  const gate = Promise.withResolvers<void>();
  home.registry.during = async (_call, at) => {
    if (at === 200_000) await gate.promise;
  };
  const transfer = home.fetch();
  const first = (await transfer.source()) as GrowingFile;
  gate.resolve();
  await assert.rejects(transfer.arrived, (thrown) => isKind(thrown, 'corrupt'));
  assert.equal(first.failure?.reason, RESTARTED);
  await assert.rejects(transfer.source(), (thrown) => isKind(thrown, 'corrupt'));
  assert.equal(digestOf(home.bytes), home.blob.digest);
});

test('waits between tries grow to a bound, and differ', () => {
  assert.deepEqual(
    [1, 2, 3, 20].map((tries) => retryDelay(tries, () => 0.5)),
    [500, 1000, 2000, 15_000],
  );
  assert.deepEqual(
    [0, 1].map((chance) => retryDelay(1, () => chance)),
    [250, 750],
  );
});
