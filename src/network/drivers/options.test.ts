import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { NetworkRecord } from '../types.ts';
import { bridgeRules, cidrsOf, gatewayCidr } from './bridge.ts';
import {
  bridgeOptions,
  checkInterfaceName,
  familyOptions,
  interfaceSysctls,
  mtuOf,
  SYSCTLS,
} from './options.ts';

const defaults = { mtu: 1400, publishPolicy: 'open', hostBinding: '0.0.0.0' } as const;
const PREFIX = 'com.docker.network.bridge.';

function network(options: Record<string, string> = {}, more: Partial<NetworkRecord> = {}): NetworkRecord {
  return {
    id: '0123456789abcdef',
    name: 'n',
    driver: 'bridge',
    createdAt: '',
    options,
    labels: {},
    internal: false,
    enableIPv4: true,
    enableIPv6: true,
    pools: [
      { subnet: '10.9.0.0/24', gateway: '10.9.0.1' },
      { subnet: 'fd00:9::/64', gateway: 'fd00:9::1' },
    ],
    ...more,
  };
}

describe('options of a bridge network', () => {
  it('have the values of the Engine where nothing is said', () => {
    assert.deepEqual(bridgeOptions(network({ unknown: 'x' }), defaults), {
      bridge: 'wh-0123456789ab',
      mtu: 1400,
      icc: true,
      masquerade: true,
      hostBinding: '0.0.0.0',
      mode4: 'nat',
      mode6: 'nat',
      inhibitIpv4: false,
      trustedInterfaces: [],
      policy: 'open',
    });
  });

  it('are read as given', () => {
    const given = {
      [`${PREFIX}name`]: 'mine0',
      'com.docker.network.driver.mtu': '9000',
      [`${PREFIX}enable_icc`]: 'F',
      [`${PREFIX}enable_ip_masquerade`]: '0',
      [`${PREFIX}host_binding_ipv4`]: '127.0.0.1',
      [`${PREFIX}gateway_mode_ipv4`]: 'routed',
      [`${PREFIX}gateway_mode_ipv6`]: 'nat-unprotected',
      [`${PREFIX}inhibit_ipv4`]: 'TRUE',
      [`${PREFIX}trusted_host_interfaces`]: 'eth0:eth1',
      'wharf.publish-policy': 'obey',
    };
    assert.deepEqual(bridgeOptions(network(given), defaults), {
      bridge: 'mine0',
      mtu: 9000,
      icc: false,
      masquerade: false,
      hostBinding: '127.0.0.1',
      mode4: 'routed',
      mode6: 'nat-unprotected',
      inhibitIpv4: true,
      trustedInterfaces: ['eth0', 'eth1'],
      policy: 'obey',
    });
  });

  it('are refused in the words of the Engine', () => {
    const isBool = 'strconv.ParseBool: parsing "x": invalid syntax';
    for (const [option, text, message] of [
      [`${PREFIX}enable_icc`, 'x', `failed to parse ${PREFIX}enable_icc value: x (${isBool})`],
      [`${PREFIX}inhibit_ipv4`, 'x', `failed to parse ${PREFIX}inhibit_ipv4 value: x (${isBool})`],
      [
        `${PREFIX}enable_ip_masquerade`,
        'x',
        `failed to parse ${PREFIX}enable_ip_masquerade value: x (${isBool})`,
      ],
      [`${PREFIX}host_binding_ipv4`, 'x', `failed to parse ${PREFIX}host_binding_ipv4 value: x (nil ip)`],
      [
        `${PREFIX}gateway_mode_ipv4`,
        'foo',
        `failed to parse ${PREFIX}gateway_mode_ipv4 value: foo (unknown gateway mode foo)`,
      ],
      [
        `${PREFIX}gateway_mode_ipv6`,
        'isolated',
        "gateway mode 'isolated' can only be used for an internal network",
      ],
      ['wharf.publish-policy', 'x', 'failed to parse wharf.publish-policy value: x (it is "open" or "obey")'],
    ] as const)
      assert.throws(() => bridgeOptions(network({ [option]: text }), defaults), { kind: 'invalid', message });
    const mtu = 'com.docker.network.driver.mtu';
    for (const [text, message] of [
      ['x', `failed to parse ${mtu} value: x (strconv.Atoi: parsing "x": invalid syntax)`],
      ['-1', 'invalid MTU number: -1'],
      ['70000', 'invalid argument'],
      ['67', 'invalid argument'],
    ] as const)
      assert.throws(() => mtuOf({ [mtu]: text }), { kind: 'invalid', message });
    assert.deepEqual([mtuOf({}), mtuOf({ [mtu]: '0' }), mtuOf({ [mtu]: '68' })], [0, 0, 68]);
    for (const name of ['a/b', 'a b', '.', '..', 'a:b'])
      assert.throws(() => checkInterfaceName(name), { message: 'invalid argument' }, name);
    assert.throws(() => checkInterfaceName('averyveryverylongname'), {
      message: 'numerical result out of range',
    });
    assert.doesNotThrow(() => checkInterfaceName('exactly15bytes_'));
  });

  it('become rules', () => {
    const of = (options: Record<string, string>, more: Partial<NetworkRecord> = {}) => {
      const made = network(options, more);
      return bridgeRules(made, bridgeOptions(made, defaults));
    };
    assert.deepEqual(of({}), {
      bridge: 'wh-0123456789ab',
      internal: false,
      trustedInterfaces: [],
      ipv4: { subnets: ['10.9.0.0/24'], mode: 'nat', masquerade: true },
      ipv6: { subnets: ['fd00:9::/64'], mode: 'nat', masquerade: true },
    });
    assert.equal(of({ [`${PREFIX}enable_ip_masquerade`]: 'false' }).ipv6?.masquerade, false);
    assert.equal(of({ [`${PREFIX}gateway_mode_ipv4`]: 'routed' }).ipv4?.masquerade, false);
    assert.equal(of({ [`${PREFIX}gateway_mode_ipv4`]: 'nat-unprotected' }).ipv4?.masquerade, true);
    assert.deepEqual(
      [of({}, { internal: true }).ipv4?.masquerade, of({}, { enableIPv6: false }).ipv6],
      [false, undefined],
    );
    assert.equal(of({}, { enableIPv4: false }).ipv4, undefined);
  });
});

describe('sysctls of an interface', () => {
  const of = (text: string) =>
    interfaceSysctls({ driverOptions: { [SYSCTLS]: text }, interfaceName: 'eth3' });

  it('name the interface by its placeholder', () => {
    assert.deepEqual(of('net.ipv4.conf.IFNAME.log_martians=1,net.ipv6.neigh.IFNAME.mcast_solicit=4'), [
      { path: 'net/ipv4/conf/eth3/log_martians', value: '1' },
      { path: 'net/ipv6/neigh/eth3/mcast_solicit', value: '4' },
    ]);
    assert.deepEqual(interfaceSysctls({ interfaceName: 'eth3' }), []);
  });

  it('can be no others', () => {
    for (const text of [
      'foo',
      'net.ipv4.conf.eth0.log_martians=1',
      'net.ipv4.ip_forward=1',
      'kernel.IFNAME.x=1',
      'net.ipv4.conf.IFNAME.a/../../b=1',
      'net.ipv4.conf.IFNAME.x',
      'net.core.conf.IFNAME.x=1',
    ])
      assert.throws(
        () => of(text),
        { kind: 'invalid', message: /^unrecognised network interface sysctl '/ },
        text,
      );
  });
});

it('addresses are written with their prefix, in both families', () => {
  const endpoint = {
    ipv4: '10.9.0.2',
    ipv4PrefixLen: 24,
    ipv6: 'fd00:9::2',
    ipv6PrefixLen: 64,
    linkLocal: ['fe80::8/64'],
  };
  assert.deepEqual(cidrsOf(endpoint), ['10.9.0.2/24', 'fd00:9::2/64', 'fe80::8/64']);
  assert.deepEqual(cidrsOf({ ipv4: '', ipv4PrefixLen: 0 }), []);
  assert.equal(gatewayCidr({ subnet: 'fd00:9::/64', gateway: 'fd00:9::1' }), 'fd00:9::1/64');
});

describe('options on address families', () => {
  const SIX = 'com.docker.network.enable_ipv6';
  const FOUR = 'com.docker.network.enable_ipv4';

  it('decide where the request does not, and are dropped where it does', () => {
    assert.deepEqual(familyOptions({}), { enableIPv4: true, enableIPv6: false, options: {} });
    const options = { [SIX]: '1', [FOUR]: 'f', other: 'x' };
    assert.deepEqual(familyOptions({ options }), { enableIPv4: false, enableIPv6: true, options });
    assert.deepEqual(familyOptions({ options, enableIPv4: true, enableIPv6: false }), {
      enableIPv4: true,
      enableIPv6: false,
      options: { other: 'x' },
    });
  });

  it('are refused when they are neither true nor false', () => {
    assert.throws(() => familyOptions({ options: { [SIX]: 'perhaps' } }), {
      kind: 'invalid',
      message: `driver-opt "${SIX}" is not a valid bool`,
    });
  });
});
