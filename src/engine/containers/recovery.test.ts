import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { newId, WharfError } from '../../base/index.ts';
import { World } from './lifecycle.cases.ts';
import {
  killContainer,
  LiveContainers,
  recoverContainers,
  removeContainer,
  startContainer,
  startWithDaemon,
  stopContainer,
  waitContainer,
} from './lifecycle.ts';
import type { LiveHealth, RunDeps } from './lifecycle-deps.ts';
import type { ContainerRecord, ContainerStatus } from './record.ts';

/** The deps of the next daemon: it knows the records and what is on the host, nothing else. */
function nextDaemon(world: World): RunDeps {
  return { ...world.deps, live: new LiveContainers() };
}

type Left = 'running' | 'exited' | 'gone';

/** A container of which the last daemon recorded `status`, and `left` is on the host. */
async function leave(
  world: World,
  status: ContainerStatus,
  left: Left,
  change: Partial<ContainerRecord> = {},
) {
  const mounts = [{ Type: 'volume', Name: 'data', Destination: '/d', RW: true }];
  const record = world.add({ mounts, ...change });
  await startContainer(world.deps, record.id);
  const task = world.tasks.of(record.id);
  // The last daemon is dead: it sees no exit any more.
  const live = world.live.of(record.id);
  live.task = undefined;
  if (left !== 'running') {
    task.exit(7);
    await live.exitHandled;
  }
  if (left === 'gone') task.state = 'deleted';
  record.state.status = status;
  return record;
}

test('a record that says running, with each thing that may be left', async () => {
  await using world = new World();
  const alive = await leave(world, 'running', 'running');
  const ended = await leave(world, 'running', 'exited');
  const gone = await leave(world, 'running', 'gone');
  const next = nextDaemon(world);
  const report = await recoverContainers(next);
  await next.live.settled();
  assert.deepEqual(report, { adopted: [alive.id], ended: [ended.id, gone.id], removed: [], purged: [] });
  assert.deepEqual(
    [alive.state.status, alive.state.pid > 0, alive.sandboxId !== undefined],
    ['running', true, true],
  );
  assert.deepEqual([ended.state.status, ended.state.exitCode, ended.state.pid], ['exited', 7, 0]);
  assert.deepEqual([gone.state.status, gone.state.exitCode, gone.state.pid], ['exited', 255, 0]);
  assert.deepEqual([...world.acquired], [`data ${alive.id}`]);
  assert.deepEqual(
    [...world.sandboxes.values()].map((one) => one.containerId),
    [alive.id],
  );
  assert.deepEqual(
    [...world.mounted].map((one) => one.split('/').at(-1)),
    [alive.id],
  );
  const died = world.seen.filter((one) => one.Action === 'die').map((one) => one.Actor?.ID);
  assert.deepEqual(died, [ended.id], 'an exit that was learnt is told once; what was lost has no event');
});

test('an adopted container is stopped, waited for and removed like any other', async () => {
  await using world = new World();
  const record = await leave(world, 'running', 'running');
  const next = nextDaemon(world);
  await recoverContainers(next);
  const { done } = await waitContainer(next, record.id, 'not-running');
  await stopContainer(next, record.id, {});
  assert.deepEqual(await done, { exitCode: 143 });
  await removeContainer(next, record.id, { volumes: false, force: false, link: false });
  await next.live.settled();
  assert.equal(world.sandboxes.size + world.acquired.size + world.mounted.size, 0);
});

test('a paused container stays paused, its probes rest', async () => {
  await using world = new World();
  const record = await leave(world, 'paused', 'running');
  const calls: string[] = [];
  const health: LiveHealth = {
    pause: () => void calls.push('pause'),
    resume: () => void calls.push('resume'),
    stop: () => void calls.push('stop'),
  };
  const next = nextDaemon(world);
  next.monitorHealth = (_record, adopted) => {
    calls.push(adopted ? 'adopted' : 'new');
    return health;
  };
  await recoverContainers(next);
  assert.deepEqual(calls, ['adopted', 'pause']);
  assert.equal(record.state.status, 'paused');
  assert.equal(next.live.get(record.id)?.health, health);
});

test('--rm: one that ended or was lost while no daemon ran is removed, with its anonymous volumes', async () => {
  for (const left of ['exited', 'gone'] as const) {
    await using world = new World();
    const record = await leave(world, 'running', left, {
      hostConfig: { AutoRemove: true },
      mounts: [{ Type: 'volume', Name: 'anon-rm', Destination: '/v', anonymous: true }],
    });
    // The last daemon's own handling took it away; put the record back as the crash left it.
    if (!world.store.get(record.id)) world.store.insert(record);
    world.snapshots.add(record.id);
    world.removedVolumes.length = 0;
    record.state.status = 'running';
    const next = nextDaemon(world);
    await recoverContainers(next);
    await next.live.settled();
    assert.equal(world.store.get(record.id), undefined, left);
    assert.deepEqual([world.removedVolumes, world.snapshots.has(record.id)], [['anon-rm'], false], left);
    assert.equal(world.sandboxes.size + world.acquired.size, 0, left);
  }
});

test('a run that was being made or given back is taken away', async () => {
  await using world = new World();
  for (const status of ['created', 'exited', 'restarting'] as const) {
    const record = await leave(world, status, 'gone');
    assert.ok(record.sandboxId);
    const next = nextDaemon(world);
    const saves = world.store.saves;
    await recoverContainers(next);
    assert.equal(record.sandboxId, undefined, status);
    assert.equal(record.state.status, status === 'restarting' ? 'exited' : status);
    assert.equal(world.sandboxes.size, 0, status);
    assert.deepEqual([...world.mounted], [], status);
    assert.ok(world.store.saves > saves, 'durable');
    world.store.delete(record.id);
  }
});

test('what is whole is not written again', async () => {
  await using world = new World();
  world.add();
  const ended = world.add();
  ended.state.status = 'exited';
  const report = await recoverContainers(nextDaemon(world));
  assert.equal(world.store.saves, 0);
  assert.deepEqual(report, { adopted: [], ended: [], removed: [], purged: [] });
  assert.deepEqual(await world.actions(), []);
});

test('removals are finished, whatever of them was done', async () => {
  await using world = new World();
  const whole = world.add({
    hostConfig: { AutoRemove: true },
    mounts: [{ Type: 'volume', Name: 'anon9', Destination: '/v', anonymous: true }],
  });
  const half = world.add();
  const dead = world.add();
  world.snapshots.delete(half.id);
  for (const one of [whole, half]) one.state.status = 'removing';
  dead.state.status = 'dead';
  mkdirSync(join(world.deps.paths.containers, whole.id));
  const next = nextDaemon(world);
  const report = await recoverContainers(next);
  await next.live.settled();
  assert.deepEqual(report.removed.sort(), [whole.id, half.id, dead.id].sort());
  assert.deepEqual([world.store.all(), [...world.snapshots]], [[], []]);
  assert.deepEqual(world.removedVolumes, ['anon9']);
  assert.equal(existsSync(join(world.deps.paths.containers, whole.id)), false);
  assert.deepEqual((await world.actions()).sort(), ['destroy', 'destroy', 'destroy', 'volume destroy']);
});

test('a removal that still fails waits for the next daemon, and holds up nobody', async () => {
  await using world = new World();
  const stuck = world.add();
  stuck.state.status = 'removing';
  const running = await leave(world, 'running', 'running');
  const next = nextDaemon(world);
  next.snapshotter = {
    ...world.deps.snapshotter,
    remove: async () => {
      throw new WharfError('conflict', 'busy');
    },
  };
  const report = await recoverContainers(next);
  assert.deepEqual([report.removed, report.adopted], [[], [running.id]]);
  assert.equal(world.store.get(stuck.id)?.state.status, 'removing');
});

/** A daemon that can not look at one container until `mended` is set. */
function blindFor(world: World, id: string) {
  const next = nextDaemon(world);
  const adopt = world.tasks.adopt.bind(world.tasks);
  const blind = { next, mended: false };
  next.tasks = Object.assign(Object.create(world.tasks), {
    adopt: async (...asked: Parameters<typeof adopt>) => {
      if (asked[0] === id && !blind.mended) throw new WharfError('internal', 'unreadable');
      return adopt(...asked);
    },
  });
  return blind;
}

test('an adoption that fails says so in the log and leaves the others alone', async () => {
  await using world = new World();
  const broken = await leave(world, 'running', 'running');
  const fine = await leave(world, 'running', 'running');
  const logged: unknown[] = [];
  world.tasks.left = [broken.id, fine.id];
  const { next } = blindFor(world, broken.id);
  next.log = { ...next.log, error: (_message, fields) => void logged.push(fields?.['container']) };
  const report = await recoverContainers(next);
  assert.deepEqual([report.adopted, logged], [[fine.id], [broken.id]]);
  assert.equal(broken.state.status, 'running', 'its process may well live');
  assert.equal(world.tasks.of(broken.id).state, 'running', 'and nobody ends it');
  assert.equal(world.mounted.has(join(next.paths.mounts, broken.id)), true);
});

test('who wants to end a run that could not be adopted has the adoption tried again', async () => {
  const force = { volumes: false, force: true, link: false };
  const ends: ((deps: RunDeps, id: string) => Promise<void>)[] = [
    (deps, id) => stopContainer(deps, id, {}),
    (deps, id) => killContainer(deps, id, 'KILL'),
    (deps, id) => removeContainer(deps, id, force),
  ];
  for (const end of ends) {
    await using world = new World();
    const record = await leave(world, 'running', 'running');
    const blind = blindFor(world, record.id);
    await recoverContainers(blind.next);
    blind.mended = true;
    await Promise.all([end(blind.next, record.id), blind.next.live.of(record.id).settleUnclear?.(false)]);
    await blind.next.live.settled();
    assert.equal(world.sandboxes.size + world.acquired.size + world.mounted.size, 0);
    assert.deepEqual(world.tasks.purged, [], 'seen to its end');
  }
});

test('a run that still can not be adopted is not stopped without a word, and goes with a forced removal', async () => {
  await using world = new World();
  const record = await leave(world, 'running', 'running', { hostConfig: { AutoRemove: true } });
  const { next } = blindFor(world, record.id);
  await recoverContainers(next);
  await assert.rejects(stopContainer(next, record.id, {}), /cannot stop container: .*: unreadable/);
  await assert.rejects(
    removeContainer(next, record.id, { volumes: false, force: false, link: false }),
    /container is running/,
  );
  assert.deepEqual([record.state.status, world.tasks.purged], ['running', []]);
  await removeContainer(next, record.id, { volumes: false, force: true, link: false });
  await next.live.settled();
  assert.deepEqual([world.tasks.purged, world.store.all()], [[record.id], []]);
  assert.equal(world.sandboxes.size + world.acquired.size + world.mounted.size, 0);
});

test('a running container whose volume is lost is adopted, and its exit is seen', async () => {
  await using world = new World();
  const record = await leave(world, 'running', 'running');
  const next = nextDaemon(world);
  next.volumes = {
    ...next.volumes,
    acquire: async () => {
      throw new WharfError('not-found', 'get data: no such volume');
    },
  };
  assert.deepEqual((await recoverContainers(next)).adopted, [record.id]);
  world.tasks.of(record.id).exit(3);
  await next.live.of(record.id).exitHandled;
  assert.deepEqual([record.state.status, record.state.exitCode], ['exited', 3]);
});

test('leftovers that can not be purged do not keep the daemon from starting', async () => {
  await using world = new World();
  const [stuck, next] = [newId(), newId()];
  world.tasks.left = [stuck, next];
  const deps = nextDaemon(world);
  const purge = world.tasks.purge.bind(world.tasks);
  deps.tasks = Object.assign(Object.create(world.tasks), {
    purge: async (id: string) => {
      if (id === stuck) throw new WharfError('internal', 'its runtime is gone');
      return purge(id);
    },
  });
  assert.deepEqual((await recoverContainers(deps)).purged, [next]);
});

test('what no record names is purged: tasks, snapshots, files, mounts', async () => {
  await using world = new World();
  const kept = await leave(world, 'running', 'running');
  const [task, snapshot, files, mounted] = Array.from({ length: 4 }, () => newId()) as [
    string,
    string,
    string,
    string,
  ];
  world.tasks.left = [task, kept.id];
  for (const key of [snapshot, 'extract-1', 'sha256:abc']) world.snapshots.add(key);
  for (const name of [files, 'notes']) mkdirSync(join(world.deps.paths.containers, name));
  mkdirSync(join(world.deps.paths.mounts, mounted));
  world.mounted.add(join(world.deps.paths.mounts, mounted));
  const report = await recoverContainers(nextDaemon(world));
  assert.deepEqual(world.tasks.purged, [task]);
  assert.deepEqual(report.purged, [task, snapshot]);
  assert.deepEqual([...world.snapshots].sort(), [kept.id, 'extract-1', 'sha256:abc'].sort());
  assert.equal(existsSync(join(world.deps.paths.containers, files)), false);
  assert.equal(existsSync(join(world.deps.paths.containers, 'notes')), true, 'not ours to judge');
  assert.deepEqual(
    [...world.mounted].map((one) => one.split('/').at(-1)),
    [kept.id],
  );
});

test('what is left of a run that a record says is over is purged, too, without a word', async () => {
  await using world = new World();
  const record = await leave(world, 'exited', 'exited');
  world.tasks.left = [record.id];
  const report = await recoverContainers(nextDaemon(world));
  assert.deepEqual([world.tasks.purged, report.purged], [[record.id], []]);
});

test('a second recovery changes nothing', async () => {
  await using world = new World();
  await leave(world, 'running', 'running');
  await leave(world, 'running', 'gone');
  const next = nextDaemon(world);
  await recoverContainers(next);
  await next.live.settled();
  const before = [world.store.saves, (await world.actions()).length];
  const again = nextDaemon(world);
  const report = await recoverContainers(again);
  assert.deepEqual([report.ended, report.removed, report.purged], [[], [], []]);
  assert.deepEqual([world.store.saves, (await world.actions()).length], before);
});

test('start with the daemon: which policies, states and wills', async () => {
  await using world = new World();
  const rows: [string, Partial<ContainerRecord['state']>, boolean][] = [
    ['always', {}, true],
    ['always', { manuallyStopped: true }, true],
    ['unless-stopped', {}, true],
    ['unless-stopped', { manuallyStopped: true }, false],
    ['on-failure', { exitCode: 1 }, true],
    ['on-failure', { exitCode: 0 }, false],
    ['on-failure', { exitCode: 1, manuallyStopped: true }, false],
    ['no', {}, false],
    ['always', { hasStarted: false, status: 'created' }, false],
    ['always', { status: 'dead' }, false],
  ];
  const records = rows.map(([Name, state]) => {
    const record = world.add({ hostConfig: { RestartPolicy: { Name } } });
    Object.assign(record.state, { status: 'exited', hasStarted: true, ...state });
    return record;
  });
  await startWithDaemon(world.deps);
  const running = records.map((record) => record.state.status === 'running');
  assert.deepEqual(
    running,
    rows.map(([, , expected]) => expected),
  );
});

test('start with the daemon: one that fails keeps no other from its start', async () => {
  await using world = new World();
  const records = Array.from({ length: 3 }, () => {
    const record = world.add({ hostConfig: { RestartPolicy: { Name: 'always' } } });
    Object.assign(record.state, { status: 'exited', hasStarted: true });
    return record;
  });
  world.tasks.failNext = new WharfError('not-found', 'gone');
  await startWithDaemon(world.deps);
  const statuses = records.map((record) => record.state.status).sort();
  assert.deepEqual(statuses, ['exited', 'running', 'running']);
  assert.equal(records.filter((record) => record.state.exitCode === 127).length, 1);
});
