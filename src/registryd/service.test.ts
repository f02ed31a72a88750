import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { hashSync } from 'bcryptjs';
import { isKind, type Logger, silentLog } from '../base/index.ts';
import type { Digest } from '../oci/index.ts';
import { collectRegistry, type RegistryService, serveRegistry } from './index.ts';

let dir: string;
let root: string;
const running: { end: AbortController; done: Promise<void> }[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wharf-registryd-'));
  root = join(dir, 'root');
});
afterEach(async () => {
  for (const each of running.splice(0)) {
    each.end.abort();
    await each.done.catch(() => undefined);
  }
  rmSync(dir, { recursive: true, force: true });
});

interface Running {
  service: RegistryService;
  base: string;
  /** Ends it, and resolves when all is put down. */
  stop(): Promise<void>;
}

async function serve(settings: Record<string, string> = {}, log: Logger = silentLog): Promise<Running> {
  const end = new AbortController();
  const { promise, resolve, reject } = Promise.withResolvers<RegistryService>();
  const values = { listen: '127.0.0.1:0', ...settings };
  const done = serveRegistry({ root, settings: values, log }, end.signal, resolve);
  done.catch(reject);
  running.push({ end, done });
  const service = await promise;
  return {
    service,
    base: `http://${service.addresses[0]}`,
    stop: () => {
      end.abort();
      return done;
    },
  };
}

const digestOf = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

/** Pushes an image of one layer; the digest of its manifest. */
async function push(
  base: string,
  name: string,
  tag: string,
  layer: string,
  headers: Record<string, string> = {},
) {
  const config = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [] },
    tag,
  });
  for (const blob of [layer, config]) {
    const begun = await fetch(`${base}/v2/${name}/blobs/uploads/`, { method: 'POST', headers });
    assert.equal(begun.status, 202);
    const location = new URL(begun.headers.get('location') ?? '', base);
    location.searchParams.set('digest', digestOf(blob));
    assert.equal((await fetch(location, { method: 'PUT', body: blob, headers })).status, 201);
  }
  const describe = (mediaType: string, text: string) => ({
    mediaType,
    digest: digestOf(text),
    size: text.length,
  });
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: describe('application/vnd.oci.image.config.v1+json', config),
    layers: [describe('application/vnd.oci.image.layer.v1.tar', layer)],
  });
  const put = await fetch(`${base}/v2/${name}/manifests/${tag}`, {
    method: 'PUT',
    body: manifest,
    headers: { ...headers, 'Content-Type': MANIFEST },
  });
  return { status: put.status, digest: digestOf(manifest) };
}

const basic = (user: string, password: string) => ({
  Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});

function writeUsers(passwords: Record<string, string>): string {
  const path = join(dir, 'users');
  writeFileSync(
    path,
    Object.entries(passwords)
      .map(([name, password]) => `${name}:${hashSync(password, 4)}\n`)
      .join(''),
  );
  return path;
}

const auditLines = (path = join(root, 'audit.log')) =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

/** Waits for what happens right after an answer. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

describe('a registry of its own root', () => {
  it('keeps what was pushed over a restart', async () => {
    const first = await serve();
    const { status, digest } = await push(first.base, 'lab/tools', 'latest', 'layer');
    assert.equal(status, 201);
    await first.stop();
    const second = await serve();
    const answer = await fetch(`${second.base}/v2/lab/tools/manifests/latest`);
    assert.equal(answer.headers.get('docker-content-digest'), digest);
    assert.equal(
      await (await fetch(`${second.base}/v2/lab/tools/blobs/${digestOf('layer')}`)).text(),
      'layer',
    );
  });

  it('is closed to other users of the machine', async () => {
    await serve();
    assert.equal(statSync(root).mode & 0o777, 0o700);
    assert.equal(statSync(join(root, 'audit.log')).mode & 0o777, 0o600);
    assert.equal(statSync(join(root, 'control.sock')).mode & 0o777, 0o600);
  });

  it('is not shared: a second registry is refused, and harms nothing', async () => {
    const { base } = await serve();
    await assert.rejects(
      serve(),
      (thrown) => isKind(thrown, 'conflict') && /another registry runs over/.test(String(thrown)),
    );
    assert.equal((await fetch(`${base}/v2/`)).status, 200);
    assert.equal((await push(base, 'a', 'b', 'c')).status, 201);
  });

  it('is put down whole when an address is taken', async () => {
    const { service } = await serve();
    const listen = service.addresses[0] ?? '';
    root = join(dir, 'other');
    await assert.rejects(serve({ listen: `127.0.0.1:0,${listen}` }), (thrown) => isKind(thrown, 'conflict'));
    assert.equal(existsSync(join(root, 'control.sock')), false);
    const again = await serve();
    assert.equal((await fetch(`${again.base}/v2/`)).status, 200);
  });

  it('says when it is ready, and where', async () => {
    const lines: [string, unknown][] = [];
    const { service } = await serve(
      {},
      { ...silentLog, info: (message, fields) => void lines.push([message, fields]) },
    );
    const ready = lines.find(([message]) => message === 'the registry is ready');
    assert.deepEqual(ready?.[1], { listen: service.addresses, tls: false, users: 'nobody has to log in' });
  });

  it('listens on several addresses', async () => {
    const { service } = await serve({ listen: '127.0.0.1:0,127.0.0.2:0' });
    assert.equal(service.addresses.length, 2);
    for (const address of service.addresses) assert.equal((await fetch(`http://${address}/v2/`)).status, 200);
  });
});

describe('the end of a registry', () => {
  it('lets an upload finish that is under way', async () => {
    const { base, stop } = await serve();
    const begun = await fetch(`${base}/v2/a/blobs/uploads/`, { method: 'POST' });
    const location = new URL(begun.headers.get('location') ?? '', base);
    const socket = connect(Number(location.port), location.hostname);
    const answered = new Promise<string>((resolve) =>
      socket.once('data', (data) => resolve(data.toString())),
    );
    socket.write(
      `PUT ${location.pathname}?digest=${digestOf('first second')} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 12\r\n\r\n`,
    );
    assert.match(await next(), /^HTTP\/1\.1 100 /);
    socket.write('first ');
    const stopped = stop();
    const answered = next();
    socket.write('second');
    assert.match(await answered, /^HTTP\/1\.1 201 /);
    socket.destroy();
    await stopped;
    await assert.rejects(fetch(`${base}/v2/`));
    assert.equal(existsSync(join(root, 'control.sock')), false);
  });

  it('does not wait for connections that are idle', async () => {
    const { base, stop } = await serve();
    await (await fetch(`${base}/v2/`)).text();
    const idle = connect(Number(new URL(base).port), '127.0.0.1');
    await new Promise((resolve) => idle.once('connect', resolve));
    const ended = new Promise((resolve) => idle.once('close', resolve));
    idle.on('error', () => undefined);
    await stop();
    await ended;
  });
});

describe('a registry without users', () => {
  it('answers by addresses and names of this machine, and by no name that a web page could bring', async () => {
    const { base } = await serve();
    const status = (host: string) => rawStatus(base, host);
    for (const host of [
      '127.0.0.1:5000',
      '[::1]:5000',
      'localhost:5000',
      'LOCALHOST',
      'x.localhost',
      'registry:5000',
    ])
      assert.equal(await status(host), 200, host);
    for (const host of ['evil.test', 'localhost.evil.test:5000', '127.0.0.1.evil.test'])
      assert.equal(await status(host), 403, host);
  });

  it('answers by the name that it was given', async () => {
    const { base } = await serve({ 'external-url': 'https://registry.lab' });
    assert.equal(await rawStatus(base, 'registry.lab'), 200);
    assert.equal(await rawStatus(base, 'evil.test'), 403);
  });
});

/** Status of `GET /v2/` with a `Host` that fetch would not send. */
async function rawStatus(base: string, host: string): Promise<number> {
  const socket = connect(Number(new URL(base).port), '127.0.0.1');
  socket.write(`GET /v2/ HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Number(/^HTTP\/1\.1 (\d+)/.exec(Buffer.concat(chunks).toString())?.[1]);
}

describe('a registry with users', () => {
  it('lets them do everything, and nobody anything, without an access file', async () => {
    const { base } = await serve({ htpasswd: writeUsers({ ann: 'secret' }) });
    const { status } = await push(base, 'lab/tools', 'latest', 'layer', basic('ann', 'secret'));
    assert.equal(status, 201);
    assert.equal((await fetch(`${base}/v2/lab/tools/tags/list`)).status, 401);
    assert.equal((await fetch(`${base}/v2/_catalog`)).status, 401);
    assert.equal(
      (await fetch(`${base}/v2/lab/tools/tags/list`, { headers: basic('ann', 'wrong') })).status,
      401,
    );
    const { token } = (await (
      await fetch(`${base}/token?scope=repository:lab/tools:pull`, { headers: basic('ann', 'secret') })
    ).json()) as { token: string };
    const listed = await fetch(`${base}/v2/lab/tools/tags/list`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    assert.deepEqual(await listed.json(), { name: 'lab/tools', tags: ['latest'] });
  });

  it('keeps tokens good over a restart', async () => {
    const htpasswd = writeUsers({ ann: 'secret' });
    const first = await serve({ htpasswd });
    const query = 'offline_token=true&scope=registry:catalog:*';
    const { token } = (await (
      await fetch(`${first.base}/token?${query}`, { headers: basic('ann', 'secret') })
    ).json()) as { token: string };
    await first.stop();
    const second = await serve({ htpasswd });
    const answer = await fetch(`${second.base}/v2/_catalog`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    assert.equal(answer.status, 200);
  });

  it('hides what a user may not pull: blobs of others, mounts from them, their names in the catalogue', async () => {
    const access = join(dir, 'access.json');
    const rules = [
      { repositories: 'ann/*', push: ['ann'] },
      { repositories: 'bob/*', push: ['bob'], create: ['robot'] },
    ];
    writeFileSync(access, JSON.stringify({ rules }));
    const { base } = await serve({ htpasswd: writeUsers({ ann: 'a', bob: 'b', robot: 'r' }), access });
    const [ann, bob, robot] = [basic('ann', 'a'), basic('bob', 'b'), basic('robot', 'r')];
    const { digest } = await push(base, 'ann/secret', 'v1', 'a layer of ann', ann);
    await push(base, 'bob/own', 'v1', 'a layer of bob', bob);
    const blob = digestOf('a layer of ann');
    const status = async (path: string, init: RequestInit) =>
      (await fetch(`${base}/v2/${path}`, init)).status;
    for (const method of ['GET', 'HEAD']) {
      assert.equal(await status(`ann/secret/blobs/${blob}`, { method, headers: bob }), 403);
      assert.equal(await status(`bob/own/blobs/${blob}`, { method, headers: bob }), 404);
      assert.equal(await status(`bob/own/manifests/${digest}`, { method, headers: bob }), 404);
    }
    const mount = await fetch(`${base}/v2/bob/own/blobs/uploads/?mount=${blob}&from=ann/secret`, {
      method: 'POST',
      headers: bob,
    });
    assert.equal(mount.status, 202);
    const guessed = await fetch(`${base}/v2/bob/own/blobs/uploads/?mount=${blob}`, {
      method: 'POST',
      headers: bob,
    });
    assert.equal(guessed.status, 202);
    assert.equal(await status(`bob/own/blobs/${blob}`, { headers: bob }), 404);
    const catalog = await fetch(`${base}/v2/_catalog`, { headers: bob });
    assert.deepEqual(await catalog.json(), { repositories: ['bob/own'] });
    // Who may only create moves no tag, of whatever name, and brings new ones.
    for (const tag of ['v1', 'latest']) {
      await push(base, 'bob/own', tag, `bob's ${tag}`, bob);
      assert.equal((await push(base, 'bob/own', tag, `robot's ${tag}`, robot)).status, 403);
    }
    assert.equal((await push(base, 'bob/own', 'nightly', 'of robot', robot)).status, 201);
    assert.equal((await push(base, 'bob/own', 'nightly', 'again', robot)).status, 403);
    assert.equal(await status('bob/own/manifests/nightly', { method: 'DELETE', headers: robot }), 403);
  });
});

describe('the audit of a registry', () => {
  it('has a line a request, and no credentials', async () => {
    const { base, stop } = await serve({ htpasswd: writeUsers({ ann: 'a-secret-word' }) });
    const ann = basic('ann', 'a-secret-word');
    await push(base, 'lab/tools', 'v1', 'layer', ann);
    await fetch(`${base}/v2/lab/tools/manifests/v1`);
    await fetch(`${base}/token?account=ann`, { headers: ann });
    await fetch(`${base}/v2/lab/tools/manifests/v1`, { method: 'DELETE', headers: ann });
    await stop();
    const lines = auditLines();
    assert.deepEqual(
      lines.map(({ user, method, action, repository, reference, status }) =>
        [user, method, action, repository, reference?.replace(/:.*/, ''), status].join(' '),
      ),
      [
        'ann POST push lab/tools  202',
        'ann PUT push lab/tools sha256 201',
        'ann POST push lab/tools  202',
        'ann PUT push lab/tools sha256 201',
        'ann PUT push lab/tools v1 201',
        ' GET pull lab/tools v1 401',
        'ann GET login   200',
        'ann DELETE delete lab/tools v1 202',
      ],
    );
    for (const line of lines) {
      assert.equal(line.from, '127.0.0.1');
      assert.ok(!Number.isNaN(Date.parse(line.time)));
    }
    assert.equal(lines[1].bytes, 'layer'.length);
    const text = readFileSync(join(root, 'audit.log'), 'utf8');
    for (const secret of ['a-secret-word', ann.Authorization.slice(6), 'eyJ'])
      assert.equal(text.includes(secret), false);
  });

  it('goes on in a new file after reload', async () => {
    const path = join(dir, 'audit');
    const { base, service } = await serve({ 'audit-log': path });
    await (await fetch(`${base}/v2/`)).text();
    await until(() => auditLines(path).length === 1);
    renameSync(path, `${path}.1`);
    service.reload();
    await (await fetch(`${base}/v2/_catalog`)).text();
    await until(() => auditLines(path).length === 1);
    assert.equal(auditLines(`${path}.1`).length, 1);
  });
});

describe('garbage of a registry', () => {
  const request = { dryRun: false, untagged: false, graceMs: 0 };

  it('is collected by the one that runs, beside requests', async () => {
    const { base } = await serve();
    await push(base, 'a', 'keep', 'kept');
    const { digest } = await push(base, 'a', 'drop', 'dropped');
    assert.equal((await fetch(`${base}/v2/a/manifests/${digest}`, { method: 'DELETE' })).status, 202);
    const dry = await collectRegistry(root, { ...request, dryRun: true }, silentLog);
    assert.ok(dry.blobs.some((blob) => blob.digest === digestOf('dropped')));
    assert.equal((await fetch(`${base}/v2/a/blobs/${digestOf('kept')}`)).status, 200);
    const report = await collectRegistry(root, request, silentLog);
    assert.deepEqual(report, dry);
    assert.equal((await fetch(`${base}/v2/a/blobs/${digestOf('dropped')}`)).status, 404);
    assert.equal(await (await fetch(`${base}/v2/a/blobs/${digestOf('kept')}`)).text(), 'kept');
  });

  it('is collected where none runs', async () => {
    const { base, stop } = await serve();
    const first = await push(base, 'a', 'v', 'first');
    await push(base, 'a', 'v', 'second');
    await stop();
    assert.deepEqual((await collectRegistry(root, request, silentLog)).blobs, []);
    const report = await collectRegistry(root, { ...request, untagged: true }, silentLog);
    assert.deepEqual(report.manifests, [{ repository: 'a', digest: first.digest }]);
    assert.ok(report.blobs.some(({ digest }) => digest === digestOf('first')));
  });

  it('spares what came lately', async () => {
    const { base } = await serve();
    const { digest } = await push(base, 'a', 'drop', 'dropped');
    await fetch(`${base}/v2/a/manifests/${digest}`, { method: 'DELETE' });
    const report = await collectRegistry(root, { ...request, graceMs: 3_600_000 }, silentLog);
    assert.equal(
      report.blobs.some((blob) => blob.digest === digestOf('dropped')),
      false,
    );
  });

  it('is not looked for where no registry ever was', async () => {
    await assert.rejects(collectRegistry(join(dir, 'none'), request, silentLog), (thrown) =>
      isKind(thrown, 'not-found'),
    );
    assert.equal(existsSync(join(dir, 'none')), false);
  });
});

describe('the registry of this process', () => {
  it('knows by which names clients of this machine reach it', async () => {
    const { service } = await serve({ 'external-url': 'https://registry.lab' });
    const port = service.addresses[0]?.split(':')[1];
    for (const domain of [`127.0.0.1:${port}`, `localhost:${port}`, 'registry.lab'])
      assert.equal(service.serves(domain), true, domain);
    for (const domain of [
      'localhost',
      `127.0.0.1:${Number(port) + 1}`,
      'docker.io',
      `evil.test:${port}`,
      'registry.lab:5000',
      '',
    ])
      assert.equal(service.serves(domain), false, domain);
  });

  it('gives repositories without a socket, with the rights of credentials', async () => {
    const { base, service } = await serve({ htpasswd: writeUsers({ ann: 'secret' }) });
    const { digest } = await push(base, 'lab/tools', 'v1', 'layer', basic('ann', 'secret'));
    const repository = await service.repository('lab/tools', { username: 'ann', password: 'secret' });
    assert.equal((await repository.resolve('v1')).digest, digest);
    assert.equal(service.needs(digestOf('layer') as Digest), true);
    assert.equal(service.needs(digestOf('other') as Digest), false);
    await assert.rejects(service.repository('lab/tools', { username: 'ann', password: 'wrong' }), (thrown) =>
      isKind(thrown, 'unauthorized'),
    );
    const nobody = await service.repository('lab/tools', {});
    await assert.rejects(nobody.resolve('v1'));
  });
});

describe('TLS', () => {
  const makePair = (name: string) => {
    const [cert, key] = [join(dir, 'cert.pem'), join(dir, 'key.pem')];
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
        '-subj',
        `/CN=${name}`,
        '-keyout',
        key,
        '-out',
        cert,
      ],
      { stdio: 'pipe' },
    );
    return { tlscert: cert, tlskey: key };
  };

  /** Name in the certificate that the registry shows. */
  async function shown(service: RegistryService): Promise<string> {
    const [host, port] = (service.addresses[0] ?? '').split(':');
    const socket = tlsConnect({ host, port: Number(port), rejectUnauthorized: false });
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
    const name = socket.getPeerCertificate().subject.CN;
    socket.destroy();
    return String(name);
  }

  it('has another certificate after reload, and keeps the old one when the new one is damaged', async () => {
    const errors: string[] = [];
    const { service } = await serve(makePair('first'), {
      ...silentLog,
      error: (message) => void errors.push(message),
    });
    assert.equal(await shown(service), 'first');
    makePair('second');
    assert.equal(await shown(service), 'first');
    service.reload();
    assert.equal(await shown(service), 'second');
    writeFileSync(join(dir, 'cert.pem'), 'damaged');
    service.reload();
    assert.equal(await shown(service), 'second');
    assert.equal(errors.length, 1);
  });

  it('with files that do not fit is refused before anything is served', async () => {
    const pair = makePair('first');
    writeFileSync(pair.tlskey, 'no key');
    await assert.rejects(
      serve(pair),
      (thrown) => isKind(thrown, 'invalid') && /tlskey .*can't be used/.test(String(thrown)),
    );
  });
});
