import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Filters, PlanItem } from '../../api/index.ts';
import { planImagePrune, planImageRemoval } from './plan.ts';
import { pruneImages } from './prune.ts';
import { removeImage } from './remove.ts';
import { tagImage } from './tag.ts';
import {
  collect,
  type Fixture,
  imported,
  inventory,
  layerOf,
  openFixture,
  someImage,
} from './test-fixture.ts';

const NEVER = 'c'.repeat(64);

const measured = (fixture: Fixture) => ({
  ...fixture,
  layerBytes: async (key: string) => (await fixture.snapshots.usage(key)).bytes,
});
const filtersOf = (filters: Record<string, string[]>) => new Map(Object.entries(filters)) as Filters;
const total = (items: PlanItem[]) => items.reduce((sum, item) => sum + item.Bytes, 0);
const state = async (fixture: Fixture) => [
  await inventory(fixture),
  await collect(fixture.content.ingests()),
];

/** Plans, checks that nothing changed and nothing was told, prunes, and checks that what was planned came true. */
async function prune(fixture: Fixture, filters: Record<string, string[]> = {}): Promise<PlanItem[]> {
  const deps = measured(fixture);
  const before = await state(fixture);
  fixture.published.length = 0;
  const planned = await planImagePrune(deps, filtersOf(filters));
  assert.deepEqual([await state(fixture), fixture.published], [before, []], 'a plan changes nothing');
  const { deleted, spaceReclaimed } = await pruneImages(deps, filtersOf(filters));
  assert.equal(total(planned), spaceReclaimed);
  const images = planned.filter(({ Kind }) => Kind === 'image').map(({ ID }) => ID);
  const known = (before[0] as { images: string[] }).images;
  const gone = deleted.flatMap(({ Deleted }) => (Deleted && known.includes(Deleted) ? [Deleted] : []));
  assert.deepEqual(images, gone);
  return planned;
}

test('a prune is planned with the bytes that it frees, shared layers with the last image that has them', async () => {
  await using fixture = openFixture();
  const shared = layerOf({ big: 'x'.repeat(100_000) });
  const one = await imported(fixture, shared);
  const two = await imported(fixture, shared, { message: 'other' });
  await someImage(fixture, 'kept:1', 'kept');
  const planned = await prune(fixture);
  assert.deepEqual(
    planned.map(({ Kind, ID }) => [Kind, ID]),
    [
      ['image', one.id],
      ['image', two.id],
    ],
  );
  const [first, second] = planned.map(({ Bytes }) => Bytes) as [number, number];
  assert.equal(first, 2 * 4096, 'config and manifest');
  assert.ok(second > 100_000);
});

test('names, filters and users count in a plan as in the prune', async () => {
  await using fixture = openFixture();
  await someImage(fixture, 'old:1', 'old', { created: '2020-01-01T00:00:00Z' });
  await tagImage(fixture, 'old:1', { repo: 'again', tag: '' });
  await someImage(fixture, 'new:1', 'new', { created: '2023-10-01T00:00:00Z' });
  const used = await someImage(fixture, '', 'used');
  fixture.users.set(used.id, [{ id: NEVER, running: false }]);
  assert.deepEqual(await prune(fixture), []);
  assert.deepEqual(await prune(fixture, { dangling: ['false'], label: ['none'] }), []);
  const [item, ...more] = await prune(fixture, { dangling: ['false'], until: ['2022-01-01'] });
  assert.deepEqual([item?.Name, more], ['again:latest', []]);
  await assert.rejects(planImagePrune(measured(fixture), filtersOf({ nope: [] })), {
    message: "invalid filter 'nope'",
  });
});

test('downloads that were cut, and what nothing needs, are in the plan', async () => {
  await using fixture = openFixture();
  for (const key of ['a', 'b']) {
    const ingest = await fixture.content.ingest(`sha256-${key.repeat(64)}`);
    await ingest.write(Buffer.alloc(5_000));
    await ingest.close();
  }
  using lease = fixture.leases.open();
  lease.add(`sha256:${'b'.repeat(64)}`);
  await fixture.content.put(Buffer.from('left'), 'x');
  await fixture.snapshots.prepare('extract-left', undefined);
  assert.deepEqual(
    (await prune(fixture, { label: ['x'] })).map(({ Kind, Bytes }) => [Kind, Bytes]),
    [['layers', 4096 + 4096]],
  );
  assert.deepEqual(await prune(fixture), [
    { Kind: 'download', ID: `sha256:${'a'.repeat(64)}`, Name: '', Bytes: 8192 },
  ]);
});

test('what a container stands on frees nothing until the container is gone', async () => {
  await using fixture = openFixture();
  const image = await someImage(fixture, 'app:1', 'app');
  const top = image.layers[0]?.chainId as string;
  await fixture.snapshots.prepare(NEVER, top);
  fixture.users.set(image.id, [{ id: NEVER, running: false }]);
  const plan = (without?: Set<string>) =>
    planImageRemoval({ ...measured(fixture), ...(without && { without }) }, ['app:1'], { force: true });
  const { bytes } = await fixture.snapshots.usage(top);
  const sums = [await plan(), await plan(new Set([NEVER]))].map(total);
  assert.deepEqual(sums, [3 * 4096, 3 * 4096 + bytes], 'its blobs; the layer, too');
  const [other] = await planImageRemoval(measured(fixture), ['app:1'], { force: false });
  assert.match(other?.Reason ?? '', /must force.* is using its referenced image/);
});

test('a removal is planned name by name, as the command goes on', async () => {
  await using fixture = openFixture();
  const image = await someImage(fixture, 'app:1', 'app');
  await tagImage(fixture, 'app:1', { repo: 'app', tag: '2' });
  await tagImage(fixture, 'app:1', { repo: 'team/app', tag: '2' });
  const before = await inventory(fixture);
  fixture.published.length = 0;
  const plan = (refs: string[], force = false) => planImageRemoval(measured(fixture), refs, { force });
  const id = { ID: image.id };
  assert.deepEqual(await plan([]), []);
  assert.deepEqual(await plan(['app:1', 'app:1', 'app:2']), [
    { Kind: 'name', ...id, Name: 'app:1', Bytes: 0 },
    { Kind: 'image', ID: '', Name: 'app:1', Bytes: 0, Reason: 'No such image: app:1' },
    { Kind: 'name', ...id, Name: 'app:2', Bytes: 0 },
  ]);
  const [refused] = await plan([image.id]);
  await assert.rejects(removeImage(fixture, image.id, { force: false, noPrune: false }), {
    message: refused?.Reason as string,
  });
  const whole = await plan(['app:1', 'app:2', 'team/app:2']);
  const { bytes } = await fixture.snapshots.usage(image.layers[0]?.chainId as string);
  assert.deepEqual(whole.at(-1), { Kind: 'image', ...id, Name: 'team/app:2', Bytes: bytes + 3 * 4096 });
  assert.deepEqual(await plan([image.id], true), [
    { Kind: 'image', ...id, Name: 'app:1', Bytes: bytes + 3 * 4096 },
  ]);
  assert.deepEqual([await inventory(fixture), fixture.published], [before, []]);
});
