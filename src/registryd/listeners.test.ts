import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { isKind, silentLog } from '../base/index.ts';
import type { RegistryService } from './index.ts';
import { digestOfText, RegistryFixture } from './test-registry.ts';

const fixture = new RegistryFixture();

describe('the end of a registry', () => {
  it('lets an upload finish that is under way', async () => {
    const { base, stop } = await fixture.serve();
    const begun = await fetch(`${base}/v2/a/blobs/uploads/`, { method: 'POST' });
    const location = new URL(begun.headers.get('location') ?? '', base);
    const socket = connect(Number(location.port), location.hostname);
    const next = () =>
      new Promise<string>((resolve) => socket.once('data', (data) => resolve(data.toString())));
    socket.write(
      `PUT ${location.pathname}?digest=${digestOfText('first second')} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 12\r\n\r\n`,
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
    assert.equal(existsSync(join(fixture.root, 'control.sock')), false);
  });

  it('does not wait for connections that are idle', async () => {
    const { base, stop } = await fixture.serve();
    await (await fetch(`${base}/v2/`)).text();
    const idle = connect(Number(new URL(base).port), '127.0.0.1');
    await new Promise((resolve) => idle.once('connect', resolve));
    const ended = new Promise((resolve) => idle.once('close', resolve));
    idle.on('error', () => undefined);
    await stop();
    await ended;
  });
});

describe('TLS', () => {
  const makePair = (name: string) => {
    const [cert, key] = [join(fixture.dir, 'cert.pem'), join(fixture.dir, 'key.pem')];
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
    const { service } = await fixture.serve(makePair('first'), {
      ...silentLog,
      error: (message) => void errors.push(message),
    });
    assert.equal(await shown(service), 'first');
    makePair('second');
    assert.equal(await shown(service), 'first');
    service.reload();
    assert.equal(await shown(service), 'second');
    writeFileSync(join(fixture.dir, 'cert.pem'), 'damaged');
    service.reload();
    assert.equal(await shown(service), 'second');
    assert.equal(errors.length, 1);
  });

  it('with files that do not fit is refused before anything is served', async () => {
    const pair = makePair('first');
    writeFileSync(pair.tlskey, 'no key');
    await assert.rejects(
      fixture.serve(pair),
      (thrown) => isKind(thrown, 'invalid') && /tlskey .*can't be used/.test(String(thrown)),
    );
  });
});
