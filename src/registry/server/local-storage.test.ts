import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isKind, silentLog, WharfError } from '../../base/index.ts';
import { type ContentStore, Leases, openContentStore, openMemoryContentStore } from '../../content/index.ts';
import { openDatabase, openMemoryDatabase } from '../../meta/index.ts';
import { type Digest, digestOf, MediaTypes } from '../../oci/index.ts';
import { mount, umount } from '../../sys/index.ts';
import { type LocalStorage, type LocalStorageOptions, openLocalStorage } from './index.ts';
import { type SuiteStorage, storageSuite } from './suite.ts';
import { manifestOf } from './testing/registry.ts';

const DAY = 86_400_000;

async function openInMemory(): Promise<SuiteStorage> {
  const content = openMemoryContentStore();
  const database = openMemoryDatabase();
  let passed = 0;
  const now = () => Date.now() + passed;
  const open = () => openLocalStorage({ content, database, leases: new Leases(), log: silentLog, now });
  let storage = open();
  return {
    get storage() {
      return storage;
    },
    async reopen() {
      await storage.close();
      storage = open();
      return storage;
    },
    pass: (milliseconds) => {
      passed += milliseconds;
    },
    async [Symbol.asyncDispose]() {
      await storage.close();
      database[Symbol.dispose]();
    },
  };
}

async function openOnDisk(): Promise<SuiteStorage> {
  const dir = mkdtempSync(join(tmpdir(), 'wharf-storage-'));
  let passed = 0;
  const start = () => {
    const database = openDatabase(join(dir, 'db', 'wharf.db'));
    const content = openContentStore(join(dir, 'content'));
    const now = () => Date.now() + passed;
    return {
      database,
      storage: openLocalStorage({ content, database, leases: new Leases(), log: silentLog, now }),
    };
  };
  let opened = start();
  const stop = async () => {
    await opened.storage.close();
    opened.database[Symbol.dispose]();
  };
  return {
    get storage() {
      return opened.storage;
    },
    async reopen() {
      await stop();
      opened = start();
      return opened.storage;
    },
    pass: (milliseconds) => {
      passed += milliseconds;
    },
    async [Symbol.asyncDispose]() {
      await stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

storageSuite('local storage in memory', openInMemory);
storageSuite('local storage on disk', openOnDisk);

async function* pieces(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

/** A storage over a content store that the test changes as it likes. */
function over(content: ContentStore, more: Partial<LocalStorageOptions> = {}): LocalStorage {
  const database = openMemoryDatabase();
  return openLocalStorage({ content, database, leases: new Leases(), log: silentLog, ...more });
}

const put = (storage: LocalStorage, content: string) =>
  storage.putBlob('a', pieces(content), { digest: digestOf(content) });

describe('a content store that is shared', () => {
  it('keeps what others need, and what is leased', async () => {
    const content = openMemoryContentStore();
    const leases = new Leases();
    const elsewhere = new Set<Digest>();
    const storage = over(content, { leases, neededElsewhere: (digest) => elsewhere.has(digest) });
    const layer = await content.put(Buffer.from('of the engine'), 'x');
    const pulled = await content.put(Buffer.from('of a pull'), 'x');
    const garbage = await content.put(Buffer.from('of nobody'), 'x');
    elsewhere.add(layer.digest);
    const lease = leases.open();
    lease.add(pulled.digest);
    const options = { dryRun: false, untagged: false, uploadAgeMs: DAY };
    assert.deepEqual(
      (await storage.collect(options)).blobs.map(({ digest }) => digest),
      [garbage.digest],
    );
    lease[Symbol.dispose]();
    elsewhere.clear();
    assert.equal((await storage.collect(options)).blobs.length, 2);
  });

  it('is linked to, not copied', async () => {
    const content = openMemoryContentStore();
    const { digest } = await content.put(Buffer.from('here'), 'x');
    const refuse = new Proxy(content, {
      get: (target, name) =>
        ['write', 'put', 'ingest'].includes(String(name))
          ? assert.fail(String(name))
          : Reflect.get(target, name),
    });
    const storage = over(refuse);
    assert.equal(await storage.linkBlob('a', digest), true);
    assert.deepEqual(await storage.statBlob('a', digest), { size: 4 });
  });

  it('leases what comes in until it is recorded', async () => {
    const inner = openMemoryContentStore();
    const leases = new Leases();
    const seen: string[] = [];
    const watch = <T extends (...args: never[]) => Promise<unknown>>(name: string, digest: Digest, call: T) =>
      (async (...args: Parameters<T>) => {
        const result = await call(...args);
        seen.push(`${name} ${leases.has(digest)}`);
        return result;
      }) as unknown as T;
    const digest = digestOf('brought');
    const content: ContentStore = {
      ...inner,
      write: watch('write', digest, inner.write),
      stat: watch('stat', digest, inner.stat),
      async ingest(key) {
        const ingest = await inner.ingest(key);
        return Object.assign(Object.create(ingest), {
          commit: watch('commit', digest, ingest.commit.bind(ingest)),
        });
      },
    };
    const storage = over(content, { leases });
    await put(storage, 'brought');
    await storage.linkBlob('b', digest);
    const { id } = await storage.startUpload('c');
    await storage.appendUpload('c', id, pieces('brought'));
    await storage.finishUpload('c', id, digest);
    assert.deepEqual(seen, ['write true', 'stat true', 'commit true']);
    assert.equal(leases.has(digest), false);
  });

  it('a blob that is deleted while a manifest is stored makes that fail', async () => {
    const inner = openMemoryContentStore();
    let meanwhile: (() => Promise<void>) | undefined;
    const content: ContentStore = {
      ...inner,
      async write(source, expected, signal) {
        await meanwhile?.();
        return inner.write(source, expected, signal);
      },
    };
    const storage = over(content);
    const config = Buffer.from('{}');
    await put(storage, '{}');
    meanwhile = () => storage.unlinkBlob('a', digestOf('{}'));
    const bytes = manifestOf(config, []);
    await assert.rejects(storage.putManifest('a', bytes, MediaTypes.ociManifest, 'v1'), (thrown) =>
      isKind(thrown, 'not-found'),
    );
    assert.equal(await storage.manifest('a', 'v1'), undefined);
  });
});

describe('garbage under load', () => {
  it('pushes beside collections all end with what they brought', async () => {
    const storage = over(openMemoryContentStore());
    let done = false;
    const sweeping = (async () => {
      while (!done) {
        await storage.collect({ dryRun: false, untagged: true, uploadAgeMs: DAY });
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const push = async (at: number) => {
      const repository = `r${at % 5}`;
      const config = Buffer.from(`{"at":${at}}`);
      const layer = `shared layer ${at % 3}`;
      const { id } = await storage.startUpload(repository);
      await storage.appendUpload(repository, id, pieces(String(config).slice(0, 3)));
      await storage.appendUpload(repository, id, pieces(String(config).slice(3)));
      await storage.finishUpload(repository, id, digestOf(config));
      if (!(await storage.linkBlob(repository, digestOf(layer))))
        await storage.putBlob(repository, pieces(layer), { digest: digestOf(layer) });
      const bytes = manifestOf(config, [Buffer.from(layer)]);
      const tag = `t${at % 7}`;
      const { descriptor } = await storage.putManifest(repository, bytes, MediaTypes.ociManifest, tag);
      if (at % 4 === 0) await storage.deleteManifest(repository, descriptor.digest).catch(() => undefined);
    };
    for (let from = 0; from < 200; from += 20)
      await Promise.all(Array.from({ length: 20 }, (_, at) => push(from + at)));
    done = true;
    await sweeping;
    for (let at = 0; at < 5; at += 1) {
      const { names } = await storage.tags(`r${at}`, { limit: 100 });
      for (const tag of names) {
        const manifest = await storage.manifest(`r${at}`, tag);
        const { config, layers } = JSON.parse(String(manifest?.bytes));
        for (const { digest } of [config, ...layers])
          for await (const chunk of storage.openBlob(`r${at}`, digest)) assert.ok(chunk.length > 0);
      }
    }
  });

  it('an upload that goes on while others are given up is refused at once, or stays', async () => {
    const content = openMemoryContentStore();
    const storage = over(content, { now: () => Date.now() + 2 * DAY });
    const uploads = [await storage.startUpload('a'), await storage.startUpload('a')];
    let taken: boolean | undefined;
    const drop = content.dropIngest.bind(content);
    Object.assign(content, {
      async dropIngest(key: string) {
        const other = uploads.find(({ id }) => !key.includes(id));
        taken ??= await storage.appendUpload('a', other?.id ?? '', pieces('more')).then(
          () => true,
          () => false,
        );
        return drop(key);
      },
    });
    await storage.collect({ dryRun: false, untagged: false, uploadAgeMs: -DAY });
    assert.equal(taken, false);
  });

  it('an upload that was begun and crashed before its first byte was recorded is no burden', async () => {
    const content = openMemoryContentStore();
    const stray = await content.ingest('upload-00000000-0000-4000-8000-000000000000');
    await stray.write(Buffer.from('stray'));
    await stray.close();
    const storage = over(content, { now: () => Date.now() + 2 * DAY });
    await storage.collect({ dryRun: true, untagged: false, uploadAgeMs: DAY });
    await storage.collect({ dryRun: false, untagged: false, uploadAgeMs: 3 * DAY });
    const keys = async () => {
      const found = [];
      for await (const { key } of content.ingests()) found.push(key);
      return found;
    };
    assert.equal((await keys()).length, 1);
    await storage.collect({ dryRun: false, untagged: false, uploadAgeMs: DAY });
    assert.deepEqual(await keys(), []);
  });
});

describe('many uploads at once', () => {
  it('keep a bounded number of files open, and all go on', async () => {
    const inner = openMemoryContentStore();
    let open = 0;
    let most = 0;
    const content: ContentStore = {
      ...inner,
      async ingest(key) {
        const ingest = await inner.ingest(key);
        open += 1;
        most = Math.max(most, open);
        const ended = <T>(end: () => Promise<T>) => ({
          value: () => {
            open -= 1;
            return end();
          },
        });
        return Object.create(ingest, {
          offset: { get: () => ingest.offset },
          close: ended(() => ingest.close()),
          discard: ended(() => ingest.discard()),
        });
      },
    };
    const storage = over(content);
    const ids: string[] = [];
    for (let at = 0; at < 400; at += 1) {
      const { id } = await storage.startUpload('a');
      ids.push(id);
      await storage.appendUpload('a', id, pieces(`${at};`));
    }
    assert.ok(most <= 130, `${most} were open`);
    for (const [at, id] of ids.entries()) {
      assert.equal((await storage.upload('a', id)).offset, `${at};`.length);
      await storage.appendUpload('a', id, pieces('end'), `${at};`.length);
    }
    for (const id of ids) await storage.cancelUpload('a', id);
    assert.ok(most <= 130 && open === 0, `${open} are open, ${most} were`);
  });
});

describe('content that is damaged', () => {
  it('a manifest whose bytes changed on disk is never served', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'wharf-damage-'));
    try {
      const content = openContentStore(dir);
      const database = openMemoryDatabase();
      const open = () => openLocalStorage({ content, database, leases: new Leases(), log: silentLog });
      const storage = open();
      await put(storage, '{}');
      const bytes = manifestOf(Buffer.from('{}'), []);
      const { descriptor } = await storage.putManifest('a', bytes, MediaTypes.ociManifest, 'v1');
      const path = content.pathOf(descriptor.digest);
      assert.ok(existsSync(path));
      writeFileSync(path, Buffer.from(String(bytes).replace('2', '3')));
      for (const damage of [() => undefined, () => rmSync(path)]) {
        damage();
        await assert.rejects(open().manifest('a', 'v1'), (thrown) => isKind(thrown, 'corrupt'));
      }
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });

  it('a disk that is full in truth: the upload keeps what fitted, and goes on when there is room', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'wharf-full-'));
    mount({ source: 'tmpfs', target: dir, type: 'tmpfs', flags: ['nosuid'], data: 'size=4m' });
    try {
      const ballast = join(dir, 'ballast');
      writeFileSync(ballast, Buffer.alloc(2 << 20));
      const storage = over(openContentStore(join(dir, 'content')));
      const content = Buffer.alloc(3_000_000, 'some content ');
      const body = (from: number) =>
        (async function* () {
          for (let at = from; at < content.length; at += 65_536) yield content.subarray(at, at + 65_536);
        })();
      const { id } = await storage.startUpload('a');
      await assert.rejects(storage.appendUpload('a', id, body(0)), (thrown) => isKind(thrown, 'exhausted'));
      const { offset } = await storage.upload('a', id);
      assert.ok(offset > 1_000_000 && offset < content.length, `${offset} bytes fitted`);
      const digest = digestOf(content);
      await assert.rejects(storage.putBlob('a', body(0), { digest }), (thrown) =>
        isKind(thrown, 'exhausted'),
      );
      rmSync(ballast);
      await storage.appendUpload('a', id, body(offset), offset);
      await storage.finishUpload('a', id, digest);
      assert.deepEqual(await storage.statBlob('a', digest), { size: content.length });
      await storage.close();
    } finally {
      umount(dir, { detach: true });
      rmSync(dir, { recursive: true });
    }
  });

  it('a full disk keeps what fitted of an upload', async () => {
    const inner = openMemoryContentStore();
    let room = 5;
    const content: ContentStore = {
      ...inner,
      async ingest(key) {
        const ingest = await inner.ingest(key);
        return Object.create(ingest, {
          offset: { get: () => ingest.offset },
          write: {
            value: async (chunk: Uint8Array) => {
              const fits = Math.min(room, chunk.length);
              room -= fits;
              await ingest.write(chunk.subarray(0, fits));
              if (fits < chunk.length) throw new WharfError('exhausted', 'no space left on device');
            },
          },
        });
      },
    };
    const storage = over(content);
    const { id } = await storage.startUpload('a');
    await assert.rejects(storage.appendUpload('a', id, pieces('one', 'two')), (thrown) =>
      isKind(thrown, 'exhausted'),
    );
    assert.equal((await storage.upload('a', id)).offset, 5);
    room = 100;
    await storage.appendUpload('a', id, pieces('o'), 5);
    await storage.finishUpload('a', id, digestOf('onetwo'));
  });
});
