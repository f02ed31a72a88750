import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLog, UndoStack, WharfError } from '../../base/index.ts';
import { mount } from '../../sys/index.ts';
import { World } from './lifecycle.cases.ts';
import { hostMountOps, removeContainer, startContainer } from './lifecycle.ts';
import type { ContainerRecord, MountRecord } from './record.ts';
import { programErrorText, startFailure } from './start-error.ts';
import { addNetworkFiles, resolveMounts } from './start-mounts.ts';
import { planNetwork } from './start-network.ts';
import { testRecord } from './test-fixture.ts';

const settings = (hostConfig: ContainerRecord['hostConfig'], more: Partial<ContainerRecord> = {}) =>
  testRecord({ config: {}, ...more, hostConfig });

test('network modes', () => {
  const on = (...names: string[]) => ({
    networkingConfig: { EndpointsConfig: Object.fromEntries(names.map((name) => [name, {}])) },
  });
  const plan = (mode: string, ...names: string[]) =>
    planNetwork(settings({ NetworkMode: mode }, on(...names)));
  assert.deepEqual(plan('host', 'host'), { kind: 'host' });
  assert.deepEqual(plan('none', 'none'), { kind: 'none' });
  assert.deepEqual(plan('two', 'one', 'two'), { kind: 'sandbox', networks: ['two', 'one'], ports: [] });
  assert.deepEqual(plan('gone'), { kind: 'sandbox', networks: [], ports: [] });
  assert.throws(
    () => plan('host', 'host', 'one'),
    /sharing network namespace with another container or host/,
  );
  assert.throws(
    () => plan('one', 'host'),
    /^WharfError: cannot connect container to host network - container must/,
  );
  assert.throws(() => plan('one', 'one', 'none'), /multiple networks with one of the networks in private/);
  assert.deepEqual(planNetwork(settings({}, { config: { NetworkDisabled: true } })), { kind: 'none' });
  assert.deepEqual(planNetwork(settings({ NetworkMode: 'container:web' })), {
    kind: 'container',
    ref: 'web',
  });
});

test('addresses, ports, ranges and published exposed ports', () => {
  const plan = planNetwork(
    settings(
      {
        NetworkMode: 'bridge',
        PublishAllPorts: true,
        PortBindings: {
          '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080-8090' }],
          '53/udp': [{ HostPort: '' }],
        },
      },
      {
        config: { ExposedPorts: { '80/tcp': {}, '443/tcp': {} } },
        networkingConfig: {
          EndpointsConfig: {
            bridge: { MacAddress: '02:00:00:00:00:01', IPAMConfig: { IPv4Address: '10.0.0.9' } },
          },
        },
      },
    ),
  );
  assert.deepEqual(plan, {
    kind: 'sandbox',
    networks: ['bridge'],
    ports: [
      { protocol: 'tcp', containerPort: 80, hostIp: '127.0.0.1', hostPort: 8080, hostPortEnd: 8090 },
      { protocol: 'udp', containerPort: 53, hostIp: '', hostPort: 0 },
      { protocol: 'tcp', containerPort: 443, hostIp: '', hostPort: 0 },
    ],
  });
  assert.throws(() => planNetwork(settings({ PortBindings: { '1/icmp': [{}] } })), /unknown protocol/);
});

test("another container's network, running or not", async () => {
  await using world = new World();
  const other = world.add();
  const joins = world.add({ hostConfig: { NetworkMode: `container:${other.name}` } });
  const refused = {
    message: `cannot join network namespace of a non running container: container ${other.name} is created`,
  };
  await assert.rejects(startContainer(world.deps, joins.id), refused);
  await startContainer(world.deps, other.id);
  await startContainer(world.deps, joins.id);
  assert.equal(world.sandboxes.size, 1);
  await removeContainer(world.deps, joins.id, { volumes: false, force: true, link: false });
  assert.equal(world.sandboxes.size, 1, 'the sandbox is its owner’s');
});

test('shared memory is joined only where it is shareable', async () => {
  await using world = new World();
  const closed = world.add();
  const open = world.add({ hostConfig: { IpcMode: 'shareable' } });
  for (const one of [closed, open]) await startContainer(world.deps, one.id);
  const joins = (id: string) => world.add({ hostConfig: { IpcMode: `container:${id}` } });
  await assert.rejects(startContainer(world.deps, joins(closed.id).id), /non-shareable IPC/);
  await startContainer(world.deps, joins(open.id).id);
  assert.ok([...world.mounted].some((one) => one.endsWith('/shm')));
});

async function mountsOf(record: Partial<ContainerRecord>) {
  await using world = new World();
  await using undo = new UndoStack(silentLog);
  const mounts = await resolveMounts(world.deps, world.add(record), undo);
  return { mounts, acquired: world.acquired.size };
}

test('mounts become OCI mounts, parents first', async () => {
  const records: MountRecord[] = [
    { Type: 'bind', Source: '/tmp', Destination: '/a/b', RW: false },
    { Type: 'bind', Source: '/tmp', Destination: '/s', RW: true, Propagation: 'private' },
    { Type: 'volume', Name: 'data', Destination: '/a', RW: true },
    { Type: 'tmpfs', Destination: '/t', options: ['nosuid', 'size=1m'], RW: false },
  ];
  const { mounts, acquired } = await mountsOf({
    mounts: records,
    hostConfig: { Tmpfs: { '/u': 'mode=700' } },
  });
  assert.equal(acquired, 1);
  const by = new Map(mounts.map((mount) => [mount.destination, mount]));
  assert.equal(mounts.at(-1)?.destination, '/a/b');
  assert.deepEqual(by.get('/a/b')?.options, ['rbind', 'ro', 'rro', 'rprivate']);
  assert.deepEqual(by.get('/s')?.options, ['rbind', 'private']);
  assert.equal(by.get('/a')?.source, '/volumes/data');
  assert.deepEqual(by.get('/t')?.options, ['nosuid', 'size=1m', 'ro']);
});

test('bind options of the --mount form', async () => {
  const mounts: MountRecord[] = [{ Type: 'bind', Source: '/tmp', Destination: '/x', RW: false }];
  const asked = (BindOptions: object) => ({
    Mounts: [{ Type: 'bind', Source: '/tmp', Target: '/x', ReadOnly: true, BindOptions }],
  });
  const flat = await mountsOf({ mounts, hostConfig: asked({ NonRecursive: true }) });
  assert.deepEqual(flat.mounts[0]?.options, ['bind', 'ro', 'rro', 'rprivate']);
  const top = await mountsOf({ mounts, hostConfig: asked({ ReadOnlyNonRecursive: true }) });
  assert.deepEqual(top.mounts[0]?.options, ['rbind', 'ro', 'rprivate']);
});

test('a missing bind source: made for -v, refused for --mount', async () => {
  const root = mkdtempSync(join(tmpdir(), 'wharf-bind-'));
  try {
    const Source = join(root, 'x/y');
    const mounts: MountRecord[] = [{ Type: 'bind', Source, Destination: '/z' }];
    const refused = {
      message: `invalid mount config for type "bind": bind source path does not exist: ${Source}`,
    };
    await assert.rejects(mountsOf({ mounts }), refused);
    assert.equal(existsSync(Source), false);
    await mountsOf({ mounts: mounts.map((mount) => ({ ...mount, createSource: true })) });
    assert.equal(existsSync(Source), true);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('the files of /etc give way to mounts of the request', () => {
  const files = { hosts: '/h', hostname: '/n', resolvConf: '/r' };
  const own = [{ destination: '/etc/hosts', type: 'bind', source: '/mine' }];
  const mounts = addNetworkFiles(own, files, true);
  assert.deepEqual(
    mounts.map((mount) => mount.source),
    ['/mine', '/r', '/n'],
  );
  assert.deepEqual(mounts[1]?.options, ['rbind', 'ro', 'rprivate']);
});

test("a runtime's words become those that clients look for", () => {
  const missing = new WharfError('not-found', 'executable file `x` not found: No such file or directory');
  assert.equal(programErrorText(missing, '/x', ''), 'exec: "/x": stat /x: no such file or directory');
  const directory = new WharfError('forbidden', '`/etc` is a directory');
  assert.equal(programErrorText(directory, '/etc', ''), 'exec: "/etc": is a directory: permission denied');
  const mount = startFailure(new WharfError('invalid', 'mount /a: Not a directory'), 'sh', 'runtime');
  assert.equal(mount.exitCode, 127);
  assert.match(mount.error.message, /Are you trying to mount a directory onto a file/);
  const early = startFailure(new WharfError('not-found', 'no such network'), 'sh', 'engine');
  assert.deepEqual([early.exitCode, early.error.message], [128, 'no such network']);
});

test('a subpath is bound without leaving its volume', {
  skip: process.getuid?.() === 0 ? false : 'root is needed to mount',
}, () => {
  const root = mkdtempSync(join(tmpdir(), 'wharf-subpath-'));
  const ops = hostMountOps();
  const target = join(root, 'target');
  try {
    mkdirSync(join(root, 'volume/sub'), { recursive: true });
    writeFileSync(join(root, 'volume/sub/file'), 'inside');
    symlinkSync('/etc', join(root, 'volume/link'));
    ops.bindBeneath(join(root, 'volume'), 'sub', target);
    assert.equal(readFileSync(join(target, 'file'), 'utf8'), 'inside');
    assert.deepEqual(ops.mountsBelow(root), [target]);
    mount({ source: target, target, flags: ['bind'] });
    mount({ source: 'none', target, flags: ['remount', 'bind', 'noexec', 'nosuid'] });
    assert.deepEqual(ops.restrictions(join(target, 'file')), ['nosuid', 'noexec']);
    ops.unmount(target);
    ops.unmount(target);
    ops.unmount(target);
    assert.deepEqual(ops.mountsBelow(root), []);
    for (const path of ['link', 'link/passwd', '../..']) {
      assert.throws(() => ops.bindBeneath(join(root, 'volume'), path, target));
    }
    assert.throws(() => ops.bindBeneath(join(root, 'volume'), 'none', target), { kind: 'invalid' });
    assert.deepEqual(ops.mountsBelow(root), []);
  } finally {
    for (const point of ops.mountsBelow(root)) ops.unmount(point);
    rmSync(root, { recursive: true, force: true });
  }
});
