import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NetworkRecord, SandboxRecord } from '../../network/types.ts';
import { createNetwork, type NetworkDeps, networksBackend, portMap, removeNetwork } from './index.ts';

const network = (name: string, change: Partial<NetworkRecord> = {}): NetworkRecord => ({
  id: `${name}0`.padEnd(64, 'f'),
  name,
  driver: name === 'host' ? 'host' : name === 'none' ? 'null' : 'bridge',
  createdAt: '2026-01-02T03:04:05Z',
  options: {},
  labels: {},
  internal: false,
  enableIPv4: true,
  enableIPv6: false,
  pools: [],
  ...change,
});

function deps(networks: NetworkRecord[], sandboxes: SandboxRecord[] = []): NetworkDeps {
  return {
    stack: {
      list: () => networks,
      get: (ref) => networks.find((one) => one.name === ref) as NetworkRecord,
      sandboxes: () => sandboxes,
    },
    containerName: (id) => (id === 'gone' ? undefined : `name-of-${id}`),
  };
}

const builtin = ['bridge', 'host', 'none'].map((name) => network(name));

test('making and removing, as the reference answers', () => {
  for (const name of ['bridge', 'host', 'none', 'default']) {
    assert.throws(() => createNetwork(deps(builtin), { name }), {
      kind: 'forbidden',
      message: `operation is not permitted on predefined ${name} network `,
    });
  }
  for (const name of ['', ' ']) {
    assert.throws(() => createNetwork(deps(builtin), { name }), {
      kind: 'invalid',
      message: 'invalid name: name is empty',
    });
  }
  assert.throws(() => removeNetwork(deps(builtin), { ref: 'none' }), {
    kind: 'forbidden',
    message: 'none is a pre-defined network and cannot be removed',
  });
});

test('filters: patterns of names and ids, several keys, two answers at once', async () => {
  const all = [...builtin, network('mine', { labels: { a: 'b=c' } })];
  const names = async (wanted: Record<string, string[]>) =>
    (await networksBackend(deps(all)).list(new Map(Object.entries(wanted)))).map((one) => one.Name);
  const rows: [Record<string, string[]>, string[]][] = [
    [{ name: ['^b', 'none'] }, ['bridge', 'none']],
    [{ name: ['e$'] }, ['bridge', 'none', 'mine']],
    [{ name: ['('] }, []],
    [{ name: ['(a+)+$'] }, []],
    [{ id: ['.'] }, ['bridge', 'host', 'none', 'mine']],
    [{ id: ['^host0f+$'] }, ['host']],
    [{ type: ['builtin', 'custom'] }, ['bridge', 'host', 'none', 'mine']],
    [{ type: ['custom'], driver: ['host'] }, []],
    [{ label: ['a=b=c'] }, ['mine']],
    [{ label: ['constructor'] }, []],
    [{ name: [] }, ['bridge', 'host', 'none', 'mine']],
  ];
  for (const [wanted, expected] of rows)
    assert.deepEqual(await names(wanted), expected, JSON.stringify(wanted));
  await assert.rejects(names({ dangling: ['true', 'false'] }), {
    kind: 'invalid',
    message: 'got more than one value for filter key "dangling"',
  });
});

test('containers of a network: by id, with both families, nameless when just gone', async () => {
  const mine = network('mine', {
    enableIPv6: true,
    internal: true,
    pools: [{ subnet: '10.1.0.0/16', ipRange: '10.1.2.0/24', gateway: '10.1.0.1' }],
  });
  const sandbox = (containerId: string, networkId: string, more = {}) =>
    ({
      containerId,
      endpoints: [
        {
          networkId,
          endpointId: `e-${containerId}`,
          macAddress: 'm',
          ipv4: '10.1.0.2',
          ipv4PrefixLen: 16,
          ...more,
        },
      ],
    }) as unknown as SandboxRecord;
  const sandboxes = [
    sandbox('zz', mine.id, { ipv6: 'fd00::2', ipv6PrefixLen: 48 }),
    sandbox('gone', mine.id, { ipv4: '', ipv6: 'fd00::3' }),
    sandbox('other', 'elsewhere'),
  ];
  const shown = await networksBackend(deps([mine], sandboxes)).inspect('mine', { verbose: false });
  assert.deepEqual(shown.Containers, {
    gone: { Name: '', EndpointID: 'e-gone', MacAddress: 'm', IPv4Address: '', IPv6Address: 'fd00::3/64' },
    zz: {
      Name: 'name-of-zz',
      EndpointID: 'e-zz',
      MacAddress: 'm',
      IPv4Address: '10.1.0.2/16',
      IPv6Address: 'fd00::2/48',
    },
  });
  assert.deepEqual(Object.keys(shown.Containers ?? {}), ['gone', 'zz'], 'in the order of Go’s maps');
  assert.deepEqual(shown.IPAM?.Config, [
    { Subnet: '10.1.0.0/16', IPRange: '10.1.2.0/24', Gateway: '10.1.0.1' },
  ]);
  assert.deepEqual([shown.Internal, shown.EnableIPv6], [true, true]);
  const dangling = await networksBackend(deps([mine], sandboxes)).list(new Map([['dangling', ['true']]]));
  assert.deepEqual(dangling, [], 'a network with containers is in use');
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
