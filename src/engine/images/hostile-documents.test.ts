import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Digest, digestOf } from '../../oci/index.ts';
import {
  configOf,
  dockerMembers,
  EMPTY,
  type Fixture,
  inventory,
  layerOf,
  load,
  ociMembers,
  openFixture,
  packed,
  someImage,
} from './test-fixture.ts';

const INDEX = 'application/vnd.oci.image.index.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const layers = [layerOf({ file: 'content' })];
const config = configOf(layers);
const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const hex = 'a'.repeat(64);

interface Parts {
  members: Map<string, Buffer>;
  manifest: Record<string, unknown>;
  config: Record<string, unknown>;
}

function good(): Parts {
  const members = ociMembers({ config, layers });
  const [entry] = JSON.parse(String(members.get('index.json'))).manifests;
  const manifest = JSON.parse(String(members.get(`blobs/${entry.digest.replace(':', '/')}`)));
  return { members, manifest, config: manifest.config };
}

/** The layout with this document in the place of the manifest, whose entry says `mediaType`. */
function withDocument(document: unknown, mediaType: string): Buffer {
  const { members } = good();
  const bytes = json(document);
  const entry = { mediaType, digest: digestOf(bytes), size: bytes.length };
  members.set(`blobs/${entry.digest.replace(':', '/')}`, bytes);
  return packed(members.set('index.json', json({ schemaVersion: 2, manifests: [entry] })));
}

async function refused(fixture: Fixture, archive: Buffer, what: string): Promise<void> {
  const lines = await load(fixture, archive);
  assert.equal(typeof lines.at(-1)?.['error'], 'string', `taken: ${what}`);
  assert.deepEqual(await inventory(fixture), EMPTY, what);
}

test('what could be read as an index and as a manifest is neither', async () => {
  await using fixture = openFixture();
  const { manifest } = good();
  const types = [INDEX, MANIFEST, DOCKER_LIST, DOCKER_MANIFEST];
  for (const said of types) {
    for (const own of [...types, undefined]) {
      const both = { ...manifest, mediaType: own, manifests: [] };
      await refused(fixture, withDocument(both, said), `both, ${own} called ${said}`);
    }
    const isIndex = said === INDEX || said === DOCKER_LIST;
    for (const own of types.filter((type) => (type === INDEX || type === DOCKER_LIST) !== isIndex)) {
      const document = isIndex ? { schemaVersion: 2, manifests: [] } : manifest;
      await refused(fixture, withDocument({ ...document, mediaType: own }, said), `${own} called ${said}`);
    }
  }
});

const BAD_DIGESTS = [
  'sha256:',
  'sha256:../../../../etc/passwd',
  `sha256:${hex.toUpperCase()}`,
  `sha256:${hex}\u0000`,
  `sha256:${hex}a`,
  `sha256:${hex.slice(1)}`,
  `sha256:${hex} `,
  ` sha256:${hex}`,
  `sha256/${hex}`,
  `sha256:${hex.slice(2)}/.`,
  `md5:${'a'.repeat(32)}`,
  `sha1:${'a'.repeat(40)}`,
  `sha512:${hex}`,
  `sha256+b64:${hex}`,
  `SHA256:${hex}`,
  '..',
  '/',
  '',
  7,
  null,
  [`sha256:${hex}`],
  { toString: 'x' },
];

test('digests that are none are refused wherever they stand', async () => {
  await using fixture = openFixture();
  const { manifest, config: described } = good();
  const [layer] = manifest['layers'] as Record<string, unknown>[];
  for (const digest of BAD_DIGESTS) {
    const text = JSON.stringify(digest);
    const places: Record<string, Buffer> = {
      config: withDocument({ ...manifest, config: { ...described, digest } }, MANIFEST),
      layer: withDocument({ ...manifest, layers: [{ ...layer, digest }] }, MANIFEST),
      child: withDocument({ schemaVersion: 2, manifests: [{ mediaType: MANIFEST, digest, size: 1 }] }, INDEX),
      diffId: packed(
        dockerMembers({
          config: json({ rootfs: { type: 'layers', diff_ids: [digest] } }),
          layers,
          tags: ['a:1'],
        }),
      ),
    };
    for (const [place, archive] of Object.entries(places))
      await refused(fixture, archive, `${text} as ${place}`);
  }
});

test('sizes are no promise: nothing is set aside for what a document declares', async () => {
  await using fixture = openFixture();
  const { manifest, config: described } = good();
  const [layer] = manifest['layers'] as Record<string, unknown>[];
  const before = process.memoryUsage().rss;
  for (const size of [2 ** 53 - 1, 2 ** 40, -1, 0, 1.5, '9', null, 1e300]) {
    for (const document of [
      { ...manifest, config: { ...described, size } },
      { ...manifest, layers: [{ ...layer, size }] },
    ]) {
      await refused(fixture, withDocument(document, MANIFEST), `size ${size}`);
    }
  }
  assert.ok(process.memoryUsage().rss - before < 64 << 20);
});

test('a layer that is here is not taken for one of another size', async () => {
  await using fixture = openFixture();
  assert.equal((await load(fixture, packed(good().members))).at(-1)?.['error'], undefined);
  const { manifest } = good();
  const before = await inventory(fixture);
  const [layer] = manifest['layers'] as Record<string, unknown>[];
  const lie = { ...manifest, layers: [{ ...layer, size: 7 }], annotations: { a: 'lie' } };
  const lines = await load(fixture, withDocument(lie, MANIFEST));
  assert.match(String(lines.at(-1)?.['error']), /more than the 7 bytes announced came in$/);
  assert.deepEqual(await inventory(fixture), before);
});

test('spoilt documents are refused or harmless, byte by byte', async () => {
  await using fixture = openFixture();
  const whole = dockerMembers({ config, layers, tags: ['app:1'] });
  const junk = ['', '"', '{', ']', '\u0000', '9e999', 'null', '\ud800'];
  for (const name of ['manifest.json', '0.json']) {
    const text = String(whole.get(name));
    for (let at = 0; at < text.length; at += 7) {
      const spoilt = text.slice(0, at) + junk[at % junk.length] + text.slice(at + 1);
      const lines = await load(fixture, packed(new Map(whole).set(name, Buffer.from(spoilt))));
      assert.notEqual(lines.length, 0);
      for (const image of fixture.images.all())
        assert.equal(image.layers[0]?.diffId, digestOf(layers[0] as Buffer));
    }
  }
});

test('a name is taken over by an archive that lists it, and both ids are told', async () => {
  await using fixture = openFixture();
  const first = await someImage(fixture, 'app:1', 'first');
  const second = await someImage(fixture, '', 'second');
  fixture.published.length = 0;
  const other = configOf([layerOf({ file: 'second' })], { author: 'second' });
  const archive = dockerMembers({ config: other, layers: [layerOf({ file: 'second' })], tags: ['app:1'] });
  assert.deepEqual(await load(fixture, packed(archive)), [
    { stream: `The image app:1 already exists, renaming the old one with ID ${first.id} to empty string\n` },
    { stream: 'Loaded image: app:1\n' },
  ]);
  assert.deepEqual(
    fixture.published.map(({ action, id }) => [action, id]),
    [['load', second.id]],
  );
  assert.equal(fixture.images.resolve('app:1').id, second.id);
  assert.deepEqual(fixture.images.namesOf(first.id), []);
  assert.equal(fixture.images.get(first.id)?.id, first.id, 'the old one stays, without a name');
});

test('a short id that two images have stands for none of them', async () => {
  await using fixture = openFixture();
  const prefixes = new Map<string, Digest>();
  for (let seed = 0; ; seed++) {
    const { id } = await someImage(fixture, '', `seed ${seed}`);
    const prefix = id.slice(0, 'sha256:'.length + 1);
    if (prefixes.has(prefix)) {
      assert.equal(fixture.images.find(prefix), undefined);
      assert.throws(() => fixture.images.resolve(prefix), /No such image/);
      assert.equal(fixture.images.find(id.slice(0, 30))?.id, id);
      return;
    }
    prefixes.set(prefix, id);
  }
});
