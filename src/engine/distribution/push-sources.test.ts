import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openMemoryDatabase } from '../../meta/index.ts';
import { digestOf, MediaTypes } from '../../oci/index.ts';
import { type ImageRecord, openImageStore } from '../images/index.ts';
import { blobSources } from './push-sources.ts';

const blob = (text: string) => ({ mediaType: MediaTypes.ociLayerGzip, digest: digestOf(text), size: 1 });

function record(name: string, ...layers: string[]): ImageRecord {
  const chained = layers.map((text) => ({
    chainId: digestOf(`chain ${text}`),
    diffId: digestOf(`diff ${text}`),
    blob: blob(text),
    bytes: 1,
    tarBytes: 1,
  }));
  return {
    id: digestOf(name),
    manifest: blob(`manifest ${name}`),
    config: blob(name),
    platform: { os: 'linux', architecture: 'amd64' },
    created: '',
    layers: chained,
    labels: null,
    lastTagTime: '',
  };
}

test('repo digests say which repositories of a registry hold a blob', () => {
  using database = openMemoryDatabase();
  const images = openImageStore(database);
  const [base, app] = [record('base', 'shared'), record('app', 'shared', 'own')];
  for (const image of [base, app]) images.put(image);
  const named = (name: string, image: ImageRecord) =>
    images.setName(`${name}@${image.manifest.digest}`, image.id);
  named('lab:5000/base', base);
  named('lab:5000/team/base', base);
  named('lab:5000/app', app);
  named('other:5000/app', app);
  named('lab:50000/app', app);
  images.setName('lab:5000/tagged:1', app.id);
  const at = (path: string) => blobSources(images, { domain: 'lab:5000', path });
  assert.deepEqual(at('new')(digestOf('shared')).sort(), ['app', 'base', 'team/base']);
  assert.deepEqual(at('new')(digestOf('own')), ['app']);
  assert.deepEqual(at('new')(digestOf('app')), ['app'], 'configs, too');
  assert.deepEqual(at('app')(digestOf('own')), [], 'not the one that is pushed to');
  assert.deepEqual(at('new')(digestOf('unknown')), []);
});

test('they are read once a push, when the first blob is lacking', () => {
  let read = 0;
  const names = () => {
    read++;
    return [];
  };
  const images = { names, get: () => undefined };
  const sources = blobSources(images, { domain: 'lab', path: 'app' });
  assert.equal(read, 0);
  sources(digestOf('a'));
  sources(digestOf('b'));
  assert.equal(read, 1);
});
