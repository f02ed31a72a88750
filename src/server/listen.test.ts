import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:https';
import { createServer as createNetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLog } from '../base/index.ts';
import { describeTarget } from './listen.ts';
import { createServer } from './server.ts';
import { fakeBackends } from './testing/fake-backends.ts';

const skip = spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is not installed';

function ping(port: number, identity: { cert?: Buffer; key?: Buffer; ca: Buffer }): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = get({ host: 'localhost', port, path: '/_ping', agent: false, ...identity }, (response) => {
      response.on('data', (chunk: Buffer) => resolve(chunk.toString()));
      response.on('error', reject);
    });
    sent.on('error', reject);
  });
}

test('with mutual TLS a client without a certificate gets nothing', { skip }, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'wharf-tls-'));
  const server = createServer({ backends: fakeBackends(), log: silentLog, version: '0' });
  try {
    // One self-signed certificate plays authority, server and client.
    const made = spawnSync('openssl', [
      ...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost'.split(
        ' ',
      ),
      ...['-addext', 'subjectAltName=DNS:localhost', '-keyout', join(dir, 'key'), '-out', join(dir, 'cert')],
    ]);
    assert.equal(made.status, 0, made.stderr.toString());
    const cert = readFileSync(join(dir, 'cert'));
    const key = readFileSync(join(dir, 'key'));
    await server.listen({ kind: 'tcp', host: 'localhost', port: 0, tls: { cert, key, clientCa: cert } });
    const port = server.ports[0]!;
    assert.equal(await ping(port, { ca: cert, cert, key }), 'OK');
    await assert.rejects(ping(port, { ca: cert }));
  } finally {
    await server.close();
    rmSync(dir, { recursive: true, force: true });
  }
});

/** Serves on descriptor 3, as a process that systemd has started. */
const INHERITOR = `
  const { createServer } = await import(${JSON.stringify(new URL('./index.ts', import.meta.url).href)});
  const { fakeBackends } = await import(${JSON.stringify(new URL('./testing/fake-backends.ts', import.meta.url).href)});
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  await createServer({ backends: fakeBackends(), log, version: '0' }).listen({ kind: 'fd', fd: 3 });
  console.log('ready');
`;

test('an inherited descriptor is served, a taken port is a conflict', async () => {
  const taken = createNetServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as { port: number };
  const { fd } = (taken as unknown as { _handle: { fd: number } })._handle;
  const child = spawn(process.execPath, ['--input-type=module', '-e', INHERITOR], {
    stdio: ['ignore', 'pipe', 'inherit', fd],
  });
  const server = createServer({ backends: fakeBackends(), log: silentLog, version: '0' });
  try {
    await assert.rejects(server.listen({ kind: 'tcp', host: '127.0.0.1', port }), { kind: 'conflict' });
    await new Promise((resolve) => child.stdout!.once('data', resolve));
    taken.close();
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/_ping`)).text(), 'OK');
  } finally {
    child.kill('SIGKILL');
    await server.close();
  }
});

test('targets are named as users write them', () => {
  assert.equal(describeTarget({ kind: 'unix', path: '/run/w.sock' }), 'unix:///run/w.sock');
  assert.equal(describeTarget({ kind: 'fd', fd: 3 }), 'fd://3');
  assert.equal(describeTarget({ kind: 'tcp', host: '127.0.0.1', port: 2376 }), 'tcp://127.0.0.1:2376');
});
