import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Filters } from '../../api/index.ts';
import { silentLog, WharfError } from '../../base/index.ts';
import { openMemoryDatabase } from '../../meta/index.ts';
import { openVolumeStore } from '../../volume/index.ts';
import type { EngineEvent } from '../events/types.ts';
import { createVolume, inspectVolume, listVolumes, pruneVolumes, removeVolume } from './index.ts';

const filters = (values: Record<string, string[]>): Filters => new Map(Object.entries(values));

function open() {
  const root = mkdtempSync(join(tmpdir(), 'wharf-volume-filters-'));
  const database = openMemoryDatabase();
  const seen: EngineEvent[] = [];
  const used = new Set<string>();
  const logged: unknown[] = [];
  return {
    volumes: openVolumeStore({ root, database, log: silentLog }),
    events: { publish: (event: EngineEvent) => void seen.push(event) },
    volumeUsers: (name: string) => (used.has(name) ? ['c1'] : []),
    usedVolumes: () => used,
    log: { ...silentLog, warn: (_text: string, fields: object = {}) => void logged.push(fields) },
    used,
    seen,
    logged,
    [Symbol.dispose]() {
      database[Symbol.dispose]();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

test('creating is refused with the texts of the reference', async () => {
  using deps = open();
  const characters =
    'only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path';
  const rows = [
    [
      { Name: 'a' },
      'invalid',
      'create a: volume name is too short, names should be at least two alphanumeric characters',
    ],
    [
      { Name: 'a!' },
      'invalid',
      `create a!: "a!" includes invalid characters for a local volume name, ${characters}`,
    ],
    [
      { Name: '../x' },
      'invalid',
      `create ../x: "../x" includes invalid characters for a local volume name, ${characters}`,
    ],
    [
      { Name: 'vv', Driver: 'no' },
      'not-found',
      'create vv: error looking up volume plugin no: plugin "no" not found',
    ],
    [{ Name: 'vv', DriverOpts: { x: 'y' } }, 'invalid', 'create vv: invalid option: "x"'],
    [
      { Name: 'vv', DriverOpts: { type: 'tmpfs' } },
      'invalid',
      'create vv: missing required option: "device"',
    ],
  ] as const;
  for (const [input, kind, message] of rows)
    await assert.rejects(createVolume(deps, input), { kind, message });
  assert.deepEqual([deps.volumes.list(), deps.seen], [[], []]);
});

test('the first create of a name decides its labels and options', async () => {
  using deps = open();
  const DriverOpts = { type: 'tmpfs', device: 'tmpfs', o: 'size=1m' };
  const first = await createVolume(deps, { Name: 'vv', Labels: { a: 'b' }, DriverOpts });
  assert.deepEqual([first.Labels, first.Options], [{ a: 'b' }, DriverOpts]);
  const again = await createVolume(deps, { Name: 'vv', Labels: { c: 'd' } });
  assert.deepEqual(again, first);
  assert.equal(deps.seen.length, 1);
  assert.deepEqual(await inspectVolume(deps, 'vv'), first);
});

test('lists: patterns, labels, drivers, dangling; what is no filter of a list', async () => {
  using deps = open();
  await createVolume(deps, { Name: 'gq1', Labels: { a: 'b' } });
  await createVolume(deps, { Name: 'gq3' });
  deps.used.add('gq3');
  const names = async (wanted: Record<string, string[]>) =>
    (await listVolumes(deps, filters(wanted))).Volumes.map((one) => one.Name);
  const rows: [Record<string, string[]>, string[]][] = [
    [{ name: ['gq', '('] }, ['gq1', 'gq3']],
    [{ name: ['^gq1$'] }, ['gq1']],
    [{ name: ['gq[23]'] }, ['gq3']],
    [{ name: ['('] }, []],
    [{ driver: ['loc'] }, []],
    [{ driver: ['loc', 'local'] }, ['gq1', 'gq3']],
    [{ label: ['a'] }, ['gq1']],
    [{ label: ['a=c'] }, []],
    [{ label: ['constructor'] }, []],
    [{ dangling: ['1'] }, ['gq1']],
    [{ dangling: ['false'], name: ['gq1'] }, []],
  ];
  for (const [wanted, expected] of rows) {
    assert.deepEqual((await names(wanted)).sort(), expected, JSON.stringify(wanted));
  }
  for (const [wanted, message] of [
    [{ 'label!': ['a'] }, "invalid filter 'label!'"],
    [{ dangling: ['x'] }, "invalid filter 'dangling=[x]'"],
    [{ dangling: ['true', 'false'] }, "invalid filter 'dangling=[true false]'"],
  ] as [Record<string, string[]>, string][]) {
    await assert.rejects(names(wanted), { kind: 'invalid', message });
  }
});

test('prune: labels, wishes it refuses, and what it can not remove', async () => {
  using deps = open();
  await createVolume(deps, { Name: 'keep', Labels: { keep: '' } });
  await createVolume(deps, { Name: 'stuck' });
  await createVolume(deps, { Name: 'goes' });
  for (const [wanted, message] of [
    [{ until: ['1h'] }, "invalid filter 'until'"],
    [{ all: ['true', 'false'] }, "invalid filter 'all=[true false]': only one value is expected"],
  ] as [Record<string, string[]>, string][]) {
    await assert.rejects(pruneVolumes(deps, filters(wanted)), { kind: 'invalid', message });
  }
  assert.deepEqual(await pruneVolumes(deps, filters({ all: ['0'] })), {
    VolumesDeleted: [],
    SpaceReclaimed: 0,
  });
  const remove = deps.volumes.remove.bind(deps.volumes);
  deps.volumes.remove = async (name) => {
    if (name === 'stuck') throw new WharfError('internal', 'EIO');
    return remove(name);
  };
  const pruned = await pruneVolumes(deps, filters({ all: ['1'], 'label!': ['keep'] }));
  assert.deepEqual(pruned.VolumesDeleted, ['goes']);
  assert.equal(deps.logged.length, 1, 'what failed is said to the operator');
  assert.deepEqual(
    deps.volumes
      .list()
      .map((one) => one.name)
      .sort(),
    ['keep', 'stuck'],
  );
  assert.deepEqual(
    deps.seen.slice(-2).map((one) => [one.action, one.id]),
    [
      ['destroy', 'goes'],
      ['prune', ''],
    ],
  );
  assert.deepEqual(deps.seen.at(-1)?.attributes, { reclaimed: String(pruned.SpaceReclaimed) });
});

test('a volume that comes into use between prune and removal stays', async () => {
  using deps = open();
  await createVolume(deps, { Name: 'raced' });
  const usage = deps.volumes.usage.bind(deps.volumes);
  deps.volumes.usage = async (name) => {
    deps.used.add(name);
    return usage(name);
  };
  assert.deepEqual((await pruneVolumes(deps, filters({ all: ['1'] }))).VolumesDeleted, []);
  assert.deepEqual([deps.volumes.list().length, deps.logged], [1, []], 'not worth a warning');
  await assert.rejects(removeVolume(deps, 'raced', { force: true }), {
    kind: 'conflict',
    message: 'remove raced: volume is in use - [c1]',
  });
});
