import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isKind } from '../base/index.ts';
import {
  digestOf,
  MAX_CONFIG_BYTES,
  MAX_MANIFEST_BYTES,
  MediaTypes,
  parseImageConfig,
  parseIndex,
  parseManifest,
  parseManifestOrIndex,
} from './index.ts';

const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const descriptor = { mediaType: MediaTypes.ociLayer, digest: digestOf('x'), size: 3 };
const manifest = { schemaVersion: 2, config: descriptor, layers: [descriptor] };
const index = { schemaVersion: 2, manifests: [descriptor] };
const config = { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [] } };

function refusal(parse: (bytes: Buffer) => unknown, document: unknown): string {
  try {
    parse(bytes(document));
  } catch (thrown) {
    assert.ok(isKind(thrown, 'invalid'), String(thrown));
    return (thrown as Error).message;
  }
  return assert.fail(`accepted: ${JSON.stringify(document).slice(0, 200)}`);
}

/** Values of every JSON type but one. */
function wrongFor(type: 'string' | 'number' | 'boolean' | 'strings' | 'map' | 'object'): unknown[] {
  const all: [string, unknown][] = [
    ['string', 'x'],
    ['number', 7],
    ['boolean', true],
    ['strings', [{}]],
    ['map', { a: { b: 1 } }],
  ];
  const wrong = all.filter(([name]) => name !== type).map(([, value]) => value);
  return type === 'object'
    ? wrong.filter((value) => typeof value !== 'object' || Array.isArray(value))
    : wrong;
}

describe('fields of a wrong type are refused by name', () => {
  const EXECUTION = {
    User: 'string',
    WorkingDir: 'string',
    StopSignal: 'string',
    Env: 'strings',
    Entrypoint: 'strings',
    Cmd: 'strings',
    Shell: 'strings',
    OnBuild: 'strings',
    Labels: 'map',
    StopTimeout: 'number',
    ArgsEscaped: 'boolean',
    Healthcheck: 'object',
    ExposedPorts: 'object',
    Volumes: 'object',
  } as const;
  for (const [field, type] of Object.entries(EXECUTION)) {
    it(`config.${field}`, () => {
      for (const value of wrongFor(type)) {
        const message = refusal(parseImageConfig, { ...config, config: { [field]: value } });
        assert.ok(message.startsWith(`invalid image config.config.${field}: `), message);
      }
      const absent = parseImageConfig(bytes({ ...config, config: { [field]: null } }));
      assert.equal((absent.config as Record<string, unknown>)[field], null);
    });
  }

  it('of health checks, histories and platforms', () => {
    for (const field of ['Interval', 'Timeout', 'StartPeriod', 'StartInterval', 'Retries'])
      for (const value of [1.5, '1', 2 ** 53, true])
        refusal(parseImageConfig, { ...config, config: { Healthcheck: { [field]: value } } });
    for (const field of ['created', 'created_by', 'author', 'comment', 'empty_layer'])
      refusal(parseImageConfig, { ...config, history: [{ [field]: 7 }] });
    for (const field of ['os', 'architecture', 'variant', 'os.version'])
      for (const value of wrongFor('string')) refusal(parseImageConfig, { ...config, [field]: value });
  });

  it('of descriptors, wherever they stand', () => {
    const broken = [
      { ...descriptor, mediaType: 5 },
      { ...descriptor, mediaType: 'x'.repeat(257) },
      { ...descriptor, digest: digestOf('x').toUpperCase() },
      { ...descriptor, size: null },
      { ...descriptor, annotations: ['a'] },
      { ...descriptor, urls: [5] },
      { ...descriptor, artifactType: {} },
    ];
    for (const one of broken) {
      refusal(parseManifest, { ...manifest, config: one });
      refusal(parseManifest, { ...manifest, layers: [descriptor, one] });
      refusal(parseManifest, { ...manifest, subject: one });
      refusal(parseIndex, { ...index, manifests: [one] });
      refusal(parseIndex, { ...index, subject: one });
    }
  });
});

describe('bounds hold to the last one', () => {
  it('layers, manifests, history and diffIDs', () => {
    const many = (count: number) => new Array(count).fill(descriptor);
    assert.equal(parseManifest(bytes({ ...manifest, layers: many(1000) })).layers.length, 1000);
    assert.match(refusal(parseManifest, { ...manifest, layers: many(1001) }), /1001 items, more than 1000/);
    assert.equal(parseIndex(bytes({ ...index, manifests: many(10_000) })).manifests.length, 10_000);
    assert.match(refusal(parseIndex, { ...index, manifests: many(10_001) }), /more than 10000/);
    assert.match(
      refusal(parseImageConfig, { ...config, history: new Array(10_001).fill({}) }),
      /10001 items/,
    );
    const diffIds = new Array(1001).fill(digestOf('x'));
    assert.match(
      refusal(parseImageConfig, { ...config, rootfs: { type: 'layers', diff_ids: diffIds } }),
      /1001/,
    );
  });

  it('bytes', () => {
    const padded = (document: unknown, length: number) => bytes(JSON.stringify(document).padEnd(length));
    assert.deepEqual(parseManifest(padded(manifest, MAX_MANIFEST_BYTES)), manifest);
    assert.throws(() => parseManifest(padded(manifest, MAX_MANIFEST_BYTES + 1)), { kind: 'invalid' });
    assert.deepEqual(parseImageConfig(padded(config, MAX_CONFIG_BYTES)), config);
    assert.throws(() => parseImageConfig(padded(config, MAX_CONFIG_BYTES + 1)), { kind: 'invalid' });
  });

  it('depth: what is read can be written again', () => {
    const nested = (depth: number) => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`) as unknown;
    assert.ok(parseImageConfig(bytes({ ...config, extra: nested(60) })));
    assert.match(refusal(parseImageConfig, { ...config, extra: nested(70) }), /nested more than 64 deep/);
    assert.match(
      refusal(parseManifestOrIndex, `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`),
      /nested|not JSON/,
    );
  });
});

describe('one digest has one reading', () => {
  it('keys that Go would fold into a known one are refused, by case or by Unicode', () => {
    for (const key of [
      'Layers',
      'layerS',
      'layer\u017f',
      'manife\u017fts',
      'CONFIG',
      'MEDIATYPE',
      'fslayers',
      'SCHEMAVERSION',
      '\u017fubject',
    ]) {
      for (const [parse, document] of [
        [parseManifest, manifest],
        [parseIndex, index],
      ] as const) {
        assert.match(refusal(parse, { ...document, [key]: [] }), /must be written/, key);
      }
    }
  });

  it('of a key that comes twice the last counts, for the check and for the caller alike', () => {
    const layers = JSON.stringify(manifest.layers);
    const twice = JSON.stringify(manifest).replace('"layers":', `"layers":[5],"layers":`);
    assert.equal(JSON.stringify(parseManifest(bytes(twice)).layers), layers);
    refusal(parseManifest, JSON.stringify(manifest).replace(/\}$/, ',"layers":[5]}'));
  });

  it('keys of Object’s own are data', () => {
    const read = parseManifest(
      bytes(`{"__proto__":{"layers":[]},"constructor":1,${JSON.stringify(manifest).slice(1)}`),
    );
    assert.deepEqual(read.layers, manifest.layers);
    assert.equal(Object.getPrototypeOf(read), Object.prototype);
    refusal(parseManifest, `{"__proto__":${JSON.stringify(manifest)},"schemaVersion":2}`);
  });
});
