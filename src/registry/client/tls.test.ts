import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isKind, WharfError } from '../../base/index.ts';
import {
  canMakeCertificates,
  type KeyPair,
  type TestAuthority,
  testAuthority,
} from './testing/certificates.ts';
import { openConnectProxy } from './testing/connect-proxy.ts';
import { openHubLike } from './testing/hub-like.ts';
import { memoryRegistry } from './testing/memory-registry.ts';
import { testRegistries } from './testing/registries.ts';
import { json, type Served, serve } from './testing/serve.ts';
import type { RegistryHosts } from './types.ts';

const MANIFEST = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'x/y', digest: `sha256:${'0'.repeat(64)}`, size: 1 },
    layers: [],
  }),
);
async function drain(names: AsyncIterable<string>): Promise<void> {
  for await (const _name of names);
}
const skip = canMakeCertificates() ? false : 'the openssl program is not there';

describe('TLS, client certificates and proxies', { skip }, () => {
  let authority: TestAuthority;
  let leaf: KeyPair;
  before(() => {
    authority = testAuthority();
    leaf = authority.issue('DNS:reg.example,DNS:*.docker.io,IP:127.0.0.1');
  });
  after(() => authority[Symbol.dispose]());

  /** A registry behind TLS, reached as `reg.example` through a proxy: a host that is not loopback. */
  async function reach(
    tls: Parameters<typeof serve>[1] & object,
    hosts: Partial<RegistryHosts>,
    check: (result: WharfError | Buffer, server: Served) => void,
  ): Promise<void> {
    const memory = memoryRegistry();
    memory.put('app', 'v1', MANIFEST, 'application/vnd.oci.image.manifest.v1+json');
    await using server = await serve(memory.handler, tls);
    await using proxy = await openConnectProxy({
      'reg.example:443': server.port,
      'reg.example:80': server.port,
    });
    using registries = testRegistries({ proxy: { http: proxy.url, https: proxy.url }, ...hosts });
    const repository = registries.repository({ domain: 'reg.example', path: 'app' }, { actions: ['pull'] });
    const result = await repository.manifest('v1').then(({ bytes }) => bytes, WharfError.from);
    check(result, server);
  }

  /** A folder like `/etc/docker/certs.d` with files for one host. */
  function certsDir(host: string, files: Record<string, string>): { dirs: string[] } & Disposable {
    const dir = join(authority.dir, `certs.d-${host}-${Object.keys(files).join('-')}`);
    mkdirSync(join(dir, host), { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, host, name), text);
    return { dirs: [dir, '/nowhere/certs.d'], [Symbol.dispose]: () => rmSync(dir, { recursive: true }) };
  }

  const refused = (text: RegExp) => (result: WharfError | Buffer, server: Served) => {
    assert.ok(result instanceof WharfError);
    assert.equal(result.kind, 'unavailable');
    assert.match(result.message, text);
    assert.deepEqual(server.seen, [], 'no request came through');
  };

  it('a certificate of an unknown authority is refused, and no byte of HTTP is sent', () =>
    reach(
      { tls: leaf },
      {},
      refused(
        /^Get "https:\/\/reg\.example\/v2\/": tls: failed to verify certificate: x509: certificate signed by unknown authority$/,
      ),
    ));

  it('so is one that has expired, and one of another name', async () => {
    using certs = certsDir('reg.example', { 'ca.crt': authority.cert });
    const expired = authority.issue('DNS:reg.example', -1);
    await reach(
      { tls: expired },
      { certsDirs: certs.dirs },
      refused(/x509: certificate has expired or is not yet valid/),
    );
    const other = authority.issue('DNS:other.example,IP:10.0.0.1');
    await reach(
      { tls: other },
      { certsDirs: certs.dirs },
      refused(/x509: certificate is valid for other\.example, 10\.0\.0\.1, not reg\.example$/),
    );
  });

  it('a plain HTTP server at the HTTPS port is named, and not spoken to by HTTP', () =>
    reach(
      {},
      {},
      refused(/^Get "https:\/\/reg\.example\/v2\/": http: server gave HTTP response to HTTPS client$/),
    ));

  it('an authority in certs.d is trusted for its host', async () => {
    using certs = certsDir('reg.example', { 'ca.crt': authority.cert });
    await reach({ tls: leaf }, { certsDirs: certs.dirs }, (result) => assert.deepEqual(result, MANIFEST));
    using others = certsDir('other.example', { 'ca.crt': authority.cert });
    await reach({ tls: leaf }, { certsDirs: others.dirs }, refused(/unknown authority$/));
  });

  it('an authority that is put there after a failure counts at the next pull', async () => {
    const memory = memoryRegistry();
    memory.put('app', 'v1', MANIFEST, 'application/vnd.oci.image.manifest.v1+json');
    await using server = await serve(memory.handler, { tls: leaf });
    await using proxy = await openConnectProxy({ 'reg.example:443': server.port });
    const folder = join(authority.dir, 'late');
    using registries = testRegistries({ proxy: { https: proxy.url }, certsDirs: [folder] });
    const app = registries.repository({ domain: 'reg.example', path: 'app' }, { actions: ['pull'] });
    await assert.rejects(app.manifest('v1'), /unknown authority$/);
    mkdirSync(join(folder, 'reg.example'), { recursive: true });
    writeFileSync(join(folder, 'reg.example', 'ca.crt'), authority.cert);
    assert.deepEqual((await app.manifest('v1')).bytes, MANIFEST);
  });

  for (const what of ['login', 'search', 'catalogue', 'tags'] as const) {
    it(`an authority that is put there after a failure counts at the next try: ${what}`, async () => {
      const memory = memoryRegistry();
      memory.put('app', 'v1', MANIFEST, 'application/vnd.oci.image.manifest.v1+json');
      await using server = await serve(memory.handler, { tls: leaf });
      await using proxy = await openConnectProxy({ 'reg.example:443': server.port });
      const folder = join(authority.dir, `late-${what}`);
      using registries = testRegistries({ proxy: { https: proxy.url }, certsDirs: [folder] });
      const operations = {
        login: () => registries.login('reg.example', {}),
        search: () => registries.search('reg.example', { term: 'app', limit: 5 }),
        catalogue: () => drain(registries.repositories('reg.example')),
        tags: () =>
          drain(registries.repository({ domain: 'reg.example', path: 'app' }, { actions: ['pull'] }).tags()),
      };
      const attempt = operations[what];
      await assert.rejects(attempt, /unknown authority$/);
      mkdirSync(join(folder, 'reg.example'), { recursive: true });
      writeFileSync(join(folder, 'reg.example', 'ca.crt'), authority.cert);
      await attempt();
    });
  }

  it('a client certificate of certs.d opens a registry that wants one', async () => {
    const client = authority.issue('DNS:client');
    const tls = { ...leaf, ca: authority.cert, clientCerts: true };
    using without = certsDir('reg.example', { 'ca.crt': authority.cert });
    await reach({ tls }, { certsDirs: without.dirs }, (result) =>
      assert.ok(isKind(result, 'unavailable'), String(result)),
    );
    const files = { 'ca.crt': authority.cert, 'client.cert': client.cert, 'client.key': client.key };
    using certs = certsDir('reg.example', files);
    await reach({ tls }, { certsDirs: certs.dirs }, (result) => assert.deepEqual(result, MANIFEST));
  });

  it('half a pair of certs.d is an error that names the other half', async () => {
    const message = async (files: Record<string, string>, text: RegExp) => {
      using certs = certsDir('reg.example', files);
      await reach({ tls: leaf }, { certsDirs: certs.dirs }, (result) => {
        assert.ok(isKind(result, 'invalid'));
        assert.match(String(result), text);
      });
    };
    await message(
      { 'a.cert': leaf.cert },
      /missing key a\.key for client certificate a\.cert\. CA certificates must use the extension \.crt$/,
    );
    await message({ 'b.key': leaf.key }, /missing client certificate b\.cert for key b\.key$/);
    await message({ 'a.cert': 'no pem', 'a.key': 'no pem' }, /./);
  });

  it('an insecure host is not verified, and may speak HTTP', async () => {
    await reach({ tls: leaf }, { insecure: ['reg.example'] }, (result) => assert.deepEqual(result, MANIFEST));
    const expired = authority.issue('DNS:other.example', -1);
    await reach({ tls: expired }, { insecure: ['reg.example'] }, (result) =>
      assert.deepEqual(result, MANIFEST),
    );
    await reach({}, { insecure: ['reg.example'] }, (result) => assert.deepEqual(result, MANIFEST));
  });

  it('a loopback registry is insecure, by HTTPS as by HTTP, and reached without the proxy', async () => {
    for (const options of [{ tls: leaf }, {}]) {
      const memory = memoryRegistry();
      memory.put('app', 'v1', MANIFEST, 'application/vnd.oci.image.manifest.v1+json');
      await using server = await serve(memory.handler, options);
      const proxy = { http: 'http://127.0.0.1:1', https: 'http://127.0.0.1:1' };
      using registries = testRegistries({ proxy });
      const repository = registries.repository({ domain: server.host, path: 'app' }, { actions: ['pull'] });
      assert.deepEqual((await repository.manifest('v1')).bytes, MANIFEST);
    }
  });

  it('Docker Hub by its own names: through a proxy with a login, three services, their authority in certs.d', async () => {
    const names = { auth: 'https://auth.docker.io', cdn: 'https://production.docker.io' };
    const users = { joe: { password: 'joes-password' } };
    await using hub = await openHubLike({ tls: leaf, names, users });
    hub.memory.put('library/box', 'latest', MANIFEST, 'application/vnd.oci.image.manifest.v1+json');
    const digest = hub.memory.addBlob('library/box', Buffer.alloc(100_000, 'hub'));
    await using proxy = await openConnectProxy({
      'registry-1.docker.io:443': hub.registry.port,
      'auth.docker.io:443': hub.auth.port,
      'production.docker.io:443': hub.cdn.port,
    });
    const https = proxy.url.replace('//', '//user:proxy-secret@');
    const hosts = ['registry-1', 'auth', 'production'].map((name) => `${name}.docker.io`);
    using stack = new DisposableStack();
    const dirs = hosts.flatMap((host) => stack.use(certsDir(host, { 'ca.crt': authority.cert })).dirs);
    using registries = testRegistries({ proxy: { https }, certsDirs: dirs });
    const credentials = { username: 'joe', password: 'joes-password' };
    const box = registries.repository(
      { domain: 'docker.io', path: 'library/box' },
      { actions: ['pull'], credentials },
    );
    assert.deepEqual((await box.manifest('latest')).bytes, MANIFEST);
    const { body } = await box.blob({ mediaType: 'x/y', digest, size: 100_000 }, 0);
    let length = 0;
    for await (const chunk of body) length += chunk.length;
    assert.equal(length, 100_000);
    assert.equal(
      (await registries.login('https://index.docker.io/v1/', credentials)).status,
      'Login Succeeded',
    );
    assert.deepEqual(
      [...new Set(proxy.asked)],
      hosts.map((host) => `CONNECT ${host}:443`),
    );
    const login = `Basic ${Buffer.from('user:proxy-secret').toString('base64')}`;
    assert.deepEqual([...new Set(proxy.logins)], [login]);
    assert.equal(hub.cdn.seen[0]?.headers.authorization, undefined);
    assert.ok(!JSON.stringify([hub.registry.seen, hub.auth.seen, hub.cdn.seen]).includes('proxy-secret'));
  });

  it('the hub is searched at its index, with the login where there is one', async () => {
    await using index = await serve(
      (_, response) => json(response, 200, { results: [{ name: 'busybox' }] }),
      { tls: leaf },
    );
    await using proxy = await openConnectProxy({ 'index.docker.io:443': index.port });
    using certs = certsDir('index.docker.io', { 'ca.crt': authority.cert });
    using registries = testRegistries({ proxy: { https: proxy.url }, certsDirs: certs.dirs });
    const query = { term: 'busybox', limit: 3 };
    assert.equal((await registries.search('docker.io', query))[0]?.name, 'busybox');
    await registries.search('docker.io', query, { username: 'joe', password: 'joes-password' });
    const login = `Basic ${Buffer.from('joe:joes-password').toString('base64')}`;
    assert.deepEqual(
      index.seen.map(({ url, headers }) => [url, headers.authorization]),
      [
        ['/v1/search?q=busybox&n=3', undefined],
        ['/v1/search?q=busybox&n=3', login],
      ],
    );
  });

  it('a proxy that refuses, or is not there, is named without its password', async () => {
    await using refusing = await openConnectProxy({});
    for (const url of [
      refusing.url.replace('//', '//user:proxy-secret@'),
      'http://user:proxy-secret@127.0.0.1:1',
    ]) {
      using registries = testRegistries({ proxy: { https: url } });
      const repository = registries.repository({ domain: 'reg.example', path: 'app' }, { actions: ['pull'] });
      const error = await repository.manifest('v1').then(() => assert.fail(), WharfError.from);
      assert.equal(error.kind, 'unavailable');
      assert.match(error.message, /^Get "https:\/\/reg\.example\/v2\/": proxyconnect tcp: /);
      assert.ok(!`${error.stack}${JSON.stringify(error)}`.includes('proxy-secret'));
    }
  });

  it('a proxy that can not be dialled or found is told of as the proxy, for HTTP and HTTPS', async () => {
    const message = async (proxy: RegistryHosts['proxy'], insecure: string[]) => {
      using registries = testRegistries({ proxy, insecure, attempts: 1 });
      return registries.login('reg.example', {}).then(
        () => assert.fail(),
        (thrown) => WharfError.from(thrown).message,
      );
    };
    const gone = 'http://127.0.0.1:1';
    const words = 'proxyconnect tcp: dial tcp 127.0.0.1:1: connect: connection refused';
    assert.equal(await message({ https: gone }, []), `Get "https://reg.example/v2/": ${words}`);
    assert.equal(
      await message({ https: gone, http: gone }, ['reg.example']),
      `Get "http://reg.example/v2/": ${words}`,
    );
    assert.match(
      await message({ https: 'http://proxy.invalid:3128' }, []),
      /proxyconnect tcp: dial tcp: lookup proxy\.invalid/,
    );
  });
});
