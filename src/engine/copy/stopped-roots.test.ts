import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { isKind, WharfError } from '../../base/index.ts';
import { mountInfo } from '../../sys/index.ts';
import { hostMountOps } from '../containers/index.ts';
import { CopyWorld } from './copy.cases.ts';

const filesOf = (fd: number) => readdirSync(`/proc/self/fd/${fd}`);
const mounted = (world: CopyWorld) =>
  mountInfo().filter(({ mountPoint }) => mountPoint.startsWith(world.deps.paths.mounts));

async function settled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  void promise.then(
    () => (done = true),
    () => (done = true),
  );
  for (let turn = 0; turn < 20; turn += 1) await setImmediate();
  return done;
}

test('a stopped container is mounted without a name, and locked until the last copy ends', async () => {
  await using world = await CopyWorld.open();
  const { id } = await world.create('one');
  const { deps } = world;
  const first = await deps.roots.open(deps, id);
  assert.equal(first.running, false);
  assert.ok(filesOf(first.fd.fd).includes('etc'));
  assert.deepEqual(mounted(world), []);
  const second = await deps.roots.open(deps, id);
  assert.equal(second.fd, first.fd);
  const start = deps.store.withLock(id, async () => undefined);
  await first[Symbol.asyncDispose]();
  assert.equal(await settled(start), false);
  assert.ok(filesOf(second.fd.fd).includes('etc'));
  await second[Symbol.asyncDispose]();
  await start;
  assert.equal(second.fd.fd, -1);
});

test('opened anew while the last copy is going, it is mounted anew', async () => {
  await using world = await CopyWorld.open();
  const { id } = await world.create('one');
  const { deps } = world;
  const first = await deps.roots.open(deps, id);
  const [, second] = await Promise.all([first[Symbol.asyncDispose](), deps.roots.open(deps, id)]);
  assert.ok(filesOf(second.fd.fd).includes('etc'));
  await second[Symbol.asyncDispose]();
});

test('copies that begin at the same moment share the mount', async () => {
  await using world = await CopyWorld.open();
  const { id } = await world.create('one');
  const { deps } = world;
  const roots = await Promise.all([1, 2, 3].map(() => deps.roots.open(deps, id)));
  assert.equal(new Set(roots.map(({ fd }) => fd)).size, 1);
  await Promise.all(roots.map((root) => root[Symbol.asyncDispose]()));
  assert.ok(await settled(deps.store.withLock(id, async () => undefined)));
});

test('a running container is not locked, and its own mount is taken', async () => {
  await using world = await CopyWorld.open();
  const record = await world.create('one');
  world.run(record, process.pid);
  const { deps } = world;
  const root = await deps.roots.open(deps, record.id);
  assert.equal(root.running, true);
  assert.ok(await settled(deps.store.withLock(record.id, async () => undefined)));
  // What stays open outlives the run.
  hostMountOps().unmount(join(deps.paths.mounts, record.id));
  assert.ok(filesOf(root.fd.fd).includes('etc'));
  await root[Symbol.asyncDispose]();
});

test('a container that starts while its copy waits for the lock is taken as running', async () => {
  await using world = await CopyWorld.open();
  const record = await world.create('one');
  const { deps } = world;
  const gate = Promise.withResolvers<void>();
  const starting = deps.store.withLock(record.id, async () => {
    await gate.promise;
    world.run(record, process.pid);
  });
  const opening = deps.roots.open(deps, record.id);
  gate.resolve();
  await starting;
  const root = await opening;
  assert.equal(root.running, true);
  await root[Symbol.asyncDispose]();
});

test('a mount that fails frees the container, and is told to all who waited', async () => {
  await using world = await CopyWorld.open();
  const { id } = await world.create('one');
  let fails = true;
  const deps = {
    ...world.deps,
    snapshotter: {
      ...world.deps.snapshotter,
      mount(key: string) {
        if (fails) throw new WharfError('exhausted', 'no mount is left');
        return world.deps.snapshotter.mount(key);
      },
    },
  };
  const tried = await Promise.allSettled([deps.roots.open(deps, id), deps.roots.open(deps, id)]);
  assert.deepEqual(
    tried.map((one) => one.status === 'rejected' && isKind(one.reason, 'exhausted')),
    [true, true],
  );
  fails = false;
  const root = await deps.roots.open(deps, id);
  await root[Symbol.asyncDispose]();
});

test('what the last run left is awaited before its directories are mounted again', async () => {
  await using world = await CopyWorld.open();
  const { id } = await world.create('one');
  const cleanup = Promise.withResolvers<void>();
  const { deps } = world;
  const live = { get: () => ({ cleanup: cleanup.promise }) } as unknown as typeof deps.live;
  const opening = deps.roots.open({ ...deps, live }, id);
  assert.equal(await settled(opening), false);
  cleanup.resolve();
  await (await opening)[Symbol.asyncDispose]();
});
