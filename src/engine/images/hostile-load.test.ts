import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { TarPacker } from '../../archive/index.ts';
import { digestOf } from '../../oci/index.ts';
import {
  configOf,
  dockerMembers,
  EMPTY,
  inventory,
  layerOf,
  load,
  ociMembers,
  openFixture,
  packed,
} from './test-fixture.ts';

const layer = layerOf({ file: 'content' });
const config = configOf([layer]);
const good = () => dockerMembers({ config, layers: [layer], tags: ['app:1'] });
const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const item = (more: object) =>
  json([{ Config: '0.json', RepoTags: ['app:1'], Layers: ['0-0.tar'], ...more }]);
const manifest = (body: Buffer) => good().set('manifest.json', body);
const withConfig = (bytes: Buffer) => good().set('0.json', bytes);
const outside = '/var/tmp/wharf-canary';
const hex = 'e'.repeat(64);

/** An OCI layout whose manifest or index was changed, digests put right again. */
function layout(change: (index: Record<string, unknown>[]) => unknown): Map<string, Buffer> {
  const members = ociMembers({ config, layers: [layer] }, { 'io.containerd.image.name': 'app:1' });
  const index = JSON.parse(String(members.get('index.json')));
  const manifests = change(index.manifests) ?? index.manifests;
  return members.set('index.json', json({ ...index, manifests }));
}

const blobOf = (bytes: Buffer) => `blobs/${digestOf(bytes).replace(':', '/')}`;

const cases: [title: string, archive: Buffer, message: RegExp][] = [
  ['nothing at all', Buffer.alloc(0), /neither a docker-archive/],
  ['no tar', Buffer.from('junk\n'), /archive: /],
  ['a tar that is cut off', packed(good()).subarray(0, 1300), /archive: it ends in the middle/],
  ['a gzip that is cut off', gzipSync(packed(good())).subarray(0, 200), /./],
  ['bytes by chance', Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * 7919) % 251)), /archive: /],
  ['a tar of other things', packed(new Map([['etc/passwd', Buffer.from('x')]])), /neither a docker-archive/],
  [
    'a manifest.json that is no JSON',
    packed(manifest(Buffer.from('xx'))),
    /^invalid character 'x' looking for/,
  ],
  ['a manifest.json that is null', packed(manifest(json(null))), /manifest cannot be null/],
  [
    'a manifest.json that is an object',
    packed(manifest(json({}))),
    /cannot unmarshal object into Go value of type \[\]tarexport.manifestItem/,
  ],
  ['a list of null', packed(manifest(json([null]))), /Config, RepoTags and Layers/],
  ['lists of other things', packed(manifest(json([[], 1, 'x']))), /Config, RepoTags and Layers/],
  ['very deep JSON', packed(manifest(Buffer.from('['.repeat(200_000) + ']'.repeat(200_000)))), /./],
  ['too many images', packed(manifest(json(new Array(1001).fill({ Config: '0.json' })))), /more than 1000/],
  [
    'a config that is missing',
    packed(manifest(item({ Config: 'none' }))),
    /config none is not in the archive/,
  ],
  ['a config outside', packed(manifest(item({ Config: '../../../etc/passwd' }))), /is not in the archive/],
  ['a config by absolute path', packed(manifest(item({ Config: '/etc/passwd' }))), /is not in the archive/],
  ['a config that is no text', packed(manifest(item({ Config: 7 }))), /Config, RepoTags and Layers/],
  [
    'a layer that is missing',
    packed(manifest(item({ Layers: ['none'] }))),
    /layer none is not in the archive/,
  ],
  ['fewer layers than the config', packed(manifest(item({ Layers: [] }))), /mismatch: expected 0, got 1/],
  ['more layers', packed(manifest(item({ Layers: ['0-0.tar', '0-0.tar'] }))), /mismatch: expected 2, got 1/],
  ['a tag in capitals', packed(manifest(item({ RepoTags: ['App:1'] }))), /must be lowercase/],
  ['a tag that climbs', packed(manifest(item({ RepoTags: ['../../x:1'] }))), /invalid reference format/],
  ['a tag with a line end', packed(manifest(item({ RepoTags: ['a:1\nb'] }))), /invalid reference format/],
  ['a tag without a tag', packed(manifest(item({ RepoTags: ['app'] }))), /invalid tag "app"/],
  ['a digest for a tag', packed(manifest(item({ RepoTags: [`a@sha256:${hex}`] }))), /invalid tag/],
  ['an id for a tag', packed(manifest(item({ RepoTags: [hex] }))), /64-byte hexadecimal/],
  ['tags that are no list', packed(manifest(item({ RepoTags: 'app:1' }))), /Config, RepoTags and Layers/],
  ['a config that is no JSON', packed(withConfig(Buffer.from('{'))), /image config/],
  ['a config without rootfs', packed(withConfig(json({ os: 'linux', architecture: 'amd64' }))), /rootfs/],
  [
    'a layer of another digest',
    packed(good().set('0.json', configOf([Buffer.from('x')]))),
    /invalid diffID for layer 0: expected "sha256:/,
  ],
  [
    'a packed layer of another digest',
    packed(good().set('0-0.tar', gzipSync(layerOf({ b: '' })))),
    /unpacks to sha256:/,
  ],
  [
    'a layer that is no tar',
    packed(dockerMembers({ config: configOf([Buffer.from('no tar')]), layers: [Buffer.from('no tar')] })),
    /archive: /,
  ],
  ['an index that is no JSON', packed(layout(() => undefined).set('index.json', Buffer.from('x'))), /index/],
  ['an index of nothing', packed(layout(() => [])), /holds no image/],
  [
    'a manifest that is missing',
    packed(layout(([entry]) => [{ ...entry, digest: `sha256:${hex}` }])),
    /is not in the layout/,
  ],
  ['a manifest of another size', packed(layout(([entry]) => [{ ...entry, size: 3 }])), /is in truth/],
  [
    'a digest that climbs',
    packed(layout(([entry]) => [{ ...entry, digest: 'sha256:../../../etc/passwd' }])),
    /not a digest/,
  ],
  ['a negative size', packed(layout(([entry]) => [{ ...entry, size: -1 }])), /size/],
  [
    'a config that was changed',
    packed(layout(() => undefined).set(blobOf(config), Buffer.from('{}'))),
    /is in truth/,
  ],
  [
    'a layer that was changed',
    packed(layout(() => undefined).set(blobOf(layer), layerOf({ evil: '1' }))),
    /digest|size|bytes/,
  ],
];

for (const [title, archive, message] of cases) {
  test(`${title} is refused, and nothing is left`, async () => {
    await using fixture = openFixture();
    const lines = await load(fixture, archive);
    const error = String(lines.at(-1)?.['error']);
    assert.match(error, message);
    assert.deepEqual(lines, [{ errorDetail: { message: error }, error }]);
    await fixture.snapshots.settled();
    assert.deepEqual(await inventory(fixture), EMPTY);
    assert.deepEqual(fixture.published, []);
  });
}

test('an index that holds itself ends', async () => {
  await using fixture = openFixture();
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  let bytes = json({ schemaVersion: 2, mediaType, manifests: [] });
  const members = new Map<string, Buffer>();
  for (let depth = 0; depth < 10; depth++) {
    members.set(blobOf(bytes), bytes);
    bytes = json({
      schemaVersion: 2,
      mediaType,
      manifests: [{ mediaType, digest: digestOf(bytes), size: bytes.length }],
    });
  }
  const lines = await load(fixture, packed(members.set('index.json', bytes)));
  assert.match(String(lines[0]?.['error']), /nested too deep/);
});

test('names that lead outside are only keys', async () => {
  await using fixture = openFixture();
  const archive = new TarPacker()
    .add({ name: `../../../../../..${outside}`, body: Buffer.from('x') })
    .add({ name: `${outside}-absolute`, body: Buffer.from('x') })
    .add({ name: 'link', type: 'symlink', linkName: '/var/tmp' })
    .add({ name: 'link/wharf-canary-linked', body: Buffer.from('x') })
    .add({ name: 'node', type: 'char', devMajor: 1, devMinor: 3 })
    .add({ name: 'pipe', type: 'fifo' })
    .add({ name: 'manifest.json', body: item({ Layers: ['../../0-0.tar'], Config: './x/../0.json' }) })
    .add({ name: '0.json', body: config })
    .add({ name: '0-0.tar', body: layer })
    .finish();
  assert.deepEqual(await load(fixture, archive), [{ stream: 'Loaded image: app:1\n' }]);
  for (const name of [outside, `${outside}-absolute`, `${outside}-linked`]) assert.ok(!existsSync(name));
});

test('a member that is a link outside, a device or a ring of links is no layer', async () => {
  for (const member of [
    { name: '0-0.tar', type: 'symlink' as const, linkName: '/etc/passwd' },
    { name: '0-0.tar', type: 'link' as const, linkName: '../../etc/passwd' },
    { name: '0-0.tar', type: 'symlink' as const, linkName: '0-0.tar' },
    { name: '0-0.tar', type: 'fifo' as const },
    { name: '0-0.tar', type: 'char' as const, devMajor: 1, devMinor: 5 },
  ]) {
    await using fixture = openFixture();
    const archive = new TarPacker()
      .add({ name: 'manifest.json', body: item({}) })
      .add({ name: '0.json', body: config })
      .add(member)
      .finish();
    const lines = await load(fixture, archive);
    assert.match(String(lines[0]?.['error']), /layer 0-0.tar is not in the archive/);
    assert.deepEqual(await inventory(fixture), EMPTY);
  }
});

test('a second image that is bad takes the first one with it', async () => {
  await using fixture = openFixture();
  const bad = [layerOf({ second: '2' })];
  const members = dockerMembers(
    { config, layers: [layer], tags: ['app:1'] },
    { config: configOf(bad), layers: [gzipSync(layerOf({ other: '3' }))], tags: ['app:2'] },
  );
  const lines = await load(fixture, packed(members));
  assert.match(String(lines.at(-1)?.['error']), /unpacks to/);
  await fixture.snapshots.settled();
  assert.deepEqual(await inventory(fixture), EMPTY);
});

test('a layer that climbs out of its folder is refused', async () => {
  await using fixture = openFixture();
  const evil = new TarPacker()
    .add({ name: 'up', type: 'symlink', linkName: '../../../../../../../../..' })
    .add({ name: `up${outside}-layer`, body: Buffer.from('x') })
    .finish();
  await load(fixture, packed(dockerMembers({ config: configOf([evil]), layers: [evil], tags: ['evil:1'] })));
  assert.ok(!existsSync(`${outside}-layer`));
});

test('what was there before a failed load stays', async () => {
  await using fixture = openFixture();
  await load(fixture, packed(good()));
  const before = await inventory(fixture);
  const config = configOf([Buffer.from('another layer')]);
  const spoilt = manifest(item({ Layers: ['none'] })).set('0.json', config);
  const lines = await load(fixture, packed(spoilt));
  assert.match(String(lines.at(-1)?.['error']), /not in the archive/);
  assert.deepEqual(await inventory(fixture), before);
});
