import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Filters, Plan } from '../../api/index.ts';
import { isKind, silentLog, systemClock, WharfError } from '../../base/index.ts';
import { ANONYMOUS_LABEL, type VolumeRecord, type VolumeStore } from '../../volume/index.ts';
import { pruneContainers, removeContainer, usedVolumes, volumeUsers } from '../containers/index.ts';
import { World } from '../containers/lifecycle.cases.ts';
import type { ContainerRecord, ContainerStatus } from '../containers/record.ts';
import { type Fixture, openFixture, someImage } from '../images/test-fixture.ts';
import { pruneVolumes, removeVolume, type VolumeDeps } from '../volumes/index.ts';
import { type PlansDeps, planPrune, planRemoval } from './plans.ts';

const NO_OPTIONS = { all: false, volumes: false };
const filtersOf = (filters: Record<string, string[]>) => new Map(Object.entries(filters)) as Filters;

/** Containers, volumes, networks and images, all of them real enough to be pruned. */
class Site implements AsyncDisposable {
  readonly world = new World();
  readonly fixture: Fixture = openFixture();
  readonly volumes = new Map<string, VolumeRecord>();

  get deps(): PlansDeps {
    const { world, fixture } = this;
    const users = (id: string) => world.store.all().filter(({ imageId }) => imageId === id);
    return {
      store: world.store,
      live: world.live,
      clock: systemClock,
      networks: world.stack,
      volumes: this.volumeStore,
      images: { ...fixture, layerBytes: async (key) => (await fixture.snapshots.usage(key)).bytes },
      containersOf: (id) => users(id).map((one) => ({ id: one.id, running: one.state.status === 'running' })),
      containerBytes: async () => 1_000,
    };
  }

  get volumeStore(): VolumeStore {
    const { volumes } = this;
    return {
      list: () => [...volumes.values()],
      get: (name: string) => volumes.get(name),
      usage: async () => ({ bytes: 300, inodes: 1 }),
      remove: async (name: string) => void volumes.delete(name),
    } as Partial<VolumeStore> as VolumeStore;
  }

  get volumeDeps(): VolumeDeps {
    const { store, events } = this.world;
    return {
      volumes: this.volumeStore,
      events,
      volumeUsers: (name) => volumeUsers(store, name),
      usedVolumes: () => usedVolumes(store),
      log: silentLog,
    } as VolumeDeps;
  }

  container(name: string, status: ContainerStatus, volumes: string[] = []): ContainerRecord {
    const mounts = volumes.map((volume) => ({
      Type: 'volume' as const,
      Name: volume,
      Destination: `/${volume}`,
      anonymous: volume.startsWith('anon'),
    }));
    const record = this.world.add({ name, mounts: mounts as unknown as ContainerRecord['mounts'] });
    record.state.status = status;
    return record;
  }

  volume(name: string, options: Record<string, string> = {}): void {
    const anonymous = name.startsWith('anon');
    const labels: Record<string, string> = anonymous ? { [ANONYMOUS_LABEL]: '' } : {};
    this.volumes.set(name, { name, driver: 'local', options, labels, createdAt: '', anonymous });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]();
    await this.fixture[Symbol.asyncDispose]();
  }
}

const names = ({ Items }: Plan) =>
  Items.map(({ Name, Reason }) => (Reason === undefined ? Name : `${Name}: ${Reason}`));

test('a prune of containers is planned as it is done', async () => {
  await using site = new Site();
  for (const status of ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'] as const)
    site.container(status, status);
  const plan = await planPrune(site.deps, 'containers', filtersOf({}), NO_OPTIONS);
  assert.deepEqual([names(plan), plan.Bytes], [['created', 'exited', 'dead'], 3_000]);
  const { world } = site;
  const pruned = await pruneContainers(
    {
      ...world.deps,
      bytesOf: async () => 1_000,
      remove: ({ id }) => removeContainer(world.deps, id, { volumes: false, force: false, link: false }),
      settled: () => world.live.settled(),
    },
    filtersOf({}),
  );
  assert.deepEqual([pruned.deleted, pruned.spaceReclaimed], [plan.Items.map(({ ID }) => ID), plan.Bytes]);
});

test('a prune of volumes is planned as it is done; those with options, and those in use, stay', async () => {
  await using site = new Site();
  for (const name of ['anon1', 'anon2', 'named', 'used']) site.volume(name);
  site.volume('tmpfs', { type: 'tmpfs', device: 'tmpfs' });
  site.container('user', 'exited', ['used', 'anon2']);
  const prune = async (all: boolean) => {
    const filters = filtersOf(all ? { all: ['true'] } : {});
    const plan = await planPrune(site.deps, 'volumes', filtersOf({}), { all, volumes: false });
    assert.deepEqual(plan, await planPrune(site.deps, 'volumes', filters, NO_OPTIONS));
    const { VolumesDeleted, SpaceReclaimed } = await pruneVolumes(site.volumeDeps, filters);
    assert.deepEqual([names(plan), plan.Bytes], [VolumesDeleted, SpaceReclaimed]);
    return VolumesDeleted;
  };
  assert.deepEqual([await prune(false), await prune(true)], [['anon1'], ['named']]);
});

test('a prune of the system finds what its earlier parts leave', async () => {
  await using site = new Site();
  const image = await someImage(site.fixture, 'app:1', 'app');
  const busy = await someImage(site.fixture, 'busy:1', 'busy');
  Object.assign(site.container('old', 'exited', ['anon1', 'named']), { imageId: image.id });
  Object.assign(site.container('runs', 'running', ['anon2']), { imageId: busy.id });
  for (const name of ['anon1', 'anon2', 'named']) site.volume(name);
  site.world.stack.add({ name: 'mine' });
  const plan = (options: { all: boolean; volumes: boolean }, filters = {}) =>
    planPrune(site.deps, 'system', filtersOf(filters), options);
  assert.deepEqual(names(await plan(NO_OPTIONS)), ['old', 'mine']);
  const whole = await plan({ all: true, volumes: true });
  assert.deepEqual(
    whole.Items.map(({ Kind, Name }) => `${Kind} ${Name}`),
    ['container old', 'network mine', 'volume anon1', 'image app:1'],
  );
  assert.equal(
    whole.Bytes,
    whole.Items.reduce((sum, { Bytes }) => sum + Bytes, 0),
  );
  assert.deepEqual(names(await plan({ all: true, volumes: true }, { label: ['none'] })), []);
  assert.equal(site.world.store.all().length, 2);
});

test('plans of images, networks and the build cache refuse what the prunes refuse', async () => {
  await using site = new Site();
  const kinds = ['containers', 'images', 'volumes', 'networks', 'system', 'builder'] as const;
  for (const kind of kinds) {
    await assert.rejects(planPrune(site.deps, kind, filtersOf({ nope: ['x'] }), NO_OPTIONS), (thrown) => {
      return (
        isKind(thrown, 'invalid') && /invalid filter 'nope'$/.test(String(WharfError.from(thrown).message))
      );
    });
    assert.deepEqual(await planPrune(site.deps, kind, filtersOf({}), NO_OPTIONS), { Items: [], Bytes: 0 });
  }
});

test('removing containers: what runs is refused without force, and anonymous volumes go with the last user', async () => {
  await using site = new Site();
  site.container('one', 'exited', ['anon1', 'named']);
  site.container('two', 'exited', ['anon1']);
  site.container('busy', 'running');
  for (const name of ['anon1', 'named']) site.volume(name);
  const plan = (refs: string[], options: Partial<{ force: boolean; volumes: boolean }> = {}) =>
    planRemoval(site.deps, 'containers', refs, { force: false, volumes: false, ...options });
  assert.deepEqual(names(await plan(['one', 'two'])), ['one', 'two']);
  assert.deepEqual(names(await plan(['one'], { volumes: true })), ['one'], 'the other has it');
  const both = await plan(['one', 'two'], { volumes: true });
  assert.deepEqual([names(both), both.Bytes], [['one', 'two', 'anon1'], 2_300]);
  const busy = 'container is running: stop the container before removing or force remove';
  assert.deepEqual(names(await plan(['busy', 'none', 'one', 'one'])), [
    `busy: cannot remove container "busy": ${busy}`,
    'none: No such container: none',
    'one',
    'one: No such container: one',
  ]);
  await assert.rejects(
    removeContainer(site.world.deps, 'busy', { volumes: false, force: false, link: false }),
    {
      message: `cannot remove container "busy": ${busy}`,
    },
  );
  assert.deepEqual(names(await plan(['busy'], { force: true })), ['busy']);
  site.world.live.of(site.world.store.resolve('one').id).removing = true;
  assert.deepEqual(names(await plan(['one'])), ['one: removal of container one is already in progress']);
});

test('removing volumes: users are named, and a missing one is nothing with force', async () => {
  await using site = new Site();
  const user = site.container('user', 'exited', ['used']);
  for (const name of ['used', 'free']) site.volume(name);
  const plan = (refs: string[], force = false) =>
    planRemoval(site.deps, 'volumes', refs, { force, volumes: false });
  const { Items, Bytes } = await plan(['used', 'free', 'none', 'free']);
  assert.deepEqual(
    [Items.map(({ Name, Reason }) => [Name, Reason]), Bytes],
    [
      [
        ['used', `remove used: volume is in use - [${user.id}]`],
        ['free', undefined],
        ['none', 'get none: no such volume'],
      ],
      300,
    ],
  );
  await assert.rejects(removeVolume(site.volumeDeps, 'used', { force: false }), {
    message: Items[0]?.Reason as string,
  });
  assert.deepEqual(await plan(['none'], true), { Items: [], Bytes: 0 });
});

test('removing networks and images: each after the others', async () => {
  await using site = new Site();
  site.world.stack.add({ name: 'mine' });
  const options = { force: false, volumes: false };
  assert.deepEqual(names(await planRemoval(site.deps, 'networks', ['mine', 'mine', 'absent'], options)), [
    'mine',
    'mine: network mine not found',
    'absent: network absent not found',
  ]);
  const image = await someImage(site.fixture, 'app:1', 'app');
  const { Items } = await planRemoval(site.deps, 'images', ['app:1', 'app:1'], options);
  assert.deepEqual(
    Items.map(({ ID, Reason }) => [ID, Reason]),
    [
      [image.id, undefined],
      ['', 'No such image: app:1'],
    ],
  );
  assert.ok(site.fixture.images.find('app:1'));
});
