import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { isKind, WharfError } from '../base/index.ts';
import { type Descriptor, type Digest, digestOf, MediaTypes } from '../oci/index.ts';
import type { BlobSource, Repository } from './types.ts';

/** An empty registry for one test, seen by a user who may do everything. */
export interface SuiteRegistry extends AsyncDisposable {
  repository(path: string): Repository;
  /** What this registry can't do; the rest is tested. */
  lacks?: { deleteTags?: boolean; sha512?: boolean };
}

/** Bytes as a blob to be sent, in pieces of 64 KiB. `opened` notes the offsets from which it was read. */
export function blobSource(bytes: Uint8Array, opened: number[] = []): BlobSource {
  const descriptor = { mediaType: MediaTypes.ociLayer, digest: digestOf(bytes), size: bytes.length };
  return {
    descriptor,
    async *open(offset) {
      opened.push(offset);
      for (let at = offset; at < bytes.length; at += 65_536)
        yield bytes.subarray(at, Math.min(at + 65_536, bytes.length));
    },
  };
}

/** All that a listing or stream gives, in order. */
export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of source) all.push(item);
  return all;
}

/** A small image whose blobs are sent; its manifest is returned and not stored. */
export async function sendImage(
  repository: Repository,
  content: string,
  extra: { subject?: Descriptor; artifactType?: string; annotations?: Record<string, string> } = {},
): Promise<Buffer> {
  const layer = blobSource(Buffer.from(`layer ${content}`));
  const config = blobSource(Buffer.from(JSON.stringify({ os: 'linux', architecture: 'amd64', content })));
  for (const blob of [layer, config]) await repository.uploadBlob(blob);
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MediaTypes.ociManifest,
      config: { ...config.descriptor, mediaType: MediaTypes.ociConfig },
      layers: [layer.descriptor],
      ...extra,
    }),
  );
}

/** What every `Repository` must keep. `open` makes a registry of its own for each test. */
export function repositorySuite(name: string, open: () => Promise<SuiteRegistry>): void {
  const on = (title: string, check: (repository: Repository, registry: SuiteRegistry) => Promise<void>) =>
    test(`${name}: ${title}`, async () => {
      await using registry = await open();
      await check(registry.repository('suite/app'), registry);
    });
  manifestCases(on);
  blobCases(on);
  listingCases(on);
  refusalCases(on);
}

type On = (
  title: string,
  check: (repository: Repository, registry: SuiteRegistry) => Promise<void>,
) => unknown;

/** For `assert.rejects`: a WharfError of one of these kinds. */
export const kind =
  (...kinds: WharfError['kind'][]) =>
  (thrown: unknown) => {
    assert.ok(thrown instanceof WharfError, `${String(thrown)} is no WharfError`);
    assert.ok(kinds.includes(thrown.kind), `${thrown.kind}: ${thrown.message}`);
    return true;
  };

function manifestCases(on: On): void {
  on('a manifest comes back byte for byte, by tag and by digest', async (repository) => {
    const bytes = await sendImage(repository, 'one');
    const digest = await repository.putManifest(bytes, MediaTypes.ociManifest, 'v1');
    assert.equal(digest, digestOf(bytes));
    const descriptor = { mediaType: MediaTypes.ociManifest, digest, size: bytes.length };
    for (const reference of ['v1', digest]) {
      assert.deepEqual(await repository.resolve(reference), descriptor);
      const fetched = await repository.manifest(reference);
      assert.deepEqual(fetched.descriptor, descriptor);
      assert.deepEqual(Buffer.from(fetched.bytes), bytes);
    }
  });

  on(
    'a tag moves to the manifest that was stored last; the first stays under its digest',
    async (repository) => {
      const first = await sendImage(repository, 'first');
      const second = await sendImage(repository, 'second');
      await repository.putManifest(first, MediaTypes.ociManifest, 'latest');
      await repository.putManifest(second, MediaTypes.ociManifest, 'latest');
      assert.equal((await repository.resolve('latest')).digest, digestOf(second));
      assert.deepEqual(Buffer.from((await repository.manifest(digestOf(first))).bytes), first);
    },
  );

  on('an index and a manifest of Docker keep their media types', async (repository) => {
    const image = JSON.parse(String(await sendImage(repository, 'docker')));
    const docker = Buffer.from(JSON.stringify({ ...image, mediaType: MediaTypes.dockerManifest }));
    const digest = await repository.putManifest(docker, MediaTypes.dockerManifest, digestOf(docker));
    const entry = { mediaType: MediaTypes.dockerManifest, digest, size: docker.length };
    const list = { schemaVersion: 2, mediaType: MediaTypes.dockerIndex, manifests: [] as object[] };
    list.manifests.push({ ...entry, platform: { os: 'linux', architecture: 'amd64' } });
    const bytes = Buffer.from(JSON.stringify(list, null, 3));
    await repository.putManifest(bytes, MediaTypes.dockerIndex, 'all');
    assert.equal((await repository.resolve('all')).mediaType, MediaTypes.dockerIndex);
    assert.deepEqual(Buffer.from((await repository.manifest('all')).bytes), bytes);
    assert.deepEqual(await repository.resolve(digest), entry);
  });

  on('what is stored by a digest must have it', async (repository) => {
    const bytes = await sendImage(repository, 'liar');
    const other = digestOf('something else');
    await assert.rejects(
      repository.putManifest(bytes, MediaTypes.ociManifest, other),
      kind('corrupt', 'invalid'),
    );
    await assert.rejects(repository.resolve(other), kind('not-found'));
  });

  on('a deleted manifest is gone with its tags', async (repository, { lacks }) => {
    const bytes = await sendImage(repository, 'short-lived');
    const digest = await repository.putManifest(bytes, MediaTypes.ociManifest, 'a');
    await repository.putManifest(bytes, MediaTypes.ociManifest, 'b');
    if (!lacks?.deleteTags) {
      await repository.deleteManifest('a');
      await assert.rejects(repository.resolve('a'), kind('not-found'));
      assert.equal((await repository.resolve('b')).digest, digest);
    }
    await repository.deleteManifest(digest);
    for (const reference of ['b', digest]) {
      await assert.rejects(repository.resolve(reference), kind('not-found'));
      await assert.rejects(repository.manifest(reference), kind('not-found'));
    }
    await assert.rejects(repository.deleteManifest(digest), kind('not-found'));
  });
}

function blobCases(on: On): void {
  const read = async (repository: Repository, blob: Descriptor, offset: number) => {
    const { start, body } = await repository.blob(blob, offset);
    assert.ok(start <= offset, `the body begins at ${start}, behind ${offset}`);
    return Buffer.concat(await collect(body)).subarray(offset - start);
  };

  on('blobs of all sizes come back, whole and from any byte on', async (repository) => {
    for (const length of [0, 1, 100, 65_536, 3_000_001]) {
      const bytes = Buffer.alloc(length, `content of ${length} bytes;`);
      const source = blobSource(bytes);
      const told: number[] = [];
      await repository.uploadBlob(source, (count) => told.push(count));
      assert.equal(told.at(-1), length);
      assert.deepEqual(await repository.statBlob(source.descriptor.digest), { size: length });
      for (const offset of [0, Math.floor(length / 2), Math.max(0, length - 1)])
        assert.ok((await read(repository, source.descriptor, offset)).equals(bytes.subarray(offset)));
    }
  });

  on('the same blob may be sent again', async (repository) => {
    const source = blobSource(Buffer.from('twice'));
    await repository.uploadBlob(source);
    await repository.uploadBlob(source);
    assert.equal(String(await read(repository, source.descriptor, 0)), 'twice');
  });

  on('a reader who stops early leaves the rest alone', async (repository) => {
    const source = blobSource(Buffer.alloc(1_000_000, 'x'));
    await repository.uploadBlob(source);
    const { body } = await repository.blob(source.descriptor, 0);
    for await (const chunk of body) {
      assert.ok(chunk.length > 0);
      break;
    }
    assert.equal((await read(repository, source.descriptor, 999_000)).length, 1000);
  });

  on('a blob that lies about its digest or size is not taken', async (repository) => {
    for (const length of [10, 2_000_000]) {
      const honest = blobSource(Buffer.alloc(length, 'a'));
      const digest = digestOf(`another of ${length}`);
      const liar = { ...honest, descriptor: { ...honest.descriptor, digest } };
      await assert.rejects(repository.uploadBlob(liar), kind('corrupt', 'invalid'));
      assert.equal(await repository.statBlob(digest), undefined);
      const short = { ...honest, descriptor: { ...honest.descriptor, size: length + 1 } };
      await assert.rejects(repository.uploadBlob(short), kind('corrupt', 'invalid'));
      assert.equal(await repository.statBlob(honest.descriptor.digest), undefined);
    }
  });

  on('a sha512 blob is stored under its own digest', async (repository, { lacks }) => {
    if (lacks?.sha512) return;
    const bytes = Buffer.from('long digest');
    const digest = `sha512:${createHash('sha512').update(bytes).digest('hex')}` as Digest;
    const source = blobSource(bytes);
    await repository.uploadBlob({ ...source, descriptor: { ...source.descriptor, digest } });
    assert.deepEqual(await repository.statBlob(digest), { size: bytes.length });
  });

  on(
    'mounting takes a blob of another repository, and nothing that is not there',
    async (repository, registry) => {
      const other = registry.repository('suite/other');
      const source = blobSource(Buffer.alloc(2_000_000, 'shared'));
      const { digest } = source.descriptor;
      await other.uploadBlob(source);
      assert.equal(await repository.mountBlob(digest, 'suite/other'), true);
      assert.deepEqual(await repository.statBlob(digest), { size: 2_000_000 });
      for (const missing of [
        blobSource(Buffer.from('small')),
        blobSource(Buffer.alloc(1_500_000, 'large')),
      ]) {
        assert.equal(await repository.mountBlob(missing.descriptor.digest, 'suite/other'), false);
        assert.equal(await repository.statBlob(missing.descriptor.digest), undefined);
        await repository.uploadBlob(missing);
        assert.deepEqual(await repository.statBlob(missing.descriptor.digest), {
          size: missing.descriptor.size,
        });
      }
    },
  );
}

function listingCases(on: On): void {
  on('all tags are listed, each once', async (repository) => {
    const bytes = await sendImage(repository, 'many names');
    const tags = ['latest', 'v1', 'v1.0', 'V2_x', '0'];
    for (const tag of tags) await repository.putManifest(bytes, MediaTypes.ociManifest, tag);
    await repository.putManifest(await sendImage(repository, 'n'), MediaTypes.ociManifest, 'v1');
    assert.deepEqual((await collect(repository.tags())).sort(), tags.sort());
  });

  on('a manifest with a subject is among its referrers', async (repository) => {
    const image = await sendImage(repository, 'subject');
    const digest = await repository.putManifest(image, MediaTypes.ociManifest, 'v1');
    assert.deepEqual((await repository.referrers(digest)).manifests, []);
    const subject = { mediaType: MediaTypes.ociManifest, digest, size: image.length };
    const annotations = { 'org.example.note': 'a signature' };
    const put = async (artifactType: string) => {
      const bytes = await sendImage(repository, artifactType, { subject, artifactType, annotations });
      const stored = await repository.putManifest(bytes, MediaTypes.ociManifest, digestOf(bytes));
      return {
        mediaType: MediaTypes.ociManifest,
        digest: stored,
        size: bytes.length,
        artifactType,
        annotations,
      };
    };
    const signature = await put('application/vnd.example.signature');
    const report = await put('application/vnd.example.report');
    const all = await repository.referrers(digest);
    assert.equal(all.schemaVersion, 2);
    const byDigest = (a: Descriptor, b: Descriptor) => (a.digest < b.digest ? -1 : 1);
    assert.deepEqual(all.manifests.toSorted(byDigest), [signature, report].sort(byDigest));
    const some = await repository.referrers(digest, signature.artifactType);
    assert.deepEqual(some.manifests, [signature]);
  });
}

function refusalCases(on: On): void {
  const absent = digestOf('absent');
  const blob = { mediaType: MediaTypes.ociLayer, digest: absent, size: 6 };

  on('what is not there is not found', async (repository) => {
    await repository.uploadBlob(blobSource(Buffer.from('so that the repository is there')));
    for (const reference of ['absent', absent]) {
      await assert.rejects(repository.resolve(reference), kind('not-found'));
      await assert.rejects(repository.manifest(reference), kind('not-found'));
    }
    assert.equal(await repository.statBlob(absent), undefined);
    await assert.rejects(repository.blob(blob, 0), kind('not-found'));
    await assert.rejects(repository.blob(blob, 3), kind('not-found'));
  });

  on('a repository that was never pushed to has nothing', async (_, registry) => {
    const empty = registry.repository('suite/never');
    await assert.rejects(empty.manifest('latest'), kind('not-found'));
    await assert.rejects(collect(empty.tags()), kind('not-found'));
    assert.equal(await empty.statBlob(absent), undefined);
    assert.deepEqual((await empty.referrers(absent)).manifests, []);
  });

  on('names that are none never reach the registry', async (repository) => {
    const bad = [
      '',
      '../x',
      'a/b',
      'a b',
      '%2e%2e',
      'a\n',
      '-a',
      `${'a'.repeat(129)}`,
      'sha256:abc',
      'sha256:../..',
    ];
    for (const reference of bad) {
      await assert.rejects(async () => repository.resolve(reference), kind('invalid'));
      await assert.rejects(async () => repository.manifest(reference), kind('invalid'));
      await assert.rejects(async () => repository.deleteManifest(reference), kind('invalid'));
    }
    const digest = 'sha256:../../etc/passwd' as Digest;
    await assert.rejects(async () => repository.statBlob(digest), kind('invalid'));
    await assert.rejects(async () => repository.blob({ ...blob, digest }, 0), kind('invalid'));
    await assert.rejects(async () => repository.mountBlob(absent, '../other'), kind('invalid'));
    await assert.rejects(async () => repository.referrers(digest), kind('invalid'));
  });

  on('a manifest that is none is refused', async (repository) => {
    for (const text of ['', 'no json', '[]', '{"schemaVersion":2}']) {
      const put = repository.putManifest(Buffer.from(text), MediaTypes.ociManifest, 'bad');
      await assert.rejects(put, kind('invalid'));
    }
    await assert.rejects(repository.resolve('bad'), kind('not-found'));
  });

  on('a cancelled call ends as cancelled', async (repository) => {
    const source = blobSource(Buffer.alloc(2_000_000, 'c'));
    await repository.uploadBlob(source);
    const signal = AbortSignal.abort();
    const calls: (() => Promise<unknown>)[] = [
      () => repository.resolve('v1', signal),
      () => repository.manifest('v1', signal),
      () => repository.blob(source.descriptor, 0, signal),
      () => repository.statBlob(source.descriptor.digest, signal),
      () => repository.mountBlob(source.descriptor.digest, 'suite/other', signal),
      () => repository.uploadBlob(blobSource(Buffer.from('d')), undefined, signal),
      () => repository.putManifest(Buffer.from('{}'), MediaTypes.ociManifest, 'v1', signal),
      () => repository.deleteManifest('v1', signal),
      () => collect(repository.tags(signal)),
      () => repository.referrers(source.descriptor.digest, undefined, signal),
    ];
    for (const call of calls) await assert.rejects(async () => call(), kind('cancelled'));
  });

  on('a signal that fires in the middle ends a blob', async (repository) => {
    const source = blobSource(Buffer.alloc(8_000_000, 'm'));
    await repository.uploadBlob(source);
    const stop = new AbortController();
    const { body } = await repository.blob(source.descriptor, 0, stop.signal);
    const reading = (async () => {
      for await (const _ of body) stop.abort();
    })();
    await assert.rejects(reading, (thrown: unknown) => isKind(thrown, 'cancelled'));
  });
}
