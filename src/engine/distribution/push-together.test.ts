import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WharfError } from '../../base/index.ts';
import type { Digest } from '../../oci/index.ts';
import { openDistribution } from './testing/fixture.ts';
import { errorOf, image, push, short, states } from './testing/pushing.ts';

test('pushes at once share their layers: each is sent once, to whatever repository', async () => {
  await using home = openDistribution();
  const names = Array.from({ length: 8 }, (_, at) => `app${at}:1`);
  for (const name of names) await image(home, [name], 'shared', `own of ${name}`);
  const same = await image(home, ['same:1', 'same:2'], 'shared', 'both');
  const all = await Promise.all([
    ...names.map((name) => push(home, name)),
    push(home, 'same', '1'),
    push(home, 'same', '2'),
  ]);
  assert.deepEqual(all.map(errorOf).filter(Boolean), []);
  const shared = same.layers[0]?.blob.digest as Digest;
  const sent = home.registry.asked('upload').map((call) => call.split(' ')[1]);
  assert.equal(sent.filter((digest) => digest === shared).length, 1);
  assert.equal(sent.filter((digest) => digest === same.layers[1]?.blob.digest).length, 1);
  const mounts = home.registry.asked('mount').filter((call) => call.includes(shared));
  assert.equal(new Set(mounts.map((call) => call.split(' ')[0])).size, 8);
});

test('a layer that came over with a push still under way is mounted, not sent again', async () => {
  await using home = openDistribution();
  const [one] = [await image(home, ['one:1'], 'shared'), await image(home, ['two:1'], 'shared')];
  const stored = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  home.registry.before = async ({ method, path }) => {
    if (method !== 'put' || path !== 'one') return;
    stored.resolve();
    await go.promise;
  };
  const first = push(home, 'one', '1');
  await stored.promise;
  const id = short(one.layers[0]?.diffId ?? '');
  assert.deepEqual(states(await push(home, 'two', '1'), id), ['Preparing', 'Mounted from one']);
  go.resolve();
  assert.equal(errorOf(await first), undefined);
});

test('a push that joins goes on when the one it joined is cancelled or refused', async () => {
  await using home = openDistribution();
  await image(home, ['app:1', 'app:2'], 'one');
  const begun = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  home.registry.during = async () => {
    begun.resolve();
    await go.promise;
  };
  const stop = new AbortController();
  const first = assert.rejects(push(home, 'app', '1', {}, stop.signal), { kind: 'cancelled' });
  await begun.promise;
  const second = push(home, 'app', '2');
  while (home.registry.asked('stat').length < 4) await new Promise(setImmediate);
  await new Promise(setImmediate);
  stop.abort();
  go.resolve();
  await first;
  assert.equal(errorOf(await second), undefined);
  assert.deepEqual([...home.registry.contents('app').tags.keys()], ['2']);
  assert.equal(home.registry.asked('upload').length, 2, 'layer and config once');
});

test('the failure of another push with other rights is not ours', async () => {
  await using home = openDistribution();
  await image(home, ['app:1'], 'one');
  const both = Promise.withResolvers<void>();
  home.registry.before = async ({ method, credentials }) => {
    if (method !== 'upload' || credentials.username !== 'eve') return;
    await both.promise;
    throw new WharfError('forbidden', 'denied');
  };
  const eve = push(home, 'app', '1', { credentials: { username: 'eve' } });
  while (home.registry.asked('upload').length < 2) await new Promise(setImmediate);
  const alice = push(home, 'app', '1', { credentials: { username: 'alice' } });
  while (home.registry.asked('stat').length < 4) await new Promise(setImmediate);
  both.resolve();
  assert.equal(errorOf(await eve), 'denied');
  assert.equal(errorOf(await alice), undefined);
});
