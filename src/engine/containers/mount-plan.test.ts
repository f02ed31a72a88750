import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ContainerConfig, HostConfig } from '../../api/index.ts';
import { isKind, silentLog, UndoStack, WharfError } from '../../base/index.ts';
import { createContainer } from './create.ts';
import { imageUsers, usedVolumes, volumeUsers } from './in-use.ts';
import { makeBindSource } from './make-mounts.ts';
import { mountDocuments } from './mount-documents.ts';
import { planMounts } from './mount-plan.ts';
import type { ContainerRecord, MountRecord } from './record.ts';
import { addNetworkFiles, resolveMounts } from './start-mounts.ts';
import { type Fixture, openFixture, putFile, request, testRecord } from './test-fixture.ts';

/** A store that knows one container `donor` with these mounts. */
function donor(mounts: MountRecord[]) {
  return {
    resolve(ref: string): ContainerRecord {
      if (ref !== 'donor') throw new WharfError('not-found', `No such container: ${ref}`);
      return testRecord({ mounts });
    },
  };
}

const DONATED: MountRecord[] = [
  {
    Type: 'volume',
    Name: 'vol',
    Source: '/v/vol',
    Destination: '/vol',
    RW: true,
    copyUp: true,
    options: ['rbind'],
  },
  { Type: 'volume', Name: 'anon', Destination: '/anon', RW: true, anonymous: true },
  { Type: 'bind', Source: '/host', Destination: '/bind', RW: false, Mode: 'ro', options: ['rbind', 'ro'] },
  { Type: 'tmpfs', Destination: '/tmpfs' },
  { Type: 'tmpfs', Destination: '/unlisted', unlisted: true },
];

function plan(hostConfig: HostConfig, config: ContainerConfig = {}, mounts = DONATED) {
  const made = planMounts(donor(mounts), config, hostConfig);
  return {
    inherited: made.inherited.map((one) => one.Destination),
    wishes: made.wishes.map((one) => `${one.type} ${one.source}:${one.destination}`),
    made,
  };
}

test('who wins at one place: the request, then the donor, then the image', () => {
  const { inherited, wishes } = plan(
    { VolumesFrom: ['donor'], Binds: ['own:/vol'], Mounts: [{ Type: 'tmpfs', Target: '/bind' }] },
    { Volumes: { '/vol': {}, '/anon': {}, '/image/': {}, rel: {} } },
  );
  assert.deepEqual(inherited, ['/anon', '/tmpfs']);
  assert.deepEqual(wishes, ['volume own:/vol', 'tmpfs :/bind', 'volume :/image', 'volume :/rel']);
});

test('two of one request at one place are refused, however they are written', () => {
  const tmpfs = { Type: 'tmpfs', Target: '/a/./b/..' } as const;
  const rows: HostConfig[] = [
    { Binds: ['aa:/a', '/tmp:/a/'] },
    { Binds: ['aa:/a'], Mounts: [tmpfs] },
    { Mounts: [tmpfs, { Type: 'volume', Target: '/a' }] },
    { Mounts: [tmpfs], Tmpfs: { '/a': '' } },
  ];
  for (const hostConfig of rows) {
    assert.throws(() => plan(hostConfig), { kind: 'invalid', message: 'Duplicate mount point: /a' });
  }
  assert.equal(
    plan({ Binds: ['aa:/a'] }, { Volumes: { '/a/': {} } }).wishes.length,
    1,
    'the image is no rival',
  );
});

test('what is taken over from another container', () => {
  const { made } = plan({ VolumesFrom: ['donor'] });
  assert.deepEqual(
    made.inherited.map((one) => one.Destination),
    ['/vol', '/anon', '/bind', '/tmpfs'],
  );
  assert.equal(made.inherited[0]?.copyUp, undefined, 'filled by its own container');
  assert.equal(made.inherited[1]?.anonymous, true);
  assert.deepEqual([made.inherited[0]?.RW, made.inherited[2]?.RW], [true, false]);
  assert.notEqual(made.inherited[0], DONATED[0], 'copies');
  const readOnly = plan({ VolumesFrom: ['donor:ro'] }).made.inherited;
  assert.deepEqual(new Set(readOnly.map((one) => `${one.RW} ${one.Mode}`)), new Set(['false ']));
  assert.deepEqual(
    readOnly.map((one) => one.options?.filter((word) => word === 'ro').length),
    [1, 1, 1, 1],
  );
});

test('of several donors the later one wins; a missing one is the fault of the request', () => {
  const twice = plan({ VolumesFrom: ['donor', 'donor:ro'] }).made.inherited;
  assert.deepEqual([twice.length, twice[0]?.RW], [4, false]);
  assert.throws(() => plan({ VolumesFrom: ['nosuch'] }), {
    kind: 'invalid',
    message: 'No such container: nosuch',
  });
});

test('documents hide what clients do not see, and have a value in each field', () => {
  assert.deepEqual(mountDocuments(testRecord({ mounts: DONATED })).at(-1), {
    Type: 'tmpfs',
    Source: '',
    Destination: '/tmpfs',
    Mode: '',
    RW: true,
    Propagation: '',
  });
  assert.equal(mountDocuments(testRecord({ mounts: DONATED })).length, 4);
});

test('who uses a volume or an image', () => {
  const other = testRecord({ id: 'b'.repeat(64), imageId: 'sha256:b', mounts: DONATED.slice(1) });
  const store = { all: () => [testRecord({ mounts: DONATED }), other] };
  assert.deepEqual(volumeUsers(store, 'vol'), ['a'.repeat(64)]);
  assert.deepEqual(volumeUsers(store, 'anon'), ['a'.repeat(64), 'b'.repeat(64)]);
  assert.deepEqual(volumeUsers(store, '/host'), [], 'a bind is no volume');
  assert.deepEqual(usedVolumes(store), new Set(['vol', 'anon']));
  assert.deepEqual(imageUsers(store, 'sha256:b'), ['b'.repeat(64)]);
});

async function created(fixture: Fixture, hostConfig: HostConfig, config: ContainerConfig = {}) {
  const { id } = await createContainer(fixture.deps, request(config, hostConfig));
  return fixture.deps.store.resolve(id).mounts;
}

test('a failure late in a create takes its new volumes back, and leaves older ones', async () => {
  await using fixture = await openFixture();
  const { deps } = fixture;
  await deps.volumes.create({ name: 'old' });
  const prepare = deps.snapshotter.prepare.bind(deps.snapshotter);
  deps.snapshotter.prepare = async (key, parent) => {
    if (/^[0-9a-f]{64}$/.test(key)) throw new WharfError('exhausted', 'no space left on device');
    return prepare(key, parent);
  };
  await assert.rejects(created(fixture, { Binds: ['old:/a', 'new:/b', '/anon'] }), (thrown) =>
    isKind(thrown, 'exhausted'),
  );
  assert.deepEqual(
    deps.volumes.list().map((one) => one.name),
    ['old'],
  );
  const told = fixture.events.map((one) => `${one.action} ${one.id.length > 60 ? 'anon' : one.id}`);
  assert.deepEqual(told, ['create new', 'create anon', 'destroy anon', 'destroy new']);
});

test('volumes are made with the options of their mount', async () => {
  await using fixture = await openFixture();
  const VolumeOptions = { Labels: { a: 'b' }, NoCopy: true, Subpath: 'x/y' };
  const [mount] = await created(fixture, {
    Mounts: [{ Type: 'volume', Source: 'made', Target: '/v', ReadOnly: true, VolumeOptions }],
  });
  assert.deepEqual(fixture.deps.volumes.get('made')?.labels, { a: 'b' });
  assert.deepEqual(
    [mount?.RW, mount?.subpath, mount?.copyUp, mount?.options, mount?.anonymous],
    [false, 'x/y', undefined, ['rbind', 'ro'], undefined],
  );
});

test('an image volume below a mount of the request is filled from the image, too', async () => {
  await using fixture = await openFixture({
    image: { Cmd: ['sh'], Volumes: { '/srv/data': {} } },
    files: (directory) => putFile(directory, 'srv/data/f', 'image'),
  });
  const mounts = await created(fixture, { Binds: ['top:/srv'] });
  const own = mounts.find((one) => one.Destination === '/srv/data');
  assert.ok(existsSync(join(own?.Source ?? '', 'f')));
  assert.ok(existsSync(join(fixture.deps.volumes.mountpoint('top'), 'data/f')));
});

test('sources of binds: made, left alone, or an error that says where', () => {
  const root = `/tmp/.wharf-bind-source-${process.pid}`;
  mkdirSync(root, { recursive: true });
  using _ = { [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) };
  writeFileSync(join(root, 'file'), 'x');
  const make = (path: string, more: MountRecord = {}) =>
    makeBindSource({ Type: 'bind', Source: join(root, path), createSource: true, ...more });
  make('a/b');
  assert.ok(existsSync(join(root, 'a/b')));
  make('file');
  make('refused', { createSource: false });
  make('volume', { Type: 'volume' });
  assert.ok(!existsSync(join(root, 'refused')) && !existsSync(join(root, 'volume')));
  assert.throws(() => make('file/below'), {
    kind: 'invalid',
    message: `error while creating mount source path '${join(root, 'file/below')}': ENOTDIR`,
  });
});

test('propagation and recursion of a bind reach the runtime', async () => {
  const rows: [MountRecord, HostConfig, string[]][] = [
    [{ Propagation: 'private' }, {}, ['rbind', 'private']],
    [{ Propagation: '', options: ['rbind', 'private'] }, {}, ['rbind', 'private']],
    [{}, {}, ['rbind', 'rprivate']],
    [{ options: ['bind'] }, {}, ['bind', 'rprivate']],
    [{ options: ['bind'], RW: false }, {}, ['bind', 'ro', 'rro', 'rprivate']],
    [{ RW: false }, {}, ['rbind', 'ro', 'rro', 'rprivate']],
    [{ options: ['rbind', 'nosuid', 'private'] }, {}, ['rbind', 'nosuid', 'private']],
  ];
  for (const [change, hostConfig, expected] of rows) {
    await using undo = new UndoStack(silentLog);
    const mount = { Type: 'bind', Source: '/tmp', Destination: '/x', ...change };
    const record = testRecord({ mounts: [mount], hostConfig });
    const [resolved] = await resolveMounts(on([]), record, undo);
    assert.deepEqual(resolved?.options, expected, JSON.stringify(change));
  }
});

test('what the mount of a source forbids is said to the runtime, each word once, before the propagation', async () => {
  const rows: [MountRecord, string[], string[]][] = [
    [{}, ['nosuid', 'nodev'], ['rbind', 'nosuid', 'nodev', 'rprivate']],
    [{ options: ['bind', 'nodev'] }, ['nodev', 'noexec'], ['bind', 'nodev', 'noexec', 'rprivate']],
    [{ RW: false }, ['ro', 'noexec'], ['rbind', 'ro', 'rro', 'noexec', 'rprivate']],
    [{ RW: true }, ['ro'], ['rbind', 'ro', 'rprivate']],
  ];
  for (const [change, forbidden, expected] of rows) {
    await using undo = new UndoStack(silentLog);
    const record = testRecord({
      mounts: [{ Type: 'bind', Source: '/tmp', Destination: '/x', ...change }],
      hostConfig: {},
    });
    const [resolved] = await resolveMounts(on(forbidden), record, undo);
    assert.deepEqual(resolved?.options, expected, JSON.stringify(change));
  }
});

/** A host whose mounts all forbid this. */
function on(restrictions: string[]): Parameters<typeof resolveMounts>[0] {
  return { mounts: { restrictions: () => restrictions } } as unknown as Parameters<typeof resolveMounts>[0];
}

test('the files of /etc: only those there are, writable unless the root is not, after a mount on /etc', () => {
  const mounts = [
    { destination: '/etc', type: 'bind', source: '/mine' },
    { destination: '/etc/hosts/x/y', source: '/deep' },
  ];
  const added = addNetworkFiles(mounts, { hosts: '/h' }, false);
  assert.deepEqual(
    added.map((one) => one.destination),
    ['/etc', '/etc/hosts', '/etc/hosts/x/y'],
  );
  assert.deepEqual(added[1]?.options, ['rbind', 'rprivate']);
});

test('a thousand mounts are planned, more are refused', () => {
  const volumes = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`/v/${at}`, {}]));
  assert.equal(planMounts(donor([]), { Volumes: volumes(1_000) }, {}).wishes.length, 1_000);
  assert.throws(() => planMounts(donor([]), { Volumes: volumes(1_000) }, { Binds: ['/host:/one'] }), {
    kind: 'invalid',
    message: 'too many mounts and volumes: 1001, at most 1000',
  });
});
