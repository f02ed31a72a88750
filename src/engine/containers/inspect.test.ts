import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createContainer } from './create.ts';
import { type InspectDeps, inspectContainer } from './inspect.ts';
import { type Fixture, openFixture, request } from './test-fixture.ts';

function inspectDeps(fixture: Fixture): InspectDeps {
  return {
    ...fixture.deps,
    networks: { sandbox: () => undefined },
    networkSettings: () => ({ Networks: {} }),
    execIds: (id) => (fixture.deps.store.get(id)?.name === 'busy' ? ['e1'] : []),
  };
}

test('the document has all that the reference shows, with its nulls', async () => {
  await using fixture = await openFixture();
  const { id } = await createContainer(fixture.deps, {
    ...request({ Cmd: ['echo', 'a b'] }, { Tmpfs: { '/t': '' }, Binds: ['/tmp:/h:ro'], Memory: 1e8 }),
    name: 'shown',
  });
  const document = await inspectContainer(inspectDeps(fixture), 'shown', { size: false });
  assert.deepEqual(
    [document.Id, document.Name, document.Path, document.Args],
    [id, '/shown', 'echo', ['a b']],
  );
  assert.deepEqual(
    [document.ResolvConfPath, document.HostsPath, document.LogPath, document.ExecIDs, document.Driver],
    ['', '', '', null, 'overlay2'],
  );
  assert.equal('SizeRw' in document, false);
  assert.deepEqual(document.Mounts, [
    { Type: 'bind', Source: '/tmp', Destination: '/h', Mode: 'ro', RW: false, Propagation: 'rprivate' },
  ]);
  const hostConfig = document.HostConfig as Record<string, unknown>;
  assert.deepEqual(
    ['CapAdd', 'Dns', 'PidsLimit', 'MemorySwappiness', 'Devices'].map((field) => hostConfig[field]),
    [null, null, null, null, null],
  );
  assert.deepEqual(
    ['Mounts', 'Sysctls', 'StorageOpt', 'Init'].filter((field) => field in hostConfig),
    [],
  );
  assert.deepEqual(hostConfig['Tmpfs'], { '/t': '' });
  assert.deepEqual([hostConfig['Memory'], hostConfig['MemorySwap']], [1e8, 2e8]);
  assert.deepEqual(Object.keys(document.Config ?? {}).slice(0, 3), ['Hostname', 'Domainname', 'User']);
  assert.deepEqual(
    [document.Config?.Volumes, document.Config?.Entrypoint, document.Config?.Env],
    [null, null, null],
  );
  assert.equal(document.GraphDriver?.Name, 'overlay2');
  assert.ok(document.GraphDriver?.Data?.['UpperDir']);
  assert.deepEqual(document.State, {
    Status: 'created',
    Running: false,
    Paused: false,
    Restarting: false,
    OOMKilled: false,
    Dead: false,
    Pid: 0,
    ExitCode: 0,
    Error: '',
    StartedAt: '0001-01-01T00:00:00Z',
    FinishedAt: '0001-01-01T00:00:00Z',
  });
});

test('sizes, execs and, once it was started, paths of its files', async () => {
  await using fixture = await openFixture();
  const { id } = await createContainer(fixture.deps, { ...request(), name: 'busy' });
  const record = fixture.deps.store.get(id);
  assert.ok(record);
  record.state.hasStarted = true;
  record.state.status = 'paused';
  const document = await inspectContainer(inspectDeps(fixture), id.slice(0, 12), { size: true });
  assert.equal(typeof document.SizeRw, 'number');
  assert.ok((document.SizeRootFs ?? -1) >= (document.SizeRw ?? 0));
  assert.deepEqual(document.ExecIDs, ['e1']);
  assert.equal(document.HostsPath, join(fixture.root, 'containers', id, 'hosts'));
  assert.equal(document.LogPath, join(fixture.root, 'containers', id, `${id}-json.log`));
  assert.deepEqual([document.State?.Running, document.State?.Paused], [true, true]);
});

test('a container that shares the network of another shows its files', async () => {
  await using fixture = await openFixture();
  const { id: owner } = await createContainer(fixture.deps, { ...request(), name: 'owner' });
  const { id } = await createContainer(fixture.deps, request({}, { NetworkMode: 'container:owner' }));
  const record = fixture.deps.store.get(id);
  assert.ok(record);
  record.state.hasStarted = true;
  const document = await inspectContainer(inspectDeps(fixture), id, { size: false });
  assert.equal(document.ResolvConfPath, join(fixture.root, 'containers', owner, 'resolv.conf'));
});

test('what does not exist is not found', async () => {
  await using fixture = await openFixture();
  await assert.rejects(inspectContainer(inspectDeps(fixture), 'nosuch', { size: false }), {
    kind: 'not-found',
    message: 'No such container: nosuch',
  });
});
