import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import type { EndpointRecord, SandboxRecord } from '../../network/types.ts';
import { type NetworkedContainer, networkSettings, portMap } from './index.ts';

const endpoint = (networkName: string, change: Partial<EndpointRecord> = {}): EndpointRecord => ({
  endpointId: `${networkName}-endpoint`,
  networkId: `${networkName}-id`,
  networkName,
  macAddress: '02:42:ac:11:00:04',
  ipv4: '172.17.0.4',
  ipv4PrefixLen: 16,
  ipv4Gateway: '172.17.0.1',
  interfaceName: 'eth0',
  hostInterface: 'wvb9111eb2',
  ...change,
});

const sandbox = (...endpoints: EndpointRecord[]): SandboxRecord => ({
  sandboxId: 'b9'.repeat(32),
  containerId: 'd'.repeat(64),
  netnsPath: '/run/wharf/netns/b9b9b9b9b9b9',
  endpoints,
  ports: [
    { protocol: 'tcp', containerPort: 80, hostIp: '0.0.0.0', hostPort: 18080 },
    { protocol: 'tcp', containerPort: 80, hostIp: '::', hostPort: 18080 },
    { protocol: 'udp', containerPort: 81, hostIp: '127.0.0.1', hostPort: 18081 },
  ],
});

const container = (
  wishes: NetworkedContainer['networkingConfig']['EndpointsConfig'],
): NetworkedContainer => ({
  config: { ExposedPorts: { '80/tcp': {}, '99/tcp': {} } },
  networkingConfig: { EndpointsConfig: wishes ?? {} },
});

const bare = {
  Bridge: '',
  HairpinMode: false,
  LinkLocalIPv6Address: '',
  LinkLocalIPv6PrefixLen: 0,
  SecondaryIPAddresses: null,
  SecondaryIPv6Addresses: null,
  GlobalIPv6Address: '',
  GlobalIPv6PrefixLen: 0,
  IPv6Gateway: '',
  SandboxID: '',
  SandboxKey: '',
  Ports: {},
  EndpointID: '',
  Gateway: '',
  IPAddress: '',
  IPPrefixLen: 0,
  MacAddress: '',
};
const empty = {
  IPAMConfig: null,
  Links: null,
  Aliases: null,
  MacAddress: '',
  DriverOpts: null,
  GwPriority: 0,
  NetworkID: '',
  EndpointID: '',
  Gateway: '',
  IPAddress: '',
  IPPrefixLen: 0,
  IPv6Gateway: '',
  GlobalIPv6Address: '',
  GlobalIPv6PrefixLen: 0,
  DNSNames: null,
};
const PORTS = {
  '80/tcp': [
    { HostIp: '0.0.0.0', HostPort: '18080' },
    { HostIp: '::', HostPort: '18080' },
  ],
  '81/udp': [{ HostIp: '127.0.0.1', HostPort: '18081' }],
  '99/tcp': null,
};
const RUNNING = { SandboxID: 'b9'.repeat(32), SandboxKey: '/run/wharf/netns/b9b9b9b9b9b9', Ports: PORTS };

describe('NetworkSettings', () => {
  it('on the default bridge fill the flat fields, too', () => {
    const flat = {
      EndpointID: 'bridge-endpoint',
      Gateway: '172.17.0.1',
      IPAddress: '172.17.0.4',
      IPPrefixLen: 16,
      MacAddress: '02:42:ac:11:00:04',
    };
    const shown = networkSettings({
      record: container({ bridge: {} }),
      sandbox: sandbox(endpoint('bridge')),
    });
    assert.deepEqual(shown, {
      ...bare,
      ...RUNNING,
      ...flat,
      Networks: { bridge: { ...empty, ...flat, NetworkID: 'bridge-id' } },
    });
  });

  it('on networks of users leave them empty, and show what was asked and what came of it', () => {
    const wish = {
      IPAMConfig: { IPv4Address: '10.91.0.50', IPv6Address: 'fd91::50' },
      Links: ['ga:x'],
      Aliases: ['al1'],
      DriverOpts: { a: 'b' },
      GwPriority: 5,
      DNSNames: ['gc1', 'al1'],
      NetworkID: 'gn1-id',
    };
    const v6 = { ipv6: 'fd91::50', ipv6PrefixLen: 64, ipv6Gateway: 'fd91::1' };
    const shown = networkSettings({
      record: container({ two: {}, gn1: wish }),
      sandbox: sandbox(endpoint('two', { ipv4: '', ipv4PrefixLen: 0, ipv4Gateway: '' }), endpoint('gn1', v6)),
    });
    const { Networks, ...rest } = shown;
    assert.deepEqual(rest, { ...bare, ...RUNNING });
    assert.deepEqual(Object.keys(Networks ?? {}), ['gn1', 'two'], 'in the order of Go’s maps');
    assert.deepEqual(Networks?.['gn1'], {
      ...wish,
      MacAddress: '02:42:ac:11:00:04',
      EndpointID: 'gn1-endpoint',
      Gateway: '172.17.0.1',
      IPAddress: '172.17.0.4',
      IPPrefixLen: 16,
      IPv6Gateway: 'fd91::1',
      GlobalIPv6Address: 'fd91::50',
      GlobalIPv6PrefixLen: 64,
    });
  });

  it('of a stopped container keep network and names, of a new one nothing', () => {
    const names = ['gs', '0123456789ab'];
    assert.deepEqual(networkSettings({ record: container({ gn1: { NetworkID: 'x', DNSNames: names } }) }), {
      ...bare,
      Networks: { gn1: { ...empty, NetworkID: 'x', DNSNames: names } },
    });
    assert.deepEqual(networkSettings({ record: container({ none: {} }) }), {
      ...bare,
      Networks: { none: empty },
    });
  });

  it('of a container without addresses have no ports', () => {
    const none = endpoint('none', { macAddress: '', ipv4: '', ipv4PrefixLen: 0, ipv4Gateway: '' });
    const shown = networkSettings({ record: container({ none: {} }), sandbox: sandbox(none) });
    assert.deepEqual(shown.Ports, {});
    assert.deepEqual(shown.Networks?.['none'], {
      ...empty,
      NetworkID: 'none-id',
      EndpointID: 'none-endpoint',
    });
    const disabled = {
      config: { NetworkDisabled: true },
      networkingConfig: { EndpointsConfig: { bridge: {} } },
    };
    assert.deepEqual(networkSettings({ record: disabled }), { ...bare, Networks: {} });
    assert.deepEqual(networkSettings({ record: container({}) }), { ...bare, Networks: {} });
  });
});

test('ports: several bindings of one port, exposed ones without, in order', () => {
  const published = (containerPort: number, hostIp: string, hostPort: number) => ({
    protocol: 'tcp' as const,
    containerPort,
    hostIp,
    hostPort,
  });
  const map = portMap({ '9': {}, '80/tcp': {}, '443/tcp': {}, '53/udp': {} }, [
    published(443, '0.0.0.0', 1),
    published(80, '0.0.0.0', 2),
    published(80, '::', 2),
  ]);
  assert.deepEqual(Object.entries(map), [
    ['443/tcp', [{ HostIp: '0.0.0.0', HostPort: '1' }]],
    ['53/udp', null],
    [
      '80/tcp',
      [
        { HostIp: '0.0.0.0', HostPort: '2' },
        { HostIp: '::', HostPort: '2' },
      ],
    ],
    ['9/tcp', null],
  ]);
  assert.deepEqual(portMap(undefined, []), {});
});
