import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isKind, silentLog } from '../base/index.ts';
import { collectRegistry } from './index.ts';
import { basic, digestOfText, push, RegistryFixture, until } from './test-registry.ts';

const fixture = new RegistryFixture();

describe('a registry of its own root', () => {
  it('keeps what was pushed over a restart', async () => {
    const first = await fixture.serve();
    const { status, digest } = await push(first.base, 'lab/tools', 'latest', 'layer');
    assert.equal(status, 201);
    await first.stop();
    const second = await fixture.serve();
    const answer = await fetch(`${second.base}/v2/lab/tools/manifests/latest`);
    assert.equal(answer.headers.get('docker-content-digest'), digest);
    assert.equal(
      await (await fetch(`${second.base}/v2/lab/tools/blobs/${digestOfText('layer')}`)).text(),
      'layer',
    );
  });

  it('is closed to other users of the machine', async () => {
    await fixture.serve();
    assert.equal(statSync(fixture.root).mode & 0o777, 0o700);
    assert.equal(statSync(join(fixture.root, 'audit.log')).mode & 0o777, 0o600);
    assert.equal(statSync(join(fixture.root, 'control.sock')).mode & 0o777, 0o600);
    for (const suffix of ['', '-wal', '-shm', '.lock'])
      assert.equal(statSync(join(fixture.root, `meta.db${suffix}`)).mode & 0o777, 0o600, suffix);
  });

  it('is closed again where an older one left it open, or an empty folder was there', async () => {
    mkdirSync(fixture.root, { mode: 0o755 });
    const first = await fixture.serve();
    assert.equal(statSync(fixture.root).mode & 0o777, 0o700);
    await first.stop();
    chmodSync(fixture.root, 0o755);
    chmodSync(join(fixture.root, 'meta.db'), 0o644);
    await fixture.serve();
    assert.equal(statSync(fixture.root).mode & 0o777, 0o700);
    assert.equal(statSync(join(fixture.root, 'meta.db')).mode & 0o777, 0o600);
  });

  it('leaves the mode of a folder that holds other things, as one named by mistake', async () => {
    mkdirSync(fixture.root, { mode: 0o755 });
    writeFileSync(join(fixture.root, 'others'), '');
    await fixture.serve();
    assert.equal(statSync(fixture.root).mode & 0o777, 0o755);
    assert.equal(statSync(join(fixture.root, 'meta.db')).mode & 0o777, 0o600);
  });

  it('is refused where no folder can be made', async () => {
    fixture.root = '/proc/none';
    await assert.rejects(
      fixture.serve(),
      (thrown) => isKind(thrown, 'invalid') && /file system of \/proc takes none/.test(String(thrown)),
    );
  });

  it('is not shared: a second registry is refused, and harms nothing', async () => {
    const { base } = await fixture.serve();
    await assert.rejects(
      fixture.serve(),
      (thrown) => isKind(thrown, 'conflict') && /another registry runs over/.test(String(thrown)),
    );
    assert.equal((await fetch(`${base}/v2/`)).status, 200);
    assert.equal((await push(base, 'a', 'b', 'c')).status, 201);
  });

  it('is put down whole when an address is taken', async () => {
    const { service } = await fixture.serve();
    const listen = service.addresses[0] ?? '';
    fixture.root = join(fixture.dir, 'other');
    await assert.rejects(fixture.serve({ listen: `127.0.0.1:0,${listen}` }), (thrown) =>
      isKind(thrown, 'conflict'),
    );
    assert.equal(existsSync(join(fixture.root, 'control.sock')), false);
    const again = await fixture.serve();
    assert.equal((await fetch(`${again.base}/v2/`)).status, 200);
  });

  it('says when it is ready, and where', async () => {
    const lines: [string, unknown][] = [];
    const { service } = await fixture.serve(
      {},
      { ...silentLog, info: (message, fields) => void lines.push([message, fields]) },
    );
    const ready = lines.find(([message]) => message === 'the registry is ready');
    assert.deepEqual(ready?.[1], { listen: service.addresses, tls: false, users: 'nobody has to log in' });
  });

  it('listens on several addresses', async () => {
    const { service } = await fixture.serve({ listen: '127.0.0.1:0,127.0.0.2:0' });
    assert.equal(service.addresses.length, 2);
    for (const address of service.addresses) assert.equal((await fetch(`http://${address}/v2/`)).status, 200);
  });
});

describe('a registry without users', () => {
  it('answers by addresses and names of this machine, and by no name that a web page could bring', async () => {
    const { base } = await fixture.serve();
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

  it('takes nothing from a web page of another site, which may send forms anywhere', async () => {
    const { base } = await fixture.serve();
    const post = async (origin?: string) =>
      (
        await fetch(`${base}/v2/a/blobs/uploads/`, {
          method: 'POST',
          headers: origin === undefined ? {} : { origin },
        })
      ).status;
    for (const origin of ['https://evil.test', 'null', `${base}.evil.test`, 'http://localhost:1'])
      assert.equal(await post(origin), 403, origin);
    assert.equal(await post(), 202);
    assert.equal(await post(base), 202);
  });

  it('that was opened to other machines answers by any name', async () => {
    const { service } = await fixture.serve({
      listen: '0.0.0.0:0',
      'allow-anonymous-push': 'true',
      'insecure-no-tls': 'true',
    });
    const base = `http://127.0.0.1:${service.addresses[0]?.split(':')[1]}`;
    assert.equal(await rawStatus(base, 'registry.lab:5000'), 200);
  });

  it('answers by the name that it was given', async () => {
    const { base } = await fixture.serve({ 'external-url': 'https://registry.lab' });
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
    const { base } = await fixture.serve({ htpasswd: fixture.writeUsers({ ann: 'secret' }) });
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
    const htpasswd = fixture.writeUsers({ ann: 'secret' });
    const first = await fixture.serve({ htpasswd });
    const query = 'offline_token=true&scope=registry:catalog:*';
    const { token } = (await (
      await fetch(`${first.base}/token?${query}`, { headers: basic('ann', 'secret') })
    ).json()) as { token: string };
    await first.stop();
    const second = await fixture.serve({ htpasswd });
    const answer = await fetch(`${second.base}/v2/_catalog`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    assert.equal(answer.status, 200);
  });

  it('hides what a user may not pull: blobs of others, mounts from them, their names in the catalogue', async () => {
    const access = join(fixture.dir, 'access.json');
    const rules = [
      { repositories: 'ann/*', push: ['ann'] },
      { repositories: 'bob/*', push: ['bob'], create: ['robot'] },
    ];
    writeFileSync(access, JSON.stringify({ rules }));
    const { base } = await fixture.serve({
      htpasswd: fixture.writeUsers({ ann: 'a', bob: 'b', robot: 'r' }),
      access,
    });
    const [ann, bob, robot] = [basic('ann', 'a'), basic('bob', 'b'), basic('robot', 'r')];
    const { digest } = await push(base, 'ann/secret', 'v1', 'a layer of ann', ann);
    await push(base, 'bob/own', 'v1', 'a layer of bob', bob);
    const blob = digestOfText('a layer of ann');
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
    const { base, stop } = await fixture.serve({ htpasswd: fixture.writeUsers({ ann: 'a-secret-word' }) });
    const ann = basic('ann', 'a-secret-word');
    await push(base, 'lab/tools', 'v1', 'layer', ann);
    await fetch(`${base}/v2/lab/tools/manifests/v1`);
    await fetch(`${base}/token?account=ann`, { headers: ann });
    await fetch(`${base}/v2/lab/tools/manifests/v1`, { method: 'DELETE', headers: ann });
    await stop();
    const lines = fixture.auditLines();
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
    const text = readFileSync(join(fixture.root, 'audit.log'), 'utf8');
    for (const secret of ['a-secret-word', ann.Authorization.slice(6), 'eyJ'])
      assert.equal(text.includes(secret), false);
  });

  it('goes on in a new file after reload', async () => {
    const path = join(fixture.dir, 'audit');
    const { base, service } = await fixture.serve({ 'audit-log': path });
    await (await fetch(`${base}/v2/`)).text();
    await until(() => fixture.auditLines(path).length === 1);
    renameSync(path, `${path}.1`);
    service.reload();
    await (await fetch(`${base}/v2/_catalog`)).text();
    await until(() => fixture.auditLines(path).length === 1);
    assert.equal(fixture.auditLines(`${path}.1`).length, 1);
  });
});

describe('garbage of a registry', () => {
  const request = { dryRun: false, untagged: false, graceMs: 0 };

  it('is collected by the one that runs, beside requests', async () => {
    const { base } = await fixture.serve();
    await push(base, 'a', 'keep', 'kept');
    const { digest } = await push(base, 'a', 'drop', 'dropped');
    assert.equal((await fetch(`${base}/v2/a/manifests/${digest}`, { method: 'DELETE' })).status, 202);
    const dry = await collectRegistry(fixture.root, { ...request, dryRun: true }, silentLog);
    assert.ok(dry.blobs.some((blob) => blob.digest === digestOfText('dropped')));
    assert.equal((await fetch(`${base}/v2/a/blobs/${digestOfText('kept')}`)).status, 200);
    const report = await collectRegistry(fixture.root, request, silentLog);
    assert.deepEqual(report, dry);
    assert.equal((await fetch(`${base}/v2/a/blobs/${digestOfText('dropped')}`)).status, 404);
    assert.equal(await (await fetch(`${base}/v2/a/blobs/${digestOfText('kept')}`)).text(), 'kept');
  });

  it('is collected where none runs', async () => {
    const { base, stop } = await fixture.serve();
    const first = await push(base, 'a', 'v', 'first');
    await push(base, 'a', 'v', 'second');
    await stop();
    assert.deepEqual((await collectRegistry(fixture.root, request, silentLog)).blobs, []);
    const report = await collectRegistry(fixture.root, { ...request, untagged: true }, silentLog);
    assert.deepEqual(report.manifests, [{ repository: 'a', digest: first.digest }]);
    assert.ok(report.blobs.some(({ digest }) => digest === digestOfText('first')));
  });

  it('spares what came lately', async () => {
    const { base } = await fixture.serve();
    const { digest } = await push(base, 'a', 'drop', 'dropped');
    await fetch(`${base}/v2/a/manifests/${digest}`, { method: 'DELETE' });
    const report = await collectRegistry(fixture.root, { ...request, graceMs: 3_600_000 }, silentLog);
    assert.equal(
      report.blobs.some((blob) => blob.digest === digestOfText('dropped')),
      false,
    );
  });

  it('of a daemon is for that daemon to collect', async () => {
    mkdirSync(fixture.root);
    writeFileSync(join(fixture.root, 'audit.log'), '');
    await assert.rejects(
      collectRegistry(fixture.root, request, silentLog),
      (thrown) => isKind(thrown, 'unavailable') && /a daemon, which does not run/.test(String(thrown)),
    );
  });

  it('is not looked for where no registry ever was', async () => {
    await assert.rejects(collectRegistry(join(fixture.dir, 'none'), request, silentLog), (thrown) =>
      isKind(thrown, 'not-found'),
    );
    assert.equal(existsSync(join(fixture.dir, 'none')), false);
  });
});

describe('the registry of this process', () => {
  it('knows by which names clients of this machine reach it', async () => {
    const { service } = await fixture.serve({ 'external-url': 'https://registry.lab' });
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
    const { base, service } = await fixture.serve({ htpasswd: fixture.writeUsers({ ann: 'secret' }) });
    const { digest } = await push(base, 'lab/tools', 'v1', 'layer', basic('ann', 'secret'));
    const repository = await service.repository('lab/tools', { username: 'ann', password: 'secret' });
    assert.equal((await repository.resolve('v1')).digest, digest);
    assert.equal(service.needs(digestOfText('layer')), true);
    assert.equal(service.needs(digestOfText('other')), false);
    await assert.rejects(service.repository('lab/tools', { username: 'ann', password: 'wrong' }), (thrown) =>
      isKind(thrown, 'unauthorized'),
    );
    const nobody = await service.repository('lab/tools', {});
    await assert.rejects(nobody.resolve('v1'));
  });

  it('has its use by the engine in the audit, too', async () => {
    const { service, stop } = await fixture.serve({ htpasswd: fixture.writeUsers({ ann: 'secret' }) });
    const repository = await service.repository('lab/own', { username: 'ann', password: 'secret' });
    const bytes = Buffer.from('a layer');
    const descriptor = { mediaType: 'application/octet-stream', digest: digestOfText('a layer'), size: 7 };
    async function* open(offset: number) {
      yield bytes.subarray(offset);
    }
    assert.equal(await repository.statBlob(descriptor.digest), undefined);
    await repository.uploadBlob({ descriptor, open });
    await assert.rejects(repository.resolve('latest'));
    const nobody = await service.repository('lab/own', {});
    await assert.rejects(nobody.uploadBlob({ descriptor, open }));
    await assert.rejects(service.repository('lab/own', { username: 'ann', password: 'wrong' }));
    await stop();
    assert.deepEqual(
      fixture
        .auditLines()
        .map(({ user, from, method, action, reference, status, bytes: count }) =>
          [
            user,
            from,
            method,
            action,
            reference === descriptor.digest ? 'blob' : reference,
            status,
            count,
          ].join(' '),
        ),
      [
        'ann this process HEAD pull blob 404 0',
        'ann this process PUT push blob 201 7',
        'ann this process HEAD pull latest 404 0',
        ' this process PUT push blob 401 0',
        ' this process GET login  401 0',
      ],
    );
  });
});
