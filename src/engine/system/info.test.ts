import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { systemClock } from '../../base/index.ts';
import { hostFacts } from '../../runtime/index.ts';
import type { ContainerRecord, ContainerStatus } from '../containers/record.ts';
import { engineInfo, type InfoDeps, type InfoSettings } from './info.ts';

const settings: InfoSettings = {
  volumeDrivers: ['local', 'sample'],
  dataRoot: '/data',
  labels: ['a=b'],
  debug: true,
  liveRestore: true,
  logOpts: {},
  logDriver: 'local',
  defaultRuntime: 'crun',
  runtimes: { crun: { path: '/usr/bin/crun' }, mine: { path: '/opt/mine', runtimeArgs: ['-x'] } },
  seccomp: 'builtin',
  pools: [{ base: '10.0.0.0/8', size: 24 }],
  initBinary: '/usr/bin/tini-static',
  registries: { insecure: [], mirrors: new Map(), proxy: {} },
};

const able = {
  ...hostFacts(),
  architecture: 'arm64',
  cpus: 3,
  memory: 4096,
  apparmor: false,
  seccomp: true,
  cgroup: {
    ...hostFacts().cgroup,
    version: 2 as const,
    memoryLimit: true,
    swapLimit: true,
    cpuCfs: true,
    cpuShares: true,
    cpuset: true,
    pidsLimit: true,
  },
};

const withStatus = (...all: ContainerStatus[]) =>
  all.map((status) => ({ state: { status } }) as unknown as ContainerRecord);

function info(deps: Partial<InfoDeps> = {}, changed: Partial<InfoSettings> = {}) {
  return engineInfo({
    id: 'the-id',
    facts: {
      version: '1.2.3',
      gitCommit: '',
      buildTime: '',
      apiVersion: '1.51',
      minApiVersion: '1.24',
      architecture: 'arm64',
      kernelVersion: '6.1',
      tools: [{ name: 'crun', version: '1.8.1', commit: '' }],
    },
    host: able,
    containers: () => [],
    imageCount: () => 0,
    eventListeners: () => 0,
    networkWarnings: () => [],
    logReports: () => [],
    logLosses: () => [],
    backingFilesystem: 'xfs',
    settings: () => ({ ...settings, ...changed }),
    clock: { ...systemClock, nowNanos: () => 1_700_000_000_123_456_789n },
    ...deps,
  });
}

test('containers are counted by what they do', async () => {
  const containers = () =>
    withStatus('running', 'restarting', 'paused', 'exited', 'created', 'dead', 'removing');
  const shown = await info({ containers, imageCount: () => 4, eventListeners: () => 2 });
  const { Containers, ContainersRunning, ContainersPaused, ContainersStopped, Images, NEventsListener } =
    shown;
  assert.deepEqual(
    [Containers, ContainersRunning, ContainersPaused, ContainersStopped, Images, NEventsListener],
    [7, 2, 1, 4, 4, 2],
  );
});

test('settings and facts are shown where clients look for them', async () => {
  const shown = await info();
  assert.equal(shown.ID, 'the-id');
  assert.equal(shown.Name, hostname());
  assert.equal(shown.Driver, 'overlay2');
  assert.deepEqual(shown.DriverStatus?.[0], ['Backing Filesystem', 'xfs']);
  assert.equal(shown.SystemTime, '2023-11-14T22:13:20.123456789Z');
  assert.equal(shown.Architecture, 'aarch64');
  assert.equal(shown.DockerRootDir, '/data');
  assert.deepEqual([shown.NCPU, shown.MemTotal, shown.ServerVersion], [3, 4096, '1.2.3']);
  assert.deepEqual([shown.Labels, shown.Debug, shown.LiveRestoreEnabled], [['a=b'], true, true]);
  assert.deepEqual(
    [shown.LoggingDriver, shown.CgroupVersion, shown.CgroupDriver],
    ['local', '2', 'cgroupfs'],
  );
  assert.deepEqual(shown.Runtimes, settings.runtimes);
  assert.deepEqual(
    [shown.DefaultRuntime, shown.InitBinary, shown.RuncCommit],
    ['crun', 'tini-static', { ID: '1.8.1' }],
  );
  assert.deepEqual(shown.DefaultAddressPools, [{ Base: '10.0.0.0/8', Size: 24 }]);
  assert.equal(shown.Swarm?.LocalNodeState, 'inactive');
  assert.equal(typeof shown.IPv4Forwarding, 'boolean');
  assert.ok((shown.NFd ?? 0) > 3);
});

test('a setting that changes is shown changed', async () => {
  assert.equal((await info({}, { debug: false })).Debug, false);
  assert.equal((await info({}, { initBinary: undefined })).InitBinary, '');
  assert.deepEqual((await info({}, { defaultRuntime: 'mine' })).RuncCommit, { ID: '' });
});

test('security options are those of host and settings', async () => {
  assert.deepEqual((await info()).SecurityOptions, ['name=seccomp,profile=builtin', 'name=cgroupns']);
  const host = { ...able, apparmor: true, cgroup: { ...able.cgroup, version: 1 as const } };
  assert.deepEqual((await info({ host }, { seccomp: 'unconfined' })).SecurityOptions, [
    'name=apparmor',
    'name=seccomp,profile=unconfined',
  ]);
  assert.deepEqual((await info({ host: { ...host, apparmor: false, seccomp: false } })).SecurityOptions, []);
});

test('there are no warnings where nothing is missing', async () => {
  assert.equal((await info()).Warnings, null);
});

for (const [field, texts] of [
  ['memoryLimit', ['WARNING: No memory limit support']],
  ['swapLimit', ['WARNING: No swap limit support']],
  ['cpuCfs', ['WARNING: No cpu cfs quota support', 'WARNING: No cpu cfs period support']],
  ['cpuShares', ['WARNING: No cpu shares support']],
  ['cpuset', ['WARNING: No cpuset support']],
  ['pidsLimit', ['WARNING: No pids limit support']],
] as const) {
  test(`a host without ${field} is warned of`, async () => {
    const host = { ...able, cgroup: { ...able.cgroup, [field]: false } };
    const networkWarnings = async () => ['WARNING: of the network', 'network x overlaps a route'];
    assert.deepEqual((await info({ host, networkWarnings })).Warnings, [
      ...texts,
      'WARNING: of the network',
      'WARNING: network x overlaps a route',
    ]);
  });
}
