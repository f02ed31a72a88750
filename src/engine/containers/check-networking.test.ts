import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndpointSettings, NetworkingConfig } from '../../api/index.ts';
import { contains, normalizeNetworking } from './check-networking.ts';
import { FakeStack } from './fake-stack.ts';

function stack(): FakeStack {
  const made = new FakeStack();
  made.add({ name: 'gn1', pools: [{ subnet: '10.91.0.0/24' }, { subnet: 'fd91::/64' }] });
  made.add({ name: 'gn2' });
  return made;
}

const ask = (mode: string, endpoints: Record<string, EndpointSettings> = {}, mac?: string) =>
  normalizeNetworking(stack(), { EndpointsConfig: endpoints }, mode, mac);
const asked = (mode: string, endpoints?: NetworkingConfig['EndpointsConfig'], mac?: string) =>
  ask(mode, endpoints, mac).networking.EndpointsConfig;

test('networks are known by their names, whatever the request called them', () => {
  assert.deepEqual(asked('gn1'), { gn1: {} });
  assert.deepEqual(asked('gn1-id'), { gn1: {} });
  assert.deepEqual(asked('gn1', { 'gn1-id': { Aliases: ['q'] } }), { gn1: { Aliases: ['q'] } });
  assert.deepEqual(asked('gn1-id', { gn1: { Aliases: ['q'] } }), { gn1: { Aliases: ['q'] } });
  assert.deepEqual(asked('bridge', { default: {} }), { bridge: {} });
  assert.deepEqual(asked('nosuch'), { nosuch: {} }, 'it may come until the start');
  assert.deepEqual(asked('container:x'), {});
});

test('a request that names networks gets those and no other', () => {
  assert.deepEqual(asked('bridge', { gn1: { Aliases: ['q'] }, gn2: { GwPriority: 3 } }), {
    gn1: { Aliases: ['q'] },
    gn2: { GwPriority: 3 },
  });
  const both = { gn1: {}, gn2: {} };
  assert.deepEqual(Object.keys(asked('gn2-id', both) ?? {}), ['gn2', 'gn1'], 'that of the mode is first');
});

test('what the engine decides is not taken from a request', () => {
  const settings: EndpointSettings = {
    IPAMConfig: { IPv4Address: '10.91.0.70', LinkLocalIPs: ['169.254.8.8', 'fe80::99'] },
    Links: ['nosuch:x'],
    DriverOpts: { 'com.docker.network.endpoint.sysctls': 'net.ipv4.conf.IFNAME.log_martians=1' },
  };
  const answer = {
    NetworkID: 'x',
    EndpointID: 'y',
    IPAddress: '1.2.3.4',
    DNSNames: ['z'],
    Gateway: '1.1.1.1',
  };
  assert.deepEqual(asked('gn1', { gn1: { ...settings, ...answer } }), { gn1: settings });
});

test('an address of the container as a whole goes to its main network', () => {
  const mac = '02:42:00:11:22:33';
  assert.deepEqual(asked('gn1', {}, mac), { gn1: { MacAddress: mac } });
  assert.match(ask('gn1', {}, mac).warnings[0] ?? '', /MacAddress field is now deprecated/);
  assert.throws(() => ask('gn1', { 'gn1-id': {} }, mac), {
    kind: 'invalid',
    message:
      'unable to migrate container-wide MAC address to a specific network: HostConfig.NetworkMode must match the identity of a network in NetworkSettings.Networks',
  });
});

test('addresses only where the user chose the subnets, and within them', () => {
  const where =
    'user specified IP address is supported only when connecting to networks with user configured subnets';
  const rows: [string, EndpointSettings['IPAMConfig'], string | undefined][] = [
    ['gn1', { IPv4Address: '10.91.0.70', IPv6Address: 'fd91::70' }, undefined],
    ['nosuch', { IPv4Address: '10.91.0.70' }, undefined],
    ['gn2', { IPv4Address: '172.21.0.70' }, where],
    ['gn2', { IPv6Address: 'fd00::3' }, where],
    [
      'gn1',
      { IPv4Address: '10.92.0.70' },
      'no configured subnet or ip-range contain the IP address 10.92.0.70',
    ],
    ['gn1', { IPv6Address: 'fd92::1' }, 'no configured subnet or ip-range contain the IP address fd92::1'],
  ];
  for (const [network, IPAMConfig, fault] of rows) {
    const request = () => ask(network, { [network]: { IPAMConfig: IPAMConfig ?? {} } });
    if (fault === undefined) request();
    else {
      const message = `invalid config for network ${network}: invalid endpoint settings:\n${fault}`;
      assert.throws(request, { kind: 'invalid', message });
    }
  }
  const sysctls = { DriverOpts: { 'com.docker.network.endpoint.sysctls': 'x' } };
  assert.throws(() => ask('gn1', { gn1: sysctls }), {
    message:
      "invalid config for network gn1: invalid endpoint settings:\nunrecognised network interface sysctl 'x'; represent 'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'",
  });
});

test('a subnet holds its addresses, of its own family', () => {
  assert.ok(contains('10.0.0.0/8', '10.255.255.255'));
  assert.ok(contains('fd91::/64', 'fd91::ffff'));
  assert.ok(!contains('10.0.0.0/8', '11.0.0.0'));
  assert.ok(!contains('fd91::/64', '10.0.0.1'));
  assert.ok(!contains('10.0.0.0/8', 'not an address'));
});
