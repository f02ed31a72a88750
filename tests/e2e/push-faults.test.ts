import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  eventually,
  execute,
  needsOwnDaemon,
  ociImage,
  type RegistryKind,
  type TestDaemon,
  TestRegistry,
  useDaemon,
} from './support/index.ts';
import { UploadGate } from './support/upload-gate.ts';

const LAYER = 6 << 20;

/** A plain tar of one file of random bytes. */
async function layer(folder: string, size = LAYER): Promise<Buffer> {
  const name = randomBytes(4).toString('hex');
  writeFileSync(join(folder, name), randomBytes(size));
  const { code, stderr } = await execute('tar', ['-C', folder, '-cf', join(folder, `${name}.tar`), name]);
  assert.equal(code, 0, stderr);
  return readFileSync(join(folder, `${name}.tar`));
}

/** Loads images of these layers under these names. */
async function loadImages(engine: TestDaemon, images: { name: string; layers: Buffer[] }[]): Promise<void> {
  const folder = join(engine.temporary, randomBytes(4).toString('hex'));
  mkdirSync(join(folder, 'blobs/sha256'), { recursive: true });
  const manifests = images.map(({ name, layers }) => {
    const { manifest, config, layers: blobs } = ociImage(layers, 'zstd');
    for (const { digest, bytes } of [manifest, config, ...blobs])
      writeFileSync(join(folder, 'blobs/sha256', digest.slice(7)), bytes);
    const annotations = { 'io.containerd.image.name': name };
    return {
      mediaType: manifest.mediaType,
      digest: manifest.digest,
      size: manifest.bytes.length,
      annotations,
    };
  });
  writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
  const packed = await execute('tar', ['-C', folder, '-cf', `${folder}.tar`, '.']);
  assert.equal(packed.code, 0, packed.stderr);
  await engine.ok('load', '--quiet', '--input', `${folder}.tar`);
}

/** Connections on which more is sent than questions. */
function uploads({ clients }: UploadGate): number {
  return [...clients].filter(({ bytesRead }) => bytesRead > 1 << 16).length;
}

/** Tests of one kind of registry; each has an engine's image of one large layer, and a gate before the registry. */
function faults(engine: TestDaemon, kind: RegistryKind): void {
  const on = (
    title: string,
    check: (given: { gate: UploadGate; registry: TestRegistry; name: string }) => Promise<void>,
  ) =>
    it(`${kind}: ${title}`, async () => {
      await using registry = await TestRegistry.start(kind);
      await using gate = await UploadGate.start(registry.port);
      const name = `${gate.address}/team/app:1`;
      await loadImages(engine, [{ name, layers: [await layer(engine.temporary)] }]);
      await check({ gate, registry, name });
      const tags = await registry.ask('GET', '/v2/team/app/tags/list');
      assert.deepEqual(JSON.parse(String(tags.body)).tags, ['1']);
      await engine.ok('rmi', name);
      assert.match(await engine.ok('pull', name), /Downloaded newer image/);
    });

  on('a connection that breaks in the middle is no failure', async ({ gate, name }) => {
    const reached = gate.closeAfter(LAYER / 2);
    const pushing = engine.ok('push', name);
    await reached;
    gate.open(true);
    assert.match(await pushing, /^1: digest: sha256:/m);
  });

  on('a registry that is killed and comes back is no failure', async ({ gate, registry, name }) => {
    const reached = gate.closeAfter(LAYER / 2);
    const pushing = engine.ok('push', name);
    await reached;
    await registry.end('SIGKILL');
    await registry.run();
    gate.open(true);
    assert.match(await pushing, /^1: digest: sha256:/m);
  });

  on(
    'a registry that stays away is said in bounded time, and pushed to later',
    async ({ gate, registry, name }) => {
      const reached = gate.closeAfter(LAYER / 2);
      const pushing = engine.docker('push', name);
      await reached;
      await registry.end('SIGKILL');
      gate.open(true);
      const { code, stderr } = await pushing;
      assert.equal(code, 1);
      assert.match(stderr, /^[\x20-\x7e]+\n$/);
      registry.mend();
      await registry.run();
      await engine.ok('push', name);
    },
  );

  on('a client that goes away ends the upload', async ({ gate, name }) => {
    // More than what the buffers of connections hold.
    const large = await layer(engine.temporary, 5 * LAYER);
    await loadImages(engine, [{ name, layers: [large] }]);
    const reached = gate.closeAfter(LAYER / 2);
    const client = engine.session('push', name);
    await reached;
    client.kill('SIGKILL');
    gate.open();
    await eventually(
      () => uploads(gate),
      (open) => open === 0,
      'the upload ends',
    );
    assert.ok(gate.sent < 4 * LAYER, `${gate.sent} bytes were sent`);
    await engine.ok('push', name);
  });

  on('a daemon that is killed leaves nothing in the way of the next push', async ({ gate, name }) => {
    const reached = gate.closeAfter(LAYER / 2);
    const pushing = engine.docker('push', name);
    await reached;
    await engine.kill();
    assert.notEqual((await pushing).code, 0);
    gate.open(true);
    await engine.run();
    await engine.ok('push', name);
  });
}

describe('pushes when things go wrong', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon({ busybox: false });
  for (const kind of ['wharf', 'docker-registry'] as const) {
    faults(engine, kind);

    it(`${kind}: pushes at once send what they share once`, async () => {
      await using registry = await TestRegistry.start(kind);
      await using gate = await UploadGate.start(registry.port);
      const shared = [await layer(engine.temporary), await layer(engine.temporary)];
      const images = Array.from({ length: 8 }, (_, at) => ({
        name: `${gate.address}/team/app${at}:1`,
        // Of one image each layer stands once more, so that all are different images.
        layers: [...shared, ...shared.slice(0, 1).flatMap((one) => new Array<Buffer>(at).fill(one))],
      }));
      await loadImages(engine, images);
      await Promise.all(images.map(({ name }) => engine.ok('push', name)));
      assert.ok(gate.sent >= 2 * LAYER && gate.sent < 2.5 * LAYER, `${gate.sent} bytes were sent`);
      for (const { name } of images) await engine.ok('rmi', name);
      await engine.ok('pull', images[5]?.name ?? '');
    });
  }
});
