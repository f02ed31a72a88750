import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { referencePattern } from './filters.ts';

describe('referencePattern', () => {
  const name = 'docker.io/library/busybox:1.36';
  for (const pattern of [
    'busybox',
    'busybox:1.36',
    'busy*',
    'busybox:1.*',
    'b?sybox',
    '[ab]usybox',
    '*:1.36',
  ]) {
    it(`${pattern} fits busybox:1.36`, () => assert.equal(referencePattern(pattern)(name), true));
  }
  for (const pattern of ['busy', 'busybox:2', 'x/busybox', '[!b]usybox', 'busybox.1.36']) {
    it(`${pattern} does not fit busybox:1.36`, () => assert.equal(referencePattern(pattern)(name), false));
  }

  it('stops a star at a slash', () => {
    const tester = referencePattern('my/*');
    assert.equal(tester('registry.test/my/app:1'), false);
    assert.equal(tester('docker.io/my/app:1'), true);
    assert.equal(referencePattern('*')('docker.io/my/app:1'), false);
  });

  it('takes few steps for a pattern made to be slow', () => {
    const name = `docker.io/library/${'a'.repeat(200)}:1`;
    assert.equal(referencePattern(`${'*a'.repeat(60)}*b`)(name), false);
    assert.equal(referencePattern('*'.repeat(500))(name), true);
  });
});
