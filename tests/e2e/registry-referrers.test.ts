import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  type Blob,
  needsOwnDaemon,
  type OciImage,
  type RegistryKind,
  randomImage,
  TestRegistry,
  useDaemon,
} from './support/index.ts';

const INDEX = 'application/vnd.oci.image.index.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

function blob(content: string | object, mediaType: string): Blob {
  const bytes = Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
  return { bytes, mediaType, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
}

const described = ({ digest, bytes, mediaType }: Blob) => ({ mediaType, digest, size: bytes.length });

/** A document that speaks of another one, as signing tools make it. */
function signatureOf(subject: Blob, text: string): OciImage {
  const config = blob('{}', 'application/vnd.oci.empty.v1+json');
  const layer = blob(text, 'text/plain');
  const manifest = blob(
    {
      schemaVersion: 2,
      mediaType: MANIFEST,
      artifactType: 'application/vnd.example.signature',
      config: described(config),
      layers: [described(layer)],
      subject: described(subject),
    },
    MANIFEST,
  );
  return { layers: [layer], config, manifest, plainBytes: 0 };
}

const fallbackTag = ({ digest }: Blob) => digest.replace(':', '-');

for (const kind of ['wharf', 'docker-registry'] satisfies RegistryKind[]) {
  describe(`referrers at ${kind}`, { skip: needsOwnDaemon }, () => {
    const engine = useDaemon({ busybox: false });
    let from: TestRegistry;
    let to: TestRegistry;
    before(async () => {
      [from, to] = [await TestRegistry.start(kind), await TestRegistry.start(kind)];
    });
    after(async () => {
      await from?.[Symbol.asyncDispose]();
      await to?.[Symbol.asyncDispose]();
    });

    /** What a registry lists, by its API or by the tag that clients keep where it has none. */
    async function listed(registry: TestRegistry, path: string, subject: Blob): Promise<string[]> {
      const place = kind === 'wharf' ? `referrers/${subject.digest}` : `manifests/${fallbackTag(subject)}`;
      const answer = await registry.ask('GET', `/v2/${path}/${place}`, { headers: { Accept: INDEX } });
      if (answer.status === 404) return [];
      assert.equal(answer.status, 200, String(answer.body));
      const { manifests } = JSON.parse(String(answer.body)) as { manifests: { digest: string }[] };
      return manifests.map(({ digest }) => digest);
    }

    it('come with all platforms of an image, and go where it goes', async () => {
      const image = await randomImage(from.folder, 1, 1 << 16);
      const signature = signatureOf(image.manifest, 'signed by the lab');
      const countersignature = signatureOf(signature.manifest, 'seen by the other lab');
      await from.store('lab/app', image, '1');
      for (const [document, subject] of [
        [signature, image],
        [countersignature, signature],
      ] as const) {
        await from.store('lab/app', document, document.manifest.digest);
        if (kind === 'wharf') continue;
        const list = { schemaVersion: 2, mediaType: INDEX, manifests: [described(document.manifest)] };
        const put = await from.ask('PUT', `/v2/lab/app/manifests/${fallbackTag(subject.manifest)}`, {
          headers: { 'Content-Type': INDEX },
          body: Buffer.from(JSON.stringify(list)),
        });
        assert.equal(put.status, 201, String(put.body));
      }

      const name = `${from.address}/lab/app:1`;
      const copy = `${to.address}/team/copy:1`;
      await engine.ok('pull', name);
      await engine.ok('tag', name, copy);
      await engine.ok('push', copy);
      assert.deepEqual(await listed(to, 'team/copy', image.manifest), []);

      const pulled = await engine.wharf('pull', '--all-platforms', name);
      assert.equal(pulled.code, 0, pulled.stderr);
      await engine.ok('tag', name, copy);
      const pushed = await engine.ok('push', copy);
      assert.ok(pushed.includes(`digest: ${image.manifest.digest}`), pushed);
      assert.deepEqual(await listed(to, 'team/copy', image.manifest), [signature.manifest.digest]);
      assert.deepEqual(await listed(to, 'team/copy', signature.manifest), [countersignature.manifest.digest]);
      for (const { manifest, layers } of [signature, countersignature]) {
        const headers = { Accept: MANIFEST };
        const there = await to.ask('GET', `/v2/team/copy/manifests/${manifest.digest}`, { headers });
        assert.deepEqual(there.body, manifest.bytes);
        const [layer] = layers;
        const body = await to.ask('GET', `/v2/team/copy/blobs/${layer?.digest}`);
        assert.deepEqual(body.body, layer?.bytes);
      }
      // A second push finds all of it there, and lists nothing twice.
      await engine.ok('push', copy);
      assert.deepEqual(await listed(to, 'team/copy', image.manifest), [signature.manifest.digest]);
      // An archive keeps them.
      const archive = join(engine.temporary, 'app.tar');
      await engine.ok('save', '-o', archive, copy);
      await engine.ok('rmi', name, copy);
      await engine.ok('load', '-i', archive);
      const third = `${to.address}/team/third:1`;
      await engine.ok('tag', copy, third);
      await engine.ok('push', third);
      assert.deepEqual(await listed(to, 'team/third', image.manifest), [signature.manifest.digest]);
      assert.deepEqual(await listed(to, 'team/third', signature.manifest), [
        countersignature.manifest.digest,
      ]);
      await engine.ok('rmi', copy, third);
    });
  });
}
