import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { isKind, WharfError } from '../../base/index.ts';
import { type Descriptor, digestOf, hostPlatform, MediaTypes } from '../../oci/index.ts';
import { EMPTY, inventory, layerOf } from '../images/test-fixture.ts';
import { HOST, openDistribution } from './testing/fixture.ts';
import { publish, publishIndex, pull, told } from './testing/published.ts';

type Home = ReturnType<typeof openDistribution>;

/** A manifest of which parts are replaced, and the last line of its pull. */
async function last(home: Home, more: Record<string, unknown>, tag = 'bad'): Promise<string> {
  publish(home.registry, 'app', { tag, more });
  return told(await pull(home.deps, 'app', { tag })).at(-1) ?? '';
}

const zeros = `sha256:${'0'.repeat(64)}`;
const configs: [what: string, config: Record<string, unknown>, text: RegExp][] = [
  ['without rootfs', { rootfs: undefined }, /^error: invalid rootfs in image configuration$/],
  ['of a null rootfs', { rootfs: null }, /^error: invalid rootfs in image configuration$/],
  ['of another rootfs type', { rootfs: { type: 'volume', diff_ids: [] } }, /^error: invalid rootfs/],
  [
    'of fewer layers',
    { rootfs: { type: 'layers', diff_ids: [zeros] } },
    /^error: layers from manifest don't match image configuration$/,
  ],
  [
    'of more layers',
    { rootfs: { type: 'layers', diff_ids: [zeros, zeros, zeros] } },
    /^error: layers from manifest don't match image configuration$/,
  ],
  [
    'of other diffIDs',
    { rootfs: { type: 'layers', diff_ids: [zeros, `sha256:${'1'.repeat(64)}`] } },
    /^error: layers from manifest don't match image configuration$/,
  ],
  [
    'of a diffID that is a path',
    { rootfs: { type: 'layers', diff_ids: ['sha256:../../etc', zeros] } },
    /^error: invalid image config|^error: invalid rootfs/,
  ],
  [
    'for Windows',
    { os: 'windows' },
    /^error: image operating system "windows" cannot be used on this platform: operating system is not supported$/,
  ],
  ['of wrong types', { config: { Env: 'A=B' } }, /^error: invalid image config/],
  [
    'nested too deep',
    { deep: JSON.parse('['.repeat(200) + ']'.repeat(200)) as unknown },
    /^error: invalid image config: it is nested/,
  ],
];
for (const [what, config, text] of configs) {
  test(`an image config ${what} is refused, and nothing stays`, async () => {
    await using home = openDistribution();
    publish(home.registry, 'app', { tag: 'bad', config });
    const lines = told(await pull(home.deps, 'app', { tag: 'bad' }));
    assert.match(lines.at(-1) ?? '', text);
    await home.deps.snapshots.settled();
    assert.deepEqual(await inventory(home.fixture), EMPTY);
  });
}

const oversized = 2 ** 45;
const manifests: [what: string, more: Record<string, unknown>, text: RegExp][] = [
  [
    'of a config type unknown here',
    { config: { mediaType: 'application/vnd.cncf.helm.config.v1+json', digest: zeros, size: 2 } },
    /^error: unsupported media type application\/vnd\.cncf\.helm\.config\.v1\+json$/,
  ],
  [
    'of an empty config',
    { config: { mediaType: MediaTypes.ociEmpty, digest: zeros, size: 2 } },
    /^error: unsupported media type application\/vnd\.oci\.empty\.v1\+json$/,
  ],
  [
    'of a huge config',
    { config: { mediaType: MediaTypes.ociConfig, digest: zeros, size: 2 ** 31 } },
    /^error: the image config sha256:0+ is said to have 2147483648 bytes$/,
  ],
  [
    'of a huge layer',
    { layers: [{ mediaType: MediaTypes.ociLayer, digest: zeros, size: oversized }] },
    /^error: the blob sha256:0+ is said to have \d+ bytes$/,
  ],
  [
    'of a config that is not there',
    { config: { mediaType: MediaTypes.ociConfig, digest: zeros, size: 2 } },
    /^error: error pulling image configuration: unknown blob$/,
  ],
];
for (const [what, more, text] of manifests) {
  test(`a manifest ${what} is refused`, async () => {
    await using home = openDistribution();
    assert.match(await last(home, more), text);
    assert.deepEqual(await inventory(home.fixture), EMPTY);
  });
}

const early: [what: string, document: object | Buffer, mediaType: string, kind: WharfError['kind']][] = [
  [
    'both an index and a manifest',
    { schemaVersion: 2, manifests: [], layers: [], config: {} },
    MediaTypes.ociManifest,
    'corrupt',
  ],
  [
    'of another type than it came as',
    { schemaVersion: 2, mediaType: MediaTypes.ociIndex, manifests: [] },
    MediaTypes.ociManifest,
    'corrupt',
  ],
  [
    'with a key that reads in two ways',
    { schemaVersion: 2, manifests: [], Layers: [] },
    MediaTypes.ociIndex,
    'corrupt',
  ],
  [
    'of schema 1',
    { schemaVersion: 1, fsLayers: [], history: [] },
    MediaTypes.dockerSchema1Signed,
    'not-implemented',
  ],
  ['a list', [], MediaTypes.ociManifest, 'corrupt'],
  ['no JSON', Buffer.from('<html>'), 'text/html', 'corrupt'],
  [
    'nested too deep',
    Buffer.from(`{"schemaVersion":2,"a":${'['.repeat(5000)}${']'.repeat(5000)}}`),
    MediaTypes.ociManifest,
    'corrupt',
  ],
  [
    'with a digest that is a path',
    {
      schemaVersion: 2,
      config: { mediaType: MediaTypes.ociConfig, digest: 'sha256:../x', size: 1 },
      layers: [],
    },
    MediaTypes.ociManifest,
    'corrupt',
  ],
  [
    'with a negative size',
    { schemaVersion: 2, config: { mediaType: MediaTypes.ociConfig, digest: zeros, size: -1 }, layers: [] },
    MediaTypes.ociManifest,
    'corrupt',
  ],
];
for (const [what, document, mediaType, kind] of early) {
  test(`a document that is ${what} is refused before the first line`, async () => {
    await using home = openDistribution();
    home.registry.addManifest('app', document, mediaType, 'bad');
    await assert.rejects(pull(home.deps, 'app', { tag: 'bad' }), (thrown) => isKind(thrown, kind));
    assert.deepEqual(await inventory(home.fixture), EMPTY);
  });
}

test('a document that is not what its digest says is refused', async () => {
  await using home = openDistribution();
  const { manifest } = publish(home.registry, 'app', { tag: '1' });
  const bytes = Buffer.from('{"schemaVersion":2}');
  const stored = home.registry.contents('app').manifests.get(manifest.digest);
  assert.ok(stored);
  stored.bytes = bytes;
  await assert.rejects(pull(home.deps, 'app', { tag: '1' }), {
    message: `manifest verification failed for digest ${manifest.digest}`,
  });
  await assert.rejects(pull(home.deps, 'app', { tag: manifest.digest }), (thrown) =>
    isKind(thrown, 'corrupt'),
  );
  assert.deepEqual(await inventory(home.fixture), EMPTY);
});

test('an entry of an index that has another size than announced is refused', async () => {
  await using home = openDistribution();
  const { manifest } = publish(home.registry, 'app', {});
  publishIndex(home.registry, 'app', [{ ...manifest, size: manifest.size + 1 }], 'index');
  const lines = told(await pull(home.deps, 'app', { tag: 'index' }));
  assert.match(lines.at(-1) ?? '', /^error: the document sha256:.* has \d+ bytes, \d+ were announced$/);
  publishIndex(home.registry, 'app', [{ ...manifest, size: 2 ** 40 }], 'huge');
  assert.match(
    told(await pull(home.deps, 'app', { tag: 'huge' })).at(-1) ?? '',
    /^error: the document .* is said to have/,
  );
});

const layers: [what: string, blob: Buffer, text: RegExp][] = [
  ['is no archive', Buffer.from('garbage'.repeat(1000)), /^error: failed to register layer: /],
  [
    'is cut',
    gzipSync(layerOf({ a: 'x'.repeat(5000) })).subarray(0, -20),
    /^error: failed to register layer: /,
  ],
  [
    'climbs out of its folder',
    gzipSync(layerOf({ '../../../../var/tmp/wharf-escaped': 'x' })),
    /^error: failed to register layer: |^error: layers from manifest don't match/,
  ],
  [
    'is packed to bursting',
    gzipSync(Buffer.alloc(256 << 20), { level: 9 }),
    /^error: failed to register layer: |^error: layers from manifest don't match/,
  ],
];
for (const [what, blob, text] of layers) {
  test(`a layer that ${what} is refused, and nothing stays`, async () => {
    await using home = openDistribution();
    const evil = home.registry.addBlob('app', blob, MediaTypes.ociLayerGzip);
    const config = { rootfs: { type: 'layers', diff_ids: [zeros] } };
    publish(home.registry, 'app', { tag: 'bad', config, more: { layers: [evil] } });
    assert.match(told(await pull(home.deps, 'app', { tag: 'bad' })).at(-1) ?? '', text);
    await home.deps.snapshots.settled();
    assert.deepEqual(await inventory(home.fixture), EMPTY);
  });
}

test('wrong bytes of a layer are told of as such, though they unpack to nonsense before', async () => {
  await using home = openDistribution();
  const { layers: all } = publish(home.registry, 'app', { tag: '1' });
  const { digest, size } = all[1] as Descriptor;
  home.registry.contents('app').blobs.set(digest, Buffer.alloc(size, 'nonsense'));
  const lines = told(await pull(home.deps, 'app', { tag: '1' }));
  assert.equal(lines.at(-1), `error: filesystem layer verification failed for digest ${digest}`);
  assert.deepEqual(await inventory(home.fixture), EMPTY);
});

test('wrong bytes of a layer that come right at the second try make the image whole', async () => {
  await using home = openDistribution();
  const { layers: all } = publish(home.registry, 'app', { tag: '1' });
  const { digest, size } = all[1] as Descriptor;
  const { blobs } = home.registry.contents('app');
  const right = blobs.get(digest) as Buffer;
  blobs.set(digest, Buffer.alloc(size, 'nonsense'));
  home.registry.before = ({ method, about }) => {
    if (method === 'blob' && home.registry.calls.filter((call) => call.about === about).length > 1) {
      blobs.set(digest, right);
    }
  };
  const lines = told(await pull(home.deps, 'app', { tag: '1' }));
  assert.equal(lines.at(-1), `Status: Downloaded newer image for ${HOST}/app:1`);
  assert.equal(digestOf(await home.deps.content.read(digest)), digest);
});

for (const [what, lie] of [
  ['climbs out of its folder', layerOf({ '../../evil': 'x' }).subarray(0, 1024)],
  ['is no archive', Buffer.alloc(1024, 'nonsense')],
] as const) {
  test(`half a layer that somebody lied of, and that ${what}, ends no other pull`, async () => {
    await using home = openDistribution();
    const { layers } = publish(home.registry, 'app', {
      tag: '1',
      pack: 'plain',
      files: [{ a: Buffer.alloc(200_000, 'a') }],
    });
    home.registry.piece = 10_000;
    // So slowly that the unpacking sees the lie first.
    home.registry.during = () => new Promise((resolve) => setTimeout(resolve, 5));
    const ingest = await home.fixture.content.ingest(String(layers[0]?.digest).replace(':', '-'));
    await ingest.write(lie);
    await ingest.close();
    assert.equal(
      told(await pull(home.deps, 'app', { tag: '1' })).at(-1),
      `Status: Downloaded newer image for ${HOST}/app:1`,
    );
  });
}

test('a blob is not taken for a layer that is here because an image says so', async () => {
  await using home = openDistribution();
  publish(home.registry, 'app', { tag: 'good', files: [{ a: 'known' }] });
  await pull(home.deps, 'app', { tag: 'good' });
  const before = await inventory(home.fixture);
  const lie = home.registry.addBlob(
    'app',
    gzipSync(layerOf({ a: 'something else' })),
    MediaTypes.ociLayerGzip,
  );
  publish(home.registry, 'app', { tag: 'lie', files: [{ a: 'known' }], more: { layers: [lie] } });
  const line = told(await pull(home.deps, 'app', { tag: 'lie' })).at(-1);
  assert.match(String(line), /^error: .*its image names sha256:/);
  assert.deepEqual(await inventory(home.fixture), before);
});

test('a document that is here is not taken for one of another size', async () => {
  await using home = openDistribution();
  const { manifest } = publish(home.registry, 'app', { tag: 'good', files: [{ a: 'known' }] });
  await pull(home.deps, 'app', { tag: 'good' });
  publishIndex(home.registry, 'app', [{ ...manifest, size: 7, platform: hostPlatform() }], 'lie');
  const line = told(await pull(home.deps, 'app', { tag: 'lie' })).at(-1);
  assert.match(
    String(line),
    new RegExp(`^error: the document ${manifest.digest} has ${manifest.size} bytes, 7 were`),
  );
  assert.deepEqual(home.deps.images.named(`${HOST}/app:lie`), undefined);
});

test('wrong bytes of a config are told of in Docker’s words', async () => {
  await using home = openDistribution();
  const { config } = publish(home.registry, 'app', { tag: '1' });
  home.registry.contents('app').blobs.set(config.digest, Buffer.alloc(config.size, ' '));
  assert.equal(
    told(await pull(home.deps, 'app', { tag: '1' })).at(-1),
    `error: error pulling image configuration: image config verification failed for digest ${config.digest}`,
  );
});

/** A small generator of its own, so that a failure can be had again. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const NASTY: unknown[] = [
  null,
  true,
  -1,
  2 ** 53,
  1e308,
  '',
  'sha256:',
  zeros,
  `sha512:${'f'.repeat(128)}`,
  '\u0000',
  '../..',
  [],
  {},
  [[]],
  { digest: zeros },
  { mediaType: 'x', digest: zeros, size: 1 },
  MediaTypes.ociIndex,
  MediaTypes.ociManifest,
  ['a', 1],
];

/** A copy of which one value, anywhere in it, is replaced, dropped, doubled or given another key. */
function mutated(document: object, pick: (below: number) => number): object {
  const copy = structuredClone(document);
  const places: { holder: Record<string, unknown>; key: string }[] = [];
  const visit = (holder: Record<string, unknown>) => {
    for (const [key, value] of Object.entries(holder)) {
      places.push({ holder, key });
      if (typeof value === 'object' && value !== null) visit(value as Record<string, unknown>);
    }
  };
  visit(copy as Record<string, unknown>);
  for (let count = 1 + pick(2); count > 0; count--) {
    const { holder, key } = places[pick(places.length)] as (typeof places)[number];
    const way = pick(4);
    if (way === 0) holder[key] = NASTY[pick(NASTY.length)];
    else if (way === 1) delete holder[key];
    else if (way === 2) holder[key] = places[pick(places.length)]?.holder;
    else holder[NASTY.filter((one) => typeof one === 'string')[pick(6)] as string] = holder[key];
  }
  return copy;
}

/** Like JSON.stringify, of values that may hold themselves. */
function written(document: object): string | undefined {
  try {
    return JSON.stringify(document);
  } catch {
    return undefined;
  }
}

test('thousands of mutated manifests, indexes and configs are refused or pulled, and hurt nothing', async () => {
  await using home = openDistribution();
  const good = publish(home.registry, 'app', { tag: 'good', files: [{ a: 'x' }] });
  await pull(home.deps, 'app', { tag: 'good' });
  const kept = home.deps.images.resolve(`${HOST}/app:good`);
  const { blobs, manifests: documents } = home.registry.contents('app');
  const manifest = JSON.parse(String(documents.get(good.manifest.digest)?.bytes)) as object;
  const config = JSON.parse(String(blobs.get(good.config.digest))) as object;
  const index = {
    schemaVersion: 2,
    mediaType: MediaTypes.ociIndex,
    manifests: [{ ...good.manifest, platform: { os: 'linux', architecture: 'amd64' } }],
  };
  const pick = random(20240601);
  const ends = { pulled: 0, refused: 0 };
  for (let round = 0; round < 2000; round++) {
    const [seed, type] = round % 3 === 0 ? [index, MediaTypes.ociIndex] : [manifest, MediaTypes.ociManifest];
    if (round % 3 === 2) {
      const text = written(mutated(config, pick));
      if (text === undefined) continue;
      const own = home.registry.addBlob('app', Buffer.from(text), MediaTypes.ociConfig);
      home.registry.addManifest('app', { ...manifest, config: own }, MediaTypes.ociManifest, 'bad');
    } else {
      const text = written(mutated(seed, pick));
      if (text === undefined) continue;
      home.registry.addManifest('app', Buffer.from(text), type, 'bad');
    }
    const lines = await pull(home.deps, 'app', { tag: 'bad' }).catch((thrown: unknown) => {
      assert.ok(thrown instanceof WharfError, String(thrown));
      assert.ok(thrown.kind !== 'internal', `${thrown.kind}: ${thrown.message}`);
      return undefined;
    });
    if (lines && !lines.at(-1)?.['error']) ends.pulled++;
    else ends.refused++;
    if (home.deps.images.named(`${HOST}/app:bad`)) home.deps.images.removeName(`${HOST}/app:bad`);
  }
  assert.ok(ends.refused > 300 && ends.pulled > 50, JSON.stringify(ends));
  assert.equal(home.deps.images.resolve(`${HOST}/app:good`).id, kept.id);
  for (const image of home.deps.images.all()) {
    for (const { chainId } of image.layers) assert.equal(home.deps.snapshots.stat(chainId)?.kind, 'layer');
  }
  for await (const { digest } of home.deps.content.list()) {
    assert.equal(digestOf(await home.deps.content.read(digest)), digest);
  }
});
