import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { LoginThrottle } from './gatekeeper-throttle.ts';

let now: number;
let throttle: LoginThrottle;
beforeEach(() => {
  now = 0;
  throttle = new LoginThrottle({ monotonic: () => now });
});

const attempts = (count: number, address: string, user: string) =>
  Array.from({ length: count }, () => throttle.attempt(address, user));

describe('guessing', () => {
  it('is free five times and then waits, twice as long each time, at most a minute', () => {
    assert.deepEqual(attempts(5, 'a', 'ann'), [0, 0, 0, 0, 0]);
    const waits: number[] = [];
    for (let at = 0; at < 9; at++) {
      const wait = throttle.attempt('a', 'ann');
      waits.push(wait);
      now += wait * 1_000;
      assert.equal(throttle.attempt('a', 'ann'), 0);
    }
    assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });

  it('that is refused does not make the wait longer', () => {
    attempts(5, 'a', 'ann');
    assert.deepEqual(new Set(attempts(50, 'a', 'ann')), new Set([1]));
    now += 1_000;
    assert.equal(throttle.attempt('a', 'ann'), 0);
  });

  it('by many at once does not slip through before the first answer', () => {
    const passed = attempts(100, 'a', 'ann').filter((wait) => wait === 0);
    assert.equal(passed.length, 5);
  });

  it('locks nobody out who comes from elsewhere, and no other user', () => {
    attempts(20, 'a', 'ann');
    assert.equal(throttle.attempt('b', 'ann'), 0);
    assert.equal(throttle.attempt('a', 'bob'), 0);
  });

  it('over many users is slowed by address', () => {
    const passed = Array.from({ length: 200 }, (_, at) => throttle.attempt('a', `user${at}`)).filter(
      (wait) => wait === 0,
    );
    assert.equal(passed.length, 50);
    assert.equal(throttle.attempt('b', 'user1'), 0);
  });

  it('from one IPv6 network counts as from one address; IPv4 addresses are their own', () => {
    for (let at = 0; at < 5; at++) assert.equal(throttle.attempt(`2001:db8::${at + 1}`, 'ann'), 0);
    assert.equal(throttle.attempt('2001:db8:0:0:ffff::9', 'ann'), 1);
    assert.equal(throttle.attempt('2001:db8:0:1::9', 'ann'), 0);
    for (let at = 0; at < 8; at++) assert.equal(throttle.attempt(`::ffff:192.0.2.${at}`, 'ann'), 0);
    for (let at = 0; at < 8; at++) assert.equal(throttle.attempt(`198.51.100.${at}`, 'ann'), 0);
  });

  it('is forgotten after a right password, and after ten minutes', () => {
    attempts(4, 'a', 'ann');
    assert.equal(throttle.attempt('a', 'ann'), 0);
    throttle.succeeded('a', 'ann');
    assert.deepEqual(attempts(5, 'a', 'ann'), [0, 0, 0, 0, 0]);
    now += 11 * 60_000;
    assert.deepEqual(attempts(5, 'a', 'ann'), [0, 0, 0, 0, 0]);
  });

  it('right passwords of many users at one address are not counted against it', () => {
    for (let at = 0; at < 300; at++) {
      assert.equal(throttle.attempt('a', `user${at}`), 0);
      throttle.succeeded('a', `user${at}`);
    }
  });

  it('takes a bounded memory, whatever names are tried', () => {
    for (let at = 0; at < 30_000; at++) throttle.attempt(`address ${at}`, 'x'.repeat(10_000));
    const { entries } = throttle as unknown as { entries: Map<string, unknown> };
    assert.ok(entries.size <= 20_000);
    for (const key of entries.keys()) assert.ok(key.length < 200);
  });
});
