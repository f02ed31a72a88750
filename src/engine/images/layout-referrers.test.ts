import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Descriptor, digestOf, MediaTypes } from '../../oci/index.ts';
import { referrersOf } from './layout-referrers.ts';
import { removeImage } from './remove.ts';
import { saveImages } from './save.ts';
import {
  configOf,
  EMPTY,
  type Fixture,
  inventory,
  layerOf,
  load,
  ociMembers,
  openFixture,
  packed,
  unpacked,
} from './test-fixture.ts';

const layers = [layerOf({ a: 'one' })];
const config = configOf(layers);
const NAME = 'io.containerd.image.name';
const blobName = (digest: string) => `blobs/${digest.replace(':', '/')}`;

/** A layout of an image, and a way to add blobs to it that its index does not name. */
function layout() {
  const blobs = layers.map((layer) => gzipSync(layer));
  const members = ociMembers(
    { config, layers, blobs, layerTypes: [MediaTypes.ociLayerGzip] },
    { [NAME]: 'docker.io/library/app:1' },
  );
  const blob = (bytes: Buffer, mediaType: string): Descriptor => {
    const digest = digestOf(bytes);
    members.set(blobName(digest), bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const refer = (subject: Descriptor, text: string): Descriptor =>
    blob(
      Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: MediaTypes.ociManifest,
          config: blob(Buffer.from('{}'), MediaTypes.ociEmpty),
          layers: [blob(Buffer.from(text), 'text/plain')],
          subject,
        }),
      ),
      MediaTypes.ociManifest,
    );
  const image = JSON.parse(String(members.get('index.json'))).manifests[0] as Descriptor;
  const { mediaType, digest, size } = image;
  return { members, blob, refer, image: { mediaType, digest, size } };
}

const save = (fixture: Fixture) => unpacked(saveImages(fixture, ['app:1'], {}));

test('documents that speak of an image come with the layout that holds them, are saved with it, and loaded again', async () => {
  const { members, refer, image, blob } = layout();
  const signature = refer(image, 'signature');
  const countersignature = refer(signature, 'signature of the signature');
  refer({ ...image, digest: digestOf('another image') }, 'of what is not here');
  blob(Buffer.from('{"subject": "of an essay"}'), 'text/plain');
  await using fixture = openFixture();
  await load(fixture, packed(members));
  const kept = fixture.images.index(image.digest);
  assert.deepEqual(kept?.referrers, [signature, countersignature]);
  for (const { digest, size } of kept?.blobs ?? [])
    assert.deepEqual(await fixture.content.stat(digest), { size });
  assert.equal(kept?.blobs.length, 2 + 2 + 1, 'two documents, two texts, and the empty config of both');

  const archive = await save(fixture);
  await using second = openFixture();
  await load(second, packed(archive));
  assert.deepEqual(second.images.indexes(), fixture.images.indexes());
  assert.deepEqual(await inventory(second), await inventory(fixture));
  await removeImage(second, 'app:1', { force: false, noPrune: false });
  assert.deepEqual(await inventory(second), EMPTY);
});

test('an image without them keeps nothing more than itself', async () => {
  const { members, blob } = layout();
  blob(Buffer.from('a stray blob'), 'text/plain');
  await using fixture = openFixture();
  await load(fixture, packed(members));
  assert.deepEqual(fixture.images.indexes(), []);
});

test('each referrer follows its subject, whatever the order they are found in, and circles end', () => {
  const of = (name: string) => ({ mediaType: MediaTypes.ociManifest, digest: digestOf(name), size: 1 });
  const says = (name: string, subject: string) => ({ descriptor: of(name), subject: digestOf(subject) });
  const all = [says('c', 'b'), says('b', 'a'), says('a', 'b'), says('z', 'y'), says('y', 'z')];
  const found = referrersOf(all, [digestOf('image'), digestOf('a')]);
  assert.deepEqual(found, [of('b'), of('a'), of('c')]);
});
