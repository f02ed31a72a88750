import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isKind } from '../../base/index.ts';
import { digestOf, MediaTypes } from '../../oci/index.ts';
import { readDocument } from './document.ts';

const { ociManifest, ociIndex, dockerManifest, dockerIndex } = MediaTypes;
const blob = (text: string, mediaType: string = MediaTypes.ociLayer) => ({
  mediaType,
  digest: digestOf(text),
  size: text.length,
});
const manifest = { schemaVersion: 2, mediaType: ociManifest, config: blob('c'), layers: [blob('l')] };
const index = { schemaVersion: 2, mediaType: ociIndex, manifests: [blob('m', ociManifest)] };
const read = (document: unknown, type: string = ociManifest) =>
  readDocument(Buffer.from(typeof document === 'string' ? document : JSON.stringify(document)), type);

describe('what a registry reads in a document', () => {
  it('the references of a manifest, each once, and of an index', () => {
    const twice = { ...manifest, layers: [blob('l'), blob('l'), blob('c')] };
    assert.deepEqual(read(twice).references, [digestOf('c'), digestOf('l')]);
    assert.deepEqual(read(index, ociIndex).references, [digestOf('m')]);
  });

  it('a subject is no reference; annotations and artifact type are kept', () => {
    const facts = read({
      ...manifest,
      subject: blob('s', ociManifest),
      artifactType: 'a/b',
      annotations: { k: 'v' },
    });
    assert.equal(facts.subject, digestOf('s'));
    assert.ok(!facts.references.includes(digestOf('s')));
    assert.deepEqual([facts.artifactType, facts.annotations], ['a/b', { k: 'v' }]);
    assert.equal(read({ ...manifest, artifactType: '' }).artifactType, MediaTypes.ociLayer);
    assert.equal(read(index, ociIndex).artifactType, undefined);
    assert.equal(read({ ...manifest, subject: null, annotations: null }).subject, undefined);
  });

  it('layers that lie elsewhere are no references, unless they say not where', () => {
    const foreign = { ...blob('f', MediaTypes.dockerForeignLayer), urls: ['https://example.com/f'] };
    const nowhere = blob('n', MediaTypes.dockerForeignLayer);
    // An ordinary layer with a place to get it must be here all the same.
    const here = { ...blob('h'), urls: ['https://example.com/h'] };
    const { references } = read({ ...manifest, layers: [foreign, nowhere, here] });
    assert.deepEqual(references, [digestOf('c'), digestOf('n'), digestOf('h')]);
  });

  it('the media type of the document, or of its header where the document has none', () => {
    const bare = { ...manifest, mediaType: undefined };
    assert.equal(read(bare, dockerManifest).mediaType, dockerManifest);
    assert.equal(read(bare, `${ociManifest}; charset=utf-8`).mediaType, ociManifest);
    for (const type of ['', 'application/json', 'application/octet-stream']) {
      assert.equal(read(bare, type).mediaType, ociManifest);
      assert.equal(read({ ...index, mediaType: undefined }, type).mediaType, ociIndex);
      assert.equal(read({ ...index, mediaType: dockerIndex }, type).mediaType, dockerIndex);
    }
  });

  it('thirty documents that can be read in two ways are refused', () => {
    const types = [ociManifest, ociIndex, dockerManifest, dockerIndex, 'application/json'];
    const twofold = [
      { ...manifest, manifests: [] },
      { ...index, layers: [] },
      { ...index, config: blob('c') },
      { ...manifest, Layers: [] },
      { ...manifest, MANIFESTS: [] },
      { ...index, ManiFests: [] },
    ];
    for (const document of twofold)
      for (const type of types)
        assert.throws(
          () => read(document, type),
          (thrown) => isKind(thrown, 'invalid'),
          `${JSON.stringify(document)} as ${type}`,
        );
    for (const [document, type] of [
      [manifest, ociIndex],
      [manifest, dockerManifest],
      [manifest, dockerIndex],
      [index, ociManifest],
      [index, dockerIndex],
      [{ ...manifest, mediaType: ociIndex }, 'application/json'],
      [{ ...index, mediaType: ociManifest }, 'application/json'],
    ] as const)
      assert.throws(
        () => read(document, type),
        (thrown) => isKind(thrown, 'invalid'),
      );
  });

  it('other types and schema 1 are refused by name', () => {
    assert.throws(() => read(manifest, 'text/html'), /unsupported manifest media type "text\/html"/);
    const one = { schemaVersion: 1, name: 'x', tag: 'y', fsLayers: [] };
    for (const type of [MediaTypes.dockerSchema1, MediaTypes.dockerSchema1Signed, 'application/json'])
      assert.throws(
        () => read(one, type),
        (thrown) => isKind(thrown, 'not-implemented'),
      );
  });

  it('ten thousand damaged documents are read or refused, and nothing else', () => {
    const base = JSON.stringify({ ...manifest, subject: blob('s'), annotations: { a: 'b' } });
    let state = 5;
    const next = (below: number) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const bits = [
      'null',
      '-1',
      '1e999',
      '[]',
      '{}',
      '""',
      '"x"',
      '"__proto__"',
      '\\u0000',
      ',',
      '}',
      '"',
      '99999999999999999999',
    ];
    for (let times = 0; times < 10_000; times += 1) {
      const from = next(base.length);
      const broken = base.slice(0, from) + (bits[next(bits.length)] ?? '') + base.slice(from + next(12));
      try {
        assert.ok(read(broken, times % 2 ? ociManifest : 'application/json').references.length > 0);
      } catch (thrown) {
        assert.ok(isKind(thrown, 'invalid') || isKind(thrown, 'not-implemented'), `${broken}: ${thrown}`);
      }
    }
  });
});
