import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ContainerConfig, HostConfig, NetworkingConfig } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import { mountInfo } from '../../sys/index.ts';
import { createContainer } from './create.ts';
import { initLayerKey } from './init-layer.ts';
import { CHAIN, type Fixture, namesIn, openFixture, putFile, request } from './test-fixture.ts';

async function created(fixture: Fixture, config: ContainerConfig = {}, hostConfig: HostConfig = {}) {
  const { id, warnings } = await createContainer(fixture.deps, request(config, hostConfig));
  const record = fixture.deps.store.get(id);
  assert.ok(record);
  return { record, warnings };
}

/** The error of a request, as "kind: text". */
async function refusal(fixture: Fixture, config: ContainerConfig, hostConfig: HostConfig = {}) {
  try {
    await createContainer(fixture.deps, request(config, hostConfig));
  } catch (thrown) {
    assert.ok(thrown instanceof WharfError, String(thrown));
    return `${thrown.kind}: ${thrown.message}`;
  }
  return 'no error';
}

test('a plain container has the defaults that inspect shows', async () => {
  await using fixture = await openFixture();
  const { record, warnings } = await created(fixture);
  assert.deepEqual(warnings, []);
  assert.match(record.id, /^[0-9a-f]{64}$/);
  assert.match(record.name, /^[a-z]+_[a-z]+$/);
  assert.equal(record.config.Hostname, record.id.slice(0, 12));
  assert.deepEqual([record.path, record.args], ['sh', []]);
  const { hostConfig } = record;
  assert.equal(hostConfig.ShmSize, 67108864);
  assert.equal(hostConfig.IpcMode, 'private');
  assert.equal(hostConfig.CgroupnsMode, 'host');
  assert.equal(hostConfig.NetworkMode, 'bridge');
  assert.deepEqual(hostConfig.LogConfig, { Type: 'json-file', Config: {} });
  assert.deepEqual(hostConfig.RestartPolicy, { Name: 'no', MaximumRetryCount: 0 });
  assert.equal(hostConfig.Runtime, 'crun');
  assert.deepEqual(hostConfig.ConsoleSize, [0, 0]);
  assert.equal(hostConfig.MaskedPaths?.length, 12);
  assert.equal(hostConfig.ReadonlyPaths?.length, 5);
  assert.deepEqual(record.networkingConfig, { EndpointsConfig: { bridge: {} } });
  assert.equal(record.state.status, 'created');
  assert.equal(fixture.deps.snapshotter.stat(record.id)?.parent, initLayerKey(CHAIN));
  assert.equal(statSync(join(fixture.root, 'containers', record.id)).mode & 0o777, 0o710);
  const [event] = fixture.events;
  assert.deepEqual(
    [event?.type, event?.action, event?.id, event?.attributes],
    ['container', 'create', record.id, { image: 'busybox', name: record.name }],
  );
});

test('requests are refused with the texts and kinds of the reference', async () => {
  await using fixture = await openFixture();
  const host: [HostConfig, string][] = [
    [{ Memory: 1000 }, 'invalid: Minimum memory limit allowed is 6MB'],
    [{ Memory: -1 }, 'invalid: Minimum memory limit allowed is 6MB'],
    [
      { Memory: 1e7, MemorySwap: 5e6 },
      'invalid: Minimum memoryswap limit should be larger than memory limit, see usage',
    ],
    [
      { MemorySwap: 1e7 },
      'invalid: You should always set the Memory limit when using Memoryswap limit, see usage',
    ],
    [{ MemorySwappiness: 101 }, 'invalid: Invalid value: 101, valid memory swappiness range is 0-100'],
    [{ NanoCpus: 3e9 }, 'invalid: range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available'],
    [
      { NanoCpus: 1e9, CpuQuota: 1000 },
      'invalid: Conflicting options: Nano CPUs and CPU Quota cannot both be set',
    ],
    [
      { CpuPeriod: 100 },
      'invalid: CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)',
    ],
    [{ CpuQuota: 100 }, 'invalid: CPU cfs quota can not be less than 1ms (i.e. 1000)'],
    [{ CpuShares: -1 }, 'invalid: invalid CPU shares (-1): value must be a positive integer'],
    [{ CpusetCpus: '9' }, 'invalid: Requested CPUs are not available - requested 9, available: 0-1'],
    [{ CpusetMems: 'x' }, 'invalid: Invalid value x for cpuset mems: invalid format: x'],
    [{ OomScoreAdj: 2000 }, 'invalid: Invalid value 2000, range for oom score adj is [-1000, 1000]'],
    [{ ShmSize: -1 }, 'invalid: SHM size can not be less than 0'],
    [{ Isolation: 'x' }, "invalid: invalid isolation (x): linux only supports 'default'"],
    [{ Runtime: '../../tmp/x' }, 'invalid: unknown or invalid runtime name: ../../tmp/x'],
    [
      { AutoRemove: true, RestartPolicy: { Name: 'always' } },
      "invalid: can't create 'AutoRemove' container with restart policy",
    ],
    [
      { RestartPolicy: { Name: 'always', MaximumRetryCount: 3 } },
      "invalid: invalid restart policy: maximum retry count can only be used with 'on-failure'",
    ],
    [
      { NetworkMode: 'container:x', PublishAllPorts: true },
      'invalid: conflicting options: port publishing and the container type network mode',
    ],
    [
      { NetworkMode: 'container:x', Dns: ['1.1.1.1'] },
      'invalid: conflicting options: dns and the network mode',
    ],
    [
      { NetworkMode: 'container:' },
      'invalid: invalid network mode: invalid container format container:<name|id>',
    ],
    [{ PortBindings: { 'x/tcp': [{}] } }, 'invalid: invalid port specification: "x"'],
    [{ PortBindings: { '80/tcp': [{ HostPort: '70000' }] } }, 'invalid: invalid port specification: "70000"'],
    [{ PidMode: 'x' }, 'invalid: invalid PID mode: x'],
    [{ PidMode: 'container:nosuch' }, 'invalid: No such container: nosuch'],
    [{ IpcMode: 'x' }, 'invalid: invalid IPC mode: x'],
    [{ UTSMode: 'container:a' }, 'invalid: invalid UTS mode: container:a'],
    [{ CgroupnsMode: 'x' }, 'invalid: invalid cgroup namespace mode: x'],
    [{ ExtraHosts: ['x'] }, 'invalid: bad format for add-host: "x"'],
    [{ ExtraHosts: ['x:yy'] }, 'invalid: invalid IP address in add-host: "yy"'],
    [{ Links: ['nosuch:x'] }, 'invalid: could not get container for nosuch: No such container: nosuch'],
    [{ CapAdd: ['x'] }, 'invalid: invalid CapAdd: unknown capability: "CAP_X"'],
    [{ SecurityOpt: ['foo=bar'] }, 'internal: invalid --security-opt 2: "foo=bar"'],
    [{ StorageOpt: { foo: '1' } }, 'internal: Unknown option foo'],
    [
      { Annotations: { '': 'x' } },
      'invalid: invalid Annotations: the empty string is not permitted as an annotation key',
    ],
    [{ LogConfig: { Type: 'x' } }, 'invalid: error looking up logging plugin x: plugin "x" not found'],
    [{ LogConfig: { Config: { x: 'y' } } }, "invalid: unknown log opt 'x' for json-file log driver"],
    [
      { Binds: ['x:/a'] },
      'invalid: create x: volume name is too short, names should be at least two alphanumeric characters',
    ],
    [{ VolumesFrom: ['nosuch'] }, 'invalid: No such container: nosuch'],
    [
      {
        Mounts: [
          { Type: 'volume', Source: 'vv', Target: '/a', VolumeOptions: { DriverConfig: { Name: 'foo' } } },
        ],
      },
      'not-found: create vv: error looking up volume plugin foo: plugin "foo" not found',
    ],
  ];
  for (const [hostConfig, expected] of host) {
    assert.equal(await refusal(fixture, {}, hostConfig), expected, JSON.stringify(hostConfig));
  }
  const configs: [ContainerConfig, string][] = [
    [{ Image: 'nosuch' }, 'not-found: No such image: nosuch:latest'],
    [
      { Image: 'UPPER' },
      'invalid: invalid reference format: repository name (library/UPPER) must be lowercase',
    ],
    [{ Image: 'sha256:aaaa' }, 'not-found: No such image: sha256:aaaa'],
    [{ Env: ['=x'] }, 'invalid: invalid environment variable: =x'],
    [{ WorkingDir: 'x' }, "invalid: the working directory 'x' is invalid, it needs to be an absolute path"],
    [{ StopSignal: 'FOO' }, 'invalid: invalid signal: FOO'],
    [{ Healthcheck: { Interval: 100 } }, 'invalid: Interval in Healthcheck cannot be less than 1ms'],
    [{ Healthcheck: { Retries: -1 } }, 'invalid: Retries in Healthcheck cannot be negative'],
    [{ Entrypoint: [''] }, 'invalid: no command specified'],
    [{ MacAddress: 'x' }, 'invalid: invalid config for network bridge: invalid MAC address x'],
  ];
  for (const [config, expected] of configs) {
    assert.equal(await refusal(fixture, config), expected, JSON.stringify(config));
  }
  assert.equal(
    await refusal(fixture, { Hostname: 'h' }, { UTSMode: 'host' }),
    'invalid: conflicting options: hostname and the UTS mode',
  );
  assert.equal(
    await refusal(fixture, { Hostname: 'h' }, { NetworkMode: 'container:x' }),
    'invalid: conflicting options: hostname and the network mode',
  );
  assert.deepEqual(fixture.deps.store.all(), []);
  assert.deepEqual(namesIn(join(fixture.root, 'volumes')), []);
  assert.deepEqual(namesIn(join(fixture.root, 'containers')), []);
});

test('endpoint settings are checked as the reference does', async () => {
  await using fixture = await openFixture();
  const refused = async (networkingConfig: NetworkingConfig) => {
    try {
      await createContainer(fixture.deps, { ...request(), networkingConfig });
    } catch (thrown) {
      return (thrown as Error).message;
    }
    return 'no error';
  };
  const bridge = 'invalid config for network bridge: ';
  assert.equal(
    await refused({ EndpointsConfig: { bridge: { IPAMConfig: { IPv4Address: 'x' } } } }),
    `${bridge}invalid endpoint settings:\n* user specified IP address is supported on user defined networks only\n* invalid IPv4 address: x\n* no configured subnet or ip-range contain the IP address x`,
  );
  assert.equal(
    await refused({ EndpointsConfig: { bridge: { Aliases: ['x'] } } }),
    `${bridge}invalid endpoint settings:\nnetwork-scoped alias is supported only for containers in user defined networks`,
  );
  assert.equal(
    await refused({ EndpointsConfig: { bridge: { MacAddress: 'x' } } }),
    `${bridge}invalid MAC address x`,
  );
});

test('a platform that the image does not have is named', async () => {
  await using fixture = await openFixture();
  const input = { ...request(), platform: { os: 'linux', architecture: 'arm64' } };
  await assert.rejects(createContainer(fixture.deps, input), {
    kind: 'not-found',
    message:
      'image with reference busybox was found but its platform (linux/amd64) does not match the specified platform (linux/arm64)',
  });
});

test('an empty request, a bad name and a taken name are refused', async () => {
  await using fixture = await openFixture();
  const { deps } = fixture;
  await assert.rejects(createContainer(deps, { config: {}, hostConfig: {}, networkingConfig: {} }), {
    kind: 'invalid',
    message: 'config cannot be empty in order to create a container',
  });
  await assert.rejects(
    createContainer(deps, { ...request(), name: 'a b' }),
    /^WharfError: Invalid container name \(a b\)/,
  );
  const first = await createContainer(deps, { ...request(), name: '/web' });
  await assert.rejects(
    createContainer(deps, { ...request({}, { Binds: ['/new'] }), name: 'web' }),
    (thrown) => {
      assert.ok(thrown instanceof WharfError && thrown.kind === 'conflict');
      return thrown.message.includes(`"/web" is already in use by container "${first.id}"`);
    },
  );
  // All or nothing: no volume, snapshot or directory is left of the refused one.
  assert.deepEqual(deps.volumes.list(), []);
  assert.equal(deps.snapshotter.list().filter((snapshot) => snapshot.kind === 'active').length, 1);
  assert.deepEqual(namesIn(join(fixture.root, 'containers')), [first.id]);
});

test('a refused create leaves a new volume that another one has taken by its name', async () => {
  await using fixture = await openFixture();
  const { deps } = fixture;
  const volumes = Object.assign(Object.create(deps.volumes) as typeof deps.volumes, {
    create: async (asked: Parameters<typeof deps.volumes.create>[0]) => {
      const made = await deps.volumes.create(asked);
      await createContainer(deps, { ...request({}, { Binds: ['data:/d'] }), name: 'web' });
      return made;
    },
  });
  await assert.rejects(
    createContainer({ ...deps, volumes }, { ...request({}, { Binds: ['data:/d'] }), name: 'web' }),
    { kind: 'conflict' },
  );
  assert.deepEqual(
    deps.volumes.list().map((volume) => volume.name),
    ['data'],
  );
});

test('warnings name what this host or this engine does not do', async () => {
  await using fixture = await openFixture();
  fixture.deps.host.cgroup.blkioWeight = false;
  const { record, warnings } = await created(
    fixture,
    { MacAddress: '02:42:ac:11:00:99' },
    { BlkioWeight: 500, CpuPercent: 10, OomKillDisable: true },
  );
  assert.deepEqual(warnings, [
    'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
    'linux does not support CPU percent. Percent discarded.',
    'Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.',
    'The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead.',
  ]);
  assert.equal(record.hostConfig.BlkioWeight, 0);
  assert.equal(record.networkingConfig.EndpointsConfig?.['bridge']?.MacAddress, '02:42:ac:11:00:99');
  const host = await created(
    fixture,
    {},
    { NetworkMode: 'host', PortBindings: { '80/tcp': [{ HostPort: '8080' }] } },
  );
  assert.deepEqual(host.warnings, ['Published ports are discarded when using host network mode']);
  assert.deepEqual(Object.keys(host.record.networkingConfig.EndpointsConfig ?? {}), ['host']);
});

test('the image completes the request', async () => {
  await using fixture = await openFixture({
    image: {
      User: 'www',
      Env: ['PATH=/bin', 'A=image', 'SECRET'],
      Entrypoint: ['/entry'],
      Cmd: ['serve'],
      ExposedPorts: { '80/tcp': {} },
      Labels: { a: 'image', b: 'image' },
      WorkingDir: '/srv',
      StopSignal: 'SIGQUIT',
      Healthcheck: { Test: ['CMD', 'ok'], Interval: 5_000_000_000 },
    },
  });
  const { record } = await created(fixture, {
    Env: ['A=request'],
    Labels: { a: 'request' },
    ExposedPorts: { '90-91': {} },
    Healthcheck: { Timeout: 1_000_000_000 },
  });
  const { config } = record;
  assert.deepEqual([record.path, record.args], ['/entry', ['serve']]);
  assert.deepEqual(config.Env, ['A=request', 'PATH=/bin']);
  assert.deepEqual(config.Labels, { a: 'request', b: 'image' });
  assert.deepEqual(Object.keys(config.ExposedPorts ?? {}).sort(), ['80/tcp', '90/tcp', '91/tcp']);
  assert.deepEqual([config.User, config.WorkingDir, config.StopSignal], ['www', '/srv', 'SIGQUIT']);
  assert.deepEqual(config.Healthcheck, { Test: ['CMD', 'ok'], Interval: 5e9, Timeout: 1e9 });
  const own = await created(fixture, { Entrypoint: ['/mine'] });
  assert.deepEqual([own.record.path, own.record.args], ['/mine', []]);
  const none = await created(fixture, { Entrypoint: [''], Cmd: ['ls', '-l'] });
  assert.deepEqual([none.record.path, none.record.args], ['ls', ['-l']]);
  const cmd = await created(fixture, { Cmd: ['x'] });
  assert.deepEqual([cmd.record.path, cmd.record.args], ['/entry', ['x']]);
});

test('volumes get the image files, owner and mode; a filled volume is left alone', async () => {
  await using fixture = await openFixture({
    image: { Cmd: ['sh'], Volumes: { '/data': {} } },
    files: (directory) => {
      putFile(directory, 'data/f', 'from the image', 0o640);
    },
  });
  const { deps } = fixture;
  const { record } = await created(fixture, {}, { Binds: ['named:/data'] });
  assert.equal(record.mounts.length, 1);
  const directory = deps.volumes.mountpoint('named');
  assert.equal(readFileSync(join(directory, 'f'), 'utf8'), 'from the image');
  assert.equal(statSync(join(directory, 'f')).mode & 0o777, 0o640);
  putFile(directory, 'f', 'changed');
  await created(fixture, {}, { Binds: ['named:/data'] });
  assert.equal(readFileSync(join(directory, 'f'), 'utf8'), 'changed');
  const anonymous = await created(fixture);
  const [mount] = anonymous.record.mounts;
  assert.match(mount?.Name ?? '', /^[0-9a-f]{64}$/);
  assert.equal(mount?.anonymous, true);
  assert.ok(existsSync(join(mount?.Source ?? '', 'f')));
  await created(fixture, {}, { Binds: ['empty:/data:nocopy'] });
  assert.deepEqual(readdirSync(deps.volumes.mountpoint('empty')), []);
  assert.deepEqual(
    fixture.events
      .filter((event) => event.type === 'volume')
      .map((event) => [event.action, event.attributes]),
    Array.from({ length: 3 }, () => ['create', { driver: 'local' }]),
  );
  assert.ok(!mountInfo().some((entry) => entry.mountPoint.startsWith(fixture.root)));
});

test('volumes-from takes mounts over, its own request wins', async () => {
  await using fixture = await openFixture();
  const { record: source } = await created(fixture, {}, { Binds: ['shared:/s', '/tmp:/t:ro', '/anon'] });
  const { record } = await created(fixture, {}, { VolumesFrom: [`${source.name}:ro`], Binds: ['other:/s'] });
  assert.deepEqual(
    record.mounts.map((mount) => [mount.Destination, mount.Name ?? mount.Source, mount.RW]).sort(),
    [
      ['/anon', source.mounts[2]?.Name, false],
      ['/s', 'other', true],
      ['/t', '/tmp', false],
    ],
  );
});

test('missing host directories of -v are made, those of --mount refused', async () => {
  await using fixture = await openFixture();
  const made = join(fixture.root, 'host', 'made');
  await created(fixture, {}, { Binds: [`${made}:/a`] });
  assert.ok(statSync(made).isDirectory());
  const missing = join(fixture.root, 'host', 'missing');
  assert.equal(
    await refusal(fixture, {}, { Mounts: [{ Type: 'bind', Source: missing, Target: '/a' }] }),
    `invalid: invalid mount config for type "bind": bind source path does not exist: ${missing}`,
  );
});

test('modes that name a container get its id', async () => {
  await using fixture = await openFixture();
  const { record: target } = await created(fixture);
  const { record } = await created(
    fixture,
    {},
    { NetworkMode: `container:${target.name}`, PidMode: `container:${target.name}` },
  );
  assert.equal(record.hostConfig.NetworkMode, `container:${target.id}`);
  assert.equal(record.hostConfig.PidMode, `container:${target.id}`);
  assert.deepEqual(record.networkingConfig, { EndpointsConfig: {} });
});

test('a cancelled request leaves nothing', async () => {
  await using fixture = await openFixture();
  const signal = AbortSignal.abort();
  await assert.rejects(createContainer(fixture.deps, request({}, { Binds: ['/v'] }), signal), {
    kind: 'cancelled',
  });
  assert.deepEqual(fixture.deps.volumes.list(), []);
  assert.deepEqual(fixture.deps.store.all(), []);
});

test('fifty parallel creates make fifty containers and one init layer', async () => {
  await using fixture = await openFixture();
  const made = await Promise.all(Array.from({ length: 50 }, () => createContainer(fixture.deps, request())));
  assert.equal(new Set(made.map(({ id }) => fixture.deps.store.get(id)?.name)).size, 50);
  const layers = fixture.deps.snapshotter.list().filter((snapshot) => snapshot.kind === 'layer');
  assert.deepEqual(layers.map((layer) => layer.key).sort(), [CHAIN, `${CHAIN}-init`]);
});

test('further checks see the request before defaults, and their warnings are told once', async () => {
  await using fixture = await openFixture();
  fixture.deps.check = (config) => {
    assert.equal(config.Hostname, undefined);
    return ['linux does not support CPU percent. Percent discarded.', 'a warning of its own'];
  };
  const { record, warnings } = await created(fixture, {}, { UTSMode: 'host', CpuPercent: 5 });
  assert.deepEqual(warnings, [
    'linux does not support CPU percent. Percent discarded.',
    'a warning of its own',
  ]);
  assert.equal(record.config.Hostname, hostname());
});
