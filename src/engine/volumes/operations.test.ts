import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Filters } from '../../api/index.ts';
import { silentLog } from '../../base/index.ts';
import { openMemoryDatabase } from '../../meta/index.ts';
import { openVolumeStore } from '../../volume/index.ts';
import type { EngineEvent } from '../events/types.ts';
import { createVolume, inspectVolume, listVolumes, pruneVolumes, removeVolume } from './index.ts';

const filters = (values: Record<string, string[]> = {}): Filters => new Map(Object.entries(values));

function open() {
  const root = mkdtempSync(join(tmpdir(), 'wharf-volume-ops-'));
  const database = openMemoryDatabase();
  const events: EngineEvent[] = [];
  const users = new Map<string, string[]>();
  return {
    volumes: openVolumeStore({ root, database, log: silentLog }),
    events: { publish: (event: EngineEvent) => void events.push(event) },
    volumeUsers: (name: string) => users.get(name) ?? [],
    usedVolumes: () => new Set(users.keys()),
    log: silentLog,
    users,
    seen: events,
    [Symbol.dispose]() {
      database[Symbol.dispose]();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

test('a volume is made, shown with nulls for what is empty, and removed', async () => {
  using deps = open();
  const made = await createVolume(deps, { Name: 'data' });
  assert.deepEqual(
    { ...made, CreatedAt: '' },
    {
      CreatedAt: '',
      Driver: 'local',
      Labels: null,
      Mountpoint: deps.volumes.mountpoint('data'),
      Name: 'data',
      Options: null,
      Scope: 'local',
    },
  );
  assert.deepEqual(await inspectVolume(deps, 'data'), made);
  await createVolume(deps, { Name: 'data' });
  await removeVolume(deps, 'data', { force: false });
  assert.deepEqual(
    deps.seen.map((event) => [event.action, event.id, event.attributes]),
    [
      ['create', 'data', { driver: 'local' }],
      ['destroy', 'data', { driver: 'local' }],
    ],
  );
});

test('missing and used volumes give the texts of the reference', async () => {
  using deps = open();
  const missing = { kind: 'not-found', message: 'get nosuch: no such volume' };
  await assert.rejects(inspectVolume(deps, 'nosuch'), missing);
  await assert.rejects(removeVolume(deps, 'nosuch', { force: false }), missing);
  await removeVolume(deps, 'nosuch', { force: true });
  await createVolume(deps, { Name: 'used' });
  deps.users.set('used', ['c1', 'c2']);
  await assert.rejects(removeVolume(deps, 'used', { force: true }), {
    kind: 'conflict',
    message: 'remove used: volume is in use - [c1, c2]',
  });
  await assert.rejects(createVolume(deps, { Name: 'cc', ClusterVolumeSpec: {} }), { kind: 'unavailable' });
});

test('lists by name, driver, label and dangling', async () => {
  using deps = open();
  await createVolume(deps, { Name: 'web-data', Labels: { tier: 'web' } });
  await createVolume(deps, { Name: 'db-data' });
  deps.users.set('db-data', ['c1']);
  const names = async (wanted: Record<string, string[]>) =>
    (await listVolumes(deps, filters(wanted))).Volumes.map((volume) => volume.Name).sort();
  assert.deepEqual(await names({}), ['db-data', 'web-data']);
  assert.deepEqual(await names({ name: ['^web'] }), ['web-data']);
  assert.deepEqual(await names({ label: ['tier=web'] }), ['web-data']);
  assert.deepEqual(await names({ driver: ['other'] }), []);
  assert.deepEqual(await names({ dangling: ['true'] }), ['web-data']);
  assert.deepEqual(await names({ dangling: ['false'] }), ['db-data']);
  await assert.rejects(listVolumes(deps, filters({ foo: ['x'] })), { message: "invalid filter 'foo'" });
});

test('prune takes unused anonymous volumes, and all unused ones when asked', async () => {
  using deps = open();
  const anonymous = await createVolume(deps, {});
  await createVolume(deps, { Name: 'named' });
  await createVolume(deps, { Name: 'used' });
  deps.users.set('used', ['c1']);
  writeFileSync(join(anonymous.Mountpoint ?? '', 'f'), 'x'.repeat(8192));
  const first = await pruneVolumes(deps, filters());
  assert.deepEqual(first.VolumesDeleted, [anonymous.Name]);
  assert.ok(first.SpaceReclaimed >= 8192);
  assert.deepEqual((await pruneVolumes(deps, filters({ all: ['true'] }))).VolumesDeleted, ['named']);
  assert.deepEqual(deps.seen.at(-1)?.action, 'prune');
  await assert.rejects(pruneVolumes(deps, filters({ all: ['x'] })), {
    kind: 'invalid',
    message: `invalid filter 'all': strconv.ParseBool: parsing "x": invalid syntax`,
  });
});
