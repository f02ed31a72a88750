import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { isKind, WharfError } from '../../base/index.ts';
import { type Digest, digestOf, MediaTypes } from '../../oci/index.ts';
import { kind } from '../suite.ts';
import type { RegistryStorage } from './types.ts';

/** An empty storage for one test, and what drives it from outside. */
export interface SuiteStorage extends AsyncDisposable {
  storage: RegistryStorage;
  /** Ends everything that was in memory and opens the same content and records again. */
  reopen(): Promise<RegistryStorage>;
  /** Lets time pass for the ages that `collect` looks at. */
  pass(milliseconds: number): void;
}

const A = 'team/a';
const B = 'team/b';
const DAY = 86_400_000;

/** What every `RegistryStorage` must keep. `open` makes one for each test. */
export function storageSuite(name: string, open: () => Promise<SuiteStorage>): void {
  const on = (title: string, check: (opened: SuiteStorage) => Promise<void>) =>
    test(`${name}: ${title}`, async () => {
      await using opened = await open();
      await check(opened);
    });
  blobCases(on);
  uploadCases(on);
  manifestCases(on);
  listingCases(on);
  garbageCases(on);
}

type On = (title: string, check: (opened: SuiteStorage) => Promise<void>) => unknown;

async function* pieces(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

/** A body that breaks off after these parts. */
async function* broken(...parts: string[]): AsyncGenerator<Uint8Array> {
  yield* pieces(...parts);
  throw new WharfError('cancelled', 'the client is gone');
}

async function text(
  storage: RegistryStorage,
  repository: string,
  digest: Digest,
  start?: number,
): Promise<string> {
  const chunks: Uint8Array[] = [];
  const range = start === undefined ? undefined : { start };
  for await (const chunk of storage.openBlob(repository, digest, range)) chunks.push(chunk);
  return String(Buffer.concat(chunks));
}

const put = async (storage: RegistryStorage, repository: string, content: string): Promise<Digest> =>
  (await storage.putBlob(repository, pieces(content), { digest: digestOf(content) })).digest;

/** Brings an image in: blobs, manifest and perhaps a tag. */
async function image(
  storage: RegistryStorage,
  repository: string,
  content: string,
  tag?: string,
  extra: object = {},
): Promise<{ digest: Digest; bytes: Buffer; layer: Digest; config: Digest }> {
  const texts = { config: `{"of":"${content}"}`, layer: `layer of ${content}` };
  const config = await put(storage, repository, texts.config);
  const layer = await put(storage, repository, texts.layer);
  const describe = (mediaType: string, digest: Digest, content: string) => ({
    mediaType,
    digest,
    size: content.length,
  });
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MediaTypes.ociManifest,
      config: describe(MediaTypes.ociConfig, config, texts.config),
      layers: [describe(MediaTypes.ociLayer, layer, texts.layer)],
      ...extra,
    }),
  );
  const { descriptor } = await storage.putManifest(repository, bytes, MediaTypes.ociManifest, tag);
  return { digest: descriptor.digest, bytes, layer, config };
}

const describe = ({ digest, bytes }: { digest: Digest; bytes: Buffer }) => ({
  mediaType: MediaTypes.ociManifest,
  digest,
  size: bytes.length,
});

const index = (...manifests: { digest: Digest; bytes: Buffer }[]) =>
  Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: MediaTypes.ociIndex, manifests: manifests.map(describe) }),
  );

function blobCases(on: On): void {
  on('a blob is shown by the repositories that link it, and by no other', async ({ storage }) => {
    const digest = await put(storage, A, 'content');
    assert.deepEqual(await storage.statBlob(A, digest), { size: 7 });
    assert.equal(await text(storage, A, digest), 'content');
    assert.equal(await text(storage, A, digest, 3), 'tent');
    assert.equal(await storage.statBlob(B, digest), undefined);
    await assert.rejects(text(storage, B, digest), kind('not-found'));
    assert.equal(await storage.linkBlob(B, digest), true);
    assert.equal(await text(storage, B, digest), 'content');
    assert.deepEqual((await storage.holders(digest, 10)).sort(), [A, B]);
    assert.equal((await storage.holders(digest, 1)).length, 1);
    await storage.unlinkBlob(A, digest);
    assert.equal(await storage.statBlob(A, digest), undefined);
    assert.deepEqual(await storage.holders(digest, 10), [B]);
    await assert.rejects(storage.unlinkBlob(A, digest), kind('not-found'));
  });

  on('what the store does not hold, or in another size, is not linked', async ({ storage }) => {
    assert.equal(await storage.linkBlob(A, digestOf('absent')), false);
    const digest = await put(storage, B, 'content');
    assert.equal(await storage.linkBlob(A, digest, 8), false);
    assert.equal(await storage.statBlob(A, digest), undefined);
    assert.equal(await storage.linkBlob(A, digest, 7), true);
  });

  on('a blob that lies is not taken', async ({ storage }) => {
    const digest = digestOf('content');
    await assert.rejects(storage.putBlob(A, pieces('other'), { digest }), kind('corrupt'));
    await assert.rejects(storage.putBlob(A, pieces('content'), { digest, size: 8 }), kind('corrupt'));
    assert.equal(await storage.statBlob(A, digest), undefined);
    assert.equal(storage.needs(digest), false);
  });

  on('everything is still there after it was opened again', async ({ storage, reopen }) => {
    const one = await image(storage, A, 'one', 'v1');
    await storage.putManifest(A, index(one), MediaTypes.ociIndex, 'all');
    const again = await reopen();
    assert.deepEqual(await again.manifest(A, 'v1'), await again.manifest(A, one.digest));
    assert.ok((await again.manifest(A, 'v1'))?.bytes.equals(one.bytes));
    assert.equal(await text(again, A, one.layer), 'layer of one');
    assert.deepEqual(await again.tags(A, { limit: 9 }), { names: ['all', 'v1'], more: false });
    assert.deepEqual(await again.repositories({ limit: 9 }), { names: [A], more: false });
    for (const digest of [one.digest, one.layer, one.config]) assert.equal(again.needs(digest), true);
  });
}

function uploadCases(on: On): void {
  on('an upload grows piece by piece and becomes a blob', async ({ storage }) => {
    const { id, offset } = await storage.startUpload(A);
    assert.equal(offset, 0);
    assert.equal((await storage.appendUpload(A, id, pieces('one', 'two'), 0)).offset, 6);
    assert.equal((await storage.appendUpload(A, id, pieces('three'))).offset, 11);
    const digest = digestOf('onetwothree');
    const { size } = await storage.finishUpload(A, id, digest);
    assert.equal(size, 11);
    assert.equal(await text(storage, A, digest), 'onetwothree');
    await assert.rejects(storage.upload(A, id), kind('not-found'));
  });

  on('a piece at the wrong place changes nothing', async ({ storage }) => {
    const { id } = await storage.startUpload(A);
    await storage.appendUpload(A, id, pieces('one'));
    for (const start of [0, 2, 4])
      await assert.rejects(storage.appendUpload(A, id, pieces('two'), start), kind('conflict'));
    assert.equal((await storage.upload(A, id)).offset, 3);
  });

  on(
    'what came before a body broke off stays, also after it was opened again',
    async ({ storage, reopen }) => {
      const { id } = await storage.startUpload(A);
      await assert.rejects(storage.appendUpload(A, id, broken('one', 'two')), kind('cancelled'));
      assert.equal((await storage.upload(A, id)).offset, 6);
      const again = await reopen();
      const info = await again.upload(A, id);
      assert.deepEqual([info.repository, info.offset], [A, 6]);
      await again.appendUpload(A, id, pieces('three'), 6);
      await again.finishUpload(A, id, digestOf('onetwothree'));
      assert.equal(await text(again, A, digestOf('onetwothree')), 'onetwothree');
    },
  );

  on('one writer at a time', async ({ storage }) => {
    const { id } = await storage.startUpload(A);
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const slow = storage.appendUpload(
      A,
      id,
      (async function* () {
        yield Buffer.from('one');
        begun.resolve();
        await gate.promise;
      })(),
    );
    await begun.promise;
    await assert.rejects(storage.appendUpload(A, id, pieces('x')), kind('conflict'));
    await assert.rejects(storage.finishUpload(A, id, digestOf('one')), kind('conflict'));
    assert.equal((await storage.upload(A, id)).offset, 3);
    gate.resolve();
    await slow;
    await storage.finishUpload(A, id, digestOf('one'));
  });

  on('a wrong digest ends it, and leaves nothing', async ({ storage }) => {
    const { id } = await storage.startUpload(A);
    await storage.appendUpload(A, id, pieces('one'));
    await assert.rejects(storage.finishUpload(A, id, digestOf('two')), kind('corrupt'));
    await assert.rejects(storage.upload(A, id), kind('not-found'));
    assert.equal(await storage.statBlob(A, digestOf('one')), undefined);
  });

  on('another repository does not see it; a cancelled one is gone', async ({ storage }) => {
    const { id } = await storage.startUpload(A);
    await assert.rejects(storage.upload(B, id), kind('not-found'));
    await assert.rejects(storage.appendUpload(B, id, pieces('x')), kind('not-found'));
    await assert.rejects(storage.cancelUpload(B, id), kind('not-found'));
    await storage.cancelUpload(A, id);
    await assert.rejects(storage.upload(A, id), kind('not-found'));
    await assert.rejects(storage.cancelUpload(A, id), kind('not-found'));
  });

  on('the same blob by many uploads at once is one blob', async ({ storage }) => {
    const digest = digestOf('the same');
    const bring = async (repository: string) => {
      const { id } = await storage.startUpload(repository);
      await storage.appendUpload(repository, id, pieces('the ', 'same'));
      await storage.finishUpload(repository, id, digest);
    };
    await Promise.all([A, B, A, B, A, B].map(bring));
    for (const repository of [A, B]) assert.equal(await text(storage, repository, digest), 'the same');
  });

  on('SHA-512', async ({ storage }) => {
    const digest = `sha512:${createHash('sha512').update('long').digest('hex')}` as Digest;
    const { id } = await storage.startUpload(A);
    await storage.appendUpload(A, id, pieces('long'));
    await storage.finishUpload(A, id, digest);
    assert.equal(await text(storage, A, digest), 'long');
  });
}

function manifestCases(on: On): void {
  on('a manifest is kept byte for byte under its digest and tags', async ({ storage }) => {
    const { digest, bytes } = await image(storage, A, 'one', 'v1');
    for (const reference of ['v1', digest]) {
      const found = await storage.manifest(A, reference);
      assert.ok(found);
      assert.ok(found.bytes.equals(bytes));
      assert.deepEqual(
        [found.descriptor.digest, found.descriptor.size, found.descriptor.mediaType, found.subject],
        [digest, bytes.length, MediaTypes.ociManifest, undefined],
      );
    }
    assert.equal(await storage.manifest(B, digest), undefined);
    assert.equal(await storage.manifest(A, 'v2'), undefined);
  });

  on('what it names must be here, in this repository', async ({ storage }) => {
    const { bytes } = await image(storage, A, 'one');
    await assert.rejects(storage.putManifest(B, bytes, MediaTypes.ociManifest, 'v1'), (thrown) => {
      assert.ok(isKind(thrown, 'not-found') && (thrown as Error).message.includes('missing'));
      return true;
    });
    assert.equal(await storage.manifest(B, 'v1'), undefined);
    const list = index(await image(storage, A, 'two'));
    await assert.rejects(storage.putManifest(B, list, MediaTypes.ociIndex), kind('not-found'));
    await storage.putManifest(A, list, MediaTypes.ociIndex);
  });

  on('of several documents for a tag that may not be moved one is taken, and stays', async ({ storage }) => {
    const images = await Promise.all(['one', 'two', 'three'].map((name) => image(storage, A, name)));
    const put = ({ bytes }: { bytes: Buffer }) =>
      storage.putManifest(A, bytes, MediaTypes.ociManifest, 'v1', 'new');
    const settled = await Promise.allSettled(images.map(put));
    const taken = images.filter((_, at) => settled[at]?.status === 'fulfilled');
    assert.equal(taken.length, 1);
    for (const one of settled) assert.ok(one.status === 'fulfilled' || kind('forbidden')(one.reason));
    const [first] = taken;
    assert.ok(first);
    assert.equal((await storage.manifest(A, 'v1'))?.descriptor.digest, first.digest);
    await put(first);
    // Under its digest, and under another tag, every document may come.
    for (const { bytes, digest } of images) {
      await storage.putManifest(A, bytes, MediaTypes.ociManifest, digest, 'new');
      await storage.putManifest(A, bytes, MediaTypes.ociManifest, `v-${digest.slice(7, 19)}`, 'new');
    }
    assert.equal((await storage.manifest(A, 'v1'))?.descriptor.digest, first.digest);
  });

  on('what is no manifest is refused', async ({ storage }) => {
    for (const content of ['', '{}', '[]', '{"schemaVersion":2,"manifests":[],"layers":[]}'])
      await assert.rejects(
        storage.putManifest(A, Buffer.from(content), MediaTypes.ociManifest),
        kind('invalid'),
      );
    const { bytes } = await image(storage, A, 'one');
    await assert.rejects(
      storage.putManifest(A, bytes, MediaTypes.ociManifest, digestOf('x')),
      kind('corrupt'),
    );
  });

  on('a deleted manifest takes its tags along; a deleted tag takes nothing', async ({ storage }) => {
    const { digest, bytes } = await image(storage, A, 'one', 'v1');
    await storage.putManifest(A, bytes, MediaTypes.ociManifest, 'v2');
    await storage.deleteTag(A, 'v1');
    await assert.rejects(storage.deleteTag(A, 'v1'), kind('not-found'));
    assert.ok(await storage.manifest(A, 'v2'));
    await storage.deleteManifest(A, digest);
    for (const reference of ['v2', digest]) assert.equal(await storage.manifest(A, reference), undefined);
    await assert.rejects(storage.deleteManifest(A, digest), kind('not-found'));
    assert.deepEqual((await storage.repositories({ limit: 9 })).names, []);
  });

  on('referrers are those whose subject it is', async ({ storage }) => {
    const one = await image(storage, A, 'one', 'v1');
    const subject = describe(one);
    const note = await image(storage, A, 'note', undefined, {
      subject,
      artifactType: 'x/note',
      annotations: { a: 'b' },
    });
    assert.equal((await storage.manifest(A, note.digest))?.subject, one.digest);
    const expected = { ...describe(note), artifactType: 'x/note', annotations: { a: 'b' } };
    assert.deepEqual(await storage.referrers(A, one.digest), [expected]);
    assert.deepEqual(await storage.referrers(A, one.digest, 'x/note'), [expected]);
    assert.deepEqual(await storage.referrers(A, one.digest, 'x/other'), []);
    assert.deepEqual(await storage.referrers(B, one.digest), []);
    await storage.deleteManifest(A, note.digest);
    assert.deepEqual(await storage.referrers(A, one.digest), []);
  });
}

function listingCases(on: On): void {
  on('tags and repositories by pages, in the order of listings', async ({ storage }) => {
    const { bytes } = await image(storage, A, 'one');
    for (const tag of ['b', 'A', 'c', 'a']) await storage.putManifest(A, bytes, MediaTypes.ociManifest, tag);
    assert.deepEqual(await storage.tags(A, { limit: 3 }), { names: ['A', 'a', 'b'], more: true });
    assert.deepEqual(await storage.tags(A, { limit: 3, last: 'b' }), { names: ['c'], more: false });
    assert.deepEqual(await storage.tags(A, { limit: 0 }), { names: [], more: true });
    await assert.rejects(storage.tags('no/thing', { limit: 1 }), kind('not-found'));
    await image(storage, B, 'two', 'v1');
    assert.deepEqual(await storage.repositories({ limit: 1 }), { names: [A], more: true });
    assert.deepEqual(await storage.repositories({ limit: 1, last: A }), { names: [B], more: false });
  });
}

function garbageCases(on: On): void {
  const all = { dryRun: false, untagged: false, uploadAgeMs: DAY };

  on('nothing goes that a manifest or a tag needs', async ({ storage, pass }) => {
    const one = await image(storage, A, 'one', 'v1');
    pass(10 * DAY);
    const report = await storage.collect({ ...all, untagged: true });
    assert.deepEqual(report, { blobs: [], manifests: [], uploads: [], bytes: 0 });
    assert.equal(await text(storage, A, one.layer), 'layer of one');
  });

  on('what nobody links goes; a dry run only says so', async ({ storage, pass }) => {
    const one = await image(storage, A, 'one', 'v1');
    await image(storage, A, 'two', 'v2');
    await storage.linkBlob(B, one.config);
    await storage.deleteManifest(A, one.digest);
    assert.deepEqual(
      (await storage.collect(all)).blobs.map(({ digest }) => digest),
      [one.digest],
    );
    pass(2 * DAY);
    // A look keeps a link for another day, as somebody may be about to name it.
    await storage.statBlob(B, one.config);
    const said = await storage.collect({ ...all, dryRun: true });
    assert.deepEqual(said.blobs, [{ digest: one.layer, size: 12 }]);
    assert.equal(said.bytes, 12);
    assert.equal(await text(storage, A, one.layer), 'layer of one');
    assert.deepEqual(await storage.collect(all), said);
    assert.equal(await storage.statBlob(A, one.layer), undefined);
    assert.equal(await storage.linkBlob(A, one.layer), false);
    assert.equal(await text(storage, B, one.config), '{"of":"one"}');
  });

  on(
    'untagged manifests go if asked so: not by index, not referrers of what stays',
    async ({ storage, pass }) => {
      const tagged = await image(storage, A, 'tagged', 'v1');
      const loose = await image(storage, A, 'loose');
      const listed = await image(storage, A, 'listed');
      await storage.putManifest(A, index(listed), MediaTypes.ociIndex, 'all');
      const note = await image(storage, A, 'note', undefined, { subject: describe(tagged) });
      const ofLoose = await image(storage, A, 'note of loose', undefined, { subject: describe(loose) });
      pass(2 * DAY);
      assert.deepEqual((await storage.collect(all)).manifests, []);
      const said = await storage.collect({ ...all, untagged: true, dryRun: true });
      const report = await storage.collect({ ...all, untagged: true });
      assert.deepEqual(report, said);
      const gone = [loose.digest, ofLoose.digest].sort();
      assert.deepEqual(report.manifests.map(({ digest }) => digest).sort(), gone);
      for (const { digest } of [tagged, listed, note]) assert.ok(await storage.manifest(A, digest));
      for (const { digest, layer } of [loose, ofLoose]) {
        assert.equal(storage.needs(digest), false);
        assert.equal(storage.needs(layer), false);
      }
      assert.equal(report.blobs.length, 6);
    },
  );

  on('a push under way loses nothing', async ({ storage, pass }) => {
    const layer = await put(storage, A, 'layer');
    const upload = await storage.startUpload(A);
    await storage.appendUpload(A, upload.id, pieces('conf'));
    const report = await storage.collect({ ...all, untagged: true });
    assert.deepEqual([report.blobs, report.uploads], [[], []]);
    await storage.appendUpload(A, upload.id, pieces('ig'), 4);
    await storage.finishUpload(A, upload.id, digestOf('config'));
    await storage.collect({ ...all, untagged: true });
    for (const digest of [layer, digestOf('config')]) assert.ok(await storage.statBlob(A, digest));
    pass(2 * DAY);
    assert.equal((await storage.collect(all)).blobs.length, 2);
  });

  on('who asks for a manifest by its digest may name it in an index', async ({ storage, pass }) => {
    const one = await image(storage, A, 'one');
    pass(2 * DAY);
    assert.ok(await storage.manifest(A, one.digest));
    assert.deepEqual((await storage.collect({ ...all, untagged: true })).manifests, []);
    await storage.putManifest(A, index(one), MediaTypes.ociIndex, 'all');
    pass(2 * DAY);
    assert.deepEqual((await storage.collect({ ...all, untagged: true })).manifests, []);
  });

  on('uploads without a byte for long go', async ({ storage, pass }) => {
    const { id } = await storage.startUpload(A);
    await storage.appendUpload(A, id, pieces('1234'));
    pass(2 * DAY);
    const said = await storage.collect({ ...all, dryRun: true });
    assert.deepEqual(said.uploads, [{ id, repository: A, size: 4 }]);
    assert.equal((await storage.upload(A, id)).offset, 4);
    assert.deepEqual(await storage.collect(all), said);
    await assert.rejects(storage.upload(A, id), kind('not-found'));
  });
}
