import assert from 'node:assert/strict';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { isKind, nodeHttp, type WharfError } from '../../base/index.ts';
import { archiveUrl, fetchArchive, shownUrl } from './fetch-archive.ts';
import { importImage } from './import.ts';
import { collect, imported, layerOf, openFixture } from './test-fixture.ts';

const tar = layerOf({ file: 'from the web' });
const seen: IncomingMessage[] = [];

const PAGES: Record<string, (response: ServerResponse, request: IncomingMessage) => void> = {
  '/tar': (response) => response.setHeader('Content-Length', tar.length).end(tar),
  '/unmeasured': (response) => {
    response.write(tar);
    response.end();
  },
  '/missing': (response) => response.writeHead(404).end('nothing here'),
  '/broken': (response) => response.writeHead(500).end('x'.repeat(100_000)),
  '/moved': (response) => response.writeHead(302, { Location: '/tar' }).end(),
  '/nowhere': (response) => response.writeHead(302).end(),
  '/ftp': (response) => response.writeHead(302, { Location: 'ftp://example.test/tar' }).end(),
  '/loop': (response) => response.writeHead(307, { Location: '/loop' }).end(),
  '/cut': (response) => {
    response.writeHead(200, { 'Content-Length': tar.length }).write(tar.subarray(0, 700));
    setTimeout(() => response.destroy(), 20);
  },
  '/stall': (response) =>
    response.writeHead(200, { 'Content-Length': tar.length }).write(tar.subarray(0, 700)),
  '/silent': () => undefined,
};

function serve(listener: (request: IncomingMessage, response: ServerResponse) => void, host = '127.0.0.1') {
  const server = nodeHttp().createServer(listener);
  return new Promise<Server>((resolve) => server.listen(0, host, () => resolve(server)));
}

function originOf(server: Server): string {
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('archives from the web', () => {
  let server: Server;
  let other: Server;
  const signal = new AbortController().signal;
  before(async () => {
    server = await serve((request, response) => {
      seen.push(request);
      const page = PAGES[request.url ?? ''];
      const status = /^\/status\/(\d+)$/.exec(request.url ?? '')?.[1];
      if (page) page(response, request);
      else if (status) response.writeHead(Number(status)).end('because');
      else response.writeHead(302, { Location: decodeURIComponent((request.url ?? '').slice(1)) }).end();
    });
    other = await serve((request, response) => {
      seen.push(request);
      response.end(tar);
    });
  });
  after(() => {
    for (const each of [server, other]) {
      each.closeAllConnections();
      each.close();
    }
  });
  const url = (path: string) => `http://${originOf(server)}${path}`;
  const bytes = async (from: string) => {
    const { body } = await fetchArchive(from, { signal });
    return Buffer.concat(await collect(body));
  };

  for (const path of ['/tar', '/unmeasured', '/moved']) {
    it(`come whole from ${path}`, async () => assert.deepEqual(await bytes(url(path)), tar));
  }

  it('have a size when the server says one', async () => {
    assert.equal((await fetchArchive(url('/tar'), { signal })).total, tar.length);
    assert.equal((await fetchArchive(url('/unmeasured'), { signal })).total, undefined);
  });

  it('need no scheme', async () => assert.deepEqual(await bytes(`${originOf(server)}/tar`), tar));

  it('are nothing when a redirect leads nowhere', async () => {
    assert.equal((await bytes(url('/nowhere'))).length, 0);
  });

  const FAILURES: [string, RegExp][] = [
    [
      '/missing',
      /^WharfError: failed to GET http:\/\/127.0.0.1:\d+\/missing with status 404 Not Found: nothing here$/,
    ],
    ['/broken', /with status 500 Internal Server Error: x{8192}$/],
    ['/ftp', /^WharfError: Get "ftp:\/\/example.test\/tar": unsupported protocol scheme "ftp"$/],
    ['/loop', /^WharfError: Get "\/loop": stopped after 10 redirects$/],
  ];
  for (const [path, text] of FAILURES) {
    it(`fail with a reason at ${path}`, () => assert.rejects(fetchArchive(url(path), { signal }), text));
  }

  it('fail with the kinds of the reference’s statuses', async () => {
    const kinds = {
      401: 'unauthorized',
      403: 'forbidden',
      404: 'not-found',
      429: 'internal',
      503: 'internal',
    };
    for (const [status, kind] of Object.entries(kinds)) {
      const asked = fetchArchive(url(`/status/${status}`), { signal });
      await assert.rejects(asked, (thrown) => (thrown as WharfError).kind === kind, status);
    }
    const nowhere = fetchArchive('http://127.0.0.1:1/x', { signal });
    await assert.rejects(nowhere, (thrown) => isKind(thrown, 'internal'));
  });

  it('fail when they are cut off, at once', async () => {
    await assert.rejects(bytes(url('/cut')), /^WharfError: unexpected EOF$/);
  });

  it('fail when nothing comes any more, before the head and in the body', async () => {
    const options = { signal, stallMs: 50 };
    await assert.rejects(fetchArchive(url('/silent'), options), /silent": nothing came for 0.05 seconds$/);
    const { body } = await fetchArchive(url('/stall'), options);
    await assert.rejects(collect(body), /stall": nothing came for 0.05 seconds$/);
  });

  it('are given up with the signal', async () => {
    const stop = new AbortController();
    const { body } = await fetchArchive(url('/stall'), { signal: stop.signal });
    setTimeout(() => stop.abort(), 20);
    await assert.rejects(collect(body), { name: 'AbortError' });
  });

  it('have their credentials sent to their own origin only, and shown to nobody', async () => {
    seen.length = 0;
    const own = `http://me:s3cret@${originOf(server)}`;
    await bytes(`${own}/moved`);
    await bytes(`${own}/${encodeURIComponent(`http://${originOf(other)}/x`)}`);
    const basic = `Basic ${Buffer.from('me:s3cret').toString('base64')}`;
    assert.deepEqual(
      seen.map((request) => request.headers.authorization),
      [basic, basic, basic, undefined],
    );
    assert.equal(shownUrl(archiveUrl('http://me:s3cret@example.test/x')), 'http://me:xxxxx@example.test/x');
    await assert.rejects(fetchArchive(`${own}/missing`, { signal }), (thrown: Error) => {
      assert.doesNotMatch(thrown.message, /s3cret/);
      return true;
    });
  });

  it('say why a server can’t be reached', async () => {
    const gone = await serve(() => undefined);
    const at = originOf(gone);
    await new Promise((resolve) => gone.close(resolve));
    await assert.rejects(
      fetchArchive(`http://${at}/t`, { signal }),
      new RegExp(`^WharfError: Get "http://${at}/t": dial tcp ${at}: connect: connection refused$`),
    );
    await assert.rejects(
      fetchArchive(`https://${originOf(server)}/t`, { signal }),
      /^WharfError: Get "https:/,
    );
  });

  it('come into an image, with progress as the client expects it', async () => {
    await using fixture = openFixture();
    const from = url('/tar');
    const options = { repo: 'web', tag: '', changes: [], message: '' };
    const lines = await collect(importImage(fixture, from, options, signal));
    assert.deepEqual(lines[0], { status: `Downloading from ${from}` });
    assert.equal(lines[1]?.['status'], 'Importing');
    const total = tar.length;
    assert.deepEqual(lines.at(-2)?.['progressDetail'], { current: total, total });
    const image = fixture.images.resolve('web');
    assert.deepEqual(lines.at(-1), { status: image.id });
    const config = JSON.parse((await fixture.content.read(image.config.digest)).toString());
    assert.equal(config.history[0].comment, `Imported from ${from}`);
    const sent = await imported(fixture, tar);
    assert.equal(sent.layers[0]?.chainId, image.layers[0]?.chainId);
  });

  it('leave nothing behind when they fail half-way', async () => {
    await using fixture = openFixture();
    const options = { repo: 'web', tag: '', changes: [], message: '' };
    await assert.rejects(collect(importImage(fixture, url('/cut'), options, signal)), /unexpected EOF/);
    assert.deepEqual(fixture.images.all(), []);
    assert.deepEqual(await collect(fixture.content.list()), []);
  });
});

/** Why there is nothing to redirect from: this machine has loopback addresses only. */
const noOutside = outside() === undefined ? 'this machine has no address beside loopback' : false;

/** A server on another address of this host is what the user asked for; its redirects are not. */
describe('redirects into this machine', () => {
  const signal = new AbortController().signal;
  for (const target of [
    'http://127.0.0.1:1/x',
    'http://[::1]:1/x',
    'http://[::ffff:127.0.0.1]:1/x',
    'http://169.254.169.254/latest',
    'http://localhost:1/x',
    'http://0.0.0.0:1/',
  ]) {
    it(`are not followed from elsewhere: ${target}`, { skip: noOutside }, async () => {
      const server = await serve(
        (_, response) => response.writeHead(302, { Location: target }).end(),
        outside(),
      );
      const { address, port } = server.address() as AddressInfo;
      try {
        await assert.rejects(fetchArchive(`http://${address}:${port}/`, { signal }), (thrown: Error) => {
          assert.match(thrown.message, /an address of this machine or its link is not followed$/);
          return isKind(thrown, 'forbidden');
        });
      } finally {
        server.closeAllConnections();
        server.close();
      }
    });
  }
});

it('a redirect from this machine to elsewhere does not open the way back', {
  skip: noOutside,
}, async () => {
  const back = await serve(
    (_, response) => response.writeHead(302, { Location: 'http://127.0.0.1:1/x' }).end(),
    outside(),
  );
  const { address, port } = back.address() as AddressInfo;
  const own = await serve((_, response) =>
    response.writeHead(302, { Location: `http://${address}:${port}/` }).end(),
  );
  const { signal } = new AbortController();
  try {
    await assert.rejects(fetchArchive(`http://${originOf(own)}/`, { signal }), (thrown) =>
      isKind(thrown, 'forbidden'),
    );
  } finally {
    for (const each of [back, own]) {
      each.closeAllConnections();
      each.close();
    }
  }
});

/** An address of this host that others reach, too. */
function outside(): string | undefined {
  const { networkInterfaces } = process.getBuiltinModule('node:os');
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return all.find(
    ({ family, internal, address }) => family === 'IPv4' && !internal && !address.startsWith('169.254'),
  )?.address;
}

describe('URLs of archives', () => {
  const BAD: [string, RegExp][] = [
    ['ftp://127.0.0.1/x', /^Get "ftp:\/\/127.0.0.1\/x": unsupported protocol scheme "ftp"$/],
    ['file:///etc/passwd', /unsupported protocol scheme "file"/],
    ['/etc/passwd', /^Get "http:\/\/\/etc\/passwd": http: no Host in request URL$/],
    ['http://', /no Host in request URL/],
    ['http://127.0.0.1:99999/x', /^parse "http:\/\/127.0.0.1:99999\/x": invalid URL$/],
    ['http://[::1/x', /invalid URL/],
  ];
  for (const [text, reason] of BAD) {
    it(`are refused: ${text}`, () => assert.throws(() => archiveUrl(text), { message: reason }));
  }
});
