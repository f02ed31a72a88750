import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { testAuthority } from '../../src/registry/client/testing/certificates.ts';
import { fault, type Handler } from '../../src/registry/client/testing/serve.ts';
import {
  busyboxTar,
  eventually,
  needsOwnDaemon,
  type OciImage,
  ociImage,
  RegistryLab,
  RegistrySite,
  type SiteOptions,
  useDaemon,
} from './support/index.ts';

const CREDENTIALS = ['ann', 'anns-secret'] as const;

describe('a registry on another machine', { skip: needsOwnDaemon }, () => {
  const lab = new RegistryLab();
  const stranger = testAuthority();
  const sites: RegistrySite[] = [];
  let image: OciImage;

  async function open(name: string, options: SiteOptions = {}): Promise<RegistrySite> {
    const site = await RegistrySite.open(lab, name, options);
    sites.push(site);
    site.store('app', image, '1');
    return site;
  }
  const trust = (site: RegistrySite) => lab.certificate(site.host, 'ca.crt', lab.authority.cert);

  before(async () => {
    await lab.net.build();
    image = ociImage([await busyboxTar(stranger.dir, 'reach')], 'gzip');
  });
  const engine = useDaemon({ busybox: false, launcher: lab.launcher() });
  after(async () => {
    for (const site of sites) await site[Symbol.asyncDispose]();
    await lab[Symbol.asyncDispose]();
    stranger[Symbol.dispose]();
  });

  async function refused(host: string, text: RegExp | string): Promise<void> {
    const { code, stderr } = await engine.docker('pull', `${host}/app:1`);
    assert.equal(code, 1);
    if (typeof text === 'string')
      assert.equal(stderr, `Error response from daemon: Get "https://${host}/v2/": ${text}\n`);
    else assert.match(stderr, text);
    assert.equal(await engine.ok('images', '-q'), '');
  }
  async function pulled(host: string): Promise<void> {
    assert.match(await engine.ok('pull', `${host}/app:1`), new RegExp(`Digest: ${image.manifest.digest}`));
    await engine.ok('rmi', `${host}/app:1`);
  }
  /** Takes settings over, and waits until the daemon tells of them. */
  async function reload(config: Record<string, unknown>, shown: string): Promise<void> {
    engine.configure(config);
    await engine.signal('SIGHUP');
    const look = () => engine.ok('info', '--format', '{{json .RegistryConfig}}');
    await eventually(look, (text) => text.includes(shown), `info shows ${shown}`);
  }

  const failed = 'tls: failed to verify certificate: x509:';

  it('with a certificate of an unknown authority is refused, until certs.d names its CA', async () => {
    const site = await open('good.lab');
    await refused(site.host, `${failed} certificate signed by unknown authority`);
    const looked = await lab.wharf(engine, 'tags', `${site.host}/app`);
    assert.match(looked.stderr, new RegExp(`${failed} certificate signed by unknown authority`));
    assert.deepEqual(site.asked, []);
    trust(site);
    await pulled(site.host);
    assert.equal((await engine.docker('pull', `${site.host}/app:none`)).code, 1);
    assert.equal((await lab.wharf(engine, 'tags', `${site.host}/app`)).stdout, '1\n');
    for (const args of [
      ['create', `${site.host}/app:list`, `${site.host}/app:1`],
      ['push', `${site.host}/app:list`],
    ]) {
      const { code, stderr } = await lab.wharf(engine, 'manifest', ...args);
      assert.equal(code, 0, stderr);
    }
    assert.ok(site.memory.repositories.get('app')?.tags.has('list'));
  });

  it('that signed its certificate itself is refused', async () => {
    const tls = { cert: stranger.cert, key: readFileSync(join(stranger.dir, 'ca.key'), 'utf8') };
    const site = await open('self.lab', { tls });
    trust(site);
    await refused(
      site.host,
      new RegExp(`^Error response from daemon: Get "https://self.lab:5000/v2/": ${failed}`),
    );
    assert.deepEqual(site.asked, []);
  });

  it('with another name in its certificate is refused', async () => {
    const site = await open('wrong.lab', { tls: lab.authority.issue('DNS:right.lab') });
    trust(site);
    await refused(site.host, `${failed} certificate is valid for right.lab, not wrong.lab`);
    assert.deepEqual(site.asked, []);
  });

  it('with a certificate that has expired is refused', async () => {
    const site = await open('old.lab', { tls: lab.authority.issue('DNS:old.lab', -1) });
    trust(site);
    await refused(site.host, new RegExp(`${failed} certificate has expired or is not yet valid`));
    assert.deepEqual(site.asked, []);
  });

  it('that wants a certificate of the client gets the one of certs.d', async () => {
    const site = await open('mutual.lab', { clientCerts: true });
    trust(site);
    await refused(site.host, /remote error: tls: .*certificate/);
    assert.deepEqual(site.asked, []);
    const client = stranger.issue('DNS:client');
    lab.certificate(site.host, 'client.cert', client.cert);
    await refused(site.host, /missing key client.key for client certificate client.cert/);
    lab.certificate(site.host, 'client.key', client.key);
    await refused(site.host, /remote error: tls: |unexpected EOF|connection reset/);
    const known = lab.authority.issue('DNS:client');
    lab.certificate(site.host, 'client.cert', known.cert);
    lab.certificate(site.host, 'client.key', known.key);
    await pulled(site.host);
  });

  it('that speaks no TLS is refused and gets no request, unless it is among the insecure ones', async () => {
    const site = await open('plain.lab', { tls: false });
    await refused(site.host, 'http: server gave HTTP response to HTTPS client');
    const login = await engine.docker('login', '-u', CREDENTIALS[0], '-p', CREDENTIALS[1], site.host);
    assert.equal(login.code, 1);
    assert.deepEqual(site.asked, []);
    await reload({ 'insecure-registries': [site.host] }, site.host);
    await pulled(site.host);
    await reload({ 'insecure-registries': ['else.lab'] }, 'else.lab');
    await refused(site.host, 'http: server gave HTTP response to HTTPS client');
  });

  it('in an insecure range of addresses is not verified', async () => {
    const site = await open('range.lab');
    const host = `${await lab.address('range.lab')}:5000`;
    await refused(host, new RegExp(failed));
    await reload({ 'insecure-registries': ['192.0.2.0/24'] }, '192.0.2.0/24');
    await pulled(host);
    // A name is not made insecure by the address for which somebody's DNS says that it stands.
    await refused(site.host, new RegExp(failed));
    await reload({}, '127.0.0.0/8');
    await refused(host, new RegExp(failed));
  });

  describe('that keeps its blobs elsewhere', () => {
    const basic = `Basic ${Buffer.from(CREDENTIALS.join(':')).toString('base64')}`;
    let store: RegistrySite;
    let front: RegistrySite;

    /** Everything about blobs happens at the store. */
    function elsewhere(response: ServerResponse): ServerResponse {
      const send = response.writeHead.bind(response) as (status: number, headers: object) => ServerResponse;
      const moved = (status: number, headers: Record<string, string>) =>
        send(status, {
          ...headers,
          ...(headers['location'] && { location: `https://store.lab:5000${headers['location']}` }),
        });
      return Object.assign(response, { writeHead: moved });
    }

    before(async () => {
      store = await open('store.lab');
      trust(store);
      const handler = (): Handler => (request, response) => {
        response.setHeader('docker-distribution-api-version', 'registry/2.0');
        if (request.headers.authorization !== basic)
          return fault(response, 401, 'UNAUTHORIZED', 'authentication required', {
            'www-authenticate': 'Basic realm="lab"',
          });
        if (request.method === 'GET' && request.url?.includes('/blobs/sha256:'))
          return response.writeHead(307, { location: `https://store.lab:5000${request.url}` }).end();
        return store.memory.handler(request, request.method === 'POST' ? elsewhere(response) : response);
      };
      front = await open('front.lab', { handler });
      trust(front);
      const login = await engine.docker('login', '-u', CREDENTIALS[0], '-p', CREDENTIALS[1], front.host);
      assert.match(login.stdout, /Login Succeeded/, login.stderr);
    });

    it('gives them without the password', async () => {
      await engine.ok('pull', `${front.host}/app:1`);
      assert.ok(store.asked.some((line) => line.startsWith('GET /v2/app/blobs/')));
      assert.ok(store.served.seen.every(({ headers }) => headers.authorization === undefined));
    });

    it('takes them without the password', async () => {
      await engine.ok('tag', `${front.host}/app:1`, `${front.host}/copy:1`);
      store.memory.repositories.delete('app');
      assert.match(
        await engine.ok('push', `${front.host}/copy:1`),
        new RegExp(`digest: ${image.manifest.digest}`),
      );
      assert.ok(
        store.asked.some((line) => /^(PUT|PATCH) .*uploads/.test(line)),
        store.asked.join('\n'),
      );
      assert.ok(store.served.seen.every(({ headers }) => headers.authorization === undefined));
      await engine.ok('rmi', `${front.host}/app:1`, `${front.host}/copy:1`);
    });

    it('does not lead into this machine or to its cloud', async () => {
      for (const place of ['https://127.0.0.1:5000', 'https://169.254.169.254', 'https://localhost']) {
        const handler = (): Handler => (request, response) => {
          if (request.url?.includes('/blobs/'))
            return response.writeHead(307, { location: `${place}/x` }).end();
          return site.memory.handler(request, response);
        };
        const site = await open(`inward${place.length}.lab`, { handler });
        trust(site);
        await refused(site.host, /the registry redirects into this machine/);
      }
      assert.doesNotMatch(engine.log(), new RegExp(CREDENTIALS[1]));
    });
  });
});
