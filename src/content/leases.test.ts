import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Leases } from './index.ts';

test('a key is held from the lease until it is given back', () => {
  const leases = new Leases();
  const lease = leases.open();
  assert.equal(leases.has('a'), false);
  lease.add('a', 'b');
  assert.deepEqual(
    ['a', 'b', 'c'].map((key) => leases.has(key)),
    [true, true, false],
  );
  lease[Symbol.dispose]();
  assert.deepEqual(
    ['a', 'b'].map((key) => leases.has(key)),
    [false, false],
  );
});

test('a key that many hold is free when the last gave it back', () => {
  const leases = new Leases();
  const holders = Array.from({ length: 5 }, () => leases.open());
  for (const holder of holders) holder.add('layer');
  for (const [at, holder] of holders.entries()) {
    assert.equal(leases.has('layer'), true);
    holder[Symbol.dispose]();
    assert.equal(leases.has('layer'), at < holders.length - 1);
  }
});

test('a key added twice to one lease counts once, and giving back twice takes nothing from others', () => {
  const leases = new Leases();
  const [one, other] = [leases.open(), leases.open()];
  one.add('a', 'a');
  one.add('a');
  other.add('a');
  one[Symbol.dispose]();
  one[Symbol.dispose]();
  assert.equal(leases.has('a'), true);
  other[Symbol.dispose]();
  assert.equal(leases.has('a'), false);
});

test('a lease goes on after it was given back, and ends with its scope', () => {
  const leases = new Leases();
  {
    using lease = leases.open();
    lease.add('a');
    lease[Symbol.dispose]();
    lease.add('b');
    assert.deepEqual([leases.has('a'), leases.has('b')], [false, true]);
  }
  assert.equal(leases.has('b'), false);
});

test('words that objects inherit are keys like others', () => {
  const leases = new Leases();
  for (const key of ['__proto__', 'constructor', '']) {
    assert.equal(leases.has(key), false);
    using lease = leases.open();
    lease.add(key);
    assert.equal(leases.has(key), true);
  }
});
