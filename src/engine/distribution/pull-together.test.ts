import assert from 'node:assert/strict';
import { truncateSync } from 'node:fs';
import { test } from 'node:test';
import { shortId, WharfError } from '../../base/index.ts';
import { type Digest, digestOf, hostPlatform } from '../../oci/index.ts';
import type { Registries } from '../../registry/client/index.ts';
import { removeImage, sweepContent } from '../images/index.ts';
import { EMPTY, inventory } from '../images/test-fixture.ts';
import { countingUnpacks, HOST, openDistribution } from './testing/fixture.ts';
import { publish, publishIndex, pull, told } from './testing/published.ts';

const remove = { force: true, noPrune: false };

test('a hundred pulls of one image fetch and unpack each layer once', async () => {
  await using home = openDistribution();
  const { layers, config } = publish(home.registry, 'app', { tag: '1' });
  const { deps, unpacked } = countingUnpacks(home.deps);
  const all = await Promise.all(Array.from({ length: 100 }, () => pull(deps, 'app', { tag: '1' })));
  for (const lines of all) assert.match(told(lines).at(-1) ?? '', /^Status: /);
  assert.deepEqual(
    home.registry.asked('blob').sort(),
    [config, ...layers].map(({ digest }) => `app ${digest}`).sort(),
  );
  assert.equal(unpacked(), 2);
});

test('images that share layers come at once, while half of the pulls are given up and others’ images are removed', async () => {
  await using home = openDistribution({ downloads: 4 });
  const noise = (seed: number) => Buffer.alloc(40_000, `noise ${seed} `);
  const shared: Record<string, Buffer>[] = [{ base: noise(0) }, { runtime: noise(1) }];
  const published = Array.from({ length: 20 }, (_, at) =>
    publish(home.registry, `app${at}`, {
      tag: '1',
      files: [...shared.slice(0, 1 + (at % 2)), { own: noise(100 + at) }],
    }),
  );
  home.registry.piece = 1000;
  home.registry.during = async () => new Promise<void>((resolve) => setImmediate(resolve));
  const cancelled = new Set<number>();
  const work = published.map(async (_, at) => {
    const giveUp = new AbortController();
    if (at % 4 < 2) {
      cancelled.add(at);
      setTimeout(() => giveUp.abort(), 5 * at);
    }
    const lines = await pull(home.deps, `app${at}`, { tag: '1' }, giveUp.signal).catch((thrown: unknown) => {
      assert.ok(giveUp.signal.aborted, String(thrown));
      return undefined;
    });
    if (lines) assert.match(told(lines).at(-1) ?? '', /^Status: /);
    // Whoever is done removes the image at once, beside the others' work.
    if (lines && at % 3 === 0) {
      await removeImage({ ...home.deps, containersOf: () => [] }, `${HOST}/app${at}:1`, remove);
    }
    await sweepContent(home.deps);
  });
  await Promise.all(work);
  const { images, content, snapshots } = home.deps;
  await snapshots.settled();
  for (const image of images.all()) {
    for (const digest of images.blobsOf(image.id)) assert.equal(digestOf(await content.read(digest)), digest);
    for (const { chainId } of image.layers) assert.equal(snapshots.stat(chainId)?.kind, 'layer');
  }
  // Nothing is there that nobody needs.
  const { blobs = [], snapshots: layers = [] } = await inventory(home.fixture);
  assert.deepEqual(
    blobs.filter((digest) => !images.needed().blobs.has(digest)),
    [],
  );
  assert.deepEqual(
    layers.filter((key) => !images.needed().layers.has(key)),
    [],
  );
  // Those given up come now.
  for (const at of cancelled) {
    const lines = told(await pull(home.deps, `app${at}`, { tag: '1' }));
    assert.match(lines.at(-1) ?? '', /^Status: /);
  }
});

test('a cancelled pull goes on where it stopped, in another process, too', async () => {
  await using home = openDistribution();
  const big = Buffer.from(Array.from({ length: 400_000 }, (_, at) => (at * 7919) % 251));
  const { layers } = publish(home.registry, 'app', { tag: '1', files: [{ big }], pack: 'plain' });
  const giveUp = new AbortController();
  home.registry.during = ({ about }, at) => {
    if (about === layers[0]?.digest && at >= 200_000) giveUp.abort();
  };
  await assert.rejects(pull(home.deps, 'app', { tag: '1' }, giveUp.signal));
  const left = await inventory(home.fixture);
  assert.deepEqual({ ...left, temporary: [] }, { ...EMPTY, temporary: [] });
  home.registry.during = () => {};
  let first = Number.POSITIVE_INFINITY;
  for await (const { size } of home.deps.content.ingests()) first = size;
  assert.ok(first >= 190_000, 'what came is kept');
  // As at the start of the daemon.
  await home.deps.content.recover();
  await sweepContent(home.deps);
  const lines = await pull(home.deps, 'app', { tag: '1' });
  const counts = lines
    .filter(({ status }) => status === 'Downloading')
    .map(({ progressDetail }) => (progressDetail as { current: number }).current);
  assert.ok((counts[0] ?? 0) >= first, 'it goes on there');
  assert.match(told(lines).at(-1) ?? '', /^Status: Downloaded newer/);
});

test('an image that is removed while another pull of it is at its end stays whole for that pull', async () => {
  await using home = openDistribution();
  publish(home.registry, 'app', { tag: '1' });
  publish(home.registry, 'other', { tag: '1', files: [{ a: 'a of app' }, { b: 'b of app' }] });
  await pull(home.deps, 'app', { tag: '1' });
  home.registry.before = async ({ method, path }) => {
    if (method !== 'manifest' || path !== 'other') return;
    home.registry.before = () => {};
    await removeImage({ ...home.deps, containersOf: () => [] }, `${HOST}/app:1`, remove);
  };
  const lines = told(await pull(home.deps, 'other', { tag: '1' }));
  assert.match(lines.at(-1) ?? '', /^Status: Downloaded newer/);
  const image = home.deps.images.resolve(`${HOST}/other:1`);
  for (const digest of home.deps.images.blobsOf(image.id)) assert.ok(await home.deps.content.stat(digest));
});

test('a pull that fails leaves what was there, and takes what it brought', async () => {
  await using home = openDistribution();
  publish(home.registry, 'app', { tag: '1', files: [{ a: 'first' }] });
  await pull(home.deps, 'app', { tag: '1' });
  const before = await inventory(home.fixture);
  const { layers } = publish(home.registry, 'app', {
    tag: '1',
    files: [{ a: 'first' }, { b: '2' }, { c: '3' }],
  });
  home.registry.before = ({ method, about }) => {
    if (method === 'blob' && about === layers[2]?.digest) {
      throw new WharfError('not-found', 'blob unknown: blob unknown to registry');
    }
  };
  const lines = await pull(home.deps, 'app', { tag: '1' });
  const message = 'unknown blob';
  assert.deepEqual(lines.at(-1), { errorDetail: { message }, error: message });
  await home.deps.snapshots.settled();
  assert.deepEqual(await inventory(home.fixture), before);
  assert.equal(home.fixture.published.length, 1);
});

test('a retry of the registry’s client is told of at the layer it is for', async () => {
  await using home = openDistribution();
  const { layers } = publish(home.registry, 'app', { tag: '1' });
  const registries = home.deps.registries();
  const patient: Registries = {
    ...registries,
    repository(name, options) {
      home.registry.before = ({ method, about }) => {
        if (method !== 'blob') return;
        options.onRetry?.({ what: `blob ${about}`, waitMs: 1500 });
        options.onRetry?.({ what: 'token of registry.test', waitMs: 1 });
      };
      return registries.repository(name, options);
    },
  };
  const lines = told(await pull({ ...home.deps, registries: () => patient }, 'app', { tag: '1' }));
  const retries = lines.filter((line) => line.includes('Retrying'));
  assert.deepEqual(
    retries.sort(),
    layers.map(({ digest }) => `${shortId(digest)}: Retrying in 2 seconds`).sort(),
  );
});

test('a document that can’t be written fails the pull, and names nothing', async () => {
  await using home = openDistribution();
  publish(home.registry, 'app', { tag: '1' });
  const content = Object.create(home.deps.content, {
    put: {
      value: async () => {
        throw new WharfError('exhausted', 'ENOSPC: no space left on device, write');
      },
    },
  });
  const lines = await pull({ ...home.deps, content }, 'app', { tag: '1' });
  assert.equal(lines.at(-1)?.['error'], 'ENOSPC: no space left on device, write');
  await home.deps.snapshots.settled();
  assert.deepEqual(await inventory(home.fixture), EMPTY);
});

test('a hundred tags of one image fetch its blobs once, and all are named', async () => {
  await using home = openDistribution();
  const { manifest, config } = publish(home.registry, 'app', { tag: 'v0' });
  for (let tag = 1; tag < 100; tag++) home.registry.contents('app').tags.set(`v${tag}`, manifest.digest);
  await pull(home.deps, 'app', { allTags: true });
  assert.equal(home.registry.asked('blob').length, 3);
  assert.equal(home.deps.images.namesOf(config.digest).length, 101);
});

test('what was cut on the disk comes back with another pull, each blob of it', async () => {
  await using home = openDistribution();
  const { manifest } = publish(home.registry, 'app', {});
  const note = home.registry.addBlob('app', Buffer.from('a note'), 'application/vnd.note');
  publishIndex(home.registry, 'app', [{ ...manifest, platform: hostPlatform() }, note], '1');
  await pull(home.deps, 'app', { tag: '1' });
  const before = await inventory(home.fixture);
  assert.equal(before['blobs']?.length, 6);
  for (const digest of before['blobs'] as Digest[]) {
    truncateSync(home.deps.content.pathOf(digest), 1);
    const lines = told(await pull(home.deps, 'app', { tag: '1' }));
    assert.match(String(lines.at(-1)), /^Status: /, `${digest}: ${lines.at(-1)}`);
    assert.equal(digestOf(await home.deps.content.read(digest)), digest);
  }
  assert.deepEqual(await inventory(home.fixture), before);
});
