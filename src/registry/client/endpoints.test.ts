import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKind } from '../../base/index.ts';
import {
  hubSearchBase,
  insecureHosts,
  loginDomain,
  mirrorsOf,
  ownCandidates,
  parseBase,
} from './endpoints.ts';
import { hopTarget } from './follow.ts';
import { proxyFor } from './proxy.ts';
import { mayTellRealm } from './tokens.ts';

test('which hosts are insecure: loopback always, others by host, port or range', () => {
  const hosts = insecureHosts([
    'reg.example',
    'other.example:5000',
    '10.0.0.0/8',
    'fd00::/16',
    'UPPER.example',
    '192.0.2.1',
  ]);
  const yes = [
    'localhost',
    'localhost:5000',
    '127.0.0.1',
    '127.8.8.8:443',
    '[::1]:5000',
    'reg.example',
    'reg.example:81',
    'other.example:5000',
    '10.1.2.3:5000',
    '[fd00::5]:1',
    'upper.example',
    '192.0.2.1:5000',
  ];
  const no = [
    'other.example',
    'other.example:5001',
    'sub.reg.example',
    '11.0.0.1',
    'localhost.example',
    '127.0.0.1.example',
    '[fd01::1]',
    '192.0.2.2',
  ];
  for (const host of yes) assert.equal(hosts.has(host), true, host);
  for (const host of no) assert.equal(hosts.has(host), false, host);
});

test('the addresses of a registry: HTTPS first, and HTTP only where it is allowed', () => {
  const insecure = insecureHosts(['reg.example:5000']);
  const bases = (domain: string) => ownCandidates(domain, insecure).map(({ base }) => base.href);
  assert.deepEqual(bases('docker.io'), ['https://registry-1.docker.io/']);
  assert.deepEqual(bases('index.docker.io'), ['https://registry-1.docker.io/']);
  assert.deepEqual(bases('quay.io'), ['https://quay.io/']);
  assert.deepEqual(bases('reg.example:5000'), ['https://reg.example:5000/', 'http://reg.example:5000/']);
  assert.deepEqual(bases('[::1]:5000'), ['https://[::1]:5000/', 'http://[::1]:5000/']);
  assert.equal(hubSearchBase('docker.io')?.href, 'https://index.docker.io/');
  assert.equal(hubSearchBase('quay.io'), undefined);
});

test('the domain that is logged in to', () => {
  for (const server of [
    '',
    'docker.io',
    'https://index.docker.io/v1/',
    'index.docker.io',
    'registry-1.docker.io',
    'https://registry-1.docker.io/v2/',
  ])
    assert.equal(loginDomain(server), 'docker.io', server);
  assert.equal(loginDomain('http://reg.example:5000/v2/'), 'reg.example:5000');
  assert.equal(loginDomain('reg.example'), 'reg.example');
  for (const server of ['a b', 'u@reg.example', 'reg.example:port', 'reg\\x'])
    assert.throws(
      () => loginDomain(server),
      (thrown) => isKind(thrown, 'invalid'),
    );
});

test('mirrors: those of the domain before those of all; addresses that are none are refused', () => {
  const mirrors = new Map([
    ['docker.io', ['https://a', 'https://b']],
    ['*', ['https://all']],
  ]);
  assert.deepEqual(mirrorsOf('docker.io', mirrors), ['https://a', 'https://b', 'https://all']);
  assert.deepEqual(mirrorsOf('quay.io', mirrors), ['https://all']);
  assert.equal(parseBase('https://m.example/cache/v2/').href, 'https://m.example/cache/');
  assert.equal(parseBase('http://m.example').href, 'http://m.example/');
  for (const text of ['m.example', 'ftp://m.example', 'https://m.example/?a=b', ''])
    assert.throws(
      () => parseBase(text),
      (thrown) => isKind(thrown, 'invalid'),
    );
});

test('where a redirect may lead', () => {
  const net = { insecure: insecureHosts(['lab.example', '10.0.0.0/8']) };
  const hop = (from: string, to: string) => hopTarget(net, new URL(from), to).href;
  assert.equal(hop('https://r.example/v2/a', '/b'), 'https://r.example/b');
  assert.equal(hop('https://r.example/a', 'https://u:p@cdn.example/b#c'), 'https://cdn.example/b');
  assert.equal(hop('https://r.example/a', 'http://r.example/b'), 'https://r.example/b');
  assert.equal(hop('https://r.example:5000/a', 'http://r.example:5000/b'), 'https://r.example:5000/b');
  assert.equal(hop('https://lab.example/a', 'http://10.0.0.1/b'), 'http://10.0.0.1/b');
  assert.equal(hop('http://127.0.0.1:5000/a', 'http://127.0.0.1:5001/b'), 'http://127.0.0.1:5001/b');
  const refused: [string, string][] = [
    ['https://r.example/a', 'http://cdn.example/b'],
    ['https://r.example/a', 'http://lab.example/b'],
    ['https://r.example/a', 'file:///etc/passwd'],
    ['https://r.example/a', 'https://'],
    ['https://r.example/a', 'https://127.0.0.1/b'],
    ['https://r.example/a', 'https://localhost/b'],
    ['https://r.example/a', 'https://0x7f000001/b'],
    ['https://r.example/a', 'https://[::1]/b'],
    ['https://r.example/a', 'https://[::ffff:127.0.0.1]/b'],
    ['https://r.example/a', 'https://169.254.169.254/latest/meta-data'],
    ['http://r.example/a', 'http://169.254.169.254/latest/meta-data'],
  ];
  for (const [from, to] of refused)
    assert.throws(
      () => hop(from, to),
      (thrown) => isKind(thrown, 'unavailable'),
      to,
    );
});

test('which token services are told the credentials of a registry', () => {
  const may = (realm: string, registry: string, listed: string[] = []) =>
    mayTellRealm(new URL(realm), new URL(registry), listed);
  const yes: [string, string][] = [
    ['https://auth.docker.io/token', 'https://registry-1.docker.io/'],
    ['https://gitlab.com/jwt/auth', 'https://registry.gitlab.com/'],
    ['https://ghcr.io/token', 'https://ghcr.io/'],
    ['https://reg.example:8443/auth', 'https://reg.example:5000/'],
    ['http://10.0.0.1:5001/auth', 'http://10.0.0.1:5000/'],
    ['https://auth.shop.co.uk/', 'https://registry.shop.co.uk/'],
    ['https://lab:5001/token', 'http://lab:5000/'],
  ];
  const no: [string, string][] = [
    ['https://evil.example/token', 'https://registry-1.docker.io/'],
    ['https://docker.io.evil.example/token', 'https://registry-1.docker.io/'],
    ['https://evil.co.uk/', 'https://registry.shop.co.uk/'],
    ['http://auth.docker.io/token', 'https://registry-1.docker.io/'],
    ['http://reg.example/token', 'https://reg.example/'],
    ['http://other/token', 'http://reg/'],
    ['https://10.0.0.2/', 'https://10.0.0.1/'],
    ['https://127.0.0.2/', 'http://127.0.0.1/'],
    ['https://b/', 'https://a/'],
  ];
  for (const [realm, registry] of yes) assert.equal(may(realm, registry), true, `${registry} → ${realm}`);
  for (const [realm, registry] of no) assert.equal(may(realm, registry), false, `${registry} → ${realm}`);
  assert.equal(may('https://login.example/t', 'https://reg.other/', ['login.example']), true);
  assert.equal(may('http://login.example/t', 'https://reg.other/', ['login.example']), false);
});

test('which addresses are reached by a proxy', () => {
  const proxy = {
    http: 'http://p:3128',
    https: 'p:3129',
    no: 'corp.example, .dot.example,10.0.0.0/8,one.example:5000,[fd00::1],*.star.example',
  };
  const of = (url: string, settings = proxy) => proxyFor(new URL(url), settings)?.host;
  assert.equal(of('http://r.example/'), 'p:3128');
  assert.equal(of('https://r.example/'), 'p:3129');
  assert.equal(of('https://one.example/'), 'p:3129');
  assert.equal(of('https://notcorp.example/'), 'p:3129');
  assert.equal(of('https://dot.example/'), 'p:3129');
  for (const host of [
    'corp.example',
    'a.corp.example',
    'a.dot.example',
    'a.star.example',
    '10.9.9.9',
    'one.example:5000',
    '[fd00::1]',
    'localhost',
    '127.0.0.1',
    '[::1]',
  ])
    assert.equal(of(`https://${host}/`), undefined, host);
  assert.equal(of('https://r.example/', { ...proxy, no: '*' }), undefined);
  assert.equal(proxyFor(new URL('https://r.example/'), {}), undefined);
  for (const https of ['socks5://p:1', 'http://'])
    assert.throws(
      () => proxyFor(new URL('https://r.example/'), { https }),
      (thrown) => isKind(thrown, 'invalid'),
    );
});
