import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { eventually, execute, needsOwnDaemon, type TestDaemon, tarOf, useDaemon } from './support/index.ts';
import { freePort } from './support/registries.ts';

const LAYER_BYTES = 6 << 20;

/** An image of bytes that nobody else has. */
async function makeImage(engine: TestDaemon, name: string): Promise<string> {
  const tree = join(engine.temporary, `tree-${randomBytes(4).toString('hex')}`);
  mkdirSync(tree);
  writeFileSync(join(tree, 'data'), randomBytes(LAYER_BYTES));
  await tarOf(tree);
  return engine.ok('import', `${tree}.tar`, name);
}

/** Kibibytes of blobs. */
async function blobSpace(engine: TestDaemon): Promise<number> {
  const { stdout } = await execute('du', ['-sk', join(engine.dataRoot, 'content')]);
  return Number.parseInt(stdout, 10);
}

interface AuditLine {
  user: string | null;
  from: string;
  method: string;
  action: string;
  repository: string | null;
  reference: string | null;
  status: number;
}

const audit = (engine: TestDaemon): AuditLine[] =>
  readFileSync(join(engine.dataRoot, 'registry/audit.log'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as AuditLine);

interface Collected {
  blobs: { digest: string; size: number }[];
  manifests: { repository: string; digest: string }[];
  bytes: number;
}

async function collect(engine: TestDaemon, ...flags: string[]): Promise<Collected> {
  const root = join(engine.dataRoot, 'registry');
  const done = await engine.wharf('registry', 'gc', '--root', root, '--json', '--grace', '0s', ...flags);
  assert.equal(done.code, 0, done.stderr);
  return JSON.parse(done.stdout) as Collected;
}

const digestIn = (pushed: string) => /digest: (sha256:[0-9a-f]{64})/.exec(pushed)?.[1] as string;
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

describe('the registry of the daemon', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon({ busybox: false });
  let host = '';
  let registry = {};
  before(async () => {
    host = `localhost:${await freePort()}`;
    registry = { listen: host.replace('localhost', '127.0.0.1') };
    await restart({ registry });
  });

  async function restart(config: Record<string, unknown>): Promise<void> {
    engine.configure(config);
    await engine.stop();
    await engine.run();
  }
  const get = (path: string, init: RequestInit = {}) => fetch(`http://${host}${path}`, init);
  const manifestStatus = async (path: string) =>
    (await get(`/v2/${path}`, { method: 'HEAD', headers: { Accept: MANIFEST } })).status;

  it('takes a push of this engine as links: nothing is copied, nothing goes through a socket', async () => {
    await makeImage(engine, `${host}/team/app:1`);
    const beforePush = await blobSpace(engine);
    const lines = () => audit(engine).filter(({ repository }) => repository === 'team/app');
    const pushed = await engine.ok('push', `${host}/team/app:1`);
    const grown = (await blobSpace(engine)) - beforePush;
    assert.ok(grown < 64, `${grown} KiB more for a push of ${LAYER_BYTES >> 10} KiB`);
    assert.ok(lines().some(({ action, reference }) => action === 'push' && reference === '1'));
    assert.ok(lines().every(({ from }) => from === 'this process'));
    const manifest = await get('/v2/team/app/manifests/1', { headers: { Accept: MANIFEST } });
    assert.equal(manifest.headers.get('docker-content-digest'), digestIn(pushed));
  });

  it('keeps what it has when the engine deletes the image, and gives it back', async () => {
    const name = `${host}/team/app:1`;
    const id = await engine.inspect(name, '{{.Id}}');
    await engine.ok('rmi', name);
    assert.equal(await engine.ok('images', '-q'), '');
    assert.equal(await manifestStatus('team/app/manifests/1'), 200);
    await engine.ok('pull', name);
    assert.equal(await engine.inspect(name, '{{.Id}}'), id);
    await engine.ok('rmi', name);
  });

  it('serves others: skopeo takes and brings images, the stock client runs them here', async () => {
    const folder = join(engine.temporary, 'skopeo');
    const plain = ['--src-tls-verify=false', '--dest-tls-verify=false'];
    for (const [from, to] of [
      [`docker://${host}/team/app:1`, `dir:${folder}`],
      [`dir:${folder}`, `docker://${host}/team/skopeo:1`],
    ] as const) {
      const args = ['copy', '--quiet', '--preserve-digests', ...plain, from, to];
      const { code, stderr } = await execute('skopeo', args);
      assert.equal(code, 0, stderr);
    }
    await engine.ok('pull', `${host}/team/skopeo:1`);
    await engine.ok('rmi', `${host}/team/skopeo:1`);
    assert.ok(
      audit(engine).some(({ repository, from }) => repository === 'team/skopeo' && from === '127.0.0.1'),
    );
  });

  it('collects garbage while it runs, but nothing that an image of the engine needs', async () => {
    await engine.ok('pull', `${host}/team/app:1`);
    for (const repository of ['team/app', 'team/skopeo']) {
      const { headers } = await get(`/v2/${repository}/manifests/1`, { headers: { Accept: MANIFEST } });
      const path = `/v2/${repository}/manifests/${headers.get('docker-content-digest')}`;
      assert.equal((await get(path, { method: 'DELETE' })).status, 202);
    }
    const full = await blobSpace(engine);
    const kept = await collect(engine);
    assert.ok(kept.bytes < LAYER_BYTES, `${kept.bytes} bytes went though an image needs them`);
    assert.ok((await blobSpace(engine)) > full - 64);
    assert.equal((await engine.wharf('doctor', '--verify')).code, 0);
    await engine.ok('push', `${host}/team/app:1`);
    await engine.ok('rmi', `${host}/team/app:1`);
    assert.equal(await manifestStatus('team/app/manifests/1'), 200);
  });

  it('collects what neither an image nor a tag needs, and says before what would go', async () => {
    await makeImage(engine, `${host}/team/gone:1`);
    const digest = digestIn(await engine.ok('push', `${host}/team/gone:1`));
    await engine.ok('rmi', `${host}/team/gone:1`);
    assert.equal((await get('/v2/team/gone/manifests/1', { method: 'DELETE' })).status, 202);
    assert.equal((await collect(engine)).bytes, 0, 'a manifest without a tag stays unless told');
    const would = await collect(engine, '--dry-run', '--untagged');
    assert.ok(would.bytes > LAYER_BYTES);
    assert.equal(await manifestStatus(`team/gone/manifests/${digest}`), 200);
    const full = await blobSpace(engine);
    assert.deepEqual((await collect(engine, '--untagged')).manifests, [{ repository: 'team/gone', digest }]);
    assert.ok((await blobSpace(engine)) <= full - (LAYER_BYTES >> 10));
    assert.equal(await manifestStatus(`team/gone/manifests/${digest}`), 404);
    assert.equal(await manifestStatus('team/app/manifests/1'), 200);
  });

  it('has everything after a restart, and also when it was off for a while', async () => {
    await restart({ registry });
    assert.equal(await manifestStatus('team/app/manifests/1'), 200);
    await restart({});
    await assert.rejects(get('/v2/'));
    await makeImage(engine, 'other:1');
    await engine.ok('rmi', 'other:1');
    await engine.ok('image', 'prune', '--all', '--force');
    assert.equal((await engine.wharf('doctor', '--verify')).code, 0);
    await restart({ registry });
    await engine.ok('pull', `${host}/team/app:1`);
    await engine.ok('rmi', `${host}/team/app:1`);
  });

  it('is whole after kill -9 in the middle of a push of this engine', async () => {
    const id = await makeImage(engine, `${host}/team/killed:1`);
    for (const delay of [0, 15, 30, 45]) {
      const push = engine.session('push', `${host}/team/killed:1`);
      await new Promise((resolve) => setTimeout(resolve, delay));
      await engine.kill();
      await push.exited;
      await engine.run();
      assert.equal((await engine.wharf('doctor', '--verify')).code, 0);
    }
    await engine.ok('push', `${host}/team/killed:1`);
    await engine.ok('rmi', `${host}/team/killed:1`);
    await engine.ok('pull', `${host}/team/killed:1`);
    assert.equal(await engine.inspect(`${host}/team/killed:1`, '{{.Id}}'), id);
  });

  it('goes on with an upload of others after kill -9', async () => {
    const bytes = randomBytes(4 << 20);
    const begun = await get('/v2/team/half/blobs/uploads/', { method: 'POST' });
    const place = new URL(begun.headers.get('location') as string, `http://${host}`);
    const socket = connect(Number(host.split(':')[1]), '127.0.0.1');
    socket.on('error', () => undefined);
    const head = [`PATCH ${place.pathname}${place.search} HTTP/1.1`, `Host: ${host}`];
    socket.write(`${[...head, `Content-Length: ${bytes.length}`].join('\r\n')}\r\n\r\n`);
    socket.write(bytes.subarray(0, 3 << 20));
    await eventually(
      () => socket.writableLength,
      (left) => left === 0,
      'the bytes are sent',
    );
    await new Promise((resolve) => setTimeout(resolve, 200));
    await engine.kill();
    socket.destroy();
    await engine.run();
    const state = await get(place.pathname + place.search);
    assert.equal(state.status, 204);
    const here = Number(/^0-(\d+)$/.exec(state.headers.get('range') ?? '')?.[1]) + 1;
    assert.ok(here > 1 && here <= 3 << 20, `${here} bytes are here`);
    const next = new URL(state.headers.get('location') as string, `http://${host}`);
    const range = {
      'Content-Range': `${here}-${bytes.length - 1}`,
      'Content-Type': 'application/octet-stream',
    };
    const patched = await get(next.pathname + next.search, {
      method: 'PATCH',
      headers: range,
      body: bytes.subarray(here),
    });
    assert.equal(patched.status, 202, await patched.text());
    const { stdout } = await execute('sha256sum', [], { input: bytes });
    const last = new URL(patched.headers.get('location') as string, `http://${host}`);
    last.searchParams.set('digest', `sha256:${stdout.slice(0, 64)}`);
    assert.equal((await get(last.pathname + last.search, { method: 'PUT' })).status, 201);
    const back = Buffer.from(
      await (await get(`/v2/team/half/blobs/sha256:${stdout.slice(0, 64)}`)).arrayBuffer(),
    );
    assert.ok(back.equals(bytes));
  });
});
