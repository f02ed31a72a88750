import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareNatural } from './natural-order.ts';

test('names as people count them, capitals first', () => {
  const sorted = ['One10', 'a-b', 'a1', 'a02', 'a2b', 'a10', 'a10b', 'ab', 'one', 'one2'];
  assert.deepEqual([...sorted].reverse().sort(compareNatural), sorted);
});

test('numbers of any length, and zeros in front', () => {
  const big = '9'.repeat(40);
  assert.ok(compareNatural(`n${big}`, `n1${'0'.repeat(40)}`) < 0);
  assert.ok(compareNatural('n1', 'n01') < 0);
  assert.equal(compareNatural('n1', 'n1'), 0);
  assert.ok(compareNatural('n1', 'n1x') < 0);
});
