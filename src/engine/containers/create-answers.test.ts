import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, test } from 'node:test';
import type { ContainerConfig, HostConfig, NetworkingConfig } from '../../api/index.ts';
import { type ErrorKind, WharfError } from '../../base/index.ts';
import { createContainer } from './create.ts';
import { REFUSED, REFUSED_HERE, TAKEN, TOLD_HERE, type WireRequest } from './create-answers.cases.ts';
import { type Fixture, namesIn, openFixture } from './test-fixture.ts';

/** Statuses of the kinds that a create may end with. */
const STATUS: Partial<Record<ErrorKind, number>> = {
  invalid: 400,
  'not-found': 404,
  conflict: 409,
  internal: 500,
};

after(() => rmSync('/tmp/.wharf-create-answers', { recursive: true, force: true }));

async function answer(fixture: Fixture, wire: WireRequest) {
  const { HostConfig: hostConfig, NetworkingConfig: networkingConfig, ...config } = wire;
  try {
    const made = await createContainer(fixture.deps, {
      config: { Image: 'busybox', ...(config as ContainerConfig) },
      hostConfig: (hostConfig ?? {}) as HostConfig,
      networkingConfig: (networkingConfig ?? {}) as NetworkingConfig,
    });
    return { status: 201, id: made.id, warnings: made.warnings };
  } catch (thrown) {
    assert.ok(thrown instanceof WharfError, `${JSON.stringify(wire)}: ${thrown}`);
    return { status: STATUS[thrown.kind], message: thrown.message };
  }
}

/** The host of the reference's answers: block I/O weights are not to be had there. */
async function referenceHost(): Promise<Fixture> {
  const fixture = await openFixture();
  fixture.deps.host.cgroup.blkioWeight = false;
  fixture.deps.host.cgroup.blkioWeightDevice = false;
  return fixture;
}

test('what the reference refuses is refused with its status and text, and leaves nothing', async () => {
  await using fixture = await referenceHost();
  for (const [wire, status, message] of [...REFUSED, ...REFUSED_HERE]) {
    assert.deepEqual(await answer(fixture, wire), { status, message }, JSON.stringify(wire));
  }
  assert.deepEqual(fixture.deps.store.all(), []);
  assert.deepEqual(fixture.deps.volumes.list(), []);
  assert.deepEqual(namesIn(`${fixture.root}/containers`), []);
  const told = new Set(fixture.events.map(({ type, action }) => `${type} ${action}`));
  assert.ok(!told.has('container create'));
});

test('what the reference takes is taken with its warnings, and kept as asked', async () => {
  await using fixture = await referenceHost();
  for (const [wire, ...warnings] of [...TAKEN, ...TOLD_HERE]) {
    const made = await answer(fixture, wire);
    assert.deepEqual({ ...made, id: '' }, { status: 201, id: '', warnings }, JSON.stringify(wire));
    assert.equal(fixture.events.at(-1)?.action, 'create');
    const record = fixture.deps.store.get(made.id ?? '');
    // What is written is what the next daemon reads: nothing that JSON can not say.
    assert.deepEqual(JSON.parse(JSON.stringify(record)), record);
    await fixture.deps.snapshotter.remove(made.id ?? '');
    fixture.deps.store.delete(made.id ?? '');
  }
});
