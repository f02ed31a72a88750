import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseChallenges } from './challenge.ts';

const read = (header: string | undefined) =>
  parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

test('the challenge of Docker Hub', () => {
  const header =
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/busybox:pull,push"';
  assert.deepEqual(read(header), [
    [
      'bearer',
      {
        realm: 'https://auth.docker.io/token',
        service: 'registry.docker.io',
        scope: 'repository:library/busybox:pull,push',
      },
    ],
  ]);
});

test('several challenges in one header, in any spelling', () => {
  assert.deepEqual(read('Negotiate, Basic realm="a, b=\\"c\\"" , BEARER Realm = https-less, x=y'), [
    ['negotiate', {}],
    ['basic', { realm: 'a, b="c"' }],
    ['bearer', { realm: 'https-less', x: 'y' }],
  ]);
  assert.deepEqual(read('Negotiate YWJj==, Basic realm="r"'), [
    ['negotiate', {}],
    ['basic', { realm: 'r' }],
  ]);
  assert.deepEqual(read('Basic'), [['basic', {}]]);
  assert.deepEqual(read('Basic realm=""'), [['basic', { realm: '' }]]);
});

test('what can not be read ends the list and throws nothing', () => {
  for (const header of [undefined, '', ',,,', '"', '=', '\u0000', 'Basic realm="open', 'Basic realm="a" "b"'])
    assert.doesNotThrow(() => parseChallenges(header));
  assert.deepEqual(read(undefined), []);
  assert.deepEqual(read('Basic realm="a", Bearer realm="open'), [
    ['basic', { realm: 'a' }],
    ['bearer', {}],
  ]);
});

test('a header made to be slow is read in bounds', () => {
  for (const header of [
    'a '.repeat(100_000),
    'a="'.repeat(50_000),
    `Basic ${'a=b,'.repeat(50_000)}`,
    '\\'.repeat(99_999),
  ])
    assert.ok(parseChallenges(header).length <= 8);
});
