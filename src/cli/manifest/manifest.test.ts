import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { digestOf, MediaTypes } from '../../oci/index.ts';
import { type MemoryRegistry, memoryRegistry } from '../../registry/client/testing/memory-registry.ts';
import { type Served, serve } from '../../registry/client/testing/serve.ts';
import { runAgainst } from '../fake-engine.ts';

/** A registry, and a folder for the lists that are made. */
class Lab implements AsyncDisposable {
  readonly dir = mkdtempSync(join(tmpdir(), 'wharf-manifest-'));
  readonly registry: MemoryRegistry = memoryRegistry();
  private served: Served | undefined;

  async open(): Promise<this> {
    this.served = await serve(this.registry.handler);
    return this;
  }

  get host(): string {
    return this.served?.host ?? '';
  }

  /** Stores an image, laid out by a hand of its own, and gives its manifest. */
  image(path: string, tag: string, architecture: string, type: string = MediaTypes.dockerManifest): Buffer {
    const config = Buffer.from(JSON.stringify({ architecture, os: 'linux', rootfs: {} }));
    const digest = this.registry.addBlob(path, config);
    const manifest = Buffer.from(
      `{\n  "schemaVersion": 2,\n  "mediaType": "${type}",\n  "config": { "mediaType": "c", "size": ${config.length}, "digest": "${digest}" },\n  "layers": [],\n  "annotations": { "a": "<b> \\u00e4" }\n}`,
    );
    this.registry.put(path, tag, manifest, type);
    return manifest;
  }

  run(...words: string[]) {
    return runAgainst(['manifest', ...words.map((word) => word.replace('HOST', this.host))], () => ({}), {
      DOCKER_CONFIG: this.dir,
    });
  }

  async ok(...words: string[]): Promise<string> {
    const { code, out, err } = await this.run(...words);
    assert.deepEqual([code, err], [0, '']);
    return out.replaceAll(this.host, 'HOST');
  }

  async error(...words: string[]): Promise<string> {
    const { code, err } = await this.run(...words);
    assert.equal(code, 1);
    return err.replaceAll(this.host, 'HOST');
  }

  folder(list: string): string {
    return join(this.dir, 'manifests', `${this.host.replace(':', '-')}_${list}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.dir, { recursive: true, force: true });
    await this.served?.[Symbol.asyncDispose]();
  }
}

test('inspect shows the document of the registry, laid out with tabs', async () => {
  await using lab = await new Lab().open();
  const manifest = lab.image('a/x', '1', 'amd64');
  const { config } = JSON.parse(manifest.toString());
  assert.equal(
    await lab.ok('inspect', 'HOST/a/x:1'),
    `{\n\t"schemaVersion": 2,\n\t"mediaType": "${MediaTypes.dockerManifest}",\n\t"config": {\n\t\t"mediaType": "c",\n\t\t"size": ${config.size},\n\t\t"digest": "${config.digest}"\n\t},\n\t"layers": [],\n\t"annotations": {\n\t\t"a": "<b> \\u00e4"\n\t}\n}\n`,
  );
  assert.equal(await lab.error('inspect', 'HOST/a/x'), 'no such manifest: HOST/a/x:latest\n');
  assert.match(await lab.error('inspect', 'UP'), /must be lowercase\n$/);
});

test('inspect in full adds name, platform and bytes', async () => {
  await using lab = await new Lab().open();
  const manifest = lab.image('a/x', '1', 'arm64', MediaTypes.ociManifest);
  const out = await lab.ok('inspect', '-v', 'HOST/a/x:1');
  const shown = JSON.parse(out);
  assert.deepEqual(Object.keys(shown), ['Ref', 'Descriptor', 'Raw', 'OCIManifest']);
  assert.equal(shown.Ref, 'HOST/a/x:1');
  assert.deepEqual(shown.Descriptor, {
    mediaType: MediaTypes.ociManifest,
    digest: digestOf(manifest),
    size: manifest.length,
    platform: { architecture: 'arm64', os: 'linux' },
  });
  assert.equal(Buffer.from(shown.Raw, 'base64').toString(), manifest.toString());
  assert.match(out, /\n\t\t"annotations": \{\n\t\t\t"a": "\\u003cb\\u003e \\u00e4"\n/);
});

test('inspect of an index names each of its manifests', async () => {
  await using lab = await new Lab().open();
  const [one, two] = [lab.image('a/x', '1', 'amd64'), lab.image('a/x', '2', 'arm64')];
  const member = (bytes: Buffer, architecture: string) => ({
    mediaType: MediaTypes.dockerManifest,
    digest: digestOf(bytes),
    size: bytes.length,
    platform: { variant: 'v8', os: 'linux', architecture },
  });
  const index = { schemaVersion: 2, manifests: [member(one, 'amd64'), member(two, 'arm64')] };
  lab.registry.put('a/x', 'all', Buffer.from(JSON.stringify(index)), MediaTypes.ociIndex);
  const list = JSON.parse(await lab.ok('inspect', 'HOST/a/x:all'));
  assert.equal(list.mediaType, MediaTypes.dockerIndex);
  assert.deepEqual(Object.keys(list.manifests[0]), ['mediaType', 'size', 'digest', 'platform']);
  const full = JSON.parse(await lab.ok('inspect', '-v', 'HOST/a/x:all'));
  assert.deepEqual(
    full.map((each: { Ref: string }) => each.Ref),
    [`HOST/a/x:all@${digestOf(one)}`, `HOST/a/x:all@${digestOf(two)}`],
  );
  assert.equal(
    await lab.error('create', 'HOST/a/x:new', 'HOST/a/x:all'),
    'HOST/a/x:all is a manifest list\n',
  );
});

test('a list is created, annotated, pushed byte for byte and removed', async () => {
  await using lab = await new Lab().open();
  const [one, two] = [lab.image('a/x', '1', 'amd64'), lab.image('a/x', '2', 'amd64')];
  assert.equal(
    await lab.ok('create', 'HOST/a/x:all', 'HOST/a/x:1', 'HOST/a/x:2'),
    'Created manifest list HOST/a/x:all\n',
  );
  assert.equal(
    await lab.error('create', 'HOST/a/x:all', 'HOST/a/x:1'),
    'refusing to amend an existing manifest list with no --amend flag\n',
  );
  await lab.ok('create', '--amend', 'HOST/a/x:all', 'HOST/a/x:1');
  await lab.ok(
    'annotate',
    '--arch',
    'arm64',
    '--variant',
    'v8',
    '--os-version',
    '1',
    '--os-features',
    'a,b,a',
    'HOST/a/x:all',
    'HOST/a/x:2',
  );
  const pushed = await lab.ok('push', '--purge', 'HOST/a/x:all');
  const repository = lab.registry.repository('a/x');
  const digest = repository.tags.get('all');
  assert.equal(
    pushed,
    `${[one, two].map((bytes) => `Pushed ref HOST/a/x@${digestOf(bytes)} with digest: ${digestOf(bytes)}\n`).join('')}${digest}\n`,
  );
  const member = (bytes: Buffer, platform: string) =>
    `      {\n         "mediaType": "${MediaTypes.dockerManifest}",\n         "size": ${bytes.length},\n         "digest": "${digestOf(bytes)}",\n         "platform": {\n${platform}\n         }\n      }`;
  const pad = '            ';
  assert.equal(
    repository.manifests.get(digest ?? '')?.bytes.toString(),
    `{\n   "schemaVersion": 2,\n   "mediaType": "${MediaTypes.dockerIndex}",\n   "manifests": [\n${member(one, `${pad}"architecture": "amd64",\n${pad}"os": "linux"`)},\n${member(
      two,
      `${pad}"architecture": "arm64",\n${pad}"os": "linux",\n${pad}"os.version": "1",\n${pad}"os.features": [\n${pad}   "a",\n${pad}   "b"\n${pad}],\n${pad}"variant": "v8"`,
    )}\n   ]\n}`,
  );
  assert.equal(existsSync(lab.folder('a_x-all')), false);
  assert.equal(
    await lab.error('rm', 'HOST/a/x:all', 'UP'),
    'No such manifest: HOST/a/x:all\ninvalid reference format: repository name (library/UP) must be lowercase\n',
  );
});

test('what would be deleted is shown before', async () => {
  await using lab = await new Lab().open();
  lab.image('a/x', '1', 'amd64');
  await lab.ok('create', 'HOST/a/x:all', 'HOST/a/x:1');
  const shown = await lab.ok('rm', '--dry-run', '--format', '{{.Kind}} {{.Name}} {{.Bytes}}', 'HOST/a/x:all');
  assert.match(shown, /^manifest list \S+\/a\/x:all 4096\n$/);
  assert.ok(existsSync(lab.folder('a_x-all')));
  await lab.ok('rm', 'HOST/a/x:all');
  assert.equal(existsSync(lab.folder('a_x-all')), false);
});

test("the lists are kept in Docker's files", async () => {
  await using lab = await new Lab().open();
  const manifest = lab.image('a/x', '1', 'amd64');
  await lab.ok('create', 'HOST/a/list', `HOST/a/x@${digestOf(manifest)}`);
  const folder = lab.folder('a_list-latest');
  const name = `${lab.host.replace(':', '-')}_a_x@sha256-${digestOf(manifest).slice(7)}`;
  assert.deepEqual(readdirSync(folder), [name]);
  assert.deepEqual(readdirSync(join(lab.dir, 'manifests')).length, 1);
  const file = join(folder, name);
  assert.equal(statSync(file).mode & 0o777, 0o644);
  const text = readFileSync(file, 'utf8').replaceAll(lab.host, 'HOST');
  const { config } = JSON.parse(manifest.toString());
  assert.equal(
    text,
    `{"Ref":"HOST/a/x@${digestOf(manifest)}","Descriptor":{"mediaType":"${MediaTypes.dockerManifest}","digest":"${digestOf(manifest)}","size":${manifest.length},"platform":{"architecture":"amd64","os":"linux"}},"Raw":"${manifest.toString('base64')}","SchemaV2Manifest":{"schemaVersion":2,"mediaType":"${MediaTypes.dockerManifest}","config":{"mediaType":"c","size":${config.size},"digest":"${config.digest}"},"layers":[],"annotations":{"a":"\\u003cb\\u003e \\u00e4"}}}`,
  );
  writeFileSync(file, '{"Ref":1}');
  assert.match(await lab.error('inspect', 'HOST/a/list'), /lacks Ref or Descriptor\n$/);
});

test('annotate and push refuse what cannot be', async () => {
  await using lab = await new Lab().open();
  lab.image('a/x', '1', 'amd64');
  await lab.ok('create', 'HOST/a/all', 'HOST/a/x:1');
  const annotate = (...words: string[]) => lab.error('annotate', ...words);
  assert.equal(
    await annotate('--arch', 'zz', 'HOST/a/all', 'HOST/a/x:1'),
    'manifest entry for image has unsupported os/arch combination: /zz\n',
  );
  assert.equal(
    await annotate('HOST/a/all', 'HOST/a/x:2'),
    'manifest for image HOST/a/x:2 does not exist in HOST/a/all\n',
  );
  assert.match(await annotate('UP', 'x'), /^annotate: error parsing name for manifest list UP: /);
  await lab.ok('create', 'other.lab/all', 'HOST/a/x:1');
  assert.equal(
    await lab.error('push', 'other.lab/all'),
    'cannot use source images from a different registry than the target image: HOST != other.lab\n',
  );
  assert.equal(await lab.error('push', 'HOST/none'), 'No such manifest: HOST/none:latest\n');
});

test('images of another repository are mounted into that of the list', async () => {
  await using lab = await new Lab().open();
  const manifest = lab.image('a/x', '1', 'amd64');
  await lab.ok('create', 'HOST/b/all', 'HOST/a/x:1');
  await lab.ok('push', 'HOST/b/all');
  const { config } = JSON.parse(manifest.toString());
  const { blobs, manifests } = lab.registry.repository('b/all');
  assert.equal(blobs.has(config.digest), true);
  assert.equal(manifests.get(digestOf(manifest))?.bytes.toString(), manifest.toString());
});

test('a configuration that is not what its digest says is refused', async () => {
  await using lab = await new Lab().open();
  const manifest = lab.image('a/x', '1', 'amd64');
  const { config } = JSON.parse(manifest.toString());
  const { blobs } = lab.registry.repository('a/x');
  blobs.set(
    config.digest,
    Buffer.from((blobs.get(config.digest) ?? '').toString().replace('amd64', 'amd65')),
  );
  assert.match(
    await lab.error('create', 'HOST/a/all', 'HOST/a/x:1'),
    /^image config verification failed for digest/,
  );
});
