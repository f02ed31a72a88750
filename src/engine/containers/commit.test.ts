import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { readTar } from '../../archive/index.ts';
import { isKind } from '../../base/index.ts';
import type { ImageCommit } from '../images/index.ts';
import { type CommitDeps, type CommitInput, commitContainer } from './commit.ts';
import { exportContainer } from './export.ts';
import { World } from './lifecycle.cases.ts';
import { pauseContainer, recoverContainers, startContainer } from './lifecycle.ts';
import { LiveContainers } from './live.ts';
import type { ContainerRecord } from './record.ts';

const ID = `sha256:${'d'.repeat(64)}`;
const never = new AbortController().signal;

/** A world with a directory of changes, and what images would be made. */
async function changed(work: (place: Place) => Promise<void>): Promise<void> {
  await using world = new World();
  const root = mkdtempSync('/var/tmp/wharf-commit-');
  const made: (ImageCommit & { names: string[] })[] = [];
  const deps: CommitDeps = {
    ...world.deps,
    snapshotter: { directory: () => root },
    version: '9',
    commitImage: async (commit) => {
      const names: string[] = [];
      for await (const { name } of readTar(commit.tar)) names.push(name);
      made.push({ ...commit, names });
      return { id: ID };
    },
  };
  try {
    await work({ world, root, made, deps });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

interface Place {
  world: World;
  root: string;
  made: (ImageCommit & { names: string[] })[];
  deps: CommitDeps;
}

const input = (record: ContainerRecord, more: Partial<CommitInput> = {}): CommitInput => ({
  ref: record.id,
  repo: '',
  tag: '',
  author: '',
  comment: '',
  changes: [],
  pause: true,
  ...more,
});

const actions = (world: World) => world.seen.map(({ Action }) => Action);

test('a stopped container: its changes, its config and the event', () =>
  changed(async ({ world, root, made, deps }) => {
    mkdirSync(join(root, 'd'));
    writeFileSync(join(root, 'd/f'), 'x');
    const config = { Image: 'busybox', Cmd: ['a', 'b'], Env: ['A=1'], Labels: { l: '1' }, Hostname: 'h' };
    const record = world.add({ config });
    const asked = { repo: 'r', tag: 't', author: 'me', comment: 'note', changes: ['ENV B=2'] };
    assert.deepEqual(await commitContainer(deps, input(record, asked), never), { id: ID });
    const [commit] = made;
    assert.deepEqual(commit?.names, ['d/', 'd/f']);
    assert.deepEqual(
      [commit?.parent, commit?.name, commit?.createdBy, commit?.author, commit?.comment],
      [record.imageId, 'docker.io/library/r:t', 'a b', 'me', 'note'],
    );
    assert.deepEqual(commit?.config.Env, ['A=1', 'B=2']);
    assert.deepEqual(record.config.Env, ['A=1'], 'the container keeps its own');
    assert.deepEqual(commit?.origin['container'], record.id);
    assert.deepEqual(commit?.origin['docker_version'], '9');
    await setImmediate();
    const event = world.seen.at(-1);
    assert.equal(event?.Action, 'commit');
    const { comment, imageID, imageRef } = event?.Actor?.Attributes ?? {};
    assert.deepEqual([comment, imageID, imageRef], ['note', ID, 'r:t']);
  }));

test('a config of the request is completed by that of the container', () =>
  changed(async ({ world, made, deps }) => {
    const record = world.add({ config: { Image: 'b', Cmd: ['a'], Env: ['A=1'], WorkingDir: '/w' } });
    const config = { Cmd: ['z'], Env: ['B=2'] };
    await commitContainer(deps, input(record, { config, changes: ['USER u'] }), never);
    const { Cmd, Env, WorkingDir, User } = made[0]?.config ?? {};
    assert.deepEqual([Cmd, Env, WorkingDir, User], [['z'], ['B=2', 'A=1'], '/w', 'u']);
  }));

test('with a time, nothing tells of the container', () =>
  changed(async ({ world, root, made, deps }) => {
    writeFileSync(join(root, 'f'), 'x');
    const timeNs = 1_600_000_000_000_000_000n;
    for (const Hostname of ['one', 'two']) {
      const labels = Hostname === 'one' ? { a: '1', b: '2' } : { b: '2', a: '1' };
      const record = world.add({
        name: Hostname,
        config: { Image: Hostname, Hostname, Tty: true, Labels: labels },
      });
      await commitContainer(deps, input(record, { timeNs }), never);
    }
    const [one, two] = made;
    assert.equal(JSON.stringify(one?.config), JSON.stringify(two?.config));
    assert.deepEqual(one?.origin, {});
    assert.equal(one?.timeNs, timeNs);
  }));

test('a running container is paused meanwhile, unless that is not asked', () =>
  changed(async ({ world, made, deps }) => {
    const record = world.add();
    await startContainer(world.deps, record.id);
    const task = world.tasks.of(record.id);
    const states: string[] = [];
    const watching: CommitDeps = {
      ...deps,
      commitImage: async (commit, signal) => {
        states.push(task.state, record.state.status, String(record.state.pausedForCommit));
        return deps.commitImage(commit, signal);
      },
    };
    await commitContainer(watching, input(record), never);
    assert.deepEqual(states, ['paused', 'paused', 'true']);
    assert.deepEqual([task.state, record.state.status], ['running', 'running']);
    assert.equal(record.state.pausedForCommit, undefined);
    assert.deepEqual(actions(world).slice(-3), ['pause', 'commit', 'unpause']);
    states.length = 0;
    await commitContainer(watching, input(record, { pause: false }), never);
    assert.deepEqual(states, ['running', 'running', 'undefined']);
    assert.equal(made.length, 2);
  }));

test('one that was paused stays so; a failed commit lets the others go on', () =>
  changed(async ({ world, deps }) => {
    const paused = world.add();
    await startContainer(world.deps, paused.id);
    await pauseContainer(world.deps, paused.id);
    await commitContainer(deps, input(paused), never);
    assert.equal(paused.state.status, 'paused');
    const running = world.add({ name: 'other' });
    await startContainer(world.deps, running.id);
    const failing = { ...deps, commitImage: () => Promise.reject(new Error('disk full')) };
    await assert.rejects(commitContainer(failing, input(running), never), /disk full/);
    assert.equal(running.state.status, 'running');
  }));

test('a daemon that died in a commit has the container go on', () =>
  changed(async ({ world }) => {
    for (const frozen of [true, false]) {
      const record = world.add({ name: `c-${frozen}` });
      await startContainer(world.deps, record.id);
      record.state.pausedForCommit = true;
      if (frozen) await pauseContainer(world.deps, record.id);
      world.live.of(record.id).task = undefined;
      await recoverContainers({ ...world.deps, live: new LiveContainers() });
      assert.equal(record.state.status, 'running');
      assert.equal(world.tasks.of(record.id).state, 'running');
      assert.equal(record.state.pausedForCommit, undefined);
    }
  }));

test('refused before anything is paused: names, changes, containers that are gone or going', () =>
  changed(async ({ world, deps }) => {
    const record = world.add();
    await startContainer(world.deps, record.id);
    const refused = (more: Partial<CommitInput>, message: RegExp) =>
      assert.rejects(commitContainer(deps, input(record, more), never), message);
    await refused({ repo: 'UPPER' }, /must be lowercase/);
    await refused({ changes: ['RUN x'] }, /RUN is not a valid change command/);
    await refused({ ref: 'nobody' }, /No such container: nobody/);
    assert.ok(!actions(world).includes('pause'));
    for (const [status, text] of [
      ['dead', 'which is Dead'],
      ['removing', 'which is being removed'],
    ] as const) {
      record.state.status = status;
      await refused({}, new RegExp(`You cannot commit container ${record.id} ${text}`));
      const files = {
        ...deps,
        snapshotter: { view: () => assert.fail() },
        paths: world.deps.paths,
        dataRoot: '',
      };
      await assert.rejects(exportContainer(files, record.id, never), (thrown) => isKind(thrown, 'conflict'));
    }
  }));

test('a container that is removed while it is packed fails the commit', () =>
  changed(async ({ world, root, deps }) => {
    writeFileSync(join(root, 'f'), 'x');
    const record = world.add();
    const removing: CommitDeps = {
      ...deps,
      commitImage: async (commit) => {
        world.live.of(record.id).removing = true;
        for await (const _ of commit.tar);
        return { id: ID };
      },
    };
    await assert.rejects(commitContainer(removing, input(record), never), /which is being removed/);
  }));

/** The exported tar of a container whose own and lower files lie in these folders. */
async function exportOf(world: World, record: ContainerRecord, root: string): Promise<Buffer> {
  const spec = { type: 'bind', source: join(root, 'fs'), options: [], flags: ['bind', 'ro'] };
  const deps = { ...world.deps, snapshotter: { view: () => spec }, dataRoot: root };
  const parts: Uint8Array[] = [];
  for await (const piece of await exportContainer(deps, record.id, never)) parts.push(Buffer.from(piece));
  return Buffer.concat(parts);
}

test('an export has every file, mounted for itself alone, and leaves no mount', () =>
  changed(async ({ world, root }) => {
    const fs = join(root, 'fs');
    mkdirSync(join(fs, 'd'), { recursive: true });
    writeFileSync(join(fs, 'd/f'), 'hello');
    chmodSync(join(fs, 'd/f'), 0o4755);
    symlinkSync('/etc/passwd', join(fs, 'l'));
    writeFileSync(join(fs, 'sparse'), '');
    truncateSync(join(fs, 'sparse'), 1 << 20);
    const record = world.add();
    const tar = await exportOf(world, record, root);
    const listed = execFileSync('tar', ['tvf', '-'], { input: tar }).toString();
    assert.match(listed, /^-rwsr-xr-x .* 5 .* d\/f$/m);
    assert.match(listed, /l -> \/etc\/passwd$/m);
    assert.match(listed, /1048576 .* sparse$/m);
    const mounts = execFileSync('cat', ['/proc/self/mountinfo']).toString();
    assert.ok(!mounts.includes(root));
    await setImmediate();
    assert.equal(world.seen.at(-1)?.Action, 'export');
  }));

test('an export of a container that is removed meanwhile ends with an error', () =>
  changed(async ({ world, root }) => {
    mkdirSync(join(root, 'fs'));
    writeFileSync(join(root, 'fs/f'), 'x');
    const record = world.add();
    const spec = { type: 'bind', source: join(root, 'fs'), options: [], flags: ['bind', 'ro'] };
    const deps = { ...world.deps, snapshotter: { view: () => spec }, dataRoot: root };
    const archive = await exportContainer(deps, record.id, never);
    record.state.status = 'removing';
    await assert.rejects(async () => {
      for await (const _ of archive);
    }, /which is being removed/);
  }));
