import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import type { EndpointSettings } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import { connectContainer } from './connect-network.ts';
import { disconnectContainer } from './disconnect-network.ts';
import { World } from './lifecycle.cases.ts';
import {
  LiveContainers,
  recoverContainers,
  removeContainer,
  startContainer,
  stopContainer,
} from './lifecycle.ts';
import type { ContainerRecord } from './record.ts';
import { renameContainer } from './rename.ts';

function openWorld(): World {
  const world = new World();
  world.stack.add({ name: 'one', pools: [{ subnet: '10.91.0.0/24' }] });
  world.stack.add({ name: 'two' });
  return world;
}

async function running(world: World, mode = 'one', names = [mode], change: Partial<ContainerRecord> = {}) {
  const record = world.add({
    hostConfig: { NetworkMode: mode },
    networkingConfig: { EndpointsConfig: Object.fromEntries(names.map((name) => [name, {}])) },
    ...change,
  });
  await startContainer(world.deps, record.id);
  return record;
}

const connect = (world: World, record: ContainerRecord, network: string, settings?: EndpointSettings) =>
  connectContainer(world.deps, network, { container: record.id, ...(settings && { settings }) });
const disconnect = (world: World, record: ContainerRecord, network: string, force = false) =>
  disconnectContainer(world.deps, network, { container: record.id, force });
const wished = (record: ContainerRecord) => Object.keys(record.networkingConfig.EndpointsConfig ?? {});
const present = (world: World, record: ContainerRecord) =>
  world.stack.sandboxOf(record.id)?.endpoints.map(({ networkName }) => networkName);
const networkEvents = async (world: World) =>
  (await world.actions()).flatMap((action, at) =>
    action.startsWith('network') ? [`${action} ${world.seen[at]?.Actor?.Attributes?.['name']}`] : [],
  );

describe('connecting a running container', () => {
  it('puts it on the network with all that was asked, tells of it and keeps it', async () => {
    await using world = openWorld();
    const record = await running(world, 'two');
    const settings: EndpointSettings = {
      IPAMConfig: { IPv4Address: '10.91.0.50', LinkLocalIPs: ['169.254.8.8'] },
      Aliases: ['x', 'x'],
      GwPriority: 5,
      DriverOpts: { a: 'b' },
      NetworkID: 'not taken',
    };
    await connect(world, record, 'one-id', settings);
    assert.deepEqual(present(world, record), ['two', 'one']);
    const endpoint = world.stack.sandboxOf(record.id)?.endpoints[1];
    assert.deepEqual(
      [endpoint?.ipv4, endpoint?.gwPriority, endpoint?.dnsNames],
      ['10.91.0.50', 5, [record.name, 'x', record.id.slice(0, 12)]],
    );
    assert.deepEqual(record.networkingConfig.EndpointsConfig?.['one'], {
      ...settings,
      NetworkID: 'one-id',
      DNSNames: [record.name, 'x', record.id.slice(0, 12)],
    });
    assert.deepEqual(world.updated, [record.name], 'its files follow');
    assert.deepEqual(await networkEvents(world), ['network connect two', 'network connect one']);
  });

  it('leaves nothing of a failure: of the network, or of writing the record', async () => {
    await using world = openWorld();
    const record = await running(world);
    const error = new WharfError('exhausted', 'no address left');
    world.stack.failing = { call: 'connect', error };
    await assert.rejects(connect(world, record, 'two'), error);
    assert.deepEqual([wished(record), present(world, record)], [['one'], ['one']]);
    const save = world.store.save.bind(world.store);
    world.store.save = () => {
      throw new WharfError('exhausted', 'disk full');
    };
    await assert.rejects(connect(world, record, 'two'), { message: 'disk full' });
    world.store.save = save;
    assert.deepEqual([wished(record), present(world, record)], [['one'], ['one']]);
    assert.deepEqual(await networkEvents(world), ['network connect one']);
  });
});

test('a stopped container keeps its wish for the next start, and what it asked for first', async () => {
  await using world = openWorld();
  const record = await running(world);
  await stopContainer(world.deps, record.id, { timeoutSeconds: 0 });
  const { length } = world.stack.calls;
  await connect(world, record, 'two', { Aliases: ['a'] });
  await connect(world, record, 'two', { MacAddress: '02:42:00:00:00:09' });
  assert.equal(world.stack.calls.length, length, 'nothing is made for it');
  assert.deepEqual(record.networkingConfig.EndpointsConfig?.['two'], {
    Aliases: ['a'],
    DNSNames: [record.name, 'a', record.id.slice(0, 12)],
  });
  await disconnect(world, record, 'one');
  await assert.rejects(disconnect(world, record, 'one'), {
    kind: 'internal',
    message: `container ${record.id} is not connected to the network one`,
  });
  await world.live.settled();
  await startContainer(world.deps, record.id);
  assert.deepEqual(present(world, record), ['two']);
  await stopContainer(world.deps, record.id, { timeoutSeconds: 0 });
  await disconnect(world, record, 'two');
  await world.live.settled();
  await startContainer(world.deps, record.id);
  assert.deepEqual(present(world, record), [], 'the network of its mode is not put back');
});

test('a stopped container may wish for a network that is yet to be made, and take it back', async () => {
  await using world = openWorld();
  const record = await running(world);
  await stopContainer(world.deps, record.id, { timeoutSeconds: 0 });
  await world.live.settled();
  await connect(world, record, 'later', { Aliases: ['a'] });
  assert.deepEqual(record.networkingConfig.EndpointsConfig?.['later'], { Aliases: ['a'] });
  await assert.rejects(connect(world, record, 'other', { MacAddress: 'x' }), { kind: 'invalid' });
  const message = 'failed to set up container networking: network later not found';
  await assert.rejects(startContainer(world.deps, record.id), { kind: 'not-found', message });
  await disconnect(world, record, 'later');
  assert.deepEqual(wished(record), ['one']);
  await connect(world, record, 'later', { Aliases: ['a'] });
  world.stack.add({ name: 'later' });
  await startContainer(world.deps, record.id);
  assert.deepEqual(present(world, record), ['one', 'later']);
  assert.deepEqual(world.stack.sandboxOf(record.id)?.endpoints[1]?.dnsNames?.slice(0, 2), [record.name, 'a']);
});

test('a network that is named as something every object has is a network as others', async () => {
  await using world = openWorld();
  world.stack.add({ name: 'constructor' });
  const record = await running(world);
  await assert.rejects(disconnect(world, record, 'constructor'), { kind: 'internal' });
  await connect(world, record, 'constructor');
  assert.deepEqual(present(world, record), ['one', 'constructor']);
  await disconnect(world, record, 'constructor');
  assert.deepEqual(present(world, record), ['one']);
});

test('what the reference refuses is refused in its words', async () => {
  await using world = openWorld();
  const shared =
    'container sharing network namespace with another container or host cannot be connected to any other network';
  const alone =
    'container cannot be connected to multiple networks with one of the networks in private (none) mode';
  const one = await running(world);
  const host = await running(world, 'host');
  const none = await running(world, 'none');
  const guest = await running(world, `container:${one.id}`, []);
  const static4 = (IPv4Address: string) => ({ IPAMConfig: { IPv4Address } });
  const rows: [ContainerRecord, string, EndpointSettings, string, string][] = [
    [host, 'one', {}, 'invalid', shared],
    [guest, 'two', {}, 'invalid', shared],
    [none, 'one', {}, 'invalid', alone],
    [one, 'none', {}, 'invalid', alone],
    [
      one,
      'host',
      {},
      'invalid',
      'cannot connect container to host network - container must be created in host network mode',
    ],
    [one, 'one', {}, 'forbidden', `endpoint with name ${one.name} already exists in network one`],
    [one, 'nosuch', {}, 'not-found', 'network nosuch not found'],
    [
      one,
      'two',
      static4('172.21.0.9'),
      'invalid',
      'invalid endpoint settings:\nuser specified IP address is supported only when connecting to networks with user configured subnets',
    ],
    [
      one,
      'two',
      static4('x'),
      'invalid',
      'invalid endpoint settings:\n* invalid IPv4 address: x\n* user specified IP address is supported only when connecting to networks with user configured subnets',
    ],
    [one, 'two', { MacAddress: 'x' }, 'invalid', 'invalid MAC address x'],
    [
      none,
      'bridge',
      { Aliases: ['q'] },
      'invalid',
      'invalid endpoint settings:\nnetwork-scoped alias is supported only for containers in user defined networks',
    ],
    [
      none,
      'bridge',
      static4('172.17.0.99'),
      'invalid',
      'invalid endpoint settings:\nuser specified IP address is supported on user defined networks only',
    ],
    [
      none,
      'one',
      static4('10.92.0.70'),
      'invalid',
      'invalid endpoint settings:\nno configured subnet or ip-range contain the IP address 10.92.0.70',
    ],
  ];
  for (const [record, network, settings, kind, message] of rows) {
    await assert.rejects(connect(world, record, network, settings), { kind, message }, `${message}`);
  }
  await assert.rejects(disconnect(world, host, 'host'), {
    kind: 'invalid',
    message: 'cannot disconnect container from host network - container was created in host network mode',
  });
  await assert.rejects(disconnect(world, one, 'two'), {
    kind: 'internal',
    message: `container ${one.id} is not connected to network two`,
  });
  await assert.rejects(disconnect(world, one, 'nosuch'), {
    kind: 'not-found',
    message: 'network nosuch not found',
  });
  const never = world.add();
  for (const record of [one, never])
    await assert.rejects(disconnect(world, record, 'nosuch', record === one), {
      kind: 'internal',
      message: `container ${record.id} is not connected to the network nosuch`,
    });
  const absent = { container: 'nosuch', force: false };
  await assert.rejects(disconnectContainer(world.deps, 'one', absent), {
    message: 'No such container: nosuch',
  });
  await assert.rejects(disconnectContainer(world.deps, 'one', { ...absent, force: true }), {
    kind: 'not-found',
    message: 'endpoint nosuch not found',
  });
});

test('a container leaves a network, and what fails leaves it where it was', async () => {
  await using world = openWorld();
  const record = await running(world, 'one', ['one', 'two']);
  const error = new WharfError('internal', 'the kernel said no');
  world.stack.failing = { call: 'disconnect', error };
  await assert.rejects(disconnect(world, record, 'two'), error);
  assert.deepEqual(
    [wished(record), present(world, record)],
    [
      ['one', 'two'],
      ['one', 'two'],
    ],
  );
  await disconnect(world, record, 'two');
  assert.deepEqual([wished(record), present(world, record)], [['one'], ['one']]);
  assert.equal((await networkEvents(world)).at(-1), 'network disconnect two');
});

test('a container is off a network even when its files can not be written', async () => {
  await using world = openWorld();
  const record = await running(world, 'one', ['one', 'two']);
  world.deps = {
    ...world.deps,
    updateNetworkFiles: () => {
      throw new WharfError('exhausted', 'disk full');
    },
  };
  await disconnect(world, record, 'two');
  assert.deepEqual([wished(record), present(world, record)], [['one'], ['one']]);
  assert.equal((await networkEvents(world)).at(-1), 'network disconnect two');
});

test('a stopped container is taken off a network that is gone', async () => {
  await using world = openWorld();
  const record = await running(world);
  await stopContainer(world.deps, record.id, { timeoutSeconds: 0 });
  await world.live.settled();
  await world.stack.remove('one');
  const message = 'failed to set up container networking: network one-id not found';
  await assert.rejects(startContainer(world.deps, record.id), { kind: 'not-found', message });
  assert.equal(record.state.error, message);
  await disconnect(world, record, 'one');
  assert.deepEqual(wished(record), []);
});

test('one whose removal is under way joins and leaves nothing', async () => {
  await using world = openWorld();
  const record = await running(world);
  await stopContainer(world.deps, record.id, { timeoutSeconds: 0 });
  record.state.status = 'dead';
  for (const change of [connect, disconnect])
    await assert.rejects(change(world, record, 'one'), /is marked for removal and cannot be connected/);
});

test('a start and an end tell of every network, that of the mode first', async () => {
  await using world = openWorld();
  const record = await running(world, 'two', ['one', 'two']);
  assert.deepEqual(
    world.stack
      .sandboxOf(record.id)
      ?.endpoints.map(({ networkName, interfaceName }) => [networkName, interfaceName]),
    [
      ['two', 'eth0'],
      ['one', 'eth1'],
    ],
  );
  await removeContainer(world.deps, record.id, { volumes: false, force: true, link: false });
  assert.deepEqual(await networkEvents(world), [
    'network connect two',
    'network connect one',
    'network disconnect two',
    'network disconnect one',
  ]);
});

test('a rename gives a running container its new names, a stopped one gets them at its start', async () => {
  await using world = openWorld();
  const record = await running(world, 'one', ['one', 'bridge'], {
    config: { Image: 'b', Hostname: 'front' },
  });
  await renameContainer(world.deps, record.id, 'fresh');
  const names = ['fresh', record.id.slice(0, 12), 'front'];
  assert.deepEqual(
    world.stack.sandboxOf(record.id)?.endpoints.map(({ dnsNames }) => dnsNames),
    [names, undefined],
  );
  assert.deepEqual(record.networkingConfig.EndpointsConfig?.['one']?.DNSNames, names);
  await stopContainer(world.deps, record.id, { timeoutSeconds: 0 });
  await world.live.settled();
  await renameContainer(world.deps, record.id, 'later');
  assert.deepEqual(record.networkingConfig.EndpointsConfig?.['one']?.DNSNames, names);
  await startContainer(world.deps, record.id);
  assert.equal(world.stack.sandboxOf(record.id)?.endpoints[0]?.dnsNames?.[0], 'later');
});

test('links on a network of a user go to a container, and to whoever has its name after it', async () => {
  await using world = openWorld();
  const target = await running(world);
  const record = await running(world, 'one', ['one'], {
    networkingConfig: {
      EndpointsConfig: { one: { Links: [`${target.name}:db`, `${target.id}:id`, 'nosuch:x'] } },
    },
  });
  assert.deepEqual(world.stack.sandboxOf(record.id)?.endpoints[0]?.links, [
    { alias: 'db', containerId: target.id, name: target.name },
    { alias: 'id', containerId: target.id, name: target.id.slice(0, 12) },
    { alias: 'x', name: 'nosuch' },
  ]);
  await assert.rejects(connect(world, record, 'two', { Links: ['a:b:c'] }), {
    kind: 'internal',
    message: 'bad format for links: a:b:c',
  });
  assert.deepEqual(wished(record), ['one'], 'a malformed one joins nothing');
});

test('name servers: the container’s own, else the daemon’s, else the host’s', async () => {
  await using world = openWorld();
  const plain = await running(world);
  world.deps = { ...world.deps, daemonDns: () => ['9.9.9.9'] };
  const daemon = await running(world);
  const own = await running(world, 'one', ['one'], { hostConfig: { NetworkMode: 'one', Dns: ['1.1.1.1'] } });
  assert.deepEqual(
    [plain, daemon, own].map(({ id }) => world.stack.sandboxOf(id)?.nameServers),
    [undefined, ['9.9.9.9'], ['1.1.1.1']],
  );
});

describe('a daemon that died between wish and network', () => {
  async function restarted(world: World, record: ContainerRecord): Promise<void> {
    world.live.of(record.id).task = undefined;
    world.deps = { ...world.deps, live: new LiveContainers() };
    await recoverContainers(world.deps);
  }

  it('in a connect: what nobody was told of is taken away', async () => {
    await using world = openWorld();
    const record = await running(world);
    await world.stack.connect(record.sandboxId ?? '', { network: 'two' });
    await restarted(world, record);
    assert.deepEqual([wished(record), present(world, record)], [['one'], ['one']]);
    assert.deepEqual(world.updated, [record.name]);
  });

  it('in a disconnect: it is finished', async () => {
    await using world = openWorld();
    const record = await running(world, 'one', ['one', 'two']);
    delete record.networkingConfig.EndpointsConfig?.['two'];
    await restarted(world, record);
    assert.deepEqual(present(world, record), ['one']);
  });

  it('in a renumbering: the container comes back to its network', async () => {
    await using world = openWorld();
    const record = await running(world, 'one', ['one', 'two']);
    await world.stack.disconnect(record.sandboxId ?? '', 'one-id');
    await restarted(world, record);
    assert.deepEqual(present(world, record)?.sort(), ['one', 'two']);
  });

  it('in a rename: the container is found under its new name', async () => {
    await using world = openWorld();
    const record = await running(world);
    world.store.rename(record, 'fresh');
    await restarted(world, record);
    const sandbox = world.stack.sandboxOf(record.id);
    assert.deepEqual([sandbox?.containerName, sandbox?.endpoints[0]?.dnsNames?.[0]], ['fresh', 'fresh']);
    assert.equal(record.networkingConfig.EndpointsConfig?.['one']?.DNSNames?.[0], 'fresh');
  });

  it('what can’t be put right leaves the container running', async () => {
    await using world = openWorld();
    const record = await running(world, 'one', ['one', 'two']);
    await world.stack.disconnect(record.sandboxId ?? '', 'two-id');
    await world.stack.remove('two');
    await restarted(world, record);
    assert.equal(record.state.status, 'running');
    assert.deepEqual(present(world, record), ['one']);
  });

  it('containers on the host’s network, or none, are left as they are', async () => {
    await using world = openWorld();
    const host = await running(world, 'host');
    const none = await running(world, 'none');
    const { length } = world.stack.calls;
    for (const record of [host, none]) await restarted(world, record);
    assert.equal(world.stack.calls.length, length);
  });
});
