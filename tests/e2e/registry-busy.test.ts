import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { connect } from 'node:tls';
import { makeCertificates } from './support/certificates.ts';
import { eventually, execute, needsOwnDaemon, tarOf, useDaemon } from './support/index.ts';
import { freePort } from './support/registries.ts';

const LAYER_BYTES = 2 << 20;
const PUSHERS = 3;
const ROUNDS = 3;

async function run(file: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await execute(file, args);
  assert.equal(code, 0, `${file} ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

describe('the registry of the daemon, over TLS and at work', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon({ busybox: false });
  const certificates = join(engine.temporary, 'certificates');
  const trusted = join(engine.temporary, 'trusted');
  const from = ['--src-cert-dir', trusted];
  const to = ['--dest-cert-dir', trusted];
  let host = '';

  before(async () => {
    for (const folder of [certificates, trusted]) mkdirSync(folder);
    await makeCertificates(certificates);
    copyFileSync(join(certificates, 'ca.pem'), join(trusted, 'ca.crt'));
    host = `localhost:${await freePort()}`;
    const [tlscert, tlskey] = ['server-cert.pem', 'server-key.pem'].map((name) => join(certificates, name));
    engine.configure({ registry: { listen: host.replace('localhost', '127.0.0.1'), tlscert, tlskey } });
    await engine.stop();
    await engine.run();
  });

  /** Makes an image of bytes that nobody else has, and returns its id. */
  async function makeImage(name: string): Promise<string> {
    const tree = join(engine.temporary, `tree-${randomBytes(4).toString('hex')}`);
    mkdirSync(tree);
    writeFileSync(join(tree, 'data'), randomBytes(LAYER_BYTES));
    await tarOf(tree);
    return engine.ok('import', `${tree}.tar`, name);
  }
  const collect = () =>
    engine.wharf('registry', 'gc', '--root', join(engine.dataRoot, 'registry'), '--untagged', '--json');

  /** Fingerprint of the certificate that is served now; its authority is checked. */
  function fingerprint(): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const ca = readFileSync(join(trusted, 'ca.crt'));
    const socket = connect({ host: '127.0.0.1', port: Number(host.split(':')[1]), ca }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.end();
    });
    socket.on('error', reject);
    return promise;
  }

  it('is reached by this engine and by others, who check its certificate', async () => {
    const id = await makeImage(`${host}/lab/app:1`);
    await engine.ok('push', `${host}/lab/app:1`);
    const folder = join(engine.temporary, 'app');
    await run(
      'skopeo',
      'copy',
      '-q',
      '--preserve-digests',
      ...from,
      `docker://${host}/lab/app:1`,
      `dir:${folder}`,
    );
    await run(
      'skopeo',
      'copy',
      '-q',
      '--preserve-digests',
      ...to,
      `dir:${folder}`,
      `docker://${host}/lab/copy:1`,
    );
    const strange = await execute('skopeo', ['copy', '-q', `docker://${host}/lab/app:1`, `dir:${folder}-2`]);
    assert.match(strange.stderr, /certificate signed by unknown authority/);
    await engine.ok('rmi', `${host}/lab/app:1`);
    await engine.ok('pull', `${host}/lab/copy:1`);
    assert.equal(await engine.inspect(`${host}/lab/copy:1`, '{{.Id}}'), id);
    await engine.ok('rmi', `${host}/lab/copy:1`);
  });

  it('takes a new certificate at SIGHUP, and keeps the old one when the new one is broken', async () => {
    const old = await fingerprint();
    const cert = join(certificates, 'server-cert.pem');
    writeFileSync(cert, 'no certificate');
    await engine.signal('SIGHUP');
    await eventually(
      () => engine.log(),
      (log) => log.includes('the old one stays'),
      'the log tells of it',
    );
    assert.equal(await fingerprint(), old);
    await makeCertificates(certificates);
    copyFileSync(join(certificates, 'ca.pem'), join(trusted, 'ca.crt'));
    await engine.signal('SIGHUP');
    const now = () => fingerprint().catch(() => old);
    await eventually(now, (seen) => seen !== old, 'the new certificate is served');
  });

  it('keeps every image whole that is pushed while garbage is collected, by this engine and by others', async () => {
    const folder = join(engine.temporary, 'others');
    await engine.ok('pull', `${host}/lab/app:1`);
    const pushes = Array.from({ length: PUSHERS }, async (_, pusher) => {
      for (let round = 0; round < ROUNDS; round++) {
        const name = `${host}/busy/own${pusher}:${round}`;
        await makeImage(name);
        await engine.ok('push', name);
        const taken = `${folder}-${pusher}-${round}`;
        await run('skopeo', 'copy', '-q', ...from, `docker://${name}`, `dir:${taken}`);
        await run(
          'skopeo',
          'copy',
          '-q',
          '--preserve-digests',
          ...to,
          `dir:${taken}`,
          `docker://${host}/busy/other${pusher}:${round}`,
        );
        await engine.ok('rmi', name);
      }
    });
    let working = true;
    const done = Promise.all(pushes).finally(() => {
      working = false;
    });
    let collections = 0;
    for (; working; collections++) assert.equal((await collect()).code, 0);
    await done;
    assert.ok(collections > 0);
    assert.equal((await collect()).code, 0);
    for (const who of ['own', 'other'])
      for (let pusher = 0; pusher < PUSHERS; pusher++) {
        await engine.ok('pull', '--all-tags', `${host}/busy/${who}${pusher}`);
        const tags = await engine.ok('images', '-q', `${host}/busy/${who}${pusher}`);
        assert.equal(tags.split('\n').length, ROUNDS);
      }
    assert.equal((await engine.wharf('doctor', '--verify')).code, 0);
  });
});
