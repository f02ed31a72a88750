import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { type ConnectProxy, openConnectProxy } from '../../src/registry/client/testing/connect-proxy.ts';
import { fault, type Handler } from '../../src/registry/client/testing/serve.ts';
import {
  busyboxTar,
  type DaemonOptions,
  eventually,
  needsOwnDaemon,
  type OciImage,
  ociImage,
  RegistryLab,
  RegistrySite,
  type SiteOptions,
  TestDaemon,
  useDaemon,
} from './support/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'wharf-e2e-mirrors-'));
let image: OciImage;
let other: OciImage;
before(async () => {
  image = ociImage([await busyboxTar(folder, 'mirrored')], 'gzip');
  other = ociImage([await busyboxTar(folder, 'other')], 'gzip');
});
after(() => rmSync(folder, { recursive: true }));

async function openTrusted(
  lab: RegistryLab,
  name: string,
  port: number,
  options: SiteOptions = {},
): Promise<RegistrySite> {
  const site = await RegistrySite.open(lab, name, options, port);
  lab.certificate(site.host, 'ca.crt', lab.authority.cert);
  return site;
}

/** Pulls, which must bring that very image, and removes it. */
async function pulls(engine: TestDaemon, name: string, wanted: OciImage): Promise<void> {
  assert.match(await engine.ok('pull', name), new RegExp(`^Digest: ${wanted.manifest.digest}$`, 'm'));
  await engine.ok('rmi', name);
}

describe('mirrors', { skip: needsOwnDaemon }, () => {
  const lab = new RegistryLab();
  const sites: RegistrySite[] = [];
  /** How the mirror of docker.io answers. */
  let spoil: Handler | undefined;
  let [hub, hubMirror, quay, quayMirror, any] = [] as unknown as [
    RegistrySite,
    RegistrySite,
    RegistrySite,
    RegistrySite,
    RegistrySite,
  ];
  const open = async (name: string, port = 5000, options: SiteOptions = {}) => {
    const site = await openTrusted(lab, name, port, options);
    sites.push(site);
    return site;
  };

  before(async () => {
    await lab.net.build();
    hub = await open('registry-1.docker.io', 443);
    quay = await open('quay.io', 443);
    const handler: SiteOptions['handler'] =
      ({ handler: serves }) =>
      (request, response) =>
        (spoil ?? serves)(request, response);
    hubMirror = await open('hub-mirror.lab', 5000, { handler });
    quayMirror = await open('quay-mirror.lab');
    any = await open('any.lab');
  });
  const engine = useDaemon({
    busybox: false,
    launcher: lab.launcher(),
    flags: ['--registry-stall-timeout', '1', '--max-download-attempts', '2'],
    config: {
      'registry-mirrors': [
        'https://hub-mirror.lab:5000',
        'quay.io=https://quay-mirror.lab:5000',
        '*=https://any.lab:5000',
      ],
    },
  });
  after(async () => {
    for (const site of sites) await site[Symbol.asyncDispose]();
    await lab[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    spoil = undefined;
    for (const site of sites) {
      site.memory.repositories.clear();
      site.served.seen.length = 0;
    }
  });

  it('of docker.io: it is asked alone while it has the image', async () => {
    hubMirror.store('library/busybox', image, 'latest');
    await pulls(engine, 'busybox', image);
    assert.deepEqual([hub.asked, any.asked], [[], []]);
    assert.ok(hubMirror.asked.every((line) => !line.includes('ns=')));
  });

  it('of another registry: its requests say which', async () => {
    quayMirror.store('team/app', image, '1');
    await pulls(engine, 'quay.io/team/app:1', image);
    assert.deepEqual([quay.asked, hubMirror.asked, any.asked], [[], [], []]);
    const named = quayMirror.asked.filter((line) => line.includes('/team/app/'));
    assert.ok(named.length > 1 && named.every((line) => line.includes('ns=quay.io')), named.join('\n'));
  });

  it('of every registry: it is asked after those of the registry itself', async () => {
    any.store('team/app', image, '1');
    await pulls(engine, 'quay.io/team/app:1', image);
    assert.ok(quayMirror.asked.length > 0);
    assert.deepEqual(quay.asked, []);
    assert.ok(any.asked.some((line) => line.includes('ns=quay.io')));
  });

  it('that lack an image leave it to the registry', async () => {
    hub.store('library/busybox', image, 'latest');
    await pulls(engine, 'busybox', image);
    for (const mirror of [hubMirror, any])
      assert.ok(mirror.asked.some((line) => line.includes('/manifests/')));
  });

  const broken: [string, Handler][] = [
    ['fails', (_, response) => fault(response, 503, 'UNAVAILABLE', 'out of order')],
    ['breaks the connection', (request) => request.socket.destroy()],
    ['never answers', () => undefined],
    [
      'answers with a page',
      (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
    ],
    ['asks for a login', (_, response) => fault(response, 401, 'UNAUTHORIZED', 'authentication required')],
    ['refuses', (_, response) => fault(response, 403, 'DENIED', 'not for you')],
  ];
  for (const [what, handler] of broken)
    it(`one that ${what} is passed over`, async () => {
      spoil = handler;
      hub.store('library/busybox', image, 'latest');
      await pulls(engine, 'busybox', image);
    });

  it('one that has other bytes under a digest brings nothing of them', async () => {
    hub.store('library/busybox', image, 'latest');
    hubMirror.store('library/busybox', other, 'latest');
    const lie = hubMirror.memory.repository('library/busybox');
    lie.manifests.set(image.manifest.digest, {
      bytes: other.manifest.bytes,
      mediaType: other.manifest.mediaType,
    });
    await pulls(engine, `busybox@${image.manifest.digest}`, image);
  });

  it('get no push', async () => {
    quay.store('team/app', image, '1');
    await engine.ok('pull', 'quay.io/team/app:1');
    for (const site of sites) site.served.seen.length = 0;
    await engine.ok('tag', 'quay.io/team/app:1', 'quay.io/team/copy:1');
    await engine.ok('push', 'quay.io/team/copy:1');
    assert.deepEqual([quayMirror.asked, any.asked, hubMirror.asked], [[], [], []]);
    assert.equal(quay.memory.repositories.get('team/copy')?.tags.get('1'), image.manifest.digest);
    await engine.ok('rmi', 'quay.io/team/app:1', 'quay.io/team/copy:1');
  });

  it('change with SIGHUP', async () => {
    engine.configure({ 'registry-mirrors': ['https://any.lab:5000'] });
    await engine.signal('SIGHUP');
    const look = () => engine.ok('info', '--format', '{{.RegistryConfig.Mirrors}}');
    await eventually(look, (text) => !text.includes('hub-mirror'), 'the mirror is gone from info');
    any.store('library/busybox', image, 'latest');
    await pulls(engine, 'busybox', image);
    assert.deepEqual([hubMirror.asked, hub.asked], [[], []]);
  });
});

describe('proxies', { skip: needsOwnDaemon }, () => {
  const lab = new RegistryLab();
  const proxyUrl = 'http://proxy.lab:3128';
  let proxy: ConnectProxy;
  let far: RegistrySite;
  let near: RegistrySite;

  before(async () => {
    await lab.net.build();
    far = await openTrusted(lab, 'far.lab', 5000);
    near = await openTrusted(lab, 'near.lab', 5000);
    for (const site of [far, near]) site.store('app', image, '1');
    proxy = await openConnectProxy({ 'far.lab:5000': far.served.port });
    await lab.route('proxy.lab', 3128, Number(new URL(proxy.url).port));
  });
  after(async () => {
    await proxy?.[Symbol.asyncDispose]();
    for (const site of [far, near]) await site?.[Symbol.asyncDispose]();
    await lab[Symbol.asyncDispose]();
  });

  const ways: [string, DaemonOptions, Record<string, string>][] = [
    ['by flags', { flags: ['--https-proxy', proxyUrl, '--no-proxy', 'near.lab'] }, {}],
    [
      'by daemon.json',
      { config: { proxies: { 'https-proxy': proxyUrl, 'no-proxy': '.lab:443,near.lab' } } },
      {},
    ],
    ['by environment', {}, { HTTPS_PROXY: proxyUrl, NO_PROXY: 'example.com,near.lab' }],
    [
      'by flags before the environment',
      { flags: ['--https-proxy', proxyUrl] },
      { HTTPS_PROXY: 'http://proxy.lab:1', no_proxy: 'near.lab' },
    ],
  ];
  for (const [how, options, env] of ways)
    it(`${how}: what goes through, and what does not`, async () => {
      const engine = new TestDaemon({ busybox: false, launcher: lab.launcher(env), ...options });
      await engine.start();
      try {
        proxy.asked.length = 0;
        await pulls(engine, `${far.host}/app:1`, image);
        assert.ok(proxy.asked.length > 0);
        assert.deepEqual(new Set(proxy.asked), new Set(['CONNECT far.lab:5000']));
        assert.match(await engine.ok('info'), /HTTPS Proxy: http:\/\/proxy.lab:3128/);
        proxy.asked.length = 0;
        await pulls(engine, `${near.host}/app:1`, image);
        assert.deepEqual(proxy.asked, []);
      } finally {
        await engine.dispose();
      }
    });

  it('one that is not there is told, without its password', async () => {
    const flags = ['--https-proxy', 'http://ann:anns-secret@proxy.lab:1'];
    const engine = new TestDaemon({ busybox: false, launcher: lab.launcher(), flags });
    await engine.start();
    try {
      const { code, stderr } = await engine.docker('pull', `${far.host}/app:1`);
      assert.equal(code, 1);
      assert.match(stderr, /proxyconnect|refused|reset|EOF/);
      assert.doesNotMatch(stderr + engine.log() + (await engine.ok('info')), /anns-secret/);
    } finally {
      await engine.dispose();
    }
  });
});
