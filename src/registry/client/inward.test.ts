import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import { test } from 'node:test';
import { isKind } from '../../base/index.ts';
import { guardedLookup, isInwardAddress, isInwardHost } from './inward.ts';
import { openConnectProxy } from './testing/connect-proxy.ts';
import { testRegistries } from './testing/registries.ts';
import { serve } from './testing/serve.ts';

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

test('a name is judged by what it resolves to, at the moment of connecting', () => {
  const outside = { address: '192.0.2.1', family: 4 };
  const ask = (all: boolean, ...found: LookupAddress[]) => {
    let answer: unknown[] = [];
    const lookup = guardedLookup((_hostname, _options, callback) => callback(null, found));
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
  guardedLookup((_hostname, _options, callback) => callback(failure, []))('x', {}, (error) => {
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
