import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distributionSettings, proxyEnvironment } from './distribution-settings.ts';
import { type OptionValues, parseFlags } from './flags.ts';
import { ValueReader } from './value-reader.ts';

const settings = (args: string[], env = {}) =>
  distributionSettings(new ValueReader(parseFlags(args) as OptionValues), env);

test('nothing said is Docker’s defaults', () => {
  assert.deepEqual(settings([]), {
    insecure: [],
    mirrors: new Map(),
    proxy: {},
    maxDownloads: 3,
    maxUploads: 5,
    attempts: 5,
    stallTimeout: 60,
  });
});

test('a mirror is of docker.io unless it names a registry, and keeps its place', () => {
  const { mirrors } = settings([
    '--registry-mirror=http://one:5000/',
    '--registry-mirror=quay.io=https://two/cache',
    '--registry-mirror=https://three',
    '--registry-mirror=*=http://four:1',
  ]);
  assert.deepEqual(
    [...mirrors],
    [
      ['docker.io', ['http://one:5000', 'https://three']],
      ['quay.io', ['https://two/cache']],
      ['*', ['http://four:1']],
    ],
  );
});

test('what is no mirror is refused, and its credentials are not repeated', () => {
  for (const bad of ['one:5000', 'ftp://one', 'http://one/?a=b', 'quay.io=', 'http://one/#x']) {
    assert.throws(() => settings([`--registry-mirror=${bad}`]), /registry-mirror takes/, bad);
  }
  assert.throws(
    () => settings(['--registry-mirror=http://ada:secret@one']),
    (thrown: Error) => !/secret/.test(thrown.message) && /without credentials/.test(thrown.message),
  );
});

test('insecure registries are hosts and ranges', () => {
  const good = ['lab', 'lab:5000', '10.0.0.0/8', '[::1]:5000', 'http://old:80'];
  assert.deepEqual(settings(good.map((one) => `--insecure-registry=${one}`)).insecure, [
    'lab',
    'lab:5000',
    '10.0.0.0/8',
    '[::1]:5000',
    'old:80',
  ]);
  for (const bad of ['', 'lab/app', 'a b', 'ada@lab'])
    assert.throws(() => settings([`--insecure-registry=${bad}`]), /insecure-registry takes/, bad);
});

test('limits are at least one', () => {
  assert.equal(settings(['--max-concurrent-downloads=7']).maxDownloads, 7);
  for (const flag of [
    'max-concurrent-downloads',
    'max-concurrent-uploads',
    'max-download-attempts',
    'registry-stall-timeout',
  ])
    assert.throws(() => settings([`--${flag}=0`]), new RegExp(`${flag} takes a number of at least 1`));
});

test('proxies come from options, then from the environment', () => {
  const env = proxyEnvironment({ HTTP_PROXY: 'http://a:1', https_proxy: 'http://b:2', NO_PROXY: 'x' });
  assert.deepEqual(env, { http: 'http://a:1', https: 'http://b:2', no: 'x' });
  assert.deepEqual(settings(['--http-proxy=http://c:3'], env).proxy, { ...env, http: 'http://c:3' });
  for (const bad of ['nonsense', 'socks9://proxy:1080', 'proxy:3128'])
    assert.throws(
      () => settings([`--https-proxy=${bad}`]),
      /https-proxy takes an http:\/\/ or https:\/\/ URL/,
      bad,
    );
});
