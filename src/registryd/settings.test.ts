import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isKind } from '../base/index.ts';
import { formatAddress, isLoopback, parseRegistrySettings } from './settings.ts';
import { SETTINGS } from './types.ts';

const TLS = { tlscert: '/c', tlskey: '/k' };

describe('settings of a registry', () => {
  it('are safe when nothing is said: this machine only, open, plain', () => {
    assert.deepEqual(parseRegistrySettings({}), {
      listen: [{ host: '127.0.0.1', port: 5000 }],
      htpasswd: undefined,
      access: undefined,
      tls: undefined,
      auditLog: undefined,
      externalUrl: undefined,
    });
  });

  it('are read from texts', () => {
    const settings = parseRegistrySettings({
      ...TLS,
      listen: '0.0.0.0:443, [::1]:5000,:80',
      htpasswd: '/users',
      access: '/access.json',
      'audit-log': '-',
      'external-url': 'https://Registry.Lab:443/',
    });
    assert.deepEqual(settings, {
      listen: [
        { host: '0.0.0.0', port: 443 },
        { host: '::1', port: 5000 },
        { host: '0.0.0.0', port: 80 },
      ],
      htpasswd: '/users',
      access: '/access.json',
      tls: { cert: '/c', key: '/k' },
      auditLog: '-',
      externalUrl: 'https://registry.lab',
    });
    assert.deepEqual(settings.listen.map(formatAddress), ['0.0.0.0:443', '[::1]:5000', '0.0.0.0:80']);
  });

  it('that are empty are as if not given', () => {
    const empty = Object.fromEntries(
      SETTINGS.filter(({ kind }) => kind !== 'switch').map(({ name }) => [name, '']),
    );
    assert.deepEqual(parseRegistrySettings(empty), parseRegistrySettings({}));
  });

  const refused: [Record<string, string>, RegExp][] = [
    [{ lisen: '127.0.0.1:1' }, /no setting is named "lisen"; there are access, .*listen/],
    [{ __proto__x: '1' }, /no setting is named/],
    [{ listen: '127.0.0.1' }, /listen takes ADDRESS:PORT.*"127\.0\.0\.1"/],
    [{ listen: '127.0.0.1:70000' }, /listen takes ADDRESS:PORT/],
    [{ listen: '::1:5000' }, /listen takes ADDRESS:PORT/],
    [{ listen: 'http://127.0.0.1:5000' }, /listen takes ADDRESS:PORT/],
    [{ tlscert: '/c' }, /tlscert needs tlskey/],
    [{ tlskey: '/k' }, /tlskey needs tlscert/],
    [{ access: '/a' }, /htpasswd is needed, too/],
    [{ 'insecure-no-tls': 'yes' }, /insecure-no-tls is true or false: "yes"/],
    [{ 'external-url': 'registry.lab' }, /external-url takes a URL/],
    [{ 'external-url': 'ftp://registry.lab' }, /external-url takes a URL/],
    [{ 'external-url': 'https://u:p@registry.lab' }, /external-url takes a URL/],
    [{ 'external-url': 'https://registry.lab/v2/' }, /external-url has no path/],
  ];
  for (const [values, message] of refused) {
    it(`are refused by name: ${JSON.stringify(values)}`, () => {
      const text = 'insecure-no-tls' in values ? { ...values, listen: '0.0.0.0:1', htpasswd: '/u' } : values;
      assert.throws(
        () => parseRegistrySettings(text),
        (thrown) => isKind(thrown, 'invalid') && message.test((thrown as Error).message),
      );
    });
  }
});

describe('a registry that others reach', () => {
  const beyond = { listen: '127.0.0.1:1,192.0.2.1:5000' };

  it('needs users and TLS, or the word that it goes without', () => {
    assert.throws(
      () => parseRegistrySettings(beyond),
      /192\.0\.2\.1:5000 is reached from other machines, where anybody could/,
    );
    assert.throws(() => parseRegistrySettings({ ...beyond, ...TLS }), /name users \(htpasswd\)/);
    assert.throws(() => parseRegistrySettings({ ...beyond, htpasswd: '/u' }), /without TLS/);
    assert.throws(() => parseRegistrySettings({ ...beyond, 'allow-anonymous-push': 'true' }), /without TLS/);
    assert.throws(() => parseRegistrySettings({ ...beyond, 'insecure-no-tls': 'true' }), /name users/);
    assert.throws(() =>
      parseRegistrySettings({ ...beyond, 'insecure-no-tls': 'false', 'allow-anonymous-push': 'false' }),
    );
    assert.ok(parseRegistrySettings({ ...beyond, ...TLS, htpasswd: '/u' }));
    assert.ok(parseRegistrySettings({ ...beyond, 'insecure-no-tls': 'true', htpasswd: '/u' }));
    assert.ok(parseRegistrySettings({ ...beyond, ...TLS, 'allow-anonymous-push': 'true' }));
  });

  it('is told by its address: names and wildcards are not of this machine alone', () => {
    for (const host of ['127.0.0.1', '127.9.9.9', '::1', 'localhost'])
      assert.equal(isLoopback(host), true, host);
    for (const host of ['0.0.0.0', '::', '10.0.0.1', 'registry.lab', '127.evil.test', 'localhost.evil.test'])
      assert.equal(isLoopback(host), false, host);
  });
});
