import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { isKind, WharfError } from '../../base/index.ts';
import { createContainer } from './create.ts';
import { initLayerKey } from './init-layer.ts';
import { CHAIN, type Fixture, namesIn, openFixture, request } from './test-fixture.ts';

/** Creates while the image goes when a step of the snapshotter begins. */
async function removedAt(fixture: Fixture, step: 'init' | 'prepare' | 'after') {
  const { deps } = fixture;
  let gone = false;
  const { snapshotter } = deps;
  const prepare = async (key: string, parent: string | undefined) => {
    const own = parent === initLayerKey(CHAIN);
    if (own && step === 'prepare') {
      gone = true;
      await snapshotter.remove(initLayerKey(CHAIN));
    }
    if (!own && step === 'init') {
      gone = true;
      await snapshotter.remove(CHAIN);
    }
    await snapshotter.prepare(key, parent);
    if (own && step === 'after') gone = true;
  };
  const watched = Object.assign(Object.create(snapshotter) as typeof snapshotter, { prepare });
  const images = { resolve: (ref: string) => (gone ? undefined : deps.images.resolve(ref)) };
  return createContainer({ ...deps, snapshotter: watched, images }, request());
}

for (const step of ['init', 'prepare', 'after'] as const) {
  test(`an image that goes at "${step}" of a create is missing, and nothing is left`, async () => {
    await using fixture = await openFixture();
    await assert.rejects(
      removedAt(fixture, step),
      (thrown: Error) => isKind(thrown, 'not-found') && thrown.message === 'No such image: busybox:latest',
    );
    assert.deepEqual(fixture.deps.store.all(), []);
    assert.deepEqual(fixture.events, []);
    const left = fixture.deps.snapshotter.list().filter(({ kind }) => kind === 'active');
    assert.deepEqual(left, []);
    assert.deepEqual(namesIn(join(fixture.root, 'containers')), []);
  });
}

test('the volumes of a create can not be removed before its record has them, and can after its end', async () => {
  await using fixture = await openFixture({ image: { Cmd: ['sh'], Volumes: { '/anonymous': {} } } });
  const { deps } = fixture;
  const answers: string[] = [];
  let fails = false;
  const snapshotter = Object.assign(Object.create(deps.snapshotter) as typeof deps.snapshotter, {
    prepare: async (key: string, parent: string | undefined) => {
      if (parent === initLayerKey(CHAIN)) {
        for (const { name } of deps.volumes.list()) {
          const removed = deps.volumes.remove(name).then(() => 'removed');
          answers.push(
            await removed.catch((thrown: Error) => (isKind(thrown, 'conflict') ? 'in use' : 'other')),
          );
        }
        if (fails) throw new WharfError('internal', 'EIO');
      }
      await deps.snapshotter.prepare(key, parent);
    },
  });
  const input = { ...request({}, { Binds: ['named:/named'] }), name: 'web' };
  const { id } = await createContainer({ ...deps, snapshotter }, input);
  assert.deepEqual(answers, ['in use', 'in use']);
  for (const { name } of deps.volumes.list()) await deps.volumes.remove(name);
  deps.store.delete(id);
  fails = true;
  await assert.rejects(createContainer({ ...deps, snapshotter }, { ...input, name: 'refused' }), {
    message: 'EIO',
  });
  assert.deepEqual(deps.volumes.list(), []);
});
