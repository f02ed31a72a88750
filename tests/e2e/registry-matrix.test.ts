import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { execute, needsOwnDaemon, type TestDaemon, useDaemon } from './support/index.ts';
import { PASSWORD, type RegistryKind, TestRegistry, USER } from './support/registries.ts';

const MANIFEST_TYPES = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

/** Digest of what a tag stands for, as the registry says it. */
async function digestOf(registry: TestRegistry, path: string, tag: string): Promise<string> {
  const answer = await registry.ask('GET', `/v2/${path}/manifests/${tag}`, {
    headers: { Accept: MANIFEST_TYPES },
  });
  assert.equal(answer.status, 200, String(answer.body));
  return String(answer.headers['docker-content-digest']);
}

type Client = (...args: string[]) => Promise<string>;

/** A client whose every command must succeed. */
function clientOf(engine: TestDaemon, name: 'docker' | 'wharf'): Client {
  return async (...args) => {
    const { code, stdout, stderr } = await engine[name](...args);
    assert.equal(code, 0, `${name} ${args.join(' ')}: exit code ${code}\n${stdout}${stderr}`);
    return stdout.trim();
  };
}

async function run(file: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await execute(file, args);
  assert.equal(code, 0, `${file} ${args.join(' ')}: exit code ${code}\n${stdout}${stderr}`);
  return stdout.trim();
}

/** Logs in, pushes, forgets, pulls by tag and by digest, and runs what came. */
async function roundTrip(client: Client, registry: TestRegistry, path: string): Promise<void> {
  const name = `${registry.address}/${path}:1`;
  if (registry.options.users) {
    const said = await client('login', '--username', USER, '--password', PASSWORD, registry.address);
    assert.match(said, /Login Succeeded/);
  }
  const id = await client('image', 'inspect', '--format', '{{.Id}}', 'busybox');
  await client('tag', 'busybox', name);
  const digest = await digestAfterPush(client, registry, path, name);
  await client('rmi', name);
  for (const wanted of [name, `${registry.address}/${path}@${digest}`]) {
    assert.match(await client('pull', wanted), new RegExp(`Digest: ${digest}`));
    assert.equal(await client('image', 'inspect', '--format', '{{.Id}}', wanted), id);
    assert.equal(await client('run', '--rm', wanted, 'echo', 'it runs'), 'it runs');
    await client('rmi', wanted);
  }
  if (registry.options.users) await client('logout', registry.address);
}

async function digestAfterPush(
  client: Client,
  registry: TestRegistry,
  path: string,
  name: string,
): Promise<string> {
  const said = await client('push', name);
  const digest = /^1: digest: (sha256:[0-9a-f]{64}) size: \d+$/m.exec(said)?.[1];
  assert.equal(digest, await digestOf(registry, path, '1'), said);
  return digest as string;
}

/** Flags by which skopeo and podman reach a registry. */
function direct(registry: TestRegistry, side: 'src-' | 'dest-' | ''): string[] {
  const { users, tls } = registry.options;
  return [
    ...(tls ? [`--${side}cert-dir`, registry.caFolder] : [`--${side}tls-verify=false`]),
    ...(users ? [`--${side}creds`, `${USER}:${PASSWORD}`] : []),
  ];
}

async function skopeoRoundTrip(registry: TestRegistry, path: string): Promise<void> {
  const folder = join(registry.folder, 'skopeo');
  const from = `docker://${registry.address}/${path}:1`;
  await run(
    'skopeo',
    'copy',
    '--quiet',
    '--preserve-digests',
    ...direct(registry, 'src-'),
    from,
    `dir:${folder}`,
  );
  const to = `docker://${registry.address}/by/skopeo:1`;
  await run(
    'skopeo',
    'copy',
    '--quiet',
    '--preserve-digests',
    ...direct(registry, 'dest-'),
    `dir:${folder}`,
    to,
  );
  assert.equal(await digestOf(registry, 'by/skopeo', '1'), await digestOf(registry, path, '1'));
}

/** podman pulls what Wharf pushed, and pushes it on; Wharf pulls that. */
async function podmanRoundTrip(client: Client, registry: TestRegistry, path: string): Promise<void> {
  const storage = join(registry.folder, 'podman');
  const podman = (command: string, ...args: string[]) =>
    run(
      'podman',
      ...[
        '--root',
        join(storage, 'root'),
        '--runroot',
        join(storage, 'run'),
        '--tmpdir',
        join(storage, 'tmp'),
      ],
      ...['--storage-driver', 'vfs', command, ...args],
    );
  mkdirSync(storage);
  const name = `${registry.address}/${path}:1`;
  const id = await podman('pull', '--quiet', ...direct(registry, ''), name);
  const copy = `${registry.address}/by/podman:1`;
  await podman('push', '--quiet', ...direct(registry, ''), name, `docker://${copy}`);
  await client('pull', copy);
  assert.equal(await client('image', 'inspect', '--format', '{{.Id}}', copy), `sha256:${id}`);
  assert.equal(await client('run', '--rm', copy, 'echo', 'by podman'), 'by podman');
  await client('rmi', copy);
}

const MODES = [
  { title: 'open', options: {} },
  { title: 'with users', options: { users: true } },
  { title: 'with TLS', options: { tls: true } },
  { title: 'with users and TLS', options: { users: true, tls: true } },
];

describe('images go to a registry and come back', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon();
  for (const kind of ['wharf', 'docker-registry'] satisfies RegistryKind[]) {
    for (const { title, options } of MODES) {
      describe(`${kind}, ${title}`, () => {
        let registry: TestRegistry;
        before(async () => {
          registry = await TestRegistry.start(kind, options);
        });
        after(() => registry[Symbol.asyncDispose]());

        for (const name of ['docker', 'wharf'] as const)
          it(`by ${name}`, () => roundTrip(clientOf(engine, name), registry, `by/${name}`));

        it('by skopeo, bit for bit', () => skopeoRoundTrip(registry, 'by/docker'));

        it('by podman', async () => {
          const docker = clientOf(engine, 'docker');
          if (options.users) await docker('login', '-u', USER, '-p', PASSWORD, registry.address);
          await podmanRoundTrip(docker, registry, 'by/docker');
        });

        const withUsers = options.users ? it : undefined;
        withUsers?.('whoever may not is told so, and no password is logged', async () => {
          const docker = clientOf(engine, 'docker');
          await docker('logout', registry.address);
          const refused = await engine.docker('pull', `${registry.address}/by/docker:1`);
          assert.equal(refused.code, 1);
          assert.match(refused.stderr, /no basic auth credentials|authentication required|access denied/);
          const wrong = await engine.docker('login', '-u', USER, '-p', 'babbage', registry.address);
          assert.equal(wrong.code, 1);
          assert.match(wrong.stderr, /unauthorized/i);
          for (const text of [engine.log(), registry.log()]) assert.doesNotMatch(text, /lovelace|babbage/);
        });

        const audited = kind === 'wharf' ? it : undefined;
        audited?.('leave a line of audit for each', () => {
          const lines = readFileSync(join(registry.root, 'audit.log'), 'utf8').trim().split('\n');
          const entries = lines.map((line) => JSON.parse(line));
          const pushed = entries.filter(
            (entry) => entry.action === 'push' && entry.reference === '1' && entry.status === 201,
          );
          const repositories = new Set(pushed.map((entry) => entry.repository));
          assert.deepEqual([...repositories].sort(), ['by/docker', 'by/podman', 'by/skopeo', 'by/wharf']);
          for (const entry of pushed) assert.equal(entry.user, options.users ? USER : null);
        });
      });
    }
  }
});
