import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Leases, openMemoryContentStore } from '../../content/index.ts';
import { type Descriptor, digestOf, MediaTypes } from '../../oci/index.ts';
import { planPush } from './push-plan.ts';

function home() {
  const content = openMemoryContentStore();
  const leases = new Leases();
  const put = (document: unknown, mediaType: string) =>
    content.put(Buffer.from(typeof document === 'string' ? document : JSON.stringify(document)), mediaType);
  const image = async (name: string, count: number, config?: unknown) => {
    const layers: Descriptor[] = [];
    for (let at = 0; at < count; at++) layers.push(await put(`${name} ${at}`, MediaTypes.ociLayerGzip));
    const diff_ids = layers.map((_, at) => digestOf(`plain ${name} ${at}`));
    const file = config ?? { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids } };
    const kept = await put(file, MediaTypes.ociConfig);
    const document = { schemaVersion: 2, mediaType: MediaTypes.ociManifest, config: kept, layers };
    return { manifest: await put(document, MediaTypes.ociManifest), config: kept, layers, diff_ids };
  };
  const index = (manifests: Descriptor[]) =>
    put({ schemaVersion: 2, mediaType: MediaTypes.ociIndex, manifests }, MediaTypes.ociIndex);
  const plan = (root: Descriptor) => planPush(content, root, leases.open());
  return { content, leases, put, image, index, plan };
}

test('of an image the top layer comes first and the config last, and all is leased', async () => {
  const { image, plan, leases } = home();
  const { manifest, config, layers, diff_ids } = await image('a', 3);
  const { root, blobs, manifests, lacking } = await plan(manifest);
  assert.equal(root.descriptor, manifest);
  assert.equal(digestOf(root.bytes), manifest.digest);
  assert.deepEqual(
    blobs.map(({ descriptor, shown }) => [descriptor.digest, shown]),
    [...layers.map(({ digest }, at) => [digest, diff_ids[at]]).reverse(), [config.digest, undefined]],
  );
  assert.deepEqual([manifests, lacking], [[], { blobs: [], manifests: [] }]);
  for (const { digest } of [manifest, config, ...layers]) assert.ok(leases.has(digest));
});

test('documents come after those that they name, each once, however deep', async () => {
  const { image, index, plan } = home();
  const [one, two] = [await image('one', 1), await image('two', 1)];
  const inner = await index([two.manifest, one.manifest]);
  const outer = await index([one.manifest, inner, one.manifest]);
  const { manifests, blobs } = await plan(outer);
  assert.deepEqual(
    manifests.map(({ descriptor }) => descriptor.digest),
    [one.manifest.digest, two.manifest.digest, inner.digest],
  );
  assert.equal(blobs.length, 4);
});

test('what is not here is named once', async () => {
  const { content, image, index, plan } = home();
  const [one, two] = [await image('one', 2), await image('two', 1)];
  const shared = one.layers[0] as Descriptor;
  await content.remove(shared.digest);
  await content.remove(two.manifest.digest);
  const again = { schemaVersion: 2, config: one.config, layers: [shared, shared] };
  const manifest = await content.put(Buffer.from(JSON.stringify(again)), MediaTypes.dockerManifest);
  const { lacking } = await plan(await index([one.manifest, two.manifest, manifest]));
  assert.deepEqual(lacking, { blobs: [shared], manifests: [two.manifest] });
  await assert.rejects(plan(two.manifest), { kind: 'not-found' });
});

test('layers of what is no image are shown by their own digests', async () => {
  const { image, put, plan } = home();
  const odd = ['{"rootfs":{"type":"tree"}}', 'no JSON', { rootfs: { type: 'layers', diff_ids: [] } }];
  for (const config of odd) {
    const { manifest, layers } = await image('odd', 2, config);
    const { blobs } = await plan(manifest);
    assert.deepEqual(
      blobs.map(({ shown }) => shown),
      [layers[1]?.digest, layers[0]?.digest, undefined],
    );
  }
  const layer = await put('{}', 'application/vnd.in-toto+json');
  const config = await put('{}', MediaTypes.ociEmpty);
  const artifact = await put({ schemaVersion: 2, config, layers: [layer] }, MediaTypes.ociManifest);
  assert.equal((await plan(artifact)).blobs[0]?.shown, layer.digest);
});

test('layers that live elsewhere are left where they are', async () => {
  const { put, plan } = home();
  const config = await put('{}', MediaTypes.dockerConfig);
  const foreign = { digest: digestOf('elsewhere'), size: 9, urls: ['https://example.test/layer'] };
  const layers = [
    { ...foreign, mediaType: MediaTypes.dockerForeignLayer },
    { ...foreign, mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip' },
  ];
  const manifest = await put({ schemaVersion: 2, config, layers }, MediaTypes.dockerManifest);
  const { blobs, lacking } = await plan(manifest);
  assert.deepEqual(
    blobs.map(({ descriptor }) => descriptor.digest),
    [config.digest],
  );
  assert.deepEqual(lacking, { blobs: [], manifests: [] });
});

test('an entry of a type that nobody knows is passed on as it is', async () => {
  const { put, index, plan } = home();
  const unknown = await put('not even JSON', 'application/vnd.example');
  const { manifests, blobs } = await plan(await index([unknown]));
  assert.deepEqual(
    manifests.map(({ descriptor, bytes }) => [descriptor.mediaType, String(bytes)]),
    [['application/vnd.example', 'not even JSON']],
  );
  assert.deepEqual(blobs, []);
});

test('a document that is not what its media type says is refused', async () => {
  const { put, index, plan } = home();
  const lookalike = await put({ schemaVersion: 2, manifests: [] }, MediaTypes.ociManifest);
  await assert.rejects(plan(lookalike), { kind: 'invalid' });
  await assert.rejects(plan(await index([lookalike])), { kind: 'invalid' });
});
