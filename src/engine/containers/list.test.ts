import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Filters, NetworkSettings } from '../../api/index.ts';
import { systemClock } from '../../base/index.ts';
import { openMemoryDatabase } from '../../meta/index.ts';
import type { SandboxRecord } from '../../network/types.ts';
import type { Snapshotter } from '../../snapshot/types.ts';
import { openContainerStore } from './container-store.ts';
import { commandText, type ListDeps, listContainers } from './list.ts';
import type { ContainerRecord } from './record.ts';
import { humanDuration, statusText } from './status-text.ts';
import { testImage, testRecord } from './test-fixture.ts';

const NOW = 1_800_000_000_000_000_000n;
const SECONDS_AGO = (seconds: number) =>
  new Date(Number(NOW / 1_000_000n) - seconds * 1000).toISOString().replace('.000Z', 'Z');

function open(records: ContainerRecord[]): ListDeps & Disposable {
  const database = openMemoryDatabase();
  const store = openContainerStore(database);
  database.transaction(() => {
    for (const record of records) store.insert(record);
  });
  const child = testImage();
  const parent = { ...testImage(), imageId: 'sha256:parent' };
  child.config = {
    ...child.config,
    rootfs: {
      type: 'layers',
      diff_ids: [...parent.config.rootfs.diff_ids, ...parent.config.rootfs.diff_ids],
    },
  };
  const sandbox = {
    sandboxId: 's1',
    endpoints: [],
    ports: [{ protocol: 'tcp', containerPort: 80, hostIp: '0.0.0.0', hostPort: 8080 }],
  } as unknown as SandboxRecord;
  const usages: Record<string, number> = { layer: 1000 };
  return {
    store,
    images: { resolve: (ref) => ({ busybox: child, [child.imageId]: child, parent })[ref] },
    networks: {
      sandbox: (id) => (id === 's1' ? sandbox : undefined),
    },
    networkSettings: ({ record, sandbox: box }): NetworkSettings => ({
      Networks: { ...record.networkingConfig.EndpointsConfig },
      Ports: box ? { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }], '91/tcp': null } : {},
    }),
    snapshotter: {
      stat: (key: string) => ({ key, kind: 'active', parent: key === 'layer' ? undefined : 'layer' }),
      usage: async (key: string) => ({ bytes: usages[key] ?? 5, inodes: 1 }),
    } as unknown as Snapshotter,
    clock: { ...systemClock, nowNanos: () => NOW },
    [Symbol.dispose]: () => database[Symbol.dispose](),
  };
}

const id = (digit: string) => digit.repeat(64);
const state = (fields: Partial<ContainerRecord['state']>) => ({ ...testRecord().state, ...fields });

const web = testRecord({
  id: id('1'),
  name: 'web',
  created: SECONDS_AGO(300),
  sandboxId: 's1',
  config: { Image: 'busybox', Labels: { tier: 'front' }, ExposedPorts: { '91/tcp': {} } },
  mounts: [
    {
      Type: 'volume',
      Name: 'data',
      Source: '/v/data',
      Destination: '/d',
      Driver: 'local',
      Mode: 'z',
      RW: true,
      Propagation: '',
    },
    { Type: 'tmpfs', Destination: '/hidden', unlisted: true },
  ],
  state: state({
    status: 'running',
    hasStarted: true,
    startedAt: SECONDS_AGO(180),
    health: { Status: 'healthy' },
  }),
});
const job = testRecord({
  id: id('2'),
  name: 'job',
  created: SECONDS_AGO(200),
  networkingConfig: { EndpointsConfig: { none: {} } },
  state: state({
    status: 'exited',
    hasStarted: true,
    exitCode: 3,
    startedAt: SECONDS_AGO(9),
    finishedAt: SECONDS_AGO(2),
  }),
});
const fresh = testRecord({ id: id('3'), name: 'fresh', created: SECONDS_AGO(100), imageRef: 'retagged' });

async function names(
  deps: ListDeps,
  wanted: Record<string, string[]>,
  all = true,
): Promise<(string | undefined)[]> {
  const filters: Filters = new Map(Object.entries(wanted));
  const found = await listContainers(deps, { all, limit: 0, size: false, filters });
  return found.map((summary) => summary.Names?.[0]?.slice(1));
}

test('every filter picks what it says', async () => {
  using deps = open([web, job, fresh].map((record) => structuredClone(record)));
  const expected: [Record<string, string[]>, string[]][] = [
    [{}, ['fresh', 'job', 'web']],
    [{ id: ['^111'] }, ['web']],
    [{ name: ['^/we'] }, ['web']],
    [{ label: ['tier=front'] }, ['web']],
    [{ status: ['exited', 'created'] }, ['fresh', 'job']],
    [{ exited: ['3'] }, ['job']],
    [{ ancestor: ['busybox'] }, ['fresh', 'job', 'web']],
    [{ ancestor: ['parent'] }, ['fresh', 'job', 'web']],
    [{ ancestor: ['nosuch'] }, []],
    [{ before: ['job'] }, ['web']],
    [{ since: ['web'] }, ['fresh', 'job']],
    [{ volume: ['data'] }, ['web']],
    [{ volume: ['/d'] }, ['web']],
    [{ network: ['none'] }, ['job']],
    [{ publish: ['8000-8100/tcp'] }, ['web']],
    [{ publish: ['80'] }, ['web']],
    [{ expose: ['91'] }, ['web']],
    [{ health: ['healthy'] }, ['web']],
    [{ health: ['none'] }, ['fresh', 'job']],
    [{ 'is-task': ['true'] }, []],
    [{ 'is-task': ['false'] }, ['fresh', 'job', 'web']],
    [{ isolation: ['x'] }, ['fresh', 'job', 'web']],
  ];
  for (const [filters, found] of expected) {
    assert.deepEqual(await names(deps, filters), found, JSON.stringify(filters));
  }
  assert.deepEqual(await names(deps, {}, false), ['web']);
  assert.deepEqual(await names(deps, { status: ['exited'] }, false), ['job'], 'a status asks for all');
  const limited = await listContainers(deps, { all: false, limit: 2, size: false, filters: new Map() });
  assert.equal(limited.length, 2);
});

test('bad filters give the texts of the reference', async () => {
  using deps = open([]);
  for (const [filters, message] of [
    [{ foo: ['x'] }, "invalid filter 'foo'"],
    [
      { status: ['x'] },
      "invalid filter 'status=x': invalid value for state (x): must be one of created, running, paused, restarting, removing, exited, dead",
    ],
    [{ exited: ['x'] }, `invalid filter 'exited=x': strconv.Atoi: parsing "x": invalid syntax`],
    [
      { health: ['x'] },
      "invalid filter 'health=x': invalid value for health (x): must be one of none, starting, healthy, unhealthy",
    ],
    [{ 'is-task': ['x'] }, "invalid filter 'is-task=[x]'"],
    [{ before: ['nosuch'] }, 'No such container: nosuch'],
    [
      { publish: ['x'] },
      'error while looking up for publish x: strconv.ParseUint: parsing "x": invalid syntax',
    ],
  ] as [Record<string, string[]>, string][]) {
    await assert.rejects(names(deps, filters), { message });
  }
});

test('a summary shows ports, mounts, image and sizes', async () => {
  using deps = open([structuredClone(web), structuredClone(fresh)]);
  const [second, first] = await listContainers(deps, { all: true, limit: 0, size: true, filters: new Map() });
  assert.equal(first?.Status, 'Up 3 minutes (healthy)');
  assert.deepEqual(first?.Ports, [
    { IP: '0.0.0.0', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' },
    { PrivatePort: 91, Type: 'tcp' },
  ]);
  assert.deepEqual(
    first?.Mounts?.map((mount) => [mount.Type, mount.Name, mount.Destination]),
    [['volume', 'data', '/d']],
  );
  assert.deepEqual([first?.SizeRw, first?.SizeRootFs], [5, 1005]);
  assert.equal(first?.Image, 'busybox');
  assert.equal(second?.Image, fresh.imageId, 'the name stands for another image now');
  assert.deepEqual([second?.Status, second?.State, second?.Ports], ['Created', 'created', []]);
});

test('status texts', () => {
  const text = (fields: Partial<ContainerRecord['state']>) => statusText({ state: state(fields) }, NOW);
  const startedAt = SECONDS_AGO(120);
  assert.equal(
    text({ status: 'running', startedAt, health: { Status: 'starting' } }),
    'Up 2 minutes (health: starting)',
  );
  assert.equal(text({ status: 'paused', startedAt }), 'Up 2 minutes (Paused)');
  assert.equal(
    text({ status: 'restarting', exitCode: 1, finishedAt: SECONDS_AGO(5) }),
    'Restarting (1) 5 seconds ago',
  );
  assert.equal(
    text({ status: 'exited', exitCode: 0, finishedAt: SECONDS_AGO(2) }),
    'Exited (0) 2 seconds ago',
  );
  assert.equal(text({ status: 'removing' }), 'Removal In Progress');
  assert.equal(text({ status: 'dead' }), 'Dead');
});

test('durations as people say them', () => {
  const day = 86_400;
  for (const [seconds, text] of [
    [0, 'Less than a second'],
    [1, '1 second'],
    [59, '59 seconds'],
    [60, 'About a minute'],
    [120, '2 minutes'],
    [3599, '59 minutes'],
    [3600, 'About an hour'],
    [2 * 3600, '2 hours'],
    [3 * day, '3 days'],
    [21 * day, '3 weeks'],
    [90 * day, '3 months'],
    [800 * day, '2 years'],
  ] as const) {
    assert.equal(humanDuration(BigInt(seconds) * 1_000_000_000n), text);
  }
});

test('the command is one line, words with white space in quotes', () => {
  assert.equal(commandText({ path: 'sh', args: ['-c', 'echo hi'] }), "sh -c 'echo hi'");
});

test('a thousand containers are listed', async () => {
  const records = Array.from({ length: 1000 }, (_, index) =>
    testRecord({ id: index.toString(16).padStart(64, '0'), name: `c${index}x`, state: web.state }),
  );
  using deps = open(records);
  assert.equal((await names(deps, { name: ['c'], status: ['running'] })).length, 1000);
});
