import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { networkConfig } from './config.ts';

describe('configuration', () => {
  it('has the defaults of the Engine, and refuses nonsense', () => {
    const config = networkConfig();
    assert.deepEqual(config.defaultAddressPools[0], { base: '172.17.0.0/16', size: 16 });
    assert.deepEqual(config.defaultAddressPools.at(-1), { base: '192.168.0.0/16', size: 20 });
    for (const bad of [
      { bridge: 'a-name-too-long-for-linux' },
      { bridge: 'x"; drop' },
      { nftTable: 'a b' },
      { bip: 'x' },
      { mtu: 12 },
      { defaultAddressPools: [{ base: '10.0.0.0/8', size: 4 }] },
    ])
      assert.throws(() => networkConfig(bad), { kind: 'invalid' });
  });
});
