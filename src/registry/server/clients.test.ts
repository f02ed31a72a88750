import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { silentLog } from '../../base/index.ts';
import { MediaTypes } from '../../oci/index.ts';
import { openRegistries } from '../client/index.ts';
import { repositorySuite } from '../suite.ts';
import { TestRegistry } from './testing/registry.ts';

const run = promisify(execFile);
const missing = (program: string) =>
  existsSync(`/usr/bin/${program}`) ? false : `${program} is not installed`;

/** An image layout of an index over two images, each of two layers; the second layers are one and the same. */
function layout(dir: string): string {
  mkdirSync(join(dir, 'blobs', 'sha256'), { recursive: true });
  const put = (mediaType: string, content: Buffer | object) => {
    const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content, null, 2));
    const hex = createHash('sha256').update(bytes).digest('hex');
    writeFileSync(join(dir, 'blobs', 'sha256', hex), bytes);
    return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
  };
  const tar = (size: number) => Buffer.concat([randomBytes(size), Buffer.alloc(1024)]);
  const shared = tar(3_000_000);
  const manifests = ['amd64', 'arm64'].map((architecture) => {
    const layers = [tar(500_000), shared];
    const diffIds = layers.map((layer) => `sha256:${createHash('sha256').update(layer).digest('hex')}`);
    const config = { os: 'linux', architecture, rootfs: { type: 'layers', diff_ids: diffIds }, config: {} };
    const manifest = put(MediaTypes.ociManifest, {
      schemaVersion: 2,
      mediaType: MediaTypes.ociManifest,
      config: put(MediaTypes.ociConfig, config),
      layers: layers.map((layer) => put(MediaTypes.ociLayerGzip, gzipSync(layer, { level: 1 }))),
    });
    return { ...manifest, platform: { os: 'linux', architecture } };
  });
  const index = put(MediaTypes.ociIndex, { schemaVersion: 2, mediaType: MediaTypes.ociIndex, manifests });
  writeFileSync(join(dir, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(
    join(dir, 'index.json'),
    JSON.stringify({
      schemaVersion: 2,
      manifests: [{ ...index, annotations: { 'org.opencontainers.image.ref.name': 'all' } }],
    }),
  );
  return index.digest;
}

function blobsOf(dir: string): Map<string, Buffer> {
  const folder = join(dir, 'blobs', 'sha256');
  return new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
}

repositorySuite('our client with our registry', async () => {
  const registry = await TestRegistry.open({ disk: true });
  const registries = openRegistries(
    {
      insecure: [],
      mirrors: new Map(),
      certsDirs: [],
      proxy: {},
      userAgent: 'wharf/test',
      attempts: 2,
      stallMs: 20_000,
    },
    silentLog,
  );
  const domain = `127.0.0.1:${registry.port}`;
  return {
    repository: (path) => registries.repository({ domain, path }, { actions: ['pull', 'push', 'delete'] }),
    async [Symbol.asyncDispose]() {
      registries[Symbol.dispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
});

describe('clients of others', () => {
  it('skopeo copies an index with all its images there and back, byte for byte', {
    skip: missing('skopeo'),
  }, async () => {
    await using registry = await TestRegistry.open({ disk: true });
    const dir = mkdtempSync(join(tmpdir(), 'wharf-skopeo-'));
    try {
      const digest = layout(join(dir, 'one'));
      const name = `docker://127.0.0.1:${registry.port}/team/app:all`;
      const skopeo = (...args: string[]) => run('skopeo', args, { timeout: 60_000 });
      await skopeo('copy', '--all', '--dest-tls-verify=false', `oci:${dir}/one:all`, name);
      await skopeo('copy', '--all', '--src-tls-verify=false', name, `oci:${dir}/two:all`);
      assert.deepEqual(blobsOf(join(dir, 'two')), blobsOf(join(dir, 'one')));
      const head = await registry.ask('HEAD', '/v2/team/app/manifests/all');
      assert.equal(head.headers['docker-content-digest'], digest);
      const tags = JSON.parse(
        (await skopeo('list-tags', '--tls-verify=false', name.replace(/:all$/, ''))).stdout,
      );
      assert.deepEqual(tags.Tags, ['all']);
      // The same to another repository: everything is mounted, or here already.
      await skopeo(
        'copy',
        '--all',
        '--src-tls-verify=false',
        '--dest-tls-verify=false',
        name,
        name.replace('app', 'copy'),
      );
      await skopeo('delete', '--tls-verify=false', name);
      assert.equal((await registry.ask('HEAD', '/v2/team/app/manifests/all')).status, 404);
      assert.equal(
        (await registry.ask('HEAD', '/v2/team/copy/manifests/all')).headers['docker-content-digest'],
        digest,
      );
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
