import assert from 'node:assert/strict';
import { test } from 'node:test';
import { familiarName, fullName, splitTarget } from './reference.ts';

const HEX = 'ab'.repeat(32);

test('names are cut where registry, tag and digest meet', () => {
  assert.deepEqual(splitTarget(`lab:5000/app:1@sha256:${HEX}`), { repo: 'lab:5000/app', tag: '1' });
  assert.deepEqual(splitTarget('lab:5000/app'), { repo: 'lab:5000/app', tag: undefined });
  assert.equal(familiarName('docker.io/library/app'), 'app:latest');
  assert.equal(familiarName(`app@sha512:${HEX}${HEX}`), `app@sha512:${HEX}${HEX}`);
  const name = 'docker.io/library/app';
  assert.deepEqual(fullName(`app:1@sha256:${HEX}`), { name, tag: '1', digest: `sha256:${HEX}` });
});

for (const [text, words] of [
  [`app@sha256:${HEX}00`, 'invalid checksum digest length'],
  [`app@sha512:${HEX}`, 'invalid checksum digest length'],
  [`app@sha384:${HEX}`, 'unsupported digest algorithm'],
  [`app@sha256:${HEX.toUpperCase()}`, 'invalid checksum digest format'],
  ['app@sha256:ab', 'invalid reference format'],
  [`App@sha384:${HEX}`, 'invalid reference format: repository name (library/App) must be lowercase'],
] as const)
  test(`${text} is refused as by Docker's client`, () => {
    assert.throws(() => splitTarget(text), { message: words });
  });
