import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKind } from '../base/index.ts';
import {
  choosePlatform,
  formatPlatform,
  hostPlatform,
  matchPlatform,
  normalizePlatform,
  parsePlatform,
} from './index.ts';

test('reads platforms and replaces aliases', () => {
  const cases: [string, string][] = [
    ['linux/amd64', 'linux/amd64'],
    ['linux/x86_64', 'linux/amd64'],
    ['Linux/X86-64', 'linux/amd64'],
    ['linux/amd64/v1', 'linux/amd64'],
    ['linux/amd64/v3', 'linux/amd64/v3'],
    ['linux/aarch64', 'linux/arm64'],
    ['linux/arm64/v8', 'linux/arm64'],
    ['linux/arm64/8', 'linux/arm64'],
    ['linux/arm64/v9', 'linux/arm64/v9'],
    ['linux/arm', 'linux/arm/v7'],
    ['linux/arm/6', 'linux/arm/v6'],
    ['linux/armhf', 'linux/arm/v7'],
    ['linux/armel', 'linux/arm/v6'],
    ['linux/i386', 'linux/386'],
    ['macos/arm64', 'darwin/arm64'],
    ['windows/amd64', 'windows/amd64'],
  ];
  for (const [text, normal] of cases) assert.equal(formatPlatform(parsePlatform(text)), normal, text);
});

test('what is left out is the host’s', () => {
  const host = hostPlatform();
  assert.equal(formatPlatform(parsePlatform('linux')), formatPlatform({ ...host, os: 'linux' }));
  assert.equal(formatPlatform(parsePlatform('s390x')), `${host.os}/s390x`);
});

test('refuses what is no platform', () => {
  for (const text of [
    '',
    '/',
    'linux/',
    '/amd64',
    'linux/amd64/v1/x',
    'nonsense',
    'linux amd64',
    'linux/../x',
    'constructor',
  ]) {
    assert.throws(
      () => parsePlatform(text),
      (thrown) => isKind(thrown, 'invalid'),
      text,
    );
  }
});

test('a refusal says what is wrong, in the reference’s words', () => {
  const cases: [string, string][] = [
    ['a/b/c/d', '"a/b/c/d": cannot parse platform specifier: invalid argument'],
    ['foo', '"foo": unknown operating system or architecture: invalid argument'],
    [
      'linux/b d',
      '"b d" is an invalid component of "linux/b d": platform specifier component must match "^[A-Za-z0-9_.-]+$": invalid argument',
    ],
    [
      'bad platform',
      String.raw`"bad platform" is an invalid OS component of "bad platform": OSAndVersion specifier component must match "^([A-Za-z0-9_-]+)(?:\\(([A-Za-z0-9_.%-]*)((?:\\+[A-Za-z0-9_.%-]+)*)\\))?$": invalid argument`,
    ],
  ];
  for (const [text, message] of cases) assert.throws(() => parsePlatform(text), { message }, text);
});

test('matching sees through aliases and keeps variants apart', () => {
  assert.ok(
    matchPlatform(
      { os: 'linux', architecture: 'x86_64' },
      { os: 'linux', architecture: 'amd64', variant: 'v1' },
    ),
  );
  assert.ok(
    !matchPlatform({ os: 'linux', architecture: 'arm' }, { os: 'linux', architecture: 'arm', variant: 'v6' }),
  );
  assert.ok(!matchPlatform({ os: 'linux', architecture: 'amd64' }, { os: 'windows', architecture: 'amd64' }));
});

test('chooses the best of an index', () => {
  const offers = [
    'linux/386',
    'linux/arm/v6',
    'linux/arm64',
    'linux/amd64',
    'linux/amd64/v2',
    'windows/amd64',
  ].map(parsePlatform);
  const chosen = (text: string) => {
    const at = choosePlatform(parsePlatform(text), offers);
    return at < 0 ? undefined : formatPlatform(offers[at] as (typeof offers)[0]);
  };
  assert.equal(chosen('linux/amd64'), 'linux/amd64');
  assert.equal(chosen('linux/amd64/v3'), 'linux/amd64/v2');
  assert.equal(chosen('linux/arm64'), 'linux/arm64');
  assert.equal(chosen('linux/arm/v7'), 'linux/arm/v6');
  assert.equal(chosen('linux/arm/v5'), undefined);
  assert.equal(chosen('linux/s390x'), undefined);
  assert.equal(choosePlatform(parsePlatform('linux/amd64'), [undefined, parsePlatform('linux/386')]), 1);
  assert.equal(choosePlatform(parsePlatform('linux/arm64'), [parsePlatform('linux/arm/v7')]), 0);
  assert.equal(choosePlatform(parsePlatform('linux/386'), [parsePlatform('linux/amd64')]), -1);
});

test('normalising keeps the other fields', () => {
  const platform = normalizePlatform({
    os: 'windows',
    architecture: 'amd64',
    'os.version': '10.0',
    'os.features': ['win32k'],
  });
  assert.deepEqual(platform, {
    os: 'windows',
    architecture: 'amd64',
    'os.version': '10.0',
    'os.features': ['win32k'],
  });
});
