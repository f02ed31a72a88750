import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { type HubLike, openHubLike, RATE_LIMIT_TEXT } from '../../src/registry/client/testing/hub-like.ts';
import { json, type Served, serve } from '../../src/registry/client/testing/serve.ts';
import {
  busyboxTar,
  needsOwnDaemon,
  type OciImage,
  ociImage,
  RegistryLab,
  useDaemon,
} from './support/index.ts';

const HUB = 'registry-1.docker.io';
const AUTH = 'auth.docker.io';
const CDN = 'production.cloudflare.docker.com';
const INDEX = 'index.docker.io';
const JOE = { name: 'joe', password: 'joes-own-password' };

/** Docker Hub grants nothing for what is not there, so that nobody learns what is. */
const PRIVATE = ['joe/own', 'joe/none', 'library/nothing'];

const FOUND = [
  { name: 'busybox', description: 'Small', star_count: 3000, is_official: true, is_automated: false },
  {
    name: 'joe/busybox',
    description: 'Joe has one, too',
    star_count: 1,
    is_official: false,
    is_automated: false,
  },
];

describe('Docker Hub', { skip: needsOwnDaemon }, () => {
  const lab = new RegistryLab();
  const folder = mkdtempSync(join(tmpdir(), 'wharf-e2e-hub-'));
  let hub: HubLike;
  let index: Served;
  let busybox: OciImage;

  before(async () => {
    await lab.net.build();
    const tls = lab.authority.issue([HUB, AUTH, CDN, INDEX].map((name) => `DNS:${name}`).join(','));
    const names = { auth: `https://${AUTH}`, cdn: `https://${CDN}` };
    const users = { [JOE.name]: { password: JOE.password } };
    hub = await openHubLike({ tls, names, users, private: PRIVATE, pulls: 1000 });
    index = await serve((_, response) => json(response, 200, { num_results: 2, results: FOUND }), { tls });
    const places: [string, Served][] = [
      [HUB, hub.registry],
      [AUTH, hub.auth],
      [CDN, hub.cdn],
      [INDEX, index],
    ];
    for (const [name, { port }] of places) {
      await lab.route(name, 443, port);
      lab.certificate(name, 'ca.crt', lab.authority.cert);
    }
    busybox = ociImage([await busyboxTar(folder, 'one')], 'gzip');
    for (const path of ['library/busybox', 'library/alpine', 'joe/own']) {
      for (const blob of [...busybox.layers, busybox.config]) hub.memory.addBlob(path, blob.bytes);
      hub.memory.put(path, 'latest', busybox.manifest.bytes, busybox.manifest.mediaType);
    }
  });
  const engine = useDaemon({ busybox: false, launcher: lab.launcher() });
  after(async () => {
    await hub?.[Symbol.asyncDispose]();
    await index?.[Symbol.asyncDispose]();
    await lab[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => {
    for (const server of [hub.registry, hub.auth, hub.cdn, index]) server.seen.length = 0;
    hub.pullsLeft = 1000;
  });

  const scopes = () =>
    hub.auth.seen.flatMap(({ url }) => new URL(url, `https://${AUTH}`).searchParams.getAll('scope'));
  const logins = (served: Served) => served.seen.map(({ headers }) => headers.authorization);
  const clientConfig = () => JSON.parse(readFileSync(join(engine.temporary, 'client/config.json'), 'utf8'));
  const logIn = () => engine.docker('login', '-u', JOE.name, '-p', JOE.password);

  for (const name of ['busybox', 'alpine:latest', 'docker.io/library/busybox', 'index.docker.io/alpine'])
    it(`anonymous pull of ${name}: a token for pulling that repository, and no header for the CDN`, async () => {
      const path = name.includes('alpine') ? 'library/alpine' : 'library/busybox';
      const said = await engine.ok('pull', name);
      assert.match(said, new RegExp(`^latest: Pulling from ${path}$`, 'm'));
      assert.match(said, new RegExp(`^Digest: ${busybox.manifest.digest}$`, 'm'));
      assert.match(said, new RegExp(`^docker.io/${path}:latest$`, 'm'));
      assert.ok(
        scopes().every((scope) => scope === `repository:${path}:pull`),
        scopes().join(),
      );
      const asked = hub.auth.seen.map(({ url }) => new URL(url, 'https://x').searchParams.get('service'));
      assert.ok(asked.every((service) => service === 'registry.docker.io'));
      assert.ok(hub.cdn.seen.length > 0);
      assert.deepEqual(new Set([...logins(hub.cdn), ...logins(hub.auth)]), new Set([undefined]));
      assert.ok(hub.registry.seen.every(({ headers }) => headers.host === HUB));
      assert.equal(await engine.ok('run', '--rm', name, 'echo', 'it runs'), 'it runs');
      const short = path.slice('library/'.length);
      assert.equal(
        await engine.inspect(name, '{{index .RepoDigests 0}}'),
        `${short}@${busybox.manifest.digest}`,
      );
      assert.match(await engine.ok('rmi', name), new RegExp(`^Untagged: ${short}:latest$`, 'm'));
    });

  it('run pulls what is not there, and says so', async () => {
    const ran = await engine.docker('run', '--rm', 'busybox', 'echo', 'pulled');
    assert.equal(ran.stdout, 'pulled\n');
    assert.match(ran.stderr, /^Unable to find image 'busybox:latest' locally$/m);
    assert.match(ran.stderr, /^Status: Downloaded newer image for busybox:latest$/m);
  });

  it('a pull of what is there costs no GET of a manifest that counts', async () => {
    await engine.ok('pull', 'busybox');
    hub.pullsLeft = 0;
    assert.match(await engine.ok('pull', 'busybox'), /^Status: Image is up to date for busybox:latest$/m);
    await engine.ok('rmi', 'busybox');
  });

  it('the pull limit has the words of the registry', async () => {
    hub.pullsLeft = 0;
    const { code, stderr } = await engine.docker('pull', 'busybox');
    assert.equal(code, 1);
    assert.equal(stderr, `Error response from daemon: toomanyrequests: ${RATE_LIMIT_TEXT}\n`);
  });

  it('what is private or not there is refused alike', async () => {
    for (const name of ['joe/own', 'joe/none', 'nothing']) {
      const { code, stderr } = await engine.docker('pull', name);
      assert.equal(code, 1);
      const denied = `pull access denied for ${name}, repository does not exist or may require 'docker login'`;
      assert.ok(stderr.startsWith(`Error response from daemon: ${denied}`), stderr);
    }
    await engine.ok('pull', 'busybox');
    const push = await engine.docker('push', 'busybox');
    assert.equal(push.code, 1);
    assert.match(push.stderr, /denied: requested access to the resource is denied/);
    await engine.ok('rmi', 'busybox');
  });

  it('a wrong password is refused in the words of the token service', async () => {
    const { code, stderr } = await engine.docker('login', '-u', JOE.name, '-p', 'not-the-password');
    assert.equal(code, 1);
    assert.match(stderr, /unauthorized: incorrect username or password/);
    assert.equal(logins(hub.registry).filter(Boolean).length, 0);
  });

  it('login keeps an identity token, by which private images are pulled and pushed; logout forgets it', async () => {
    const said = await logIn();
    assert.match(said.stdout, /Login Succeeded/, said.stderr);
    const kept = clientConfig().auths['https://index.docker.io/v1/'];
    assert.equal(hub.refreshTokens.get(kept.identitytoken), JOE.name);
    assert.ok(!JSON.stringify(kept).includes(Buffer.from(JOE.password).toString('base64').slice(0, -3)));

    await engine.ok('pull', 'joe/own');
    assert.equal(hub.auth.seen.at(-1)?.method, 'POST');
    assert.deepEqual(new Set(logins(hub.cdn)), new Set([undefined]));
    assert.ok(logins(hub.registry).every((login) => login === undefined || login.startsWith('Bearer ')));

    await engine.ok('tag', 'joe/own', 'joe/app:2');
    const pushed = await engine.ok('push', 'joe/app:2');
    assert.match(pushed, /^The push refers to repository \[docker.io\/joe\/app\]$/m);
    assert.match(pushed, /: Mounted from (joe\/own|library\/busybox)$/m);
    assert.equal(hub.memory.repositories.get('joe/app')?.tags.get('2'), busybox.manifest.digest);

    await engine.ok('rmi', 'joe/own', 'joe/app:2');
    assert.match(await engine.ok('logout'), /Removing login credentials for https:\/\/index.docker.io\/v1\//);
    assert.deepEqual(clientConfig().auths, {});
    assert.equal((await engine.docker('pull', 'joe/own')).code, 1);
    const log = engine.log();
    for (const secret of [JOE.password, ...hub.refreshTokens.keys(), 'very-secret-signature'])
      assert.ok(!log.includes(secret), `the log has ${secret}`);
  });

  it('wharf does all that, too, and looks at tags and manifests itself', async () => {
    const wharf = async (...args: string[]) => {
      const { code, stdout, stderr } = await lab.wharf(engine, ...args);
      assert.equal(code, 0, `wharf ${args.join(' ')}: ${stdout}${stderr}`);
      return stdout;
    };
    assert.equal((await lab.wharf(engine, 'tags', 'joe/own')).code, 1);
    assert.match(await wharf('login', '-u', JOE.name, '-p', JOE.password), /Login Succeeded/);
    assert.ok(hub.refreshTokens.has(clientConfig().auths['https://index.docker.io/v1/'].identitytoken));
    assert.match(await wharf('pull', 'joe/own'), /^docker.io\/joe\/own:latest$/m);
    await wharf('tag', 'joe/own', 'joe/app:3');
    await wharf('push', 'joe/app:3');
    assert.equal(await wharf('tags', 'joe/own'), 'latest\n');
    assert.match(await wharf('tags', 'joe/app', '3*'), /^3$/m);
    assert.deepEqual(
      JSON.parse(await wharf('manifest', 'inspect', 'joe/own')),
      JSON.parse(String(busybox.manifest.bytes)),
    );
    assert.match(await wharf('search', 'busybox'), /joe\/busybox/);
    await wharf('rmi', 'joe/own', 'joe/app:3');
    await wharf('logout');
    assert.equal((await lab.wharf(engine, 'pull', 'joe/own')).code, 1);
  });

  it('a token that the registry no longer takes is replaced', async () => {
    await engine.ok('pull', 'busybox');
    hub.revokeTokens();
    assert.match(await engine.ok('pull', 'alpine'), /^docker.io\/library\/alpine:latest$/m);
    hub.revokeTokens();
    assert.match(await engine.ok('pull', 'busybox'), /up to date/);
    await engine.ok('rmi', 'busybox', 'alpine');
  });

  it('search asks the index', async () => {
    const found = await engine.ok(
      'search',
      '--format',
      '{{.Name}} {{.StarCount}} {{.IsOfficial}}',
      'busybox',
    );
    assert.equal(found, 'busybox 3000 [OK]\njoe/busybox 1 ');
    const asked = new URL(index.seen[0]?.url ?? '', `https://${INDEX}`);
    assert.deepEqual([asked.pathname, asked.searchParams.get('q')], ['/v1/search', 'busybox']);
    assert.match(await engine.ok('search', '--filter', 'is-official=true', 'busybox'), /\[OK\]/);
  });
});
