import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { NetworkCreateRequest } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import { World } from '../containers/lifecycle.cases.ts';
import { startContainer } from '../containers/lifecycle.ts';
import { networksBackend } from './index.ts';

const open = (world: World) => networksBackend({ ...world.deps, networks: world.stack });

async function listed(world: World, filters: Record<string, string[]>): Promise<(string | undefined)[]> {
  const found = await open(world).list(new Map(Object.entries(filters)));
  return found.map(({ Name }) => Name);
}

function withCustom(): World {
  const world = new World();
  world.stack.add({ name: 'custom', labels: { tier: 'db', empty: '', a: 'b=c' } });
  return world;
}

describe('networks in a list', () => {
  it('are without their containers', async () => {
    await using world = new World();
    const all = await open(world).list(new Map());
    assert.deepEqual(
      all.map(({ Name, Containers }) => [Name, Containers]),
      ['bridge', 'host', 'none'].map((name) => [name, {}]),
    );
  });

  it('are filtered as the Engine does', async () => {
    await using world = withCustom();
    const builtin = ['bridge', 'host', 'none'];
    const rows: [Record<string, string[]>, string[]][] = [
      [{ name: ['o'] }, ['host', 'none', 'custom']],
      [{ name: ['^b', 'none'] }, ['bridge', 'none']],
      [{ name: ['e$'] }, ['bridge', 'none']],
      [{ name: ['('] }, []],
      [{ name: ['(a+)+$'] }, []],
      [{ name: [] }, [...builtin, 'custom']],
      [{ id: ['^host-'] }, ['host']],
      [{ driver: ['null'] }, ['none']],
      [{ driver: ['bri'] }, []],
      [{ scope: ['local'] }, [...builtin, 'custom']],
      [{ scope: ['swarm'] }, []],
      [{ type: ['custom'] }, ['custom']],
      [{ type: ['builtin'] }, builtin],
      [{ type: ['builtin', 'custom'] }, [...builtin, 'custom']],
      [{ type: ['custom'], driver: ['host'] }, []],
      [{ dangling: ['true'] }, ['custom']],
      [{ dangling: ['0'] }, builtin],
      [{ label: ['tier=db', 'empty'] }, ['custom']],
      [{ label: ['tier=db', 'absent'] }, []],
      [{ label: ['tier=web'] }, []],
      [{ label: ['a=b=c'] }, ['custom']],
      [{ label: ['constructor'] }, []],
    ];
    for (const [filters, names] of rows) {
      assert.deepEqual(await listed(world, filters), names, JSON.stringify(filters));
    }
    const user = world.add({
      hostConfig: { NetworkMode: 'custom' },
      networkingConfig: { EndpointsConfig: { custom: {} } },
    });
    await startContainer(world.deps, user.id);
    assert.deepEqual(await listed(world, { dangling: ['true'] }), []);
  });

  it('are refused by filters nobody knows, in the words of the Engine', async () => {
    await using world = new World();
    for (const [key, values, message, kind] of [
      ['bogus', ['x'], "invalid filter 'bogus'", 'invalid'],
      ['type', ['bogus'], "invalid filter: 'type'='bogus'", 'internal'],
      ['dangling', ['true', 'false'], 'got more than one value for filter key "dangling"', 'invalid'],
      [
        'dangling',
        ['x'],
        'invalid value for filter \'dangling\', must be "true" (or "1"), or "false" (or "0")',
        'invalid',
      ],
    ] as const) {
      await assert.rejects(listed(world, { [key]: [...values] }), { kind, message });
    }
  });
});

describe('a network’s document', () => {
  it('names its containers, in the order of Go’s maps', async () => {
    await using world = withCustom();
    const [first, second] = [{ ipv6: 'fd91::5' }, {}].map((more) => {
      const record = world.add({
        hostConfig: { NetworkMode: 'custom' },
        networkingConfig: {
          EndpointsConfig: { custom: more.ipv6 ? { IPAMConfig: { IPv6Address: more.ipv6 } } : {} },
        },
      });
      return record;
    });
    assert.ok(first && second);
    for (const { id } of [first, second]) await startContainer(world.deps, id);
    const shown = await open(world).inspect('custom', { verbose: false });
    assert.deepEqual(Object.keys(shown.Containers ?? {}), [first.id, second.id].sort());
    const endpoint = world.stack.sandboxOf(first.id)?.endpoints[0];
    assert.deepEqual(shown.Containers?.[first.id], {
      Name: first.name,
      EndpointID: endpoint?.endpointId,
      MacAddress: endpoint?.macAddress,
      IPv4Address: `${endpoint?.ipv4}/16`,
      IPv6Address: 'fd91::5/64',
    });
    assert.equal(shown.Containers?.[second.id]?.IPv6Address, '');
  });

  it('shows pools as they were asked for, and chosen ones as they are', async () => {
    await using world = new World();
    const record = world.stack.add({ name: 'mixed', enableIPv6: true, internal: true, attachable: true });
    Object.assign(record, {
      attachable: true,
      pools: [
        { subnet: '172.23.0.0/16', gateway: '172.23.0.1' },
        { subnet: 'fd91::/64', gateway: 'fd91::1' },
      ],
      askedPools: [{ subnet: 'fd91::/64', auxiliary: { a: 'fd91::5' }, ipRange: 'fd91::/80' }],
      ipamOptions: { x: 'y' },
      configFrom: 'base',
    });
    const shown = await open(world).inspect('mixed', { verbose: true, scope: 'local' });
    assert.deepEqual(shown, {
      Name: 'mixed',
      Id: 'mixed-id',
      Created: '2026-01-01T00:00:00Z',
      Scope: 'local',
      Driver: 'bridge',
      EnableIPv4: true,
      EnableIPv6: true,
      IPAM: {
        Driver: 'default',
        Options: { x: 'y' },
        Config: [
          { Subnet: '172.23.0.0/16', Gateway: '172.23.0.1' },
          { Subnet: 'fd91::/64', IPRange: 'fd91::/80', AuxiliaryAddresses: { a: 'fd91::5' } },
        ],
      },
      Internal: true,
      Attachable: true,
      Ingress: false,
      ConfigFrom: { Network: 'base' },
      ConfigOnly: false,
      Containers: {},
      Options: {},
      Labels: {},
    });
    record.pools = [];
    const bare = await open(world).inspect('mixed', { verbose: false });
    assert.equal(bare.IPAM?.Config, null);
    record.configOnly = true;
    const base = await open(world).inspect('mixed', { verbose: false });
    assert.deepEqual(base.IPAM?.Config?.[0]?.Subnet, 'fd91::/64');
    assert.equal(base.ConfigOnly, true);
  });

  it('is not found in another scope', async () => {
    await using world = new World();
    const swarm = open(world).inspect('bridge', { verbose: false, scope: 'swarm' });
    await assert.rejects(swarm, { kind: 'not-found', message: 'network bridge not found' });
  });
});

describe('networks are made and removed', () => {
  it('also where the surroundings can not be looked at', async () => {
    await using world = new World();
    world.stack.warnings = () => {
      throw new Error('no nft');
    };
    assert.equal((await open(world).create({ Name: 'unseen' })).warning, '');
    assert.equal(world.stack.get('unseen').name, 'unseen');
  });

  it('with everything of the request, and told of', async () => {
    await using world = new World();
    const asked: unknown[] = [];
    const { create } = world.stack;
    world.stack.create = (request) => {
      asked.push(request);
      return create(request);
    };
    const request: NetworkCreateRequest = {
      Name: 'mine',
      CheckDuplicate: true,
      Driver: 'macvlan',
      Scope: 'local',
      EnableIPv4: false,
      EnableIPv6: true,
      IPAM: {
        Driver: 'default',
        Options: { x: 'y' },
        Config: [
          {
            Subnet: 'fd91::/64',
            IPRange: 'fd91::/80',
            Gateway: 'fd91::9',
            AuxiliaryAddresses: { a: 'fd91::5' },
          },
        ],
      },
      Internal: true,
      Attachable: true,
      ConfigFrom: { Network: 'base' },
      Options: { parent: 'eth0' },
      Labels: { a: 'b' },
    };
    world.stack.said.set('mine', ['WARNING: chain x drops', 'network mine overlaps a route']);
    assert.deepEqual(await open(world).create(request), {
      id: 'mine-id',
      warning: 'chain x drops\nnetwork mine overlaps a route',
    });
    await open(world).create({ Name: 'plain', ConfigFrom: { Network: '' } });
    assert.deepEqual(asked, [
      {
        name: 'mine',
        driver: 'macvlan',
        options: { parent: 'eth0' },
        labels: { a: 'b' },
        internal: true,
        attachable: true,
        enableIPv4: false,
        enableIPv6: true,
        ipamOptions: { x: 'y' },
        pools: [
          { subnet: 'fd91::/64', ipRange: 'fd91::/80', gateway: 'fd91::9', auxiliary: { a: 'fd91::5' } },
        ],
        configFrom: 'base',
      },
      { name: 'plain', options: {}, labels: {}, internal: false, attachable: false },
    ]);
    await open(world).remove('mine');
    await world.actions();
    assert.deepEqual(
      world.seen.map(({ Type, Action, Actor }) => [Type, Action, Actor?.ID, Actor?.Attributes]),
      [
        ['network', 'create', 'mine-id', { name: 'mine', type: 'macvlan' }],
        ['network', 'create', 'plain-id', { name: 'plain', type: 'bridge' }],
        ['network', 'destroy', 'mine-id', { name: 'mine', type: 'macvlan' }],
      ],
    );
  });

  it('those of a swarm are refused as by a node outside of one', async () => {
    await using world = new World();
    const manager =
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';
    const rows: [NetworkCreateRequest, string, string][] = [
      [{ Driver: 'overlay' }, 'forbidden', manager],
      [{ Driver: 'overlay', Ingress: true }, 'forbidden', manager],
      [{ Ingress: true }, 'forbidden', 'Ingress network can only be global scope network'],
      [{ Scope: 'swarm' }, 'forbidden', 'cannot create a swarm scoped network when swarm is not active'],
      [
        { ConfigOnly: true, ConfigFrom: { Network: 'x' } },
        'forbidden',
        'a configuration network cannot depend on another configuration network',
      ],
      [{ IPAM: { Driver: 'nosuch' } }, 'not-found', 'plugin "nosuch" not found'],
    ];
    for (const [request, kind, message] of rows) {
      await assert.rejects(open(world).create({ Name: 'gx', ...request }), { kind, message });
    }
    assert.equal(world.stack.networks.length, 3);
  });
});

describe('a prune of networks', () => {
  it('takes those of users that nobody runs on and that fit, and says so', async () => {
    await using world = withCustom();
    world.stack.add({ name: 'used' });
    world.stack.add({ name: 'base', configOnly: true });
    world.stack.add({ name: 'kept', labels: { keep: '' } });
    const user = world.add({
      hostConfig: { NetworkMode: 'used' },
      networkingConfig: { EndpointsConfig: { used: {} } },
    });
    await startContainer(world.deps, user.id);
    const prune = async (filters: Record<string, string[]>) =>
      (await open(world).prune(new Map(Object.entries(filters)))).deleted;
    assert.deepEqual(await prune({ until: ['2025-01-01T00:00:00Z'] }), []);
    assert.deepEqual(await prune({ label: ['absent'] }), []);
    assert.deepEqual(await prune({ 'label!': ['keep'] }), ['custom']);
    assert.deepEqual(await prune({ until: ['1m'] }), ['kept']);
    assert.deepEqual(
      world.stack
        .list()
        .map(({ name }) => name)
        .slice(3),
      ['used', 'base'],
    );
    await world.actions();
    const last = world.seen.at(-1);
    assert.deepEqual(
      [last?.Action, last?.Actor?.ID, last?.Actor?.Attributes],
      ['prune', '', { reclaimed: '0' }],
    );
    await assert.rejects(prune({ foo: ['x'] }), { kind: 'invalid', message: "invalid filter 'foo'" });
    await assert.rejects(prune({ until: ['x'] }), {
      kind: 'invalid',
      message: 'failed to parse value as time or duration: "x"',
    });
  });

  it('passes over one that is used or removed meanwhile', async () => {
    await using world = withCustom();
    for (const kind of ['forbidden', 'not-found', 'internal'] as const) {
      world.stack.remove = () => Promise.reject(new WharfError(kind, 'no'));
      assert.deepEqual(await open(world).prune(new Map()), { deleted: [] }, kind);
    }
  });
});
