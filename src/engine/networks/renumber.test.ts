import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndpointSettings } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import { World } from '../containers/lifecycle.cases.ts';
import { startContainer } from '../containers/lifecycle.ts';
import { networksBackend } from './index.ts';

const open = (world: World) => networksBackend({ ...world.deps, networks: world.stack });

async function withUsers(settings: EndpointSettings = {}) {
  const world = new World();
  world.stack.add({ name: 'mine', pools: [{ subnet: '10.91.0.0/24' }] });
  const records = [settings, { Aliases: ['db'] }].map((wish) =>
    world.add({
      hostConfig: { NetworkMode: 'mine' },
      networkingConfig: { EndpointsConfig: { mine: { ...wish }, bridge: {} } },
    }),
  );
  for (const { id } of records) await startContainer(world.deps, id);
  return { world, records };
}

const addresses = (world: World) =>
  world.stack
    .sandboxes()
    .flatMap(({ endpoints }) => endpoints.filter(({ networkName }) => networkName === 'mine'))
    .map(({ ipv4 }) => ipv4.split('.').slice(0, 3).join('.'));

test('containers leave, the network changes, and they come back under their names', async () => {
  const { world, records } = await withUsers();
  await using _ = world;
  const { length } = await world.actions();
  const shown = await open(world).renumber('mine', [{ Subnet: '10.92.0.0/24' }]);
  assert.deepEqual(shown.IPAM?.Config, [{ Subnet: '10.92.0.0/24' }]);
  assert.deepEqual(addresses(world), ['10.92.0', '10.92.0']);
  const [, second] = records;
  const endpoint = world.stack.sandboxOf(second?.id ?? '')?.endpoints.at(-1);
  assert.deepEqual(endpoint?.dnsNames, [second?.name, 'db', second?.id.slice(0, 12)]);
  assert.deepEqual((await world.actions()).slice(length), [
    'network disconnect',
    'network disconnect',
    'network connect',
    'network connect',
  ]);
  assert.deepEqual(world.updated.sort(), records.flatMap(({ name }) => [name, name]).sort());
  await open(world).renumber('mine', undefined);
  assert.deepEqual(addresses(world), ['172.31.0', '172.31.0']);
});

test('an address that a container asks for, stopped ones too, must be there afterwards', async () => {
  const { world, records } = await withUsers({ IPAMConfig: { IPv4Address: '10.91.0.7' } });
  await using _ = world;
  const { length } = world.stack.calls;
  const fault = (why: string) => ({
    kind: 'conflict',
    message:
      `cannot renumber network mine: container ${records[0]?.name} asks for the address 10.91.0.7, and ${why}. ` +
      `Disconnect the container first (wharf network disconnect -f mine ${records[0]?.name}), or give a subnet that holds its address`,
  });
  await assert.rejects(
    open(world).renumber('mine', [{ Subnet: '10.92.0.0/24' }]),
    fault('10.92.0.0/24 does not hold it'),
  );
  await assert.rejects(open(world).renumber('mine', undefined), fault('no subnet was given'));
  assert.equal(world.stack.calls.length, length, 'nothing was touched');
  await open(world).renumber('mine', [{ Subnet: '10.91.0.0/16' }]);
});

test('one that leaves while the others are waited for does not stand in the way', async () => {
  const { world, records } = await withUsers();
  await using _ = world;
  const [first, second] = records;
  assert.ok(first && second);
  const { promise: asked, resolve: go } = Promise.withResolvers<void>();
  const leaving = world.store.withLock(first.id, async ({ sandboxId = '' }) => {
    await asked;
    await world.stack.disconnect(sandboxId, 'mine-id');
  });
  const renumbering = open(world).renumber('mine', [{ Subnet: '10.92.0.0/24' }]);
  go();
  await Promise.all([leaving, renumbering]);
  assert.deepEqual(addresses(world), ['10.92.0']);
  const alone = world.stack.sandboxOf(first.id)?.endpoints.map(({ networkName }) => networkName);
  assert.deepEqual(alone, ['bridge']);
});

test('a renumbering that fails leaves everyone where they were', async () => {
  const { world } = await withUsers();
  await using _ = world;
  const error = new WharfError('conflict', 'Pool overlaps with other one on this address space');
  for (const call of ['renumber', 'disconnect'] as const) {
    world.stack.failing = { call, error };
    await assert.rejects(open(world).renumber('mine', [{ Subnet: '10.92.0.0/24' }]), error);
    assert.deepEqual(addresses(world), ['10.91.0', '10.91.0'], call);
  }
  world.stack.failing = { call: 'connect', error };
  await assert.rejects(open(world).renumber('mine', [{ Subnet: '10.92.0.0/24' }]), error);
  assert.deepEqual(addresses(world), ['10.92.0'], 'the other one is back all the same');
});
