import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKind } from '../base/index.ts';
import {
  digestOf,
  MediaTypes,
  parseImageConfig,
  parseIndex,
  parseManifest,
  parseManifestOrIndex,
} from './index.ts';

const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const descriptor = (mediaType: string) => ({ mediaType, digest: digestOf(mediaType), size: 7 });
const manifest = {
  schemaVersion: 2,
  mediaType: MediaTypes.ociManifest,
  config: descriptor(MediaTypes.ociConfig),
  layers: [descriptor(MediaTypes.ociLayerGzip)],
  annotations: { 'org.example': 'x' },
  'x-unknown': { kept: [1, 2] },
};
const index = {
  schemaVersion: 2,
  mediaType: MediaTypes.ociIndex,
  manifests: [{ ...descriptor(MediaTypes.ociManifest), platform: { os: 'linux', architecture: 'amd64' } }],
};
const config = {
  os: 'linux',
  architecture: 'amd64',
  config: {
    Env: ['A=b'],
    Cmd: ['sh'],
    Labels: null,
    Volumes: { '/data': {} },
    Healthcheck: { Test: ['CMD', 'x'], Interval: 5 },
  },
  rootfs: { type: 'layers', diff_ids: [digestOf('layer')] },
  history: [{ created_by: 'x', empty_layer: true }],
  'moby.buildkit.cache.v0': 'kept',
};
const invalid = (thrown: unknown) => isKind(thrown, 'invalid');

test('good documents come back whole, unknown fields included', () => {
  assert.deepEqual(parseManifest(bytes(manifest)), manifest);
  assert.deepEqual(parseManifest(bytes(manifest), `${MediaTypes.ociManifest}; charset=utf-8`), manifest);
  assert.deepEqual(parseIndex(bytes(index), MediaTypes.ociIndex), index);
  assert.deepEqual(parseImageConfig(bytes(config)), config);
  assert.equal(parseManifestOrIndex(bytes(index)).kind, 'index');
  assert.equal(parseManifestOrIndex(bytes(manifest)).kind, 'manifest');
  const { mediaType: _gone, ...bare } = manifest;
  assert.deepEqual(parseManifest(bytes(bare), MediaTypes.dockerManifest), bare);
  assert.deepEqual(parseManifest(bytes(bare), 'application/octet-stream'), bare);
});

test('a document with two readings is refused by both decoders', () => {
  const two: unknown[] = [
    { ...manifest, manifests: [] },
    { ...manifest, manifests: null },
    { ...index, layers: [] },
    { ...index, config: manifest.config },
    { ...manifest, mediaType: MediaTypes.ociIndex },
    { ...index, mediaType: MediaTypes.ociManifest },
    { ...manifest, mediaType: 'application/json' },
    { ...manifest, mediaType: 7 },
    { ...manifest, mediaType: null },
    { ...manifest, mediaType: '' },
    { ...manifest, Manifests: index.manifests },
    { ...index, Layers: manifest.layers },
    { ...manifest, MediaType: MediaTypes.ociIndex },
    { ...manifest, LAYERS: [] },
  ];
  for (const document of two) {
    assert.throws(() => parseManifest(bytes(document)), invalid, JSON.stringify(document));
    assert.throws(() => parseIndex(bytes(document)), invalid, JSON.stringify(document));
    assert.throws(() => parseManifestOrIndex(bytes(document)), invalid, JSON.stringify(document));
  }
});

test('the type under which it came must agree', () => {
  assert.throws(() => parseManifest(bytes(manifest), MediaTypes.ociIndex), invalid);
  assert.throws(() => parseManifest(bytes(manifest), MediaTypes.dockerManifest), invalid);
  assert.throws(() => parseIndex(bytes(index), MediaTypes.ociManifest), invalid);
  const { mediaType: _gone, ...bare } = index;
  assert.throws(() => parseIndex(bytes(bare), MediaTypes.dockerManifest), invalid);
});

test('schema 1 is refused by name', () => {
  const schema1 = { schemaVersion: 1, name: 'a', fsLayers: [], history: [] };
  const named = (thrown: unknown) => isKind(thrown, 'not-implemented') && /schema 1/.test(String(thrown));
  assert.throws(() => parseManifest(bytes(schema1)), named);
  assert.throws(() => parseManifest(bytes(manifest), MediaTypes.dockerSchema1Signed), named);
  assert.throws(() => parseManifest(bytes({ ...manifest, mediaType: MediaTypes.dockerSchema1 })), named);
});

test('broken manifests are refused', () => {
  const layer = manifest.layers[0];
  const broken: unknown[] = [
    '',
    '{',
    'null',
    '[]',
    '7',
    '"x"',
    '\ufffe{}',
    {},
    { schemaVersion: 2 },
    { ...manifest, schemaVersion: '2' },
    { ...manifest, schemaVersion: 3 },
    { ...manifest, config: null },
    { ...manifest, config: [] },
    { ...manifest, layers: {} },
    { ...manifest, layers: null },
    { ...manifest, layers: [null] },
    { ...manifest, layers: [{}] },
    { ...manifest, layers: [{ ...layer, digest: 'sha256:../x' }] },
    { ...manifest, layers: [{ ...layer, digest: undefined }] },
    { ...manifest, layers: [{ ...layer, size: -1 }] },
    { ...manifest, layers: [{ ...layer, size: 1.5 }] },
    { ...manifest, layers: [{ ...layer, size: '7' }] },
    { ...manifest, layers: [{ ...layer, size: 2 ** 60 }] },
    { ...manifest, layers: [{ ...layer, urls: 'x' }] },
    { ...manifest, layers: [{ ...layer, annotations: { a: 1 } }] },
    { ...manifest, layers: new Array(1001).fill(layer) },
    { ...manifest, annotations: [] },
    { ...manifest, subject: {} },
    { ...manifest, x: JSON.parse('['.repeat(200) + ']'.repeat(200)) },
  ];
  for (const document of broken)
    assert.throws(() => parseManifest(bytes(document)), invalid, JSON.stringify(document).slice(0, 200));
  assert.throws(
    () => parseManifest(Buffer.concat([bytes('{"a":"'), Buffer.from([0xff, 0xfe]), bytes('"}')])),
    invalid,
  );
  assert.throws(() => parseManifest(Buffer.alloc((4 << 20) + 1, ' ')), invalid);
});

test('broken indexes are refused', () => {
  const entry = index.manifests[0];
  const broken: unknown[] = [
    { ...index, manifests: {} },
    { ...index, manifests: [7] },
    { ...index, manifests: [{ ...entry, platform: 'linux' }] },
    { ...index, manifests: [{ ...entry, platform: { os: 1, architecture: 'amd64' } }] },
    {
      ...index,
      manifests: [{ ...entry, platform: { os: 'linux', architecture: 'amd64', 'os.features': 'x' } }],
    },
  ];
  for (const document of broken)
    assert.throws(() => parseIndex(bytes(document)), invalid, JSON.stringify(document));
  assert.equal(
    parseIndex(bytes({ ...index, manifests: [{ ...entry, platform: null }] })).manifests.length,
    1,
  );
});

test('broken image configs are refused', () => {
  const of = (execution: unknown) => ({ ...config, config: execution });
  const broken: unknown[] = [
    {},
    { ...config, rootfs: undefined },
    { ...config, rootfs: { type: 'other', diff_ids: [] } },
    { ...config, rootfs: { type: 'layers', diff_ids: ['x'] } },
    { ...config, rootfs: { type: 'layers', diff_ids: {} } },
    { ...config, os: 7 },
    { ...config, history: {} },
    { ...config, history: [{ empty_layer: 'yes' }] },
    of([]),
    of('x'),
    of({ Env: 'A=b' }),
    of({ Env: [7] }),
    of({ Cmd: 'sh' }),
    of({ Cmd: [['sh']] }),
    of({ Labels: { a: 1 } }),
    of({ User: 0 }),
    of({ Volumes: ['/x'] }),
    of({ ExposedPorts: { '80/tcp': 1 } }),
    of({ StopTimeout: 'x' }),
    of({ Healthcheck: { Test: 'x' } }),
    of({ Healthcheck: { Interval: 1.5 } }),
    of({ WorkingDir: 'x'.repeat(5000) }),
  ];
  for (const document of broken)
    assert.throws(() => parseImageConfig(bytes(document)), invalid, JSON.stringify(document).slice(0, 200));
});

test('what Go writes as null is taken as absent', () => {
  const read = parseImageConfig(
    bytes({ ...config, config: null, history: null, rootfs: { type: 'layers', diff_ids: null } }),
  );
  assert.equal(read.config, undefined);
  assert.equal(read.history, undefined);
  assert.deepEqual(read.rootfs.diff_ids, []);
});

test('thousands of mutations end in an answer or an `invalid`, never in another fault', () => {
  const sources = [JSON.stringify(manifest), JSON.stringify(index), JSON.stringify(config)];
  let state = 42;
  const random = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state % below;
  };
  for (let round = 0; round < 3000; round += 1) {
    const mutated = Buffer.from(sources[round % 3] as string);
    for (let change = 0; change <= random(4); change += 1) mutated[random(mutated.length)] = random(256);
    const cut = random(10) === 0 ? mutated.subarray(0, random(mutated.length)) : mutated;
    for (const parse of [parseManifest, parseIndex, parseImageConfig]) {
      try {
        parse(cut);
      } catch (thrown) {
        assert.ok(isKind(thrown, 'invalid') || isKind(thrown, 'not-implemented'), String(thrown));
      }
    }
  }
});
