import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WharfError } from '../../base/index.ts';
import { createContainer } from './create.ts';
import { World } from './lifecycle.cases.ts';
import {
  killContainer,
  pauseContainer,
  removeContainer,
  restartContainer,
  startContainer,
  stopContainer,
  unpauseContainer,
} from './lifecycle.ts';
import { pruneContainers } from './prune.ts';
import type { ContainerRecord } from './record.ts';
import { renameContainer } from './rename.ts';
import { namesIn, openFixture, request } from './test-fixture.ts';

const FORCE = { volumes: true, force: true, link: false };

/** How each of some works ended: `ok` or the kind of its error. */
async function outcomes(works: Promise<unknown>[]): Promise<string[]> {
  const settled = await Promise.allSettled(works);
  return settled.map((one) => (one.status === 'fulfilled' ? 'ok' : WharfError.from(one.reason).kind));
}

const count = (outcomes: string[], what: string) => outcomes.filter((one) => one === what).length;

/** Fails when work on a container begins while other work on it goes on. */
function watchLocks(world: World): { readonly overlaps: number; readonly entered: number } {
  const seen = { overlaps: 0, entered: 0 };
  const inside = new Set<string>();
  const withLock = world.store.withLock.bind(world.store);
  world.store.withLock = <T>(ref: string, work: (record: ContainerRecord) => Promise<T>) =>
    withLock(ref, async (record) => {
      if (inside.has(record.id)) seen.overlaps += 1;
      inside.add(record.id);
      seen.entered += 1;
      try {
        return await work(record);
      } finally {
        inside.delete(record.id);
      }
    });
  return seen;
}

function assertNothingHeld(world: World): void {
  assert.deepEqual(
    [world.mounted.size, world.sandboxes.size, world.acquired.size, world.live.running().length],
    [0, 0, 0, 0],
  );
}

test('fifty starts of one container: one starts, the others hear that it runs', async () => {
  await using world = new World();
  const locks = watchLocks(world);
  const record = world.add();
  const ended = await outcomes(Array.from({ length: 50 }, () => startContainer(world.deps, record.id)));
  assert.deepEqual([count(ended, 'ok'), count(ended, 'not-modified')], [1, 49]);
  assert.deepEqual([locks.overlaps, world.sandboxes.size, world.mounted.size], [0, 1, 1]);
  assert.equal((await world.actions()).filter((one) => one === 'start').length, 1);
});

test('fifty containers through create, start and forced removal at once', async () => {
  await using world = new World();
  const locks = watchLocks(world);
  const records = Array.from({ length: 50 }, () =>
    world.add({ mounts: [{ Type: 'volume', Name: 'shared', Destination: '/s', Driver: 'local' }] }),
  );
  await Promise.all(records.map((one) => startContainer(world.deps, one.id)));
  assert.deepEqual([world.sandboxes.size, world.acquired.size], [50, 50]);
  await Promise.all(records.map((one) => removeContainer(world.deps, one.id, FORCE)));
  await world.live.settled();
  assertNothingHeld(world);
  assert.deepEqual([locks.overlaps, world.store.all().length, world.live.all().length], [0, 0, 0]);
  const told = await world.actions();
  for (const action of ['start', 'kill', 'die', 'destroy', 'volume mount', 'volume unmount']) {
    assert.equal(count(told, action), 50, action);
  }
});

test('fifty removals of one container: one removes, the others are told', async () => {
  await using world = new World();
  const record = world.add();
  await startContainer(world.deps, record.id);
  const ended = await outcomes(
    Array.from({ length: 50 }, () => removeContainer(world.deps, record.id, FORCE)),
  );
  assert.deepEqual([count(ended, 'ok'), count(ended, 'conflict')], [1, 49]);
  await assert.rejects(removeContainer(world.deps, record.id, FORCE), { kind: 'not-found' });
});

test('the second removal has the text of the reference', async () => {
  await using world = new World();
  const { id, name } = world.add();
  const first = removeContainer(world.deps, id, FORCE);
  await assert.rejects(removeContainer(world.deps, name, FORCE), {
    kind: 'conflict',
    message: `removal of container ${name} is already in progress`,
  });
  await first;
});

test('a start and a removal by force, in either order: nothing is left', async () => {
  for (const startFirst of [true, false]) {
    await using world = new World();
    const record = world.add();
    const start = () => startContainer(world.deps, record.id);
    const removal = () => removeContainer(world.deps, record.id, FORCE);
    const works = startFirst ? [start(), removal()] : [removal(), start()];
    const ended = await outcomes(works);
    assert.equal(ended[startFirst ? 1 : 0], 'ok', 'force removes what runs by then');
    await world.live.settled();
    assertNothingHeld(world);
    assert.deepEqual([world.store.all().length, world.snapshots.size], [0, 0]);
  }
});

test('a removal without force that meets a start is refused, and the container runs', async () => {
  await using world = new World();
  const { id, name, state } = world.add();
  const start = startContainer(world.deps, id);
  await assert.rejects(removeContainer(world.deps, name, { ...FORCE, force: false }), {
    kind: 'conflict',
    message: `cannot remove container "${name}": container is running: stop the container before removing or force remove`,
  });
  await start;
  assert.equal(state.status, 'running');
});

test('--rm: a removal without force that is refused just as the container ends does not keep it', async () => {
  await using world = new World();
  const { id } = world.add({ hostConfig: { AutoRemove: true } });
  world.tasks.prepare = (task) => {
    task.onStart = () => task.exit(0);
  };
  const start = startContainer(world.deps, id);
  await assert.rejects(removeContainer(world.deps, id, { ...FORCE, force: false }), { kind: 'conflict' });
  await start;
  await world.live.get(id)?.exitHandled;
  await world.live.settled();
  assert.deepEqual([world.store.all().length, world.live.all().length], [0, 0]);
});

test('stops, kills and an exit by itself at once: one end, told once', async () => {
  await using world = new World();
  const record = world.add();
  await startContainer(world.deps, record.id);
  const works = [
    stopContainer(world.deps, record.id, {}),
    stopContainer(world.deps, record.id, { timeoutSeconds: 0 }),
    killContainer(world.deps, record.id, 'KILL'),
    killContainer(world.deps, record.id, 'TERM'),
  ];
  world.tasks.of(record.id).exit(0);
  for (const outcome of await outcomes(works)) assert.ok(['ok', 'conflict'].includes(outcome), outcome);
  await world.live.settled();
  assert.equal(record.state.status, 'exited');
  const told = await world.actions();
  assert.deepEqual([count(told, 'die'), count(told, 'network disconnect')], [1, 1]);
  assertNothingHeld(world);
});

test('restarts at once run one after the other and end with one running container', async () => {
  await using world = new World();
  const record = world.add();
  await startContainer(world.deps, record.id);
  const ended = await outcomes(Array.from({ length: 10 }, () => restartContainer(world.deps, record.id, {})));
  assert.ok(count(ended, 'ok') >= 1, ended.join());
  await world.live.settled();
  assert.deepEqual(
    [record.state.status, world.sandboxes.size, world.mounted.size, world.live.running().length],
    ['running', 1, 1, 1],
  );
  const told = await world.actions();
  assert.equal(count(told, 'start'), count(told, 'die') + 1);
});

test('pauses and unpauses at once leave record and task of one mind', async () => {
  await using world = new World();
  const record = world.add();
  await startContainer(world.deps, record.id);
  await outcomes(
    Array.from({ length: 21 }, (_, index) =>
      index % 2 ? unpauseContainer(world.deps, record.id) : pauseContainer(world.deps, record.id),
    ),
  );
  assert.equal(world.tasks.of(record.id).state, record.state.status);
  const told = await world.actions();
  assert.ok(Math.abs(count(told, 'pause') - count(told, 'unpause')) <= 1);
});

test('--rm and a removal by force meet: the container goes once', async () => {
  await using world = new World();
  const record = world.add({ hostConfig: { AutoRemove: true } });
  await startContainer(world.deps, record.id);
  const removal = removeContainer(world.deps, record.id, FORCE);
  world.tasks.of(record.id).exit(0);
  const [ended] = await outcomes([removal]);
  assert.ok(ended === 'ok' || ended === 'not-found', ended);
  await world.live.settled();
  assert.equal(count(await world.actions(), 'destroy'), 1);
  assert.deepEqual([world.store.all().length, world.live.all().length], [0, 0]);
});

test('fifty creates of one name: one has it, the others leave nothing', async () => {
  await using fixture = await openFixture();
  const { deps } = fixture;
  const ended = await outcomes(
    Array.from({ length: 50 }, () =>
      createContainer(deps, { ...request({}, { Binds: ['/anon'] }), name: 'one' }),
    ),
  );
  assert.deepEqual([count(ended, 'ok'), count(ended, 'conflict')], [1, 49]);
  assert.deepEqual([deps.store.all().length, deps.volumes.list().length], [1, 1]);
  assert.deepEqual(namesIn(`${fixture.root}/containers`), [deps.store.resolve('one').id]);
  assert.equal(deps.snapshotter.list().filter((one) => one.kind === 'active').length, 1);
});

test('renames meet on one name: one gets it, and each name finds its own', async () => {
  await using fixture = await openFixture();
  const { deps } = fixture;
  const names = Array.from({ length: 10 }, (_, index) => `old-${index}`);
  for (const name of names) await createContainer(deps, { ...request(), name });
  const ended = await outcomes(names.map((name) => renameContainer(deps, name, 'new')));
  assert.deepEqual([count(ended, 'ok'), count(ended, 'conflict')], [1, 9]);
  const all = deps.store.all();
  assert.equal(new Set(all.map((one) => one.name)).size, 10);
  for (const one of all) assert.equal(deps.store.resolve(one.name), one);
  const told = fixture.events.filter((one) => one.action === 'rename');
  assert.equal(told.length, 1);
});

test('a swap of names through a third one', async () => {
  await using fixture = await openFixture();
  const { deps } = fixture;
  const [a, b] = [
    await createContainer(deps, { ...request(), name: 'aa' }),
    await createContainer(deps, { ...request(), name: 'bb' }),
  ];
  await renameContainer(deps, 'aa', 'tmp');
  await renameContainer(deps, 'bb', 'aa');
  await renameContainer(deps, 'tmp', 'bb');
  assert.deepEqual([deps.store.resolve('bb').id, deps.store.resolve('aa').id], [a.id, b.id]);
});

test('prune and a removal of the same containers: each goes once', async () => {
  await using world = new World();
  const records = Array.from({ length: 20 }, () => world.add());
  const pruning = pruneContainers(
    {
      ...world.deps,
      bytesOf: async () => 1,
      settled: async () => undefined,
      remove: (record) => removeContainer(world.deps, record.id, { ...FORCE, force: false }),
    },
    new Map(),
  );
  const removed = await outcomes(records.map((one) => removeContainer(world.deps, one.id, FORCE)));
  const { deleted } = await pruning;
  assert.equal(world.store.all().length, 0);
  assert.equal(deleted.length + count(removed, 'ok'), 20);
  assert.equal(count(await world.actions(), 'destroy'), 20);
});
