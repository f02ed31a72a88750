import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isKind, shortId, WharfError } from '../../base/index.ts';
import { type Descriptor, digestOf, type Manifest, MediaTypes } from '../../oci/index.ts';
import { EMPTY, inventory } from '../images/test-fixture.ts';
import { countingUnpacks, HOST, openDistribution } from './testing/fixture.ts';
import { publish, publishIndex, pull, told } from './testing/published.ts';

const arm = { os: 'linux', architecture: 'arm64', variant: 'v8' };
const amd = { os: 'linux', architecture: 'amd64' };
const windows = { os: 'windows', architecture: 'amd64', 'os.version': '10.0.1' };
const unknown = { os: 'unknown', architecture: 'unknown' };
const short = ({ digest }: Descriptor) => shortId(digest);

for (const [what, options] of [
  ['gzip', {}],
  ['zstd', { pack: 'zstd' }],
  ['plain', { pack: 'plain' }],
  ['Docker schema 2', { docker: true }],
] as const) {
  test(`an image of ${what} layers is pulled, kept byte for byte, and told of as in the reference`, async () => {
    await using home = openDistribution();
    const { manifest, config, layers } = publish(home.registry, 'team/app', { tag: '1', ...options });
    const lines = told(await pull(home.deps, 'team/app', { tag: '1' }));
    const [first, second] = layers.map(short);
    assert.deepEqual(lines.slice(0, 3), [
      '1: Pulling from team/app',
      `${first}: Pulling fs layer`,
      `${second}: Pulling fs layer`,
    ]);
    for (const id of [first, second]) {
      const own = lines.filter((line) => line.startsWith(`${id}: `)).map((line) => line.slice(14));
      assert.deepEqual(own, ['Pulling fs layer', 'Verifying Checksum', 'Download complete', 'Pull complete']);
    }
    assert.deepEqual(lines.slice(-2), [
      `Digest: ${manifest.digest}`,
      `Status: Downloaded newer image for ${HOST}/team/app:1`,
    ]);
    const { images, content, snapshots } = home.deps;
    const image = images.resolve(`${HOST}/team/app:1`);
    assert.equal(image.id, config.digest);
    assert.deepEqual(image.manifest, manifest);
    assert.deepEqual(
      image.layers.map(({ blob }) => blob),
      layers,
    );
    for (const { digest } of [manifest, config, ...layers]) {
      assert.equal(digestOf(await content.read(digest)), digest);
    }
    assert.deepEqual(images.namesOf(image.id), [`${HOST}/team/app:1`, `${HOST}/team/app@${manifest.digest}`]);
    assert.deepEqual(images.name(`${HOST}/team/app:1`)?.target, manifest);
    assert.deepEqual(images.indexes(), []);
    const top = image.layers[1]?.chainId ?? '';
    assert.equal(snapshots.stat(top)?.parent, image.layers[0]?.chainId);
    assert.equal(readFileSync(join(snapshots.directory(top), 'b'), 'utf8'), 'b of team/app');
    assert.deepEqual(home.fixture.published, [
      {
        type: 'image',
        action: 'pull',
        id: `${HOST}/team/app:1`,
        attributes: { l: 'v', name: `${HOST}/team/app` },
      },
    ]);
  });
}

test('counts of a layer go up to its size', async () => {
  await using home = openDistribution();
  const { layers } = publish(home.registry, 'app', {
    tag: '1',
    files: [{ big: Buffer.alloc(1 << 20, 'x') }],
    pack: 'plain',
  });
  const lines = await pull(home.deps, 'app', { tag: '1' });
  const counted = lines.filter(({ status }) => status === 'Downloading');
  const total = layers[0]?.size;
  assert.deepEqual(counted.at(-1)?.['progressDetail'], { current: total, total });
  assert.match(String(counted.at(-1)?.['progress']), /^\[={50}>\] {2,3}1\.0\d+MB\/1\.0\d+MB$/);
  assert.equal(counted.at(-1)?.['id'], shortId(layers[0]?.digest ?? ''));
});

test('what is here is asked for by HEAD alone', async () => {
  await using home = openDistribution();
  const { manifest } = publish(home.registry, 'app', { tag: '1' });
  await pull(home.deps, 'app', { tag: '1' });
  home.registry.calls.length = 0;
  assert.deepEqual(told(await pull(home.deps, 'app', { tag: '1' })), [
    '1: Pulling from app',
    `Digest: ${manifest.digest}`,
    `Status: Image is up to date for ${HOST}/app:1`,
  ]);
  assert.deepEqual(
    home.registry.calls.map(({ method }) => method),
    ['resolve'],
  );
  assert.equal(home.fixture.published.length, 2, 'an event all the same');
});

test('layers that another image brought are not fetched again', async () => {
  await using home = openDistribution();
  const files: Record<string, string>[] = [{ a: 'shared' }, { b: 'own' }];
  const first = publish(home.registry, 'one', { tag: '1', files: files.slice(0, 1) });
  const { layers } = publish(home.registry, 'two', { tag: '1', files });
  await pull(home.deps, 'one', { tag: '1' });
  home.registry.calls.length = 0;
  const lines = told(await pull(home.deps, 'two', { tag: '1' }));
  assert.equal(lines[1], `${short(first.layers[0] as Descriptor)}: Already exists`);
  assert.equal(lines[2], `${short(layers[1] as Descriptor)}: Pulling fs layer`);
  assert.equal(home.registry.asked('blob').length, 2, 'the config and the layer that is new');
});

test('a layer that is here in another packing is fetched, and not unpacked again', async () => {
  await using home = openDistribution();
  const files = [{ a: 'same' }];
  publish(home.registry, 'one', { tag: 'gzip', files });
  const { manifest, layers } = publish(home.registry, 'one', {
    tag: 'zstd',
    files,
    pack: 'zstd',
    more: { annotations: { a: 'b' } },
  });
  await pull(home.deps, 'one', { tag: 'gzip' });
  const { deps, unpacked } = countingUnpacks(home.deps);
  const lines = told(await pull(deps, 'one', { tag: 'zstd' }));
  assert.deepEqual(lines.slice(1, -2), [
    `${short(layers[0] as Descriptor)}: Pulling fs layer`,
    `${short(layers[0] as Descriptor)}: Verifying Checksum`,
    `${short(layers[0] as Descriptor)}: Download complete`,
    `${short(layers[0] as Descriptor)}: Pull complete`,
  ]);
  assert.equal(unpacked(), 0);
  const [image, ...others] = home.deps.images.all();
  assert.deepEqual(others, [], 'one image by its config');
  assert.deepEqual(home.deps.images.name(`${HOST}/one:zstd`)?.target, manifest);
  // Both packings stay as long as their names do.
  const blobs = (await inventory(home.fixture))['blobs'] ?? [];
  assert.equal(blobs.length, 5);
  home.deps.images.removeName(`${HOST}/one:zstd`);
  home.deps.images.removeName(`${HOST}/one@${manifest.digest}`);
  assert.ok(!home.deps.images.needed().blobs.has(layers[0]?.digest ?? ''));
  assert.ok(home.deps.images.needed().blobs.has(image?.manifest.digest ?? ''));
});

test('a tag that moved takes the name along, and leaves the old image its digest', async () => {
  await using home = openDistribution();
  const old = publish(home.registry, 'app', { tag: '1', files: [{ a: 'old' }] });
  await pull(home.deps, 'app', { tag: '1' });
  const fresh = publish(home.registry, 'app', { tag: '1', files: [{ a: 'new' }] });
  const lines = told(await pull(home.deps, 'app', { tag: '1' }));
  assert.equal(lines.at(-1), `Status: Downloaded newer image for ${HOST}/app:1`);
  assert.equal(home.deps.images.named(`${HOST}/app:1`), fresh.config.digest);
  assert.deepEqual(home.deps.images.namesOf(old.config.digest), [`${HOST}/app@${old.manifest.digest}`]);
});

test('by digest the image gets that name alone; a tag beside it does not count', async () => {
  await using home = openDistribution();
  const { manifest, config } = publish(home.registry, 'app', { tag: '1' });
  const ref = `${HOST}/app:nope@${manifest.digest}`;
  const lines = told(await pull(home.deps, ref));
  assert.equal(lines[0], `${ref}: Pulling from app`);
  assert.deepEqual(lines.slice(-2), [
    `Digest: ${manifest.digest}`,
    `Status: Downloaded newer image for ${ref}`,
  ]);
  assert.deepEqual(home.deps.images.namesOf(config.digest), [`${HOST}/app@${manifest.digest}`]);
  const again = told(await pull(home.deps, 'app', { tag: manifest.digest }));
  assert.equal(again.at(-1), `Status: Image is up to date for ${HOST}/app@${manifest.digest}`);
});

test('all tags of a repository come one after the other', async () => {
  await using home = openDistribution();
  const one = publish(home.registry, 'app', { tag: 'a', files: [{ a: '1' }] });
  const two = publish(home.registry, 'app', { tag: 'b', files: [{ a: '2' }], platform: arm });
  const lines = told(await pull(home.deps, 'app', { allTags: true }));
  assert.deepEqual(
    lines.filter((line) => /Pulling from|Digest|Status/.test(line)),
    [
      'a: Pulling from app',
      `Digest: ${one.manifest.digest}`,
      'b: Pulling from app',
      `Digest: ${two.manifest.digest}`,
      `Status: Downloaded newer image for ${HOST}/app`,
    ],
  );
  assert.deepEqual(home.fixture.published.at(-1), {
    type: 'image',
    action: 'pull',
    id: `${HOST}/app`,
    attributes: { name: `${HOST}/app` },
  });
  const again = told(await pull(home.deps, 'app', { allTags: true }));
  assert.equal(again.at(-1), `Status: Image is up to date for ${HOST}/app`);
});

/** An index of an image for the host, one for another processor, one for Windows, and an attestation. */
function indexed(home: ReturnType<typeof openDistribution>, tag = 'multi') {
  const host = publish(home.registry, 'app', { files: [{ a: 'amd' }], platform: amd });
  const other = publish(home.registry, 'app', { files: [{ a: 'arm' }], platform: arm });
  const foreign = publish(home.registry, 'app', { files: [{ a: 'win' }], platform: windows });
  const proof = publish(home.registry, 'app', { files: [{ proof: 'of origin' }], platform: unknown });
  const index = publishIndex(
    home.registry,
    'app',
    [
      { ...foreign.manifest, platform: windows },
      { ...other.manifest, platform: arm },
      { ...host.manifest, platform: amd },
      {
        ...proof.manifest,
        platform: unknown,
        annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
      },
    ],
    tag,
  );
  return { host, other, foreign, proof, index };
}

test('of an index the image of the host comes, and what is no image of another platform', async () => {
  await using home = openDistribution();
  const { host, proof, other, index } = indexed(home);
  const lines = told(await pull(home.deps, 'app', { tag: 'multi', platform: amd }));
  assert.equal(lines.at(-2), `Digest: ${index.digest}`);
  assert.equal(
    lines.filter((line) => line.endsWith('Pull complete')).length,
    1,
    'attestations are not told of',
  );
  const { images, content } = home.deps;
  assert.equal(images.named(`${HOST}/app:multi`), host.config.digest);
  assert.equal(images.named(`${HOST}/app@${index.digest}`), host.config.digest);
  const kept = [index, proof.manifest, proof.config, ...proof.layers].map(({ digest }) => digest);
  assert.deepEqual(
    images.indexes().map(({ blobs }) => blobs.map(({ digest }) => digest).sort()),
    [kept.sort()],
  );
  for (const digest of kept) assert.ok(await content.stat(digest));
  assert.equal(await content.stat(other.manifest.digest), undefined);
  const again = told(await pull(home.deps, 'app', { tag: 'multi' }));
  assert.equal(again.length, 3);
});

test('another platform of the same index takes the tag; the digest stays with who had it first', async () => {
  await using home = openDistribution();
  const { host, other, index } = indexed(home);
  await pull(home.deps, 'app', { tag: 'multi', platform: amd });
  await pull(home.deps, 'app', { tag: 'multi', platform: { os: 'linux', architecture: 'arm64' } });
  const { images } = home.deps;
  assert.equal(images.named(`${HOST}/app:multi`), other.config.digest);
  assert.deepEqual(images.namesOf(host.config.digest), [`${HOST}/app@${index.digest}`]);
  // Asked for by digest, it moves.
  await pull(home.deps, 'app', { tag: index.digest, platform: arm });
  assert.deepEqual(images.namesOf(host.config.digest), []);
});

test('with all platforms every image of the index is kept, byte for byte', async () => {
  await using home = openDistribution();
  const { host, other, foreign, proof, index } = indexed(home);
  await pull(home.deps, 'app', { tag: 'multi', platform: amd });
  await pull(home.deps, 'app', { tag: 'multi', platform: amd, allPlatforms: true });
  const needed = home.deps.images.needed().blobs;
  for (const { manifest, config, layers } of [host, other, foreign, proof]) {
    for (const { digest } of [manifest, config, ...layers]) {
      assert.ok(needed.has(digest) && (await home.deps.content.stat(digest)), digest);
    }
  }
  assert.ok(needed.has(index.digest));
  // A later pull of one platform drops none of them.
  await pull(home.deps, 'app', { tag: 'multi', platform: amd });
  assert.ok(home.deps.images.needed().blobs.has(other.manifest.digest));
  home.deps.images.delete(host.config.digest);
  assert.equal(home.deps.images.needed().blobs.size, 0);
});

test('indexes within indexes are followed, and entries that don’t say their platform looked into', async () => {
  await using home = openDistribution();
  const { host, index } = indexed(home);
  const nested = publishIndex(home.registry, 'app', [index], 'nested');
  await pull(home.deps, 'app', { tag: 'nested', platform: amd });
  assert.equal(home.deps.images.named(`${HOST}/app:nested`), host.config.digest);
  assert.deepEqual(home.deps.images.name(`${HOST}/app:nested`)?.target, nested);
  let deep = nested;
  for (let depth = 0; depth < 4; depth++) deep = publishIndex(home.registry, 'app', [deep], `deep${depth}`);
  const lines = told(await pull(home.deps, 'app', { tag: 'deep3', platform: amd }));
  assert.equal(lines.at(-1), 'error: the index is nested more than 4 deep');
});

test('an entry that the registry does not have, or that can’t be read, is left out', async () => {
  await using home = openDistribution();
  const { host } = indexed(home);
  const broken = home.registry.addManifest('app', Buffer.from('{"schemaVersion":2}'), MediaTypes.ociManifest);
  const missing = { mediaType: 'application/vnd.unknown', digest: digestOf('nowhere'), size: 7 };
  const odd = home.registry.addBlob('app', Buffer.from('odd'), 'application/vnd.odd');
  publishIndex(
    home.registry,
    'app',
    [{ ...host.manifest, platform: amd }, { ...broken, platform: unknown }, missing, odd],
    'odd',
  );
  const lines = told(await pull(home.deps, 'app', { tag: 'odd', platform: amd }));
  assert.match(lines.at(-1) ?? '', /^Status: Downloaded newer image/);
  const kept = home.deps.images
    .indexes()
    .find(({ blobs }) => blobs.some(({ digest }) => digest === odd.digest));
  assert.ok(kept);
  assert.ok(!kept.blobs.some(({ digest }) => digest === missing.digest));
});

const platforms: [what: string, tag: string, platform: typeof amd, last: string][] = [
  [
    'no entry',
    'multi',
    { os: 'linux', architecture: 's390x' },
    'error: no matching manifest for linux/s390x in the manifest list entries',
  ],
  [
    'no entry of that system',
    'multi',
    { os: 'darwin', architecture: 'amd64' },
    'error: no matching manifest for darwin/amd64 in the manifest list entries',
  ],
  [
    'an empty index',
    'empty',
    amd,
    'error: no matching manifest for linux/amd64 in the manifest list entries',
  ],
  [
    'a manifest of another',
    'arm',
    amd,
    `WARNING: image with reference ${HOST}/app:arm was found but its platform (linux/arm64/v8) does not match the specified platform (linux/amd64)`,
  ],
];
for (const [what, tag, platform, last] of platforms) {
  test(`a platform for which there is ${what} is told of as in the reference`, async () => {
    await using home = openDistribution();
    indexed(home);
    publishIndex(home.registry, 'app', [], 'empty');
    publish(home.registry, 'app', { tag: 'arm', platform: arm });
    const lines = told(await pull(home.deps, 'app', { tag, platform }));
    assert.equal(lines.at(-1), last);
  });
}

test('a damaged store is made good by another pull', async () => {
  await using home = openDistribution();
  const { layers } = publish(home.registry, 'app', { tag: '1' });
  await pull(home.deps, 'app', { tag: '1' });
  await home.deps.content.remove(layers[0]?.digest as Descriptor['digest']);
  const lines = told(await pull(home.deps, 'app', { tag: '1' }));
  assert.equal(lines.at(-1), `Status: Image is up to date for ${HOST}/app:1`);
  assert.ok(await home.deps.content.stat(layers[0]?.digest as Descriptor['digest']));
});

const early: [what: string, thrown: WharfError, kind: WharfError['kind'], text: string][] = [
  [
    'a tag that is not there',
    new WharfError('not-found', 'manifest unknown: manifest unknown'),
    'not-found',
    `manifest for ${HOST}/app:1 not found: manifest unknown: manifest unknown`,
  ],
  [
    'a refusal',
    new WharfError('forbidden', 'denied: requested access to the resource is denied'),
    'not-found',
    `pull access denied for ${HOST}/app, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`,
  ],
  [
    'wrong credentials',
    new WharfError('unauthorized', 'unauthorized: authentication required'),
    'unauthorized',
    'unauthorized: authentication required',
  ],
  [
    'no connection',
    new WharfError('unavailable', 'Get "https://x/v2/": EOF'),
    'internal',
    'Get "https://x/v2/": EOF',
  ],
  [
    'too many',
    new WharfError('rate-limited', 'toomanyrequests: slow down'),
    'rate-limited',
    'toomanyrequests: slow down',
  ],
];
for (const [what, thrown, kind, text] of early) {
  test(`${what} fails before the first line, in the words of the reference`, async () => {
    await using home = openDistribution();
    home.registry.before = () => {
      throw thrown;
    };
    await assert.rejects(pull(home.deps, 'app', { tag: '1' }), (error: WharfError) => {
      assert.deepEqual([error.kind, error.message], [kind, text]);
      return true;
    });
    assert.deepEqual(await inventory(home.fixture), EMPTY);
    assert.deepEqual(home.fixture.published, []);
  });
}

const references: [image: string, tag: string, kind: WharfError['kind'], text: string][] = [
  [`${HOST}/App`, '', 'invalid', 'invalid reference format: repository name (App) must be lowercase'],
  [`${HOST}/app`, 'a b', 'invalid', 'invalid tag format'],
  [`${HOST}/app`, 'sha256:abc', 'invalid', 'invalid tag format'],
  ['scratch', 'latest', 'forbidden', "'scratch' is a reserved name"],
  [
    '0'.repeat(64),
    'x',
    'invalid',
    `invalid repository name (${'0'.repeat(64)}), cannot specify 64-byte hexadecimal strings`,
  ],
];
for (const [image, tag, kind, text] of references) {
  test(`${image.slice(0, 30)} with ${JSON.stringify(tag)} can’t be pulled`, async () => {
    await using home = openDistribution();
    await assert.rejects(
      pull(home.deps, 'x', { image, tag }),
      (thrown: Error) => isKind(thrown, kind) && thrown.message === text,
    );
    assert.deepEqual(home.registry.calls, []);
  });
}

test('credentials reach the registry; the registry of this process is reached directly', async () => {
  const asked: unknown[] = [];
  await using outer = openDistribution();
  publish(outer.registry, 'app', { tag: '1' });
  await pull(outer.deps, 'app', { tag: '1', credentials: { username: 'u', password: 'p' } });
  assert.ok(outer.registry.calls.every(({ credentials }) => credentials.password === 'p'));
  await using home = openDistribution({
    own: {
      serves: (domain) => domain === 'localhost:5000',
      async repository(path, credentials) {
        asked.push([path, credentials]);
        return outer.registry.repository(path, credentials);
      },
    },
  });
  await pull(home.deps, 'x', { image: 'localhost:5000/app', tag: '1', credentials: { username: 'me' } });
  assert.deepEqual(asked, [['app', { username: 'me' }]]);
  assert.ok(home.deps.images.named('localhost:5000/app:1'));
});

test('layers with foreign addresses are asked of the registry alone', async () => {
  await using home = openDistribution();
  const { config, layers } = publish(home.registry, 'app', {});
  const foreign = layers.map((layer) => ({
    ...layer,
    mediaType: MediaTypes.dockerForeignLayer,
    urls: ['http://evil.test/x'],
  }));
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MediaTypes.dockerManifest,
    config,
    layers: foreign,
  };
  home.registry.addManifest('app', manifest, MediaTypes.dockerManifest, 'foreign');
  const lines = told(await pull(home.deps, 'app', { tag: 'foreign' }));
  assert.match(lines.at(-1) ?? '', /Downloaded newer image/);
  assert.equal(home.registry.asked('blob').length, 3);
});
