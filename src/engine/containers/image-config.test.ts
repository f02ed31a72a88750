import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import type { ContainerConfig, HostConfig } from '../../api/index.ts';
import { openMemoryDatabase } from '../../meta/index.ts';
import type { ExecutionConfig } from '../../oci/types.ts';
import { openContainerStore } from './container-store.ts';
import type { ContainerDefaults } from './deps.ts';
import { mergeImageConfig, resolveCommand } from './image-config.ts';
import { applyConfigDefaults, applyHostDefaults, resolveModes, withoutNulls } from './request-defaults.ts';
import { ableHost, testRecord } from './test-fixture.ts';

const IMAGE: ExecutionConfig = { Entrypoint: ['/entry'], Cmd: ['serve'] };

test('entrypoint and command of request and image: all sixteen ways', () => {
  const rows: [ContainerConfig, ExecutionConfig, string[] | 'no command specified'][] = [
    [{}, IMAGE, ['/entry', 'serve']],
    [{ Cmd: ['x'] }, IMAGE, ['/entry', 'x']],
    [{ Entrypoint: ['/e'] }, IMAGE, ['/e']],
    [{ Entrypoint: ['/e'], Cmd: ['x'] }, IMAGE, ['/e', 'x']],
    [{ Entrypoint: [] }, IMAGE, ['serve']],
    [{ Entrypoint: [], Cmd: ['x'] }, IMAGE, ['x']],
    [{ Entrypoint: [''], Cmd: ['x'] }, IMAGE, ['x']],
    [{ Entrypoint: [''] }, IMAGE, 'no command specified'],
    [{ Cmd: [] }, IMAGE, ['/entry', 'serve']],
    [{}, { Cmd: ['serve'] }, ['serve']],
    [{}, { Entrypoint: ['/entry'] }, ['/entry']],
    [{ Cmd: ['x'] }, { Entrypoint: ['/entry'] }, ['/entry', 'x']],
    [{}, {}, 'no command specified'],
    [{ Cmd: [] }, {}, 'no command specified'],
    [{ Cmd: ['x', ''] }, {}, ['x', '']],
    [{ Cmd: [''] }, {}, ['']],
  ];
  for (const [asked, image, expected] of rows) {
    const config = structuredClone(asked);
    mergeImageConfig(config, image);
    const what = JSON.stringify([asked, image]);
    if (typeof expected === 'string') {
      assert.throws(() => resolveCommand(config), { kind: 'invalid', message: expected }, what);
      continue;
    }
    const { path, args } = resolveCommand(config);
    assert.deepEqual([path, ...args], expected, what);
  }
});

test('the image is not changed by what is merged into its copy', () => {
  const image: ExecutionConfig = structuredClone({
    ...IMAGE,
    Env: ['A=1'],
    Labels: { a: '1' },
    Healthcheck: { Test: ['CMD', 'x'] },
  });
  const before = structuredClone(image);
  const config: ContainerConfig = {};
  mergeImageConfig(config, image);
  config.Cmd?.push('more');
  config.Entrypoint?.push('more');
  Object.assign(config.Labels ?? {}, { b: '2' });
  if (config.Healthcheck) config.Healthcheck.Retries = 9;
  assert.deepEqual(image, before);
});

test('environment: the request first, the image behind, names once', () => {
  const env = (asked: string[], image: string[]) => {
    const config: ContainerConfig = { Env: asked };
    mergeImageConfig(config, { Env: image });
    return config.Env;
  };
  assert.deepEqual(env(['B=2'], ['A=1', 'B=1']), ['B=2', 'A=1']);
  assert.deepEqual(env(['A'], ['A=1']), ['A'], 'a name alone takes the variable away');
  assert.deepEqual(env(['A=1=2'], ['A=x']), ['A=1=2']);
  assert.deepEqual(env([], ['', '=x', 'NAME']), [], 'an image can not ask for the variables of the daemon');
});

test('health: fields of the request over fields of the image', () => {
  const merged = (asked: ContainerConfig['Healthcheck'], image: ExecutionConfig['Healthcheck']) => {
    const config: ContainerConfig = asked ? { Healthcheck: asked } : {};
    mergeImageConfig(config, image ? { Healthcheck: image } : {});
    return config.Healthcheck;
  };
  const image = { Test: ['CMD', 'i'], Interval: 1, Timeout: 2, StartPeriod: 3, StartInterval: 4, Retries: 5 };
  assert.deepEqual(merged(undefined, image), image);
  assert.equal(merged(undefined, undefined), undefined);
  assert.deepEqual(merged({ Test: ['NONE'] }, image), { ...image, Test: ['NONE'] });
  assert.deepEqual(merged({ Retries: 9, Interval: 0 }, image), { ...image, Retries: 9 });
  assert.deepEqual(merged({ Test: ['CMD', 'r'] }, undefined), { Test: ['CMD', 'r'] });
});

const DEFAULTS: ContainerDefaults = {
  runtimes: new Set(['crun']),
  runtime: 'crun',
  logDriver: 'json-file',
  logOpts: { 'max-size': '1m' },
};

function filled(asked: HostConfig, defaults: Partial<ContainerDefaults> = {}, host = ableHost()): HostConfig {
  const hostConfig = structuredClone(asked);
  applyHostDefaults(hostConfig, { ...DEFAULTS, ...defaults }, host);
  return hostConfig;
}

test("the daemon's configuration fills in where the request is silent", () => {
  const own = filled({}, { shmSize: 1024, ipcMode: 'shareable', cgroupnsMode: 'private', runtime: 'runc' });
  assert.deepEqual(
    [own.ShmSize, own.IpcMode, own.CgroupnsMode, own.Runtime],
    [1024, 'shareable', 'private', 'runc'],
  );
  const asked = filled(
    { ShmSize: 5, IpcMode: 'none', CgroupnsMode: 'host', Runtime: 'x' },
    { shmSize: 1024 },
  );
  assert.deepEqual(
    [asked.ShmSize, asked.IpcMode, asked.CgroupnsMode, asked.Runtime],
    [5, 'none', 'host', 'x'],
  );
});

test('log options of the daemon count for its own driver only', () => {
  assert.deepEqual(filled({}).LogConfig, { Type: 'json-file', Config: { 'max-size': '1m' } });
  assert.deepEqual(filled({ LogConfig: { Type: 'local', Config: {} } }).LogConfig, {
    Type: 'local',
    Config: {},
  });
  const own = filled({ LogConfig: { Type: '', Config: { 'max-size': '9m', tag: 't' } } });
  assert.deepEqual(own.LogConfig, { Type: 'json-file', Config: { 'max-size': '9m', tag: 't' } });
});

test('the cgroup namespace by hierarchy and privilege', () => {
  const v2 = ableHost();
  v2.cgroup.version = 2;
  const rows: [HostConfig, ReturnType<typeof ableHost>, string][] = [
    [{}, ableHost(), 'host'],
    [{}, v2, 'private'],
    [{ Privileged: true }, v2, 'host'],
    [{ Privileged: true }, ableHost(), 'host'],
    [{ Privileged: true, CgroupnsMode: 'private' }, v2, 'private'],
  ];
  for (const [asked, host, expected] of rows) assert.equal(filled(asked, {}, host).CgroupnsMode, expected);
});

test('masked and read-only paths: defaults, own ones, none for the privileged', () => {
  const host = ableHost();
  host.thermalCpus = [0, 3];
  const { MaskedPaths, ReadonlyPaths } = filled({}, {}, host);
  assert.deepEqual(MaskedPaths?.slice(-2), [
    '/sys/devices/system/cpu/cpu0/thermal_throttle',
    '/sys/devices/system/cpu/cpu3/thermal_throttle',
  ]);
  assert.ok(MaskedPaths?.includes('/proc/kcore') && ReadonlyPaths?.includes('/proc/sys'));
  const none = filled({ MaskedPaths: [], ReadonlyPaths: [] });
  assert.deepEqual([none.MaskedPaths, none.ReadonlyPaths], [[], []]);
  const open = filled({ Privileged: true });
  assert.deepEqual([open.MaskedPaths, open.SecurityOpt], [undefined, ['label=disable']]);
  for (const asked of [{ IpcMode: 'host' }, { PidMode: 'host' }]) {
    assert.deepEqual(filled(asked).SecurityOpt, ['label=disable']);
  }
  assert.deepEqual(filled({ Privileged: true, SecurityOpt: ['label=user:u'] }).SecurityOpt, ['label=user:u']);
});

test('limits as inspect shows them', () => {
  assert.equal(filled({ Memory: 1e8 }).MemorySwap, 2e8);
  assert.equal(filled({ Memory: 1e8, MemorySwap: -1 }).MemorySwap, -1);
  for (const PidsLimit of [0, -1]) assert.equal('PidsLimit' in filled({ PidsLimit }), false);
  assert.equal(filled({ PidsLimit: 5 }).PidsLimit, 5);
  assert.equal(filled({}).OomKillDisable, false);
  const host = ableHost();
  host.cgroup.oomKillDisable = false;
  assert.equal('OomKillDisable' in filled({}, {}, host), false);
  assert.deepEqual(
    [filled({ ConsoleSize: [1] }).ConsoleSize, filled({ NetworkMode: 'default' }).NetworkMode],
    [[1, 0], 'bridge'],
  );
});

test('nulls mean nothing, and what is inside is copied', () => {
  const sent = { Env: null, Labels: { a: 'b' }, Tty: false, Cmd: undefined, Hostname: '' };
  const config = withoutNulls(sent);
  assert.deepEqual(config, { Labels: { a: 'b' }, Tty: false, Hostname: '' });
  config.Labels.a = 'changed';
  assert.equal(sent.Labels.a, 'b');
});

test('modes that name containers', () => {
  using database = openMemoryDatabase();
  const store = openContainerStore(database);
  const { id } = testRecord();
  store.insert(testRecord({ name: 'web' }));
  const hostConfig: HostConfig = {
    PidMode: 'container:web',
    IpcMode: `container:${id.slice(0, 12)}`,
    NetworkMode: 'container:/web',
  };
  resolveModes(store, hostConfig);
  assert.deepEqual(Object.values(hostConfig), Array(3).fill(`container:${id}`));
  const later: HostConfig = { NetworkMode: 'container:later' };
  resolveModes(store, later);
  assert.equal(later.NetworkMode, 'container:later', 'it may come to be before the start');
  for (const field of ['PidMode', 'IpcMode']) {
    assert.throws(() => resolveModes(store, { [field]: 'container:later' }), {
      kind: 'invalid',
      message: 'No such container: later',
    });
  }
});

test('the hostname: own, of the host, or the short id', () => {
  const named = (config: ContainerConfig, hostConfig: HostConfig) => {
    applyConfigDefaults(config, hostConfig, 'f'.repeat(64));
    return config.Hostname;
  };
  assert.equal(named({}, {}), 'f'.repeat(12));
  assert.equal(named({ Hostname: 'own' }, { NetworkMode: 'host' }), 'own');
  assert.equal(named({}, { NetworkMode: 'host' }), hostname());
  assert.equal(named({}, { UTSMode: 'host' }), hostname());
});
