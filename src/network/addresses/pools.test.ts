import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseSubnet } from './ipv4.ts';
import { AddressPool, chooseSubnet } from './pools.ts';

describe('pools', () => {
  it('cut subnets around what is in use, across spaces', () => {
    const spaces = [
      { base: '172.17.0.0/16', size: 16 },
      { base: '192.168.0.0/16', size: 20 },
    ];
    assert.equal(chooseSubnet(spaces, []), '172.17.0.0/16');
    const used = ['172.16.0.0/12', '192.168.1.0/24'].map(parseSubnet);
    assert.equal(chooseSubnet(spaces, used), '192.168.16.0/20');
    assert.throws(() => chooseSubnet(spaces, [parseSubnet('0.0.0.0/0')]), { kind: 'exhausted' });
  });

  it('give addresses upward, and recovered ones once', () => {
    const pool = new AddressPool('10.0.0.0/29', ['10.0.0.1'], () => true);
    assert.equal(pool.claim('10.0.0.3', 'wv3'), true);
    assert.equal(pool.claim('10.0.0.3', 'wv3'), true, 'the same holder may ask again');
    assert.equal(pool.claim('10.0.0.3', 'other'), false);
    assert.equal(pool.claim('10.0.1.3', 'other'), false, 'not of this subnet');
    assert.deepEqual([pool.take('a'), pool.take('b')], ['10.0.0.2', '10.0.0.4']);
    pool.release('10.0.0.2', 'a');
    assert.equal(pool.take('c'), '10.0.0.2');
  });
});
