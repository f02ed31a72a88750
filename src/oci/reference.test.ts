import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKind } from '../base/index.ts';
import { parseDigest, parseReference, splitRepoTag, withDefaultTag, withDigest, withTag } from './index.ts';

const HEX = 'a'.repeat(64);

const NORMAL: [text: string, canonical: string, familiar: string][] = [
  ['busybox', 'docker.io/library/busybox', 'busybox'],
  ['busybox:1.36', 'docker.io/library/busybox:1.36', 'busybox:1.36'],
  ['library/busybox', 'docker.io/library/busybox', 'busybox'],
  ['docker.io/busybox', 'docker.io/library/busybox', 'busybox'],
  ['index.docker.io/busybox', 'docker.io/library/busybox', 'busybox'],
  ['index.docker.io/team/app', 'docker.io/team/app', 'team/app'],
  ['team/app', 'docker.io/team/app', 'team/app'],
  ['library/team/app', 'docker.io/library/team/app', 'library/team/app'],
  ['localhost/app', 'localhost/app', 'localhost/app'],
  ['localhost:5000/app:x', 'localhost:5000/app:x', 'localhost:5000/app:x'],
  ['host:5000/library/app', 'host:5000/library/app', 'host:5000/library/app'],
  ['[fd00::1]:5000/app', '[fd00::1]:5000/app', '[fd00::1]:5000/app'],
  ['UP/app', 'UP/app', 'UP/app'],
  ['ghcr.io/a/b/c/d:T-a.g_1', 'ghcr.io/a/b/c/d:T-a.g_1', 'ghcr.io/a/b/c/d:T-a.g_1'],
  [`busybox@sha256:${HEX}`, `docker.io/library/busybox@sha256:${HEX}`, `busybox@sha256:${HEX}`],
  [`busybox:1@sha256:${HEX}`, `docker.io/library/busybox:1@sha256:${HEX}`, `busybox:1@sha256:${HEX}`],
  ['a__b/c--d/e.f', 'docker.io/a__b/c--d/e.f', 'a__b/c--d/e.f'],
  ['a'.repeat(63), `docker.io/library/${'a'.repeat(63)}`, 'a'.repeat(63)],
  ['localhost', 'docker.io/library/localhost', 'localhost'],
  ['x/y:5', 'docker.io/x/y:5', 'x/y:5'],
];

for (const [text, canonical, familiar] of NORMAL) {
  test(`normalises ${text.slice(0, 40)}`, () => {
    const reference = parseReference(text);
    assert.equal(reference.canonical(), canonical);
    assert.equal(reference.familiar(), familiar);
    assert.equal(parseReference(reference.canonical()).canonical(), canonical);
    assert.equal(parseReference(reference.familiar()).canonical(), canonical);
  });
}

const FORMAT = 'invalid reference format';
const REFUSED: [text: string, message: string][] = [
  ['', FORMAT],
  [':tag', FORMAT],
  ['@', FORMAT],
  ['a b', FORMAT],
  ['a//b', FORMAT],
  ['/a', FORMAT],
  ['a/', FORMAT],
  ['a:', FORMAT],
  ['a:-x', FORMAT],
  [`a:${'t'.repeat(129)}`, FORMAT],
  ['a:b:c', FORMAT],
  ['a..b', FORMAT],
  ['a___b', FORMAT],
  ['-a/b', FORMAT],
  ['a-', FORMAT],
  ['../etc/passwd', FORMAT],
  ['a/../b', FORMAT],
  ['busybox\n', FORMAT],
  ['busybox\u0000', FORMAT],
  ['http://host/a', FORMAT],
  ['foo@sha256:abc', FORMAT],
  ['a'.repeat(5000), FORMAT],
  ['Foo', 'invalid reference format: repository name (library/Foo) must be lowercase'],
  ['foo/Bar', 'invalid reference format: repository name (foo/Bar) must be lowercase'],
  ['localhost/Foo', 'invalid reference format: repository name (Foo) must be lowercase'],
  [`a/${'b'.repeat(254)}`, 'repository name must not be more than 255 characters'],
  [HEX, `invalid repository name (${HEX}), cannot specify 64-byte hexadecimal strings`],
  [`x@sha256:${'A'.repeat(64)}`, 'invalid checksum digest format'],
  [`x@sha256:${'a'.repeat(63)}`, 'invalid checksum digest length'],
  [`x@md5:${'a'.repeat(32)}`, 'unsupported digest algorithm'],
];

for (const [text, message] of REFUSED) {
  test(`refuses ${JSON.stringify(text.slice(0, 40))}: ${message.slice(0, 60)}`, () => {
    assert.throws(
      () => parseReference(text),
      (thrown) => isKind(thrown, 'invalid') && (thrown as Error).message === message,
    );
  });
}

test('latest is added only where nothing says which image', () => {
  assert.equal(withDefaultTag(parseReference('a')).familiar(), 'a:latest');
  assert.equal(withDefaultTag(parseReference('a:1')).familiar(), 'a:1');
  assert.equal(withDefaultTag(parseReference(`a@sha256:${HEX}`)).familiar(), `a@sha256:${HEX}`);
});

test('tag and digest are exchanged', () => {
  const reference = parseReference('host:1/a:1');
  assert.equal(withTag(reference, '2').canonical(), 'host:1/a:2');
  assert.equal(withDigest(reference, parseDigest(`sha256:${HEX}`)).canonical(), `host:1/a@sha256:${HEX}`);
  assert.throws(() => withTag(reference, 'a/b'), /invalid tag format/);
});

test('a hostile text is refused quickly', () => {
  for (const text of [
    'a-'.repeat(500),
    `${'a.'.repeat(500)}/b`,
    'a'.repeat(1 << 20),
    `${'_'.repeat(1000)}/a`,
  ]) {
    assert.throws(() => parseReference(text));
  }
});

test('splitRepoTag tells a port from a tag', () => {
  assert.deepEqual(splitRepoTag('host:5000/a'), { repository: 'host:5000/a' });
  assert.deepEqual(splitRepoTag('host:5000/a:1'), { repository: 'host:5000/a', tag: '1' });
  assert.deepEqual(splitRepoTag('a'), { repository: 'a' });
  assert.deepEqual(splitRepoTag('a:1@sha256:b'), { repository: 'a', tag: '1', digest: 'sha256:b' });
  assert.deepEqual(splitRepoTag('<none>:<none>'), { repository: '<none>', tag: '<none>' });
});
