import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import { Agent } from 'node:http';
import type { LookupFunction } from 'node:net';
import { test } from 'node:test';
import { isKind, WharfError } from '../../base/index.ts';
import { follow } from './follow.ts';
import { guardedLookup, isInwardAddress, isInwardHost } from './inward.ts';
import type { Net } from './net.ts';
import { openConnectProxy } from './testing/connect-proxy.ts';
import { testRegistries } from './testing/registries.ts';
import { serve } from './testing/serve.ts';

/** All names are this machine. */
const found: (
  ...args: [options: Parameters<LookupFunction>[1], callback: Parameters<LookupFunction>[2]]
) => void = (options, callback) =>
  options.all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4);

test('addresses that lead inward, in every spelling', () => {
  for (const address of [
    '127.0.0.1',
    '127.9.9.9',
    '0.0.0.0',
    '169.254.169.254',
    '::1',
    '::',
    'fe80::1',
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    'fd00:ec2::254',
  ])
    assert.equal(isInwardAddress(address), true, address);
  for (const address of [
    '10.0.0.1',
    '192.168.1.1',
    '128.0.0.1',
    '2001:db8::1',
    'fd00::1',
    '::ffff:10.0.0.1',
    'name',
  ])
    assert.equal(isInwardAddress(address), false, address);
  for (const host of ['localhost', 'a.localhost', 'localhost.', '[::1]', '[::ffff:7f00:1]', '127.0.0.1'])
    assert.equal(isInwardHost(host), true, host);
  for (const host of ['localhost.example', 'registry.example', '[2001:db8::1]'])
    assert.equal(isInwardHost(host), false, host);
});

const refusal = () => new WharfError('unavailable', 'led inward');

test('a name is judged by what it resolves to, at the moment of connecting', () => {
  const outside = { address: '192.0.2.1', family: 4 };
  const ask = (all: boolean, ...found: LookupAddress[]) => {
    let answer: unknown[] = [];
    const lookup = guardedLookup((_hostname, _options, callback) => callback(null, found), refusal);
    lookup('cdn.example', { all }, (...results: unknown[]) => {
      answer = results;
    });
    return answer;
  };
  assert.deepEqual(ask(true, outside), [null, [outside]]);
  assert.deepEqual(ask(false, outside), [null, '192.0.2.1', 4]);
  for (const address of ['127.0.0.1', '169.254.169.254'])
    for (const all of [true, false]) {
      const [error] = ask(all, outside, { address, family: 4 });
      assert.ok(isKind(error, 'unavailable'), address);
    }
});

test('a failure to resolve stays what it is', () => {
  const failure = Object.assign(new Error('none'), { code: 'ENOTFOUND' });
  guardedLookup((_hostname, _options, callback) => callback(failure, []), refusal)('x', {}, (error) => {
    assert.equal(error, failure);
  });
});

test('a registry elsewhere is not followed into this machine', async () => {
  await using inside = await serve((_, response) => response.end('secret of the machine'));
  for (const target of [
    inside.origin,
    `http://localhost:${inside.port}`,
    'http://169.254.169.254/latest/meta-data',
  ]) {
    await using registry = await serve((request, response) => {
      if (request.url === '/v2/') return response.end('{}');
      return response.writeHead(307, { location: target, 'content-length': '0' }).end();
    });
    await using proxy = await openConnectProxy({ 'reg.example:80': registry.port });
    // Reached by HTTP at the mirror's address, which is configured as it is and so is not an insecure host.
    const mirrors = new Map([['docker.io', ['http://reg.example']]]);
    using registries = testRegistries({ proxy: { http: proxy.url }, mirrors });
    const app = registries.repository({ domain: 'docker.io', path: 'library/app' }, { actions: ['pull'] });
    await assert.rejects(app.manifest('v1'));
    assert.equal(registry.seen.length, 2);
    assert.equal(inside.seen.length, 0);
  }
});

test('a registry elsewhere has no token service within this machine', async () => {
  await using inside = await serve((_, response) => response.end('{"token":"x"}'));
  for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]']) {
    const realm = `https://${host}:${inside.port}/token`;
    await using registry = await serve((_, response) =>
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}",service="s"` }).end('{}'),
    );
    await using proxy = await openConnectProxy({ 'reg.example:80': registry.port });
    const mirrors = new Map([['docker.io', ['http://reg.example']]]);
    using registries = testRegistries({ proxy: { http: proxy.url }, mirrors, attempts: 1 });
    const app = registries.repository({ domain: 'docker.io', path: 'library/app' }, { actions: ['pull'] });
    await assert.rejects(app.manifest('v1'));
    assert.equal(registry.seen.length, 1);
    assert.equal(inside.connections(), 0, realm);
  }
});

test('once a registry elsewhere decides where to go, names are guarded to the end', async () => {
  const guarded: boolean[] = [];
  const agents = {
    for(_url: URL, isGuarded: boolean) {
      guarded.push(isGuarded);
      return globalAgent;
    },
  };
  // Loopback by number, elsewhere by name: the proxy's part is played by a resolver.
  await using last = await serve((_, response) => response.end('{}'));
  await using first = await serve((request, response) => {
    const hop = Number(request.url?.slice(1));
    const location =
      hop < 2 ? `http://elsewhere.test:${first.port}/${hop + 1}` : `http://other.test:${last.port}/`;
    response.writeHead(307, { location, 'content-length': '0' }).end();
  });
  const globalAgent = new Agent({ lookup: (_name, options, callback) => found(options, callback) });
  const net = { agents, insecure: { has: () => false }, stallMs: 5000, userAgent: 'x' } as unknown as Net;
  const response = await follow(net, { method: 'GET', url: new URL(`${first.origin}/0`) });
  await response.discard();
  assert.equal(response.status, 200);
  // From loopback to elsewhere: trusted. From there on: not, though the first address was ours.
  assert.deepEqual(guarded, [false, false, false, true]);
});
