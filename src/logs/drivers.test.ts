import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createServer, type Server } from 'node:tls';
import { fluentdTarget, gelfTarget, syslogTarget } from './addresses.ts';
import { openSink } from './drivers.ts';
import { syslogFacility } from './facilities.ts';
import { StreamServer, until } from './log-server.cases.ts';
import { isRemote, LOG_DRIVERS } from './option-names.ts';
import { parseGoDurationMs } from './option-values.ts';

const NEVER = new AbortController().signal;
const source = {
  id: 'ef'.repeat(32),
  name: 'web',
  imageId: '',
  imageName: '',
  command: '',
  created: '',
  tag: 'web',
  attributes: new Map<string, string>(),
};
const entry = { time: 1_800_000_000_000_000_000n, stream: 'stdout', line: Buffer.from('hello') } as const;

describe('an address', () => {
  it('of syslog has its port, or 514', () => {
    const at = { host: '10.0.0.1', port: 514, path: '' };
    assert.deepEqual(syslogTarget('udp://10.0.0.1'), { network: 'udp', ...at });
    assert.deepEqual(syslogTarget('tcp://10.0.0.1:99'), { network: 'tcp', ...at, port: 99 });
    assert.deepEqual(syslogTarget('tcp+tls://[::1]:6514'), {
      network: 'tls',
      host: '::1',
      port: 6514,
      path: '',
    });
    assert.deepEqual(syslogTarget('unix:///etc/passwd'), {
      network: 'unix',
      host: '',
      port: 0,
      path: '/etc/passwd',
    });
    assert.equal(syslogTarget(''), 'local');
  });

  it('of Fluentd may leave out all', () => {
    const at = { network: 'tcp', host: '127.0.0.1', port: 24_224, path: '' };
    for (const text of ['', 'tcp://', ':24224', 'tcp://127.0.0.1'])
      assert.deepEqual(fluentdTarget(text), at, text);
    assert.deepEqual(fluentdTarget('tls://h:1'), { network: 'tls', host: 'h', port: 1, path: '' });
    assert.deepEqual(fluentdTarget('unix:///a/b'), { network: 'unix', host: '', port: 0, path: '/a/b' });
  });

  it('of GELF has all', () => {
    assert.deepEqual(gelfTarget('udp://h:12201'), { network: 'udp', host: 'h', port: 12_201, path: '' });
    assert.equal(gelfTarget('tcp://[fe80::1]:1').host, 'fe80::1');
  });
});

describe('values of options', () => {
  it('durations are those of Go', () => {
    for (const [text, ms] of [
      ['0', 0],
      ['1s', 1000],
      ['1m30s', 90_000],
      ['1.5h', 5_400_000],
      ['-2ms', -2],
      ['100us', 0.1],
      ['.5s', 500],
    ] as const) {
      assert.equal(parseGoDurationMs(text), ms, text);
    }
    for (const text of ['', 's', 'x1s']) {
      assert.throws(() => parseGoDurationMs(text), {
        message: `time: invalid duration ${JSON.stringify(text)}`,
      });
    }
  });

  it('facilities have names and numbers', () => {
    assert.deepEqual(
      ['', 'kern', 'daemon', 'local0', 'local7', '0', '23'].map(syslogFacility),
      [3, 0, 3, 16, 23, 0, 23],
    );
  });

  it('drivers are remote or not', () => {
    assert.deepEqual([...LOG_DRIVERS.keys()].filter(isRemote), ['fluentd', 'gelf', 'journald', 'syslog']);
  });
});

describe('syslog over TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wharf-log-tls-'));
  let server: Server;
  let received = '';

  before(async () => {
    const files = ['-keyout', `${folder}/key.pem`, '-out', `${folder}/cert.pem`];
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', ...files, ...subject],
      {
        stdio: 'ignore',
      },
    );
    const [key, cert] = ['key', 'cert'].map((name) => readFileSync(`${folder}/${name}.pem`));
    server = createServer({ key, cert }, (connection) => {
      connection.on('error', () => undefined);
      connection.on('data', (data) => {
        received += data.toString();
      });
    });
    server.on('tlsClientError', () => undefined);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  after(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const options = (more: Record<string, string>) => ({
    'syslog-address': `tcp+tls://127.0.0.1:${(server.address() as AddressInfo).port}`,
    'syslog-format': 'rfc5424',
    ...more,
  });

  it('trusts the authority that is named, and counts its messages', async () => {
    const sink = openSink('syslog', options({ 'syslog-tls-ca-cert': `${folder}/cert.pem` }), source);
    await sink.probe?.(NEVER);
    await sink.send([entry], NEVER);
    await until(() => received.endsWith('hello\n'));
    sink.close();
    const [, length, message] = /^(\d+) (.*)$/s.exec(received) ?? [];
    assert.equal(Number(length), message?.length);
  });

  it('shows who it is with a certificate and its key, and says nothing of what else is in such files', async () => {
    const other = join(folder, 'other.pem');
    writeFileSync(other, 'secret words\n');
    const pair = (cert: string, key: string) =>
      openSink('syslog', options({ 'syslog-tls-cert': cert, 'syslog-tls-key': key }), source);
    pair(`${folder}/cert.pem`, `${folder}/key.pem`).close();
    assert.throws(() => pair(`${folder}/cert.pem`, other), {
      message: 'Could not load X509 key pair: no valid private key found',
    });
    assert.throws(() => pair(other, `${folder}/key.pem`), {
      message: 'Could not load X509 key pair: the certificate is none, or not the one of the key',
    });
  });

  it('trusts nobody else, unless it is told not to look', async () => {
    const strict = openSink('syslog', options({}), source);
    await assert.rejects((async () => strict.probe?.(NEVER))(), /self-signed certificate/);
    const lax = openSink('syslog', options({ 'syslog-tls-skip-verify': '' }), source);
    await lax.probe?.(NEVER);
    for (const sink of [strict, lax]) sink.close();
  });
});

describe('a driver', () => {
  it('that sends nothing has no sink', () => {
    assert.throws(() => openSink('local', {}, source), /local sends nothing/);
  });

  it('writes to a Unix socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'wharf-log-unix-'));
    await using server = await new StreamServer().listen(join(folder, 's'));
    const sink = openSink('syslog', { 'syslog-address': `unix://${folder}/s` }, source);
    await sink.probe?.(NEVER);
    await sink.send([entry], NEVER);
    await until(() => server.received.toString().endsWith('hello\n'));
    sink.close();
    rmSync(folder, { recursive: true, force: true });
  });
});
