import assert from 'node:assert/strict';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isKind, WharfError } from '../../base/index.ts';
import { World } from './lifecycle.cases.ts';
import {
  killContainer,
  LiveContainers,
  pauseContainer,
  recoverContainers,
  removeContainer,
  restartContainer,
  shutdownContainers,
  startContainer,
  startWithDaemon,
  stopContainer,
  unpauseContainer,
  waitContainer,
} from './lifecycle.ts';

const failsWith = (kind: WharfError['kind'], message: string | RegExp) => (thrown: unknown) => {
  assert.ok(thrown instanceof WharfError);
  assert.equal(thrown.kind, kind);
  if (typeof message === 'string') assert.equal(thrown.message, message);
  else assert.match(thrown.message, message);
  return true;
};

test('a run: record, events, and everything given back', async () => {
  await using world = new World();
  const record = world.add();
  await startContainer(world.deps, record.name);
  assert.equal(record.state.status, 'running');
  assert.equal(record.state.pid, world.tasks.of(record.id).pid);
  const spec = world.tasks.of(record.id).request.spec;
  assert.deepEqual(
    spec.mounts.map((mount) => mount.destination),
    ['/etc/resolv.conf', '/etc/hostname', '/etc/hosts'],
  );
  assert.equal(world.mounted.size, 1);
  const { done } = await waitContainer(world.deps, record.id, 'not-running');
  world.tasks.of(record.id).exit(3);
  assert.deepEqual(await done, { exitCode: 3 });
  await world.live.settled();
  assert.equal(record.state.status, 'exited');
  assert.equal(record.state.pid, 0);
  assert.equal(world.mounted.size, 0);
  assert.equal(world.sandboxes.size, 0);
  assert.equal(world.tasks.of(record.id).state, 'deleted');
  assert.equal(world.store.saves, 2, 'one durable write at start, one at exit');
  assert.deepEqual(await world.actions(), ['network connect', 'start', 'network disconnect', 'die']);
  assert.deepEqual(world.seen.at(-1)?.Actor?.Attributes, {
    tier: 'front',
    execDuration: '0',
    exitCode: '3',
    image: 'busybox',
    name: record.name,
  });
});

test('out of memory: told before the end, and kept in the record', async () => {
  await using world = new World();
  const record = world.add();
  await startContainer(world.deps, record.id);
  world.tasks.of(record.id).exit(137, { oomKilled: true });
  await world.live.get(record.id)?.exitHandled;
  assert.equal(record.state.oomKilled, true);
  assert.deepEqual((await world.actions()).slice(2), ['oom', 'network disconnect', 'die']);
});

test('volumes are told of around the run, and released', async () => {
  await using world = new World();
  const record = world.add({
    mounts: [{ Type: 'volume', Name: 'data', Destination: '/v', Driver: 'local', RW: true, Propagation: '' }],
  });
  await startContainer(world.deps, record.id);
  assert.equal(world.acquired.size, 1);
  world.tasks.of(record.id).exit(0);
  await world.live.get(record.id)?.exitHandled;
  await world.live.settled();
  assert.equal(world.acquired.size, 0);
  assert.deepEqual(await world.actions(), [
    'volume mount',
    'network connect',
    'start',
    'network disconnect',
    'volume unmount',
    'die',
  ]);
});

test('states that refuse a start', async () => {
  await using world = new World();
  const record = world.add();
  await startContainer(world.deps, record.id);
  await assert.rejects(startContainer(world.deps, record.id), (thrown) => isKind(thrown, 'not-modified'));
  await pauseContainer(world.deps, record.id);
  const paused = failsWith('conflict', 'cannot start a paused container, try unpause instead');
  await assert.rejects(startContainer(world.deps, record.id), paused);
  const twice = failsWith('conflict', `Container ${record.id} is already paused`);
  await assert.rejects(pauseContainer(world.deps, record.id), twice);
  await unpauseContainer(world.deps, record.id);
  const running = failsWith('internal', `Container ${record.id} is not paused`);
  await assert.rejects(unpauseContainer(world.deps, record.id), running);
});

for (const { thrown, exitCode, text } of [
  {
    thrown: new WharfError(
      'not-found',
      'executable file `nosuch` not found in $PATH: No such file or directory',
    ),
    exitCode: 127,
    text: 'exec: "nosuch": executable file not found in $PATH',
  },
  {
    thrown: new WharfError('forbidden', 'open executable: Permission denied'),
    exitCode: 126,
    text: 'exec: "nosuch": permission denied',
  },
  { thrown: new WharfError('invalid', 'the spec is wrong'), exitCode: 128, text: 'the spec is wrong' },
]) {
  test(`a start that ends with ${exitCode} leaves its text and nothing else`, async () => {
    await using world = new World();
    const record = world.add({ path: 'nosuch' });
    world.tasks.failNext = thrown;
    let told = false;
    const { done } = await waitContainer(world.deps, record.id, 'next-exit');
    void done.then(() => {
      told = true;
    });
    await assert.rejects(startContainer(world.deps, record.id), (error: WharfError) => {
      assert.match(error.message, /^failed to create task for container: failed to create shim task: OCI/);
      return error.message.endsWith(text);
    });
    assert.equal(told, false, 'no program has run, so none has ended');
    assert.equal(record.state.status, 'created');
    assert.equal(record.state.exitCode, exitCode);
    assert.ok(record.state.error.endsWith(text));
    assert.equal(world.mounted.size, 0);
    assert.equal(world.sandboxes.size, 0);
    assert.deepEqual(await world.actions(), ['network disconnect']);
  });
}

test('a taken port is the error of the start, with 128', async () => {
  await using world = new World();
  const record = world.add({ hostConfig: { PortBindings: { '80/tcp': [{ HostPort: '1' }] } } });
  await assert.rejects(
    startContainer(world.deps, record.id),
    failsWith('conflict', /port is already allocated/),
  );
  assert.equal(record.state.exitCode, 128);
  assert.equal(world.mounted.size, 0);
});

test('--rm: removed after the exit, waiters told, with two durable writes before the deletion', async () => {
  await using world = new World();
  const record = world.add({
    hostConfig: { AutoRemove: true },
    mounts: [{ Type: 'volume', Name: 'anon1', Destination: '/v', anonymous: true }],
  });
  const { done } = await waitContainer(world.deps, record.id, 'removed');
  world.tasks.prepare = (task) => {
    task.onStart = () => task.exit(7);
  };
  await startContainer(world.deps, record.id);
  assert.deepEqual(await done, { exitCode: 7 });
  assert.equal(world.store.get(record.id), undefined);
  assert.equal(world.snapshots.size, 0);
  assert.deepEqual(world.removedVolumes, ['anon1']);
  assert.equal(world.store.saves, 2);
  await world.live.settled();
  assert.equal(world.sandboxes.size, 0);
  const actions = await world.actions();
  assert.deepEqual(actions.slice(-3), ['die', 'volume destroy', 'destroy']);
  assert.equal(world.live.get(record.id), undefined);
});

test('a full disk: a start is all or nothing, an exit is told', async () => {
  await using world = new World();
  const record = world.add();
  const save = world.store.save.bind(world.store);
  const full = () => {
    throw new WharfError('exhausted', 'database or disk is full');
  };
  world.store.save = full;
  await assert.rejects(startContainer(world.deps, record.id), failsWith('exhausted', /disk is full/));
  assert.equal(record.state.status, 'created');
  assert.equal(world.tasks.of(record.id).state, 'deleted');
  assert.equal(world.mounted.size + world.sandboxes.size, 0);
  world.store.save = save;
  await startContainer(world.deps, record.id);
  world.store.save = full;
  const { done } = await waitContainer(world.deps, record.id, 'not-running');
  world.tasks.of(record.id).exit(2);
  assert.deepEqual(await done, { exitCode: 2 });
});

test('--rm that fails leaves a dead container and an answer', async () => {
  await using world = new World();
  const record = world.add({ hostConfig: { AutoRemove: true } });
  world.deps.snapshotter.remove = async () => {
    throw new WharfError('conflict', 'busy');
  };
  await startContainer(world.deps, record.id);
  const { done } = await waitContainer(world.deps, record.id, 'removed');
  world.tasks.of(record.id).exit(1);
  assert.deepEqual(await done, { exitCode: 1, error: 'busy' });
  assert.equal(record.state.status, 'dead');
  await world.live.get(record.id)?.exitHandled;
  await world.live.settled();
  assert.equal(world.sandboxes.size, 0);
});

test('--rm of a program that is missing', async () => {
  await using world = new World();
  const record = world.add({ hostConfig: { AutoRemove: true } });
  world.tasks.failNext = new WharfError('not-found', 'not there');
  const { done } = await waitContainer(world.deps, record.id, 'removed');
  await assert.rejects(startContainer(world.deps, record.id));
  assert.equal((await done).exitCode, 127);
  assert.equal(world.store.get(record.id), undefined);
});

test('stop: signal, grace, kill; events in order; remembered', async () => {
  await using world = new World();
  const record = world.add({ config: { Image: 'busybox', StopSignal: 'SIGUSR1' } });
  await startContainer(world.deps, record.id);
  await stopContainer(world.deps, record.id, { timeoutSeconds: 0 });
  assert.deepEqual(world.tasks.of(record.id).signals, [10, 9]);
  assert.equal(record.state.exitCode, 137);
  assert.equal(record.state.manuallyStopped, true);
  const actions = await world.actions();
  assert.deepEqual(
    actions.filter((one) => !one.startsWith('network')),
    ['start', 'kill', 'kill', 'stop', 'die'],
  );
  await assert.rejects(stopContainer(world.deps, record.id, {}), (thrown) => isKind(thrown, 'not-modified'));
});

test('stop of a paused container lets it go on to die', async () => {
  await using world = new World();
  const record = world.add();
  await startContainer(world.deps, record.id);
  await pauseContainer(world.deps, record.id);
  world.tasks.of(record.id).deadly.delete(15);
  await stopContainer(world.deps, record.id, { timeoutSeconds: 0 });
  const actions = (await world.actions()).filter((one) => !one.startsWith('network'));
  assert.deepEqual(actions, ['start', 'pause', 'kill', 'unpause', 'kill', 'stop', 'die']);
});

test('a stop whose signal could not be sent is not told at a later end', async () => {
  await using world = new World();
  const record = world.add();
  await startContainer(world.deps, record.id);
  const task = world.tasks.of(record.id);
  task.kill = async () => {
    throw new WharfError('internal', 'EIO');
  };
  await assert.rejects(stopContainer(world.deps, record.id, {}), /EIO/);
  task.exit(0);
  await world.live.of(record.id).exitHandled;
  const actions = (await world.actions()).filter((one) => !one.startsWith('network'));
  assert.deepEqual(actions, ['start', 'die']);
});

test('an unknown signal is refused by stop and kill with their words', async () => {
  await using world = new World();
  const { id, name } = world.add();
  await startContainer(world.deps, id);
  const stop = failsWith('invalid', `cannot stop container: ${name}: invalid signal: FOO`);
  await assert.rejects(stopContainer(world.deps, name, { signal: 'FOO' }), stop);
  const kill = failsWith('invalid', `cannot kill container: ${name}: invalid signal: FOO`);
  await assert.rejects(killContainer(world.deps, name, 'FOO'), kill);
  const text = `cannot kill container: ${name}: the linux daemon does not support signal 99`;
  await assert.rejects(killContainer(world.deps, name, '99'), failsWith('invalid', text));
});

test('kill: by name, number and default; of one that ended', async () => {
  await using world = new World();
  const { id, name } = world.add();
  await startContainer(world.deps, id);
  await killContainer(world.deps, id, 'HUP');
  await killContainer(world.deps, id, '12');
  await killContainer(world.deps, id, '');
  assert.deepEqual(world.tasks.of(id).signals, [1, 12, 9]);
  assert.equal(world.store.get(id)?.state.status, 'exited');
  const ended = `cannot kill container: ${name}: container ${id} is not running`;
  await assert.rejects(killContainer(world.deps, name, ''), failsWith('conflict', ended));
});

test('restart: the same container runs anew, --rm or not', async () => {
  await using world = new World();
  const record = world.add({ hostConfig: { AutoRemove: true } });
  await startContainer(world.deps, record.id);
  const first = world.tasks.of(record.id);
  await restartContainer(world.deps, record.id, {});
  assert.notEqual(world.tasks.of(record.id), first);
  assert.equal(record.state.status, 'running');
  const actions = (await world.actions()).filter((one) => !one.startsWith('network'));
  assert.deepEqual(actions, ['start', 'kill', 'stop', 'die', 'start', 'restart']);
});

test('the signal of a restart counts only where something runs', async () => {
  await using world = new World();
  const record = world.add();
  await restartContainer(world.deps, record.id, { signal: 'FOO' });
  assert.equal(record.state.status, 'running');
  const refused = failsWith('invalid', `Cannot restart container ${record.name}: invalid signal: FOO`);
  await assert.rejects(restartContainer(world.deps, record.name, { signal: 'FOO' }), refused);
});

test('a user that the image does not know', async () => {
  await using world = new World();
  const record = world.add({ config: { Image: 'busybox', User: 'ghost' } });
  const text = 'unable to find user ghost: no matching entries in passwd file';
  await assert.rejects(startContainer(world.deps, record.id), failsWith('internal', text));
  assert.equal(record.state.exitCode, 128);
  assert.equal(world.mounted.size + world.sandboxes.size, 0);
});

test('restart policy: again after the back-off, up to its count', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  await using world = new World();
  const record = world.add({ hostConfig: { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 } } });
  await startContainer(world.deps, record.id);
  for (const wait of [100, 200]) {
    world.tasks.of(record.id).exit(1);
    await world.live.get(record.id)?.exitHandled;
    assert.equal(record.state.status, 'restarting');
    const before = world.tasks.of(record.id);
    t.mock.timers.tick(wait - 1);
    assert.equal(world.tasks.of(record.id), before);
    t.mock.timers.tick(1);
    await world.live.settled();
    assert.equal(record.state.status, 'running');
  }
  world.tasks.of(record.id).exit(1);
  await world.live.get(record.id)?.exitHandled;
  assert.equal(record.state.status, 'exited');
  assert.equal(record.state.restartCount, 2);
});

test('stop during the back-off calls the restart off', async () => {
  await using world = new World();
  const record = world.add({ hostConfig: { RestartPolicy: { Name: 'always' } } });
  await startContainer(world.deps, record.id);
  world.tasks.of(record.id).exit(1);
  await world.live.get(record.id)?.exitHandled;
  assert.equal(record.state.status, 'restarting');
  await stopContainer(world.deps, record.id, {});
  assert.equal(record.state.status, 'exited');
  assert.equal(world.live.get(record.id)?.restartTimer, undefined);
});

test('remove: refused while it runs, by force; links never', async () => {
  await using world = new World();
  const record = world.add({
    mounts: [{ Type: 'volume', Name: 'anon2', Destination: '/v', anonymous: true }],
  });
  const plain = { volumes: false, force: false, link: false };
  await startContainer(world.deps, record.id);
  const running = `cannot remove container "${record.name}": container is running: stop the container before removing or force remove`;
  await assert.rejects(removeContainer(world.deps, record.name, plain), failsWith('conflict', running));
  const link = 'Conflict, cannot remove the default link name of the container';
  await assert.rejects(
    removeContainer(world.deps, record.name, { ...plain, link: true }),
    failsWith('internal', link),
  );
  await pauseContainer(world.deps, record.id);
  const paused = `cannot remove container "${record.name}": container is paused and must be unpaused first`;
  await assert.rejects(removeContainer(world.deps, record.name, plain), failsWith('conflict', paused));
  const { done } = await waitContainer(world.deps, record.id, 'removed');
  await removeContainer(world.deps, record.name, { volumes: true, force: true, link: false });
  assert.equal((await done).exitCode, 137);
  assert.deepEqual(world.removedVolumes, ['anon2']);
  assert.equal(world.store.all().length, 0);
  await world.live.settled();
  assert.equal(world.sandboxes.size + world.mounted.size + world.acquired.size, 0);
});

test('remove keeps named volumes and those that others use', async () => {
  await using world = new World();
  const mounts = [
    { Type: 'volume', Name: 'named', Destination: '/a' },
    { Type: 'volume', Name: 'anon3', Destination: '/b', anonymous: true },
  ];
  const record = world.add({ mounts });
  world.add({ mounts });
  await removeContainer(world.deps, record.id, { volumes: true, force: false, link: false });
  assert.deepEqual(world.removedVolumes, []);
});

test('recovery: adopts, learns an exit once, finishes removals, purges', async () => {
  await using world = new World();
  const running = world.add();
  const ended = world.add();
  const lost = world.add();
  const removing = world.add();
  for (const one of [running, ended, lost]) await startContainer(world.deps, one.id);
  removing.state.status = 'removing';
  world.tasks.of(lost.id).state = 'deleted';
  world.tasks.left = ['f'.repeat(64)];
  world.snapshots.add('e'.repeat(64));
  world.snapshots.add('extract-1');
  for (const name of ['e'.repeat(64), running.id])
    mkdirSync(join(world.deps.paths.containers, name), { recursive: true });
  // The next daemon knows nothing but the records.
  const next = { ...world.deps, live: new LiveContainers() };
  world.tasks.of(ended.id).exit(9);
  await world.live.get(ended.id)?.exitHandled;
  ended.state.status = 'running';
  const report = await recoverContainers(next);
  assert.deepEqual(report.adopted, [running.id]);
  assert.deepEqual(report.removed, [removing.id]);
  assert.equal(lost.state.exitCode, 255);
  assert.equal(lost.state.status, 'exited');
  assert.deepEqual(world.tasks.purged, ['f'.repeat(64)]);
  assert.ok(!world.snapshots.has('e'.repeat(64)));
  assert.ok(world.snapshots.has('extract-1'));
  const kept = [running.id, ended.id, lost.id].sort();
  assert.deepEqual(readdirSync(world.deps.paths.containers).sort(), kept);
  world.tasks.of(running.id).exit(4);
  await next.live.get(running.id)?.exitHandled;
  assert.equal(running.state.exitCode, 4);
  await next.live.settled();
});

test('with the daemon start those that were not stopped by hand', async () => {
  await using world = new World();
  const policy = (Name: string) => ({ hostConfig: { RestartPolicy: { Name } } });
  const always = world.add(policy('always'));
  const unless = world.add(policy('unless-stopped'));
  const stopped = world.add(policy('unless-stopped'));
  const fresh = world.add(policy('always'));
  for (const one of [always, unless, stopped])
    Object.assign(one.state, { status: 'exited', hasStarted: true });
  always.state.manuallyStopped = true;
  stopped.state.manuallyStopped = true;
  await startWithDaemon(world.deps);
  assert.deepEqual(
    [always, unless, stopped, fresh].map((one) => one.state.status),
    ['running', 'running', 'exited', 'created'],
  );
});

test('shutdown stops all, and keeps the wish to run', async () => {
  await using world = new World();
  const all = Array.from({ length: 5 }, () =>
    world.add({ hostConfig: { RestartPolicy: { Name: 'always' } } }),
  );
  for (const one of all) await startContainer(world.deps, one.id);
  await shutdownContainers(world.deps, { keepRunning: false, timeoutSeconds: 15 });
  for (const one of all) {
    assert.equal(one.state.status, 'exited');
    assert.equal(one.state.manuallyStopped, false);
  }
});

test('shutdown with live-restore lets containers go on', async () => {
  await using world = new World();
  const record = world.add();
  await startContainer(world.deps, record.id);
  await shutdownContainers(world.deps, { keepRunning: true, timeoutSeconds: 15 });
  assert.equal(record.state.status, 'running');
  assert.equal(world.tasks.of(record.id).signals.length, 0);
});

test('fifty at once start and end', async () => {
  await using world = new World();
  const all = Array.from({ length: 50 }, () => world.add({ hostConfig: { AutoRemove: true } }));
  world.tasks.prepare = (task) => {
    task.onStart = () => task.exit(0);
  };
  const waits = await Promise.all(all.map((one) => waitContainer(world.deps, one.id, 'removed')));
  await Promise.all(all.map((one) => startContainer(world.deps, one.id)));
  await Promise.all(waits.map(({ done }) => done));
  assert.equal(world.store.all().length, 0);
});
