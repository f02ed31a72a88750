import assert from 'node:assert/strict';
import { truncateSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type Descriptor, type Digest, digestOf, hostPlatform } from '../../oci/index.ts';
import { removeImage } from './remove.ts';
import { saveImages } from './save.ts';
import { tagImage } from './tag.ts';
import { verifyBlobs } from './test-blobs.ts';
import {
  configOf,
  dockerMembers,
  EMPTY,
  type Fixture,
  imported,
  inventory,
  layerOf,
  load,
  ociMembers,
  openFixture,
  packed,
  someImage,
  unpacked,
} from './test-fixture.ts';

const INDEX = 'application/vnd.oci.image.index.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const GZIP = 'application/vnd.oci.image.layer.v1.tar+gzip';
const ZSTD = 'application/vnd.oci.image.layer.v1.tar+zstd';
const NAME = 'io.containerd.image.name';
const layers = [layerOf({ a: 'one' }), layerOf({ b: 'two' })];
const config = configOf(layers);
const json = (value: unknown) => Buffer.from(JSON.stringify(value));

function packedLayout(name = 'docker.io/library/app:1'): Map<string, Buffer> {
  const blobs = [gzipSync(layers[0] as Buffer), zstdCompressSync(layers[1] as Buffer)];
  const members = ociMembers({ config, layers, blobs, layerTypes: [GZIP, ZSTD] });
  const own = blobName(entryOf(members).digest);
  // Not as Wharf would write it.
  const manifest = Buffer.concat([members.get(own) as Buffer, Buffer.from('\n')]);
  members.delete(own);
  const entry = { mediaType: MANIFEST, digest: digestOf(manifest), size: manifest.length };
  const manifests = [{ ...entry, annotations: { [NAME]: name } }];
  return members
    .set(blobName(entry.digest), manifest)
    .set('index.json', json({ schemaVersion: 2, manifests }));
}

function blobName(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}

function entryOf(members: Map<string, Buffer>): Descriptor {
  return JSON.parse(String(members.get('index.json'))).manifests[0];
}

/** A layout of an index: the host's image, another platform's, an attestation, and something nobody knows. */
function indexLayout(): Map<string, Buffer> {
  const members = packedLayout();
  const blob = (bytes: Buffer, mediaType: string) => {
    const digest = digestOf(bytes);
    members.set(blobName(digest), bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const { annotations: _, ...own } = entryOf(members);
  const other = blob(
    json({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: blob(
        json({ os: 'linux', architecture: 'mips', rootfs: { type: 'layers', diff_ids: [] } }),
        'x/config',
      ),
      layers: [],
    }),
    MANIFEST,
  );
  const statement = blob(json({ predicate: 'built with care' }), 'application/vnd.in-toto+json');
  const attestation = blob(
    json({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: blob(Buffer.from('{}'), 'x/empty'),
      layers: [statement],
    }),
    MANIFEST,
  );
  const unknown = blob(Buffer.from('from the future'), 'application/vnd.future.v1');
  const index = json({
    schemaVersion: 2,
    mediaType: INDEX,
    manifests: [
      { ...attestation, platform: { os: 'unknown', architecture: 'unknown' } },
      { ...other, platform: { os: 'linux', architecture: 'mips' } },
      { ...own, platform: hostPlatform() },
      unknown,
      {
        mediaType: MANIFEST,
        digest: digestOf('elsewhere'),
        size: 9,
        platform: { os: 'linux', architecture: 'arm' },
      },
    ],
  });
  const annotations = { [NAME]: 'docker.io/library/app:1' };
  return members.set(
    'index.json',
    json({ schemaVersion: 2, manifests: [{ ...blob(index, INDEX), annotations }] }),
  );
}

async function saved(fixture: Fixture, ...refs: string[]): Promise<Map<string, Buffer>> {
  return unpacked(saveImages(fixture, refs, {}));
}

function sameBlobs(archive: Map<string, Buffer>, members: Map<string, Buffer>): void {
  const blobs = (all: Map<string, Buffer>) =>
    [...all.keys()].filter((name) => /^blobs\/sha256\/./.test(name)).sort();
  assert.deepEqual(blobs(archive), blobs(members));
  for (const name of blobs(members)) assert.deepEqual(archive.get(name), members.get(name), name);
}

test('an image that came with its manifest is saved with it and its packed layers, byte for byte', async () => {
  await using fixture = openFixture();
  const members = packedLayout();
  await load(fixture, packed(members));
  const archive = await saved(fixture, 'app:1');
  sameBlobs(archive, members);
  assert.equal(entryOf(archive).digest, entryOf(members).digest);
  const [item] = JSON.parse(String(archive.get('manifest.json')));
  assert.deepEqual(item.RepoTags, ['app:1']);
  for (const [at, name] of item.Layers.entries()) {
    assert.equal(name, `blobs/sha256/${digestOf(archive.get(name) as Buffer).slice(7)}`, `layer ${at}`);
  }
});

test('it is the same after any number of loads and saves, in either format', async () => {
  const members = packedLayout();
  for (const left of ['manifest.json', 'index.json', '']) {
    await using fixture = openFixture();
    await load(fixture, packed(members));
    const archive = await saved(fixture, 'app:1');
    archive.delete(left);
    await using second = openFixture();
    await load(second, packed(archive));
    const image = second.images.resolve('app:1');
    assert.equal(image.id, digestOf(config));
    assert.deepEqual(image.layers, fixture.images.resolve('app:1').layers);
    const again = await saved(second, 'app:1');
    if (left !== 'index.json') sameBlobs(again, members);
  }
});

test('a new tag is saved as what the first one stood for, and an image without names with its manifest', async () => {
  await using fixture = openFixture();
  const members = packedLayout();
  await load(fixture, packed(members));
  await tagImage(fixture, 'app:1', { repo: 'copy', tag: '' });
  await removeImage(fixture, 'app:1', { force: false, noPrune: false });
  sameBlobs(await saved(fixture, 'copy'), members);
  const id = fixture.images.resolve('copy').id;
  fixture.images.removeName('docker.io/library/copy:latest');
  const byId = await saved(fixture, id);
  sameBlobs(byId, members);
  assert.equal(entryOf(byId).digest, entryOf(members).digest);
});

test('an index is kept with all of it that the layout holds, and saved again', async () => {
  await using fixture = openFixture();
  const members = indexLayout();
  assert.deepEqual(await load(fixture, packed(members)), [{ stream: 'Loaded image: app:1\n' }]);
  const target = fixture.images.name('docker.io/library/app:1')?.target;
  assert.equal(target?.digest, entryOf(members).digest);
  assert.equal(target?.mediaType, INDEX);
  const archive = await saved(fixture, 'app:1');
  sameBlobs(archive, members);
  assert.equal(entryOf(archive).digest, target?.digest);
  await using second = openFixture();
  await load(second, packed(archive));
  assert.deepEqual(second.images.indexes(), fixture.images.indexes());
});

test('with a platform, other platforms’ images are left out of a kept index', async () => {
  await using fixture = openFixture();
  await load(fixture, packed(indexLayout()), { platform: hostPlatform() });
  const all = await inventory(fixture);
  await using whole = openFixture();
  await load(whole, packed(indexLayout()));
  const more = await inventory(whole);
  assert.equal((more['blobs']?.length ?? 0) - (all['blobs']?.length ?? 0), 2, 'a manifest and a config less');
});

test('blobs that were cut on the disk come back with another load', async () => {
  await using fixture = openFixture();
  await load(fixture, packed(indexLayout()));
  const before = await inventory(fixture);
  for (const digest of before['blobs'] as Digest[]) truncateSync(fixture.content.pathOf(digest), 1);
  assert.equal((await load(fixture, packed(indexLayout()))).at(-1)?.['error'], undefined);
  assert.deepEqual(await inventory(fixture), before);
  await verifyBlobs(fixture);
});

test('an archive that has less of an index takes nothing from what is kept with it', async () => {
  await using fixture = openFixture();
  await load(fixture, packed(indexLayout()));
  const before = await inventory(fixture);
  const [kept] = fixture.images.indexes();
  const less = indexLayout();
  for (const { digest } of kept?.blobs ?? []) if (digest !== kept?.digest) less.delete(blobName(digest));
  assert.ok(less.size < indexLayout().size - 3);
  await load(fixture, packed(less));
  assert.deepEqual(await inventory(fixture), before);
  assert.deepEqual(fixture.images.indexes(), [kept]);
});

test('what was kept with an index goes with the last name that stands for it', async () => {
  await using fixture = openFixture();
  await load(fixture, packed(indexLayout()));
  await tagImage(fixture, 'app:1', { repo: 'copy', tag: '' });
  await removeImage(fixture, 'app:1', { force: false, noPrune: false });
  assert.equal(fixture.images.indexes().length, 1);
  await removeImage(fixture, 'copy', { force: false, noPrune: false });
  assert.deepEqual(await inventory(fixture), EMPTY);
});

test('an image that is here in another form keeps its own, and the name stands for what came', async () => {
  await using fixture = openFixture();
  await load(fixture, packed(dockerMembers({ config, layers, tags: ['app:plain'] })));
  const members = packedLayout();
  await load(fixture, packed(members));
  sameBlobs(await saved(fixture, 'app:1'), members);
  sameBlobs(await saved(fixture, 'app:plain'), ociMembers({ config, layers }));
  await verifyBlobs(fixture);
  await removeImage(fixture, 'app:1', { force: false, noPrune: false });
  await verifyBlobs(fixture);
});

test('an image of plain layers only is saved as the reference does, whatever it came in', async () => {
  await using fixture = openFixture();
  const members = ociMembers({ config, layers }, { [NAME]: 'docker.io/library/app:1' });
  await load(fixture, packed(members));
  const archive = await saved(fixture, 'app:1');
  sameBlobs(archive, members);
});

test('a docker-archive whose other half is no good is loaded by its manifest.json', async () => {
  const good = dockerMembers({ config, layers, tags: ['app:1'] });
  for (const index of [
    Buffer.from('x'),
    json({ schemaVersion: 2, manifests: [{ mediaType: MANIFEST, digest: digestOf('gone'), size: 1 }] }),
  ]) {
    await using fixture = openFixture();
    const lines = await load(fixture, packed(new Map(good).set('index.json', index)));
    assert.deepEqual(lines, [{ stream: 'Loaded image: app:1\n' }]);
  }
});

test('names of the other half are nobody’s wish: only RepoTags are given', async () => {
  await using fixture = openFixture();
  const members = packedLayout('docker.io/library/poisoned:1');
  const names = [...members.keys()].filter((name) => name.startsWith('blobs/'));
  const [layer, second] = names;
  const item = {
    Config: `blobs/sha256/${digestOf(config).slice(7)}`,
    RepoTags: ['app:1'],
    Layers: [layer, second],
  };
  await load(fixture, packed(members.set('manifest.json', json([item]))));
  assert.deepEqual(
    fixture.images.names().map(({ name }) => name),
    ['docker.io/library/app:1'],
  );
});

const HOSTILE: [title: string, spoil: (members: Map<string, Buffer>) => void, text: RegExp][] = [
  [
    'a part with other bytes than its name',
    (members) => {
      const digest = digestOf(json({ predicate: 'built with care' }));
      members.set(blobName(digest), json({ predicate: 'built with malice' }));
    },
    /./,
  ],
  [
    'an index that names itself by nesting',
    (members) => {
      let entry = entryOf(members);
      for (let depth = 0; depth < 8; depth++) {
        const bytes = json({ schemaVersion: 2, mediaType: INDEX, manifests: [entry] });
        entry = { mediaType: INDEX, digest: digestOf(bytes), size: bytes.length };
        members.set(blobName(entry.digest), bytes);
      }
      members.set('index.json', json({ schemaVersion: 2, manifests: [entry] }));
    },
    /nested too deep/,
  ],
  [
    'a document that is an index and a manifest at once',
    (members) => {
      const both = json({
        schemaVersion: 2,
        mediaType: INDEX,
        manifests: [],
        layers: [],
        config: entryOf(members),
      });
      const entry = { mediaType: INDEX, digest: digestOf(both), size: both.length };
      members.set(blobName(entry.digest), both);
      members.set('index.json', json({ schemaVersion: 2, manifests: [entry] }));
    },
    /./,
  ],
  [
    'a manifest that is called an index',
    (members) => {
      const entry = { ...entryOf(packedLayout()), mediaType: INDEX };
      members.set('index.json', json({ schemaVersion: 2, manifests: [entry] }));
    },
    /./,
  ],
];

for (const [title, spoil, text] of HOSTILE) {
  test(`${title} is refused, and nothing is left`, async () => {
    await using fixture = openFixture();
    const members = indexLayout();
    spoil(members);
    const lines = await load(fixture, packed(members));
    assert.match(String(lines.at(-1)?.['error']), text);
    assert.deepEqual(await inventory(fixture), EMPTY);
  });
}

test('an archive that is closed half-way gives its blobs free', async () => {
  await using fixture = openFixture();
  await load(fixture, packed(indexLayout()));
  const stream = saveImages(fixture, ['app:1'], {});
  for await (const _ of stream) break;
  await new Promise((resolve) => stream.once('close', resolve));
  await removeImage(fixture, 'app:1', { force: false, noPrune: false });
  assert.deepEqual(await inventory(fixture), EMPTY);
});

test('by digest nothing is named, and what the digest stands for is kept', async () => {
  await using fixture = openFixture();
  const members = indexLayout();
  await load(fixture, packed(members));
  const { imageId, target } = fixture.images.name('docker.io/library/app:1') ?? assert.fail();
  const name = `docker.io/library/app@${target?.digest}`;
  fixture.images.setName(name, imageId, target);
  const archive = await saved(fixture, name);
  sameBlobs(archive, members);
  assert.deepEqual(entryOf(archive), target);
  assert.equal(JSON.parse(String(archive.get('manifest.json')))[0].RepoTags, null);
  // The last tag takes the digests of its repository along; an event tells of the tag alone.
  fixture.published.length = 0;
  const items = await removeImage(fixture, 'app:1', { force: false, noPrune: false });
  assert.deepEqual(items.slice(0, 2), [{ Untagged: 'app:1' }, { Untagged: `app@${target?.digest}` }]);
  assert.deepEqual(
    fixture.published.map(({ action }) => action),
    ['untag', 'delete'],
  );
  assert.deepEqual(await inventory(fixture), EMPTY);
});

test('a name that is taken over, by a tag, an import or a load, gives free what it stood for', async () => {
  const takers: ((fixture: Fixture) => Promise<unknown>)[] = [
    (fixture) => tagImage(fixture, 'other', { repo: 'app', tag: '1' }),
    (fixture) => imported(fixture, layerOf({ c: 'three' }), { repo: 'app', tag: '1' }),
    (fixture) => load(fixture, packed(dockerMembers({ config: configOf([]), layers: [], tags: ['app:1'] }))),
  ];
  for (const take of takers) {
    await using fixture = openFixture();
    await someImage(fixture, 'other:latest');
    await load(fixture, packed(indexLayout()));
    await take(fixture);
    assert.deepEqual(fixture.images.indexes(), []);
    await verifyBlobs(fixture);
  }
});
