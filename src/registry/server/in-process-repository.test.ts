import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLog, WharfError } from '../../base/index.ts';
import { Leases, openMemoryContentStore } from '../../content/index.ts';
import { openMemoryDatabase } from '../../meta/index.ts';
import { digestOf, MediaTypes } from '../../oci/index.ts';
import { blobSource, repositorySuite, sendImage } from '../suite.ts';
import { type Grant, inProcessRepository, openLocalStorage } from './index.ts';

const EVERYTHING: Grant = { user: 'ann', allows: () => true };

function open(grant: Grant = EVERYTHING) {
  const content = openMemoryContentStore();
  const database = openMemoryDatabase();
  const storage = openLocalStorage({ content, database, leases: new Leases(), log: silentLog });
  return {
    content,
    storage,
    repository: (path: string, as = grant) => inProcessRepository({ storage, path, grant: as }),
  };
}

repositorySuite('in process', async () => {
  const { repository, storage } = open();
  return { repository: (path) => repository(path), [Symbol.asyncDispose]: () => storage.close() };
});

const refused = (kind: WharfError['kind']) => (thrown: unknown) =>
  thrown instanceof WharfError && thrown.kind === kind;

describe('a repository in process', () => {
  it('links a blob that the shared store holds, without reading it', async () => {
    const { content, repository } = open();
    const source = blobSource(Buffer.from('held already'));
    await content.put(Buffer.from('held already'), 'x');
    const told: number[] = [];
    const unread = { ...source, open: () => assert.fail('the blob was read') };
    await repository('a').uploadBlob(unread, (bytes) => told.push(bytes));
    assert.deepEqual(told, [12]);
    assert.deepEqual(await repository('a').statBlob(source.descriptor.digest), { size: 12 });
  });

  it('gives nobody more than his rights', async () => {
    const { repository } = open();
    const bytes = await sendImage(repository('a'), 'image');
    await repository('a').putManifest(bytes, MediaTypes.ociManifest, 'v1');
    for (const user of [undefined, 'bob']) {
      const none = repository('a', { user, allows: () => false });
      const blob = { mediaType: MediaTypes.ociLayer, digest: digestOf('x'), size: 1 };
      const calls: (() => Promise<unknown>)[] = [
        () => none.resolve('v1'),
        () => none.manifest('v1'),
        () => none.blob(blob, 0),
        () => none.statBlob(blob.digest),
        () => none.mountBlob(blob.digest, 'b'),
        () => none.uploadBlob(blobSource(Buffer.from('x'))),
        () => none.putManifest(bytes, MediaTypes.ociManifest, 'v1'),
        () => none.deleteManifest('v1'),
        () => none.referrers(blob.digest),
        async () => {
          for await (const tag of none.tags()) assert.fail(tag);
        },
      ];
      for (const call of calls) await assert.rejects(async () => call(), refused('forbidden'));
    }
  });

  it('mounts only from where its user may read', async () => {
    const { repository } = open();
    const source = blobSource(Buffer.from('secret'));
    await repository('secret').uploadBlob(source);
    const grant: Grant = { user: 'bob', allows: (_, name) => name !== 'secret' };
    const mine = repository('mine', grant);
    assert.equal(await mine.mountBlob(source.descriptor.digest, 'secret'), false);
    assert.equal(await mine.statBlob(source.descriptor.digest), undefined);
  });

  it('moves no tag for who may only add', async () => {
    const { repository } = open();
    const adder = repository('a', { ...EVERYTHING, allowsOverwrite: () => false });
    const [one, two] = [await sendImage(adder, 'one'), await sendImage(adder, 'two')];
    await adder.putManifest(one, MediaTypes.ociManifest, 'latest');
    await adder.putManifest(one, MediaTypes.ociManifest, 'latest');
    await assert.rejects(adder.putManifest(two, MediaTypes.ociManifest, 'latest'), refused('forbidden'));
    await adder.putManifest(two, MediaTypes.ociManifest, digestOf(two));
    assert.equal((await adder.resolve('latest')).digest, digestOf(one));
  });

  it('has a name that keeps the grammar', () => {
    const { repository } = open();
    for (const path of ['', '/', 'A', 'a//b', '../a', 'a/', 'a'.repeat(256)])
      assert.throws(() => repository(path), refused('invalid'), path);
  });
});
