import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { networkConfig } from './config.ts';
import { isInternalClient } from './internal-clients.ts';
import type { NetworkRecord } from './types.ts';

const network = (
  name: string,
  subnets: string[],
  more: Partial<NetworkRecord> = {},
): [string, NetworkRecord] => [
  name,
  {
    id: name,
    name,
    driver: 'bridge',
    createdAt: '',
    options: { 'com.docker.network.bridge.name': `${name}0` },
    labels: {},
    internal: true,
    enableIPv4: true,
    enableIPv6: true,
    pools: subnets.map((subnet) => ({ subnet, gateway: '' })),
    ...more,
  },
];
const parts = {
  config: networkConfig(),
  networks: new Map([
    network('front', ['10.1.0.0/24', 'fd00:1::/64'], { internal: false }),
    network('back', ['10.2.0.0/24', 'fd00:2::/64']),
    network('wire', ['10.3.0.0/24'], { driver: 'macvlan' }),
  ]),
};
const linkLocal = (scopeid: number) => ({
  address: 'fe80::1',
  cidr: 'fe80::1/64',
  family: 'IPv6' as const,
  internal: false,
  mac: '',
  netmask: '',
  scopeid,
});
const internal = (ip: string) =>
  isInternalClient(parts, ip, () => ({
    front0: [linkLocal(3)],
    back0: [linkLocal(4), { ...linkLocal(0), address: '10.2.0.1' }],
  }));

describe('clients on internal networks', () => {
  it('are known by their addresses', () => {
    assert.deepEqual(['10.2.0.9', 'fd00:2::9'].map(internal), [true, true]);
    assert.deepEqual(
      ['10.1.0.9', 'fd00:1::9', '192.0.2.9', '::1', '127.0.0.1'].map(internal),
      Array(5).fill(false),
    );
  });

  it('are not the host itself, which is on the bridge, too', () => {
    assert.deepEqual(['10.2.0.1', 'fe80::1%4'].map(internal), [false, false]);
  });

  it('are known by their link where the address says nothing', () => {
    assert.deepEqual(['fe80::9%4', 'fe80::9%3', 'fe80::9%7', 'fe80::9'].map(internal), [
      true,
      false,
      false,
      false,
    ]);
  });

  it('that have links of their own do not come by the host', () => {
    assert.equal(internal('10.3.0.9'), false);
  });
});
