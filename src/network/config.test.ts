import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { builtinNetworks } from './builtin-networks.ts';
import { networkConfig } from './config.ts';
import { findNetwork } from './lookup.ts';
import type { NetworkRecord } from './types.ts';

describe('configuration', () => {
  it('has the defaults of the Engine, and room for hundreds of networks', () => {
    const config = networkConfig();
    const pools = config.defaultAddressPools;
    assert.deepEqual(pools[0], { base: '172.17.0.0/16', size: 16 });
    assert.deepEqual(pools[15], { base: '192.168.0.0/16', size: 20 });
    const subnets = pools.map(({ base, size }) => 2 ** (size - Number(base.split('/')[1])));
    assert.ok(subnets.reduce((sum, count) => sum + count) > 300);
    assert.deepEqual(
      [config.publishPolicy, config.icc, config.ipMasq, config.ipForward],
      ['open', true, true, true],
    );
    assert.deepEqual([config.ipv6, config.allowDirectRouting, config.bip], [false, false, undefined]);
  });

  it('takes what fits to the last bit, and refuses the rest', () => {
    const pools = (base: string, size: number) => ({ defaultAddressPools: [{ base, size }] });
    for (const good of [
      pools('10.0.0.0/8', 8),
      pools('10.0.0.0/8', 30),
      pools('10.0.0.0/30', 30),
      pools('fd00::/8', 64),
      { bridge: 'abcdefghijklmno' },
      { mtu: 68 },
      { mtu: 65535 },
      { nftTable: 'a_b-c' },
      { bip6: 'fd00::1/64', fixedCidrV6: 'fd00::/80', ulaPrefix: 'fd00:1:2::/48' },
    ])
      assert.doesNotThrow(() => networkConfig(good), JSON.stringify(good));
    for (const bad of [
      pools('10.0.0.0/8', 7),
      pools('10.0.0.0/8', 31),
      pools('10.0.0.0', 8),
      { bridge: '' },
      { bridge: 'a-name-too-long-for-linux' },
      { bridge: 'x"; drop' },
      { nftTable: 'a b' },
      { mtu: 67 },
      { mtu: 65536 },
      { bip: 'x' },
      { bip: 'fd00::1/64' },
      { bip6: '10.0.0.1/8' },
      { fixedCidr: 'fd00::/64' },
      { ulaPrefix: '10.0.0.0/8' },
    ])
      assert.throws(() => networkConfig(bad), { kind: 'invalid' }, JSON.stringify(bad));
  });
});

describe('built-in networks', () => {
  const ground = {
    spaces: networkConfig().defaultAddressPools,
    ulaPrefix: 'fd00:1:2::/48',
    occupied: [],
    networks: [],
  };
  const made = (config: Parameters<typeof networkConfig>[0], stored: NetworkRecord[] = [], pinned = false) =>
    builtinNetworks(stored, networkConfig(config), ground, pinned);

  it('are made once; the subnet stays until it may change', () => {
    const first = made({});
    assert.deepEqual(first.bridge.pools, [{ subnet: '172.17.0.0/16', gateway: '172.17.0.1' }]);
    assert.deepEqual(made({}, Object.values(first)), first);
    const moved = { bip: '10.9.8.7/24' };
    assert.deepEqual(made(moved, Object.values(first), true).bridge.pools, first.bridge.pools);
    const free = made(moved, Object.values(first));
    assert.deepEqual(free.bridge.pools, [{ subnet: '10.9.8.0/24', gateway: '10.9.8.7' }]);
    assert.equal(free.bridge.id, first.bridge.id);
    assert.equal(free.bridge.options['com.docker.network.bridge.name'], 'wharf0');
  });

  it('follow the options of the daemon: range, gateway, IPv6, icc, masquerade', () => {
    const config = { bip: '10.9.0.1/16', fixedCidr: '10.9.7.0/24', defaultGateway: '10.9.0.254' };
    const [pool] = made(config).bridge.pools;
    assert.deepEqual(
      [pool?.ipRange, pool?.gateway, pool?.auxiliary],
      ['10.9.7.0/24', '10.9.0.1', { DefaultGatewayIPv4: '10.9.0.254' }],
    );
    assert.equal(made({ fixedCidr: '10.8.0.0/16' }).bridge.pools[0]?.subnet, '10.8.0.0/16');
    const dual = made({ ipv6: true }).bridge;
    assert.deepEqual([dual.enableIPv6, dual.pools[1]?.subnet], [true, 'fd00:1:2::/64']);
    assert.equal(made({ ipv6: true, bip6: 'fd00:7::1/64' }).bridge.pools[1]?.gateway, 'fd00:7::1');
    assert.deepEqual(made({}, [dual]).bridge.pools.length, 1, 'IPv6 goes with its option');
    const { options } = made({ icc: false, ipMasq: false }).bridge;
    assert.equal(options['com.docker.network.bridge.enable_icc'], 'false');
    assert.equal(options['com.docker.network.bridge.enable_ip_masquerade'], 'false');
  });
});

describe('networks', () => {
  const record = (id: string, name: string) => ({ id, name }) as NetworkRecord;

  it('are found by id before name before prefix, and a prefix of two is none', () => {
    const all = [record('aaa111', 'one'), record('aaa222', 'aaa111'), record('bbb', 'aaa')];
    assert.equal(findNetwork(all, 'aaa111').name, 'one', 'an id beats the same text as a name');
    assert.equal(findNetwork(all, 'aaa').id, 'bbb', 'a name beats a prefix');
    assert.equal(findNetwork(all, 'aaa2').name, 'aaa111');
    assert.throws(() => findNetwork(all, 'aa'), {
      kind: 'invalid',
      message: 'network aa is ambiguous (2 matches found based on ID prefix)',
    });
    for (const ref of ['', 'ccc', 'aaa1111'])
      assert.throws(() => findNetwork(all, ref), { kind: 'not-found' }, ref);
  });
});
