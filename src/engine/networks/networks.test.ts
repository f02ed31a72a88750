import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EndpointRecord, NetworkRecord, SandboxRecord } from '../../network/types.ts';
import {
  createNetwork,
  type NetworkDeps,
  type NetworkedContainer,
  networkOfMode,
  networkSettings,
  networkSettingsOf,
  networksBackend,
  removeNetwork,
} from './index.ts';

const record = (name: string, driver: NetworkRecord['driver'], fill: string): NetworkRecord => ({
  id: fill.repeat(64),
  name,
  driver,
  createdAt: '2026-01-02T03:04:05.6Z',
  options: driver === 'bridge' ? { 'com.docker.network.bridge.name': 'wharf0' } : {},
  labels: name === 'custom' ? { tier: 'db', empty: '' } : {},
  internal: false,
  enableIPv4: true,
  enableIPv6: false,
  pools: driver === 'bridge' ? [{ subnet: '172.17.0.0/16', gateway: '172.17.0.1' }] : [],
});

const networks = [record('bridge', 'bridge', 'b'), record('host', 'host', 'a'), record('none', 'null', 'e')];
const custom = record('custom', 'bridge', 'c');

const endpoint: EndpointRecord = {
  endpointId: 'f8'.repeat(32),
  networkId: 'b'.repeat(64),
  networkName: 'bridge',
  macAddress: '02:42:ac:11:00:04',
  ipv4: '172.17.0.4',
  ipv4PrefixLen: 16,
  ipv4Gateway: '172.17.0.1',
  interfaceName: 'eth0',
  hostInterface: 'wvb9111eb2',
};

const sandbox: SandboxRecord = {
  sandboxId: 'b9'.repeat(32),
  containerId: 'd'.repeat(64),
  netnsPath: '/run/wharf/netns/b9b9b9b9b9b9',
  endpoints: [endpoint],
  ports: [
    { protocol: 'tcp', containerPort: 80, hostIp: '0.0.0.0', hostPort: 18080 },
    { protocol: 'tcp', containerPort: 80, hostIp: '::', hostPort: 18080 },
    { protocol: 'udp', containerPort: 81, hostIp: '127.0.0.1', hostPort: 18081 },
  ],
};

function deps(more: NetworkRecord[] = []): NetworkDeps {
  const all = [...networks, ...more];
  return {
    stack: {
      list: () => all,
      get: (ref) => {
        const found = all.find(({ name, id }) => name === ref || id.startsWith(ref));
        if (!found) throw Object.assign(new Error(`network ${ref} not found`), { kind: 'not-found' });
        return found;
      },
      sandboxes: () => [sandbox],
    },
    containerName: (id) => (id === sandbox.containerId ? 'web' : undefined),
  };
}

describe('networks', () => {
  const names = async (filters: [string, string[]][], more: NetworkRecord[] = []) =>
    (await networksBackend(deps(more)).list(new Map(filters))).map(({ Name }) => Name);

  it('are listed without their containers', async () => {
    const all = await networksBackend(deps()).list(new Map());
    assert.deepEqual(
      all.map(({ Name, Containers }) => [Name, Containers]),
      [
        ['bridge', {}],
        ['host', {}],
        ['none', {}],
      ],
    );
  });

  it('are filtered as the Engine does', async () => {
    assert.deepEqual(await names([['name', ['o']]]), ['host', 'none']);
    assert.deepEqual(await names([['name', ['bridge', 'none']]]), ['bridge', 'none']);
    assert.deepEqual(await names([['id', ['bbbb']]]), ['bridge']);
    assert.deepEqual(await names([['driver', ['null']]]), ['none']);
    assert.deepEqual(await names([['driver', ['bri']]]), []);
    assert.deepEqual(await names([['scope', ['local']]]), ['bridge', 'host', 'none']);
    assert.deepEqual(await names([['scope', ['swarm']]]), []);
    assert.deepEqual(await names([['type', ['custom']]], [custom]), ['custom']);
    assert.deepEqual(await names([['type', ['builtin']]], [custom]), ['bridge', 'host', 'none']);
    assert.deepEqual(await names([['dangling', ['true']]], [custom]), ['custom']);
    assert.deepEqual(await names([['dangling', ['0']]], [custom]), ['bridge', 'host', 'none']);
    assert.deepEqual(await names([['label', ['tier=db', 'empty']]], [custom]), ['custom']);
    assert.deepEqual(await names([['label', ['tier=db', 'absent']]], [custom]), []);
    assert.deepEqual(await names([['label', ['tier=web']]], [custom]), []);
  });

  it('refuse filters they do not know, in the words of the Engine', async () => {
    const refused = (key: string, value: string, message: string, kind = 'invalid') =>
      assert.rejects(names([[key, [value]]]), { kind, message });
    await refused('bogus', 'x', "invalid filter 'bogus'");
    await refused('type', 'bogus', "invalid filter: 'type'='bogus'", 'internal');
    await refused(
      'dangling',
      'x',
      'invalid value for filter \'dangling\', must be "true" (or "1"), or "false" (or "0")',
    );
  });

  it('are shown with their containers', async () => {
    const shown = await networksBackend(deps()).inspect('bridge', { verbose: false });
    assert.deepEqual(shown, {
      Name: 'bridge',
      Id: 'b'.repeat(64),
      Created: '2026-01-02T03:04:05.6Z',
      Scope: 'local',
      Driver: 'bridge',
      EnableIPv4: true,
      EnableIPv6: false,
      IPAM: {
        Driver: 'default',
        Options: null,
        Config: [{ Subnet: '172.17.0.0/16', Gateway: '172.17.0.1' }],
      },
      Internal: false,
      Attachable: false,
      Ingress: false,
      ConfigFrom: { Network: '' },
      ConfigOnly: false,
      Containers: {
        [sandbox.containerId]: {
          Name: 'web',
          EndpointID: endpoint.endpointId,
          MacAddress: '02:42:ac:11:00:04',
          IPv4Address: '172.17.0.4/16',
          IPv6Address: '',
        },
      },
      Options: { 'com.docker.network.bridge.name': 'wharf0' },
      Labels: {},
    });
    const none = await networksBackend(deps()).inspect('none', { verbose: false });
    assert.deepEqual(none.IPAM, { Driver: 'default', Options: null, Config: null });
  });

  it('are not found in another scope', async () => {
    const swarm = networksBackend(deps()).inspect('bridge', { verbose: false, scope: 'swarm' });
    await assert.rejects(swarm, { kind: 'not-found', message: 'network bridge not found' });
  });

  it('are neither made nor removed yet', () => {
    assert.throws(() => createNetwork(deps(), { name: 'mine' }), { kind: 'not-implemented' });
    assert.throws(() => createNetwork(deps(), { name: 'host' }), {
      message: 'operation is not permitted on predefined host network ',
    });
    assert.throws(() => removeNetwork(deps(), { ref: 'bridge' }), {
      kind: 'forbidden',
      message: 'bridge is a pre-defined network and cannot be removed',
    });
    assert.throws(() => removeNetwork(deps(), { ref: 'mine' }), { kind: 'not-found' });
  });
});

describe('NetworkSettings', () => {
  const container = (mode: string, hasStarted = true): NetworkedContainer => ({
    config: { ExposedPorts: { '80/tcp': {}, '99/tcp': {} } },
    hostConfig: { NetworkMode: mode },
    networkingConfig: {},
    state: {
      status: 'running',
      pid: 1,
      exitCode: 0,
      error: '',
      oomKilled: false,
      startedAt: '',
      finishedAt: '',
      restartCount: 0,
      manuallyStopped: false,
      hasStarted,
    },
  });
  const id = (name: string) => networks.find((network) => network.name === name)?.id;
  const flat = {
    Bridge: '',
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    IPv6Gateway: '',
  };
  const bare = {
    ...flat,
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

  it('of a running container on the bridge', () => {
    assert.deepEqual(networkSettings(container('bridge'), sandbox, id), {
      ...flat,
      SandboxID: sandbox.sandboxId,
      SandboxKey: sandbox.netnsPath,
      Ports: {
        '80/tcp': [
          { HostIp: '0.0.0.0', HostPort: '18080' },
          { HostIp: '::', HostPort: '18080' },
        ],
        '81/udp': [{ HostIp: '127.0.0.1', HostPort: '18081' }],
        '99/tcp': null,
      },
      EndpointID: endpoint.endpointId,
      Gateway: '172.17.0.1',
      IPAddress: '172.17.0.4',
      IPPrefixLen: 16,
      MacAddress: '02:42:ac:11:00:04',
      Networks: {
        bridge: {
          ...empty,
          MacAddress: '02:42:ac:11:00:04',
          NetworkID: endpoint.networkId,
          EndpointID: endpoint.endpointId,
          Gateway: '172.17.0.1',
          IPAddress: '172.17.0.4',
          IPPrefixLen: 16,
        },
      },
    });
  });

  it('of a stopped container keeps the network id, of a new one does not', () => {
    const stopped = networkSettings(container('default'), undefined, id);
    assert.deepEqual(stopped, { ...bare, Networks: { bridge: { ...empty, NetworkID: 'b'.repeat(64) } } });
    const fresh = networkSettings(container('none', false), undefined, id);
    assert.deepEqual(fresh, { ...bare, Networks: { none: empty } });
  });

  it('of a container without a network of its own', () => {
    const lonely = { ...sandbox, endpoints: [], ports: [] };
    const none = networkSettings(container('none'), lonely, id);
    assert.equal(none.SandboxKey, sandbox.netnsPath);
    assert.deepEqual(none.Ports, {});
    assert.deepEqual(none.Networks, { none: { ...empty, NetworkID: 'e'.repeat(64) } });
    assert.deepEqual(networkSettings(container('container:abc'), undefined, id), { ...bare, Networks: {} });
  });

  it('are bound to the networks there are', () => {
    const bound = networkSettingsOf(deps().stack)({ record: container('host') });
    assert.equal(bound.Networks?.['host']?.NetworkID, 'a'.repeat(64));
  });

  it('know which network a mode means', () => {
    assert.deepEqual(['', 'default', 'bridge', 'none', 'container:x', 'mine'].map(networkOfMode), [
      'bridge',
      'bridge',
      'bridge',
      'none',
      undefined,
      'mine',
    ]);
  });
});
