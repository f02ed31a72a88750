import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WharfError } from '../../base/index.ts';
import { World } from './lifecycle.cases.ts';
import { startContainer } from './lifecycle.ts';
import type { RunDeps } from './lifecycle-deps.ts';
import type { ContainerRecord } from './record.ts';

const FAULT = new WharfError('exhausted', 'injected: no space left');

function fail(): never {
  throw FAULT;
}

/** A record that uses all that a start can take. */
const BUSY: Partial<ContainerRecord> = {
  hostConfig: { IpcMode: 'shareable', PortBindings: { '80/tcp': [{ HostPort: '8080' }] } },
  config: { Image: 'busybox', WorkingDir: '/srv' },
  mounts: [
    { Type: 'volume', Name: 'one', Destination: '/one', RW: true, Driver: 'local', Propagation: '' },
    {
      Type: 'volume',
      Name: 'two',
      Destination: '/two',
      RW: true,
      Driver: 'local',
      Propagation: '',
      subpath: 'a/b',
    },
    { Type: 'bind', Source: '/tmp', Destination: '/tmp' },
  ],
};

/** The calls of a start, in their order, each made to fail. */
const STEPS: Record<string, (world: World) => Partial<RunDeps>> = {
  'making the sandbox': ({ deps }) => ({ networks: { ...deps.networks, createSandbox: async () => fail() } }),
  'the mount of the root filesystem': ({ deps }) => ({ mounts: { ...deps.mounts, mount: fail } }),
  "the snapshot's mount": ({ deps }) => ({ snapshotter: { ...deps.snapshotter, mount: fail } }),
  'the user': ({ deps }) => ({ specs: { ...deps.specs, resolveUser: fail } }),
  'the working directory': ({ deps }) => ({ specs: { ...deps.specs, prepareWorkdir: fail } }),
  'the first volume': ({ deps }) => ({ volumes: { ...deps.volumes, acquire: async () => fail() } }),
  'the second volume': ({ deps }) => ({
    volumes: {
      ...deps.volumes,
      acquire: async (name, user) => (name === 'two' ? fail() : deps.volumes.acquire(name, user)),
    },
  }),
  'the bind of a subpath': ({ deps }) => ({ mounts: { ...deps.mounts, bindBeneath: fail } }),
  'shared memory': ({ deps }) => ({
    mounts: {
      ...deps.mounts,
      mount: (spec, target) => (spec.type === 'tmpfs' ? fail() : deps.mounts.mount(spec, target)),
    },
  }),
  'the files of /etc': () => ({ writeNetworkFiles: fail }),
  'the spec': ({ deps }) => ({ specs: { ...deps.specs, assembleSpec: fail } }),
  'the choice of the runtime': () => ({ runtime: fail }),
  'creating the task': (world) => ({ tasks: Object.assign(Object.create(world.tasks), { create: fail }) }),
  'starting the task': (world) => {
    world.tasks.prepare = (task) => {
      task.start = async () => fail();
    };
    return {};
  },
};

function assertNothingLeft(world: World, record: ContainerRecord, step: string): void {
  assert.deepEqual([...world.mounted], [], `${step}: mounts`);
  assert.equal(world.sandboxes.size, 0, `${step}: sandboxes`);
  assert.equal(world.acquired.size, 0, `${step}: volumes`);
  assert.notEqual(world.tasks.tasks.get(record.id)?.state ?? 'deleted', 'running', `${step}: task`);
  assert.equal(world.tasks.tasks.get(record.id)?.state ?? 'deleted', 'deleted', `${step}: task`);
  assert.equal(record.sandboxId, undefined, `${step}: sandbox id`);
  assert.equal(world.live.get(record.id)?.task, undefined, `${step}: live task`);
  assert.equal(world.live.get(record.id)?.exitHandled, undefined, `${step}: exit`);
}

for (const [step, inject] of Object.entries(STEPS)) {
  test(`a start that fails at ${step} leaves nothing, and the next one succeeds`, async () => {
    await using world = new World();
    const record = world.add(structuredClone(BUSY));
    const broken = { ...world.deps, ...inject(world) };
    await assert.rejects(startContainer(broken, record.id), (thrown: WharfError) => {
      assert.ok(thrown.message.endsWith(FAULT.message), thrown.message);
      return true;
    });
    assertNothingLeft(world, record, step);
    const { state } = record;
    assert.deepEqual([state.status, state.pid, state.exitCode, state.hasStarted], ['created', 0, 128, false]);
    assert.ok(state.error.endsWith(FAULT.message));
    const told = await world.actions();
    assert.ok(!told.includes('start') && !told.includes('die'), `${step}: ${told}`);
    const count = (what: string) => told.filter((one) => one === what).length;
    assert.equal(count('volume mount'), count('volume unmount'), step);
    world.tasks.prepare = undefined;
    await startContainer(world.deps, record.id);
    assert.equal(record.state.error, '');
    assert.equal(record.state.status, 'running');
    assert.equal(world.sandboxes.size, 1);
    assert.equal(world.acquired.size, 2);
  });
}

test('--rm of a start that fails removes the container at each step', async () => {
  for (const [step, inject] of Object.entries(STEPS)) {
    await using world = new World();
    const record = world.add({
      ...structuredClone(BUSY),
      hostConfig: { AutoRemove: true, IpcMode: 'shareable' },
    });
    await assert.rejects(startContainer({ ...world.deps, ...inject(world) }, record.id));
    assertNothingLeft(world, record, step);
    assert.deepEqual([world.store.get(record.id), world.snapshots.size], [undefined, 0], step);
    assert.equal((await world.actions()).at(-1), 'destroy', step);
  }
});

test('a client that attached waits no longer when the start fails at any step', async () => {
  for (const [step, inject] of Object.entries(STEPS)) {
    await using world = new World();
    const record = world.add(structuredClone(BUSY));
    const { promise, resolve } = Promise.withResolvers<unknown>();
    world.live.of(record.id).pendingAttaches.add({ settle: resolve });
    await assert.rejects(startContainer({ ...world.deps, ...inject(world) }, record.id), step);
    const stdio = await promise;
    assert.ok(stdio === undefined || step === 'starting the task', step);
    assert.equal(world.live.get(record.id)?.pendingAttaches.size, 0, step);
  }
});

test('a failed undo is no reason to keep the rest', async () => {
  await using world = new World();
  const record = world.add(structuredClone(BUSY));
  const unmount = world.deps.mounts.unmount;
  const broken: RunDeps = {
    ...world.deps,
    mounts: {
      ...world.deps.mounts,
      unmount: (target) => (target.endsWith('/shm') ? fail() : unmount(target)),
    },
    runtime: fail,
  };
  await assert.rejects(startContainer(broken, record.id));
  assert.deepEqual(
    [...world.mounted].map((one) => one.split('/').at(-1)),
    ['shm'],
  );
  assert.equal(world.sandboxes.size + world.acquired.size, 0);
});

test('an undone start keeps what an earlier run left in the record', async () => {
  await using world = new World();
  const record = world.add();
  await startContainer(world.deps, record.id);
  world.tasks.of(record.id).exit(3);
  await world.live.get(record.id)?.exitHandled;
  const { startedAt, finishedAt } = record.state;
  world.tasks.failNext = new WharfError('invalid', 'bad spec');
  await assert.rejects(startContainer(world.deps, record.id));
  assert.deepEqual(
    [record.state.status, record.state.startedAt, record.state.finishedAt, record.state.hasStarted],
    ['exited', startedAt, finishedAt, true],
  );
});
