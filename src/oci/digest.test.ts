import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKind } from '../base/index.ts';
import { chainIds, digestOf, isDigest, parseDigest, splitDigest } from './index.ts';

const HEX = '0123456789abcdef'.repeat(4);
const GOOD = `sha256:${HEX}`;

test('a canonical digest is taken as it is', () => {
  assert.equal(parseDigest(GOOD), GOOD);
  assert.equal(parseDigest(`sha512:${HEX}${HEX}`), `sha512:${HEX}${HEX}`);
  assert.deepEqual(splitDigest(parseDigest(GOOD)), { algorithm: 'sha256', hex: HEX });
});

test('nothing else is a digest', () => {
  const bad: unknown[] = [
    '',
    ':',
    'sha256',
    'sha256:',
    HEX,
    `:${HEX}`,
    `sha256${HEX}`,
    `SHA256:${HEX}`,
    `sha256:${HEX.toUpperCase()}`,
    `sha256:${HEX}0`,
    `sha256:${HEX.slice(1)}`,
    ` ${GOOD}`,
    `${GOOD} `,
    `${GOOD}\n`,
    `\n${GOOD}`,
    `${GOOD}\u0000`,
    `sha256:../../${HEX.slice(6)}`,
    `sha256:${HEX.slice(1)}/`,
    `sha256:${HEX.slice(1)}g`,
    `sha512:${HEX}`,
    `md5:${HEX.slice(32)}`,
    `sha1:${HEX.slice(24)}`,
    `sha256+b64:${HEX}`,
    `sha256:sha256:${HEX}`,
    `sha384:${HEX}${HEX.slice(32)}`,
    `constructor:${HEX}`,
    `__proto__:${HEX}`,
    `sha256:${'０'.repeat(64)}`,
    `sha256:${HEX}\u2028`,
    'a'.repeat(1 << 20),
    null,
    undefined,
    7,
    {},
    [GOOD],
    new String(GOOD),
  ];
  for (const text of bad) {
    assert.equal(isDigest(text), false, String(text).slice(0, 90));
    if (typeof text !== 'string') continue;
    assert.throws(
      () => parseDigest(text),
      (thrown) => isKind(thrown, 'invalid'),
      text.slice(0, 90),
    );
  }
});

test('every single-character change of a digest that leaves the alphabet is refused', () => {
  for (let at = 0; at < GOOD.length; at += 1) {
    for (const other of ['/', '.', 'A', 'G', '\u0000', '%', '-']) {
      const text = GOOD.slice(0, at) + other + GOOD.slice(at + 1);
      assert.equal(isDigest(text), false, text);
    }
  }
});

test('refusals say what is wrong in Docker’s words', () => {
  assert.throws(() => parseDigest(`md5:${HEX}`), /^WharfError: unsupported digest algorithm$/);
  assert.throws(() => parseDigest('sha256:abc'), /^WharfError: invalid checksum digest length$/);
  assert.throws(() => parseDigest('nothing'), /^WharfError: invalid checksum digest format$/);
});

test('digestOf is SHA-256', () => {
  assert.equal(digestOf(''), 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  assert.equal(digestOf(Buffer.from('abc')), digestOf('abc'));
});

test('chainIDs follow the image specification', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((text) => digestOf(text)) as [
    ReturnType<typeof digestOf>,
    never,
    never,
  ];
  const ab = digestOf(`${a} ${b}`);
  assert.deepEqual(chainIds([a, b, c]), [a, ab, digestOf(`${ab} ${c}`)]);
  assert.deepEqual(chainIds([]), []);
  assert.notEqual(chainIds([b, a])[1], ab);
});
