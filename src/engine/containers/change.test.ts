import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Filters, Resources } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import { createContainer } from './create.ts';
import { pruneContainers } from './prune.ts';
import type { ContainerRecord } from './record.ts';
import { renameContainer } from './rename.ts';
import { type Fixture, openFixture, request } from './test-fixture.ts';
import { type UpdateDeps, updateContainer } from './update.ts';

async function make(fixture: Fixture, name: string, hostConfig = {}): Promise<ContainerRecord> {
  const { id } = await createContainer(fixture.deps, { ...request({}, hostConfig), name });
  return fixture.deps.store.get(id) as ContainerRecord;
}

test('rename: texts, event, and the old name is free', async () => {
  await using fixture = await openFixture();
  const { deps, events } = fixture;
  const one = await make(fixture, 'one');
  await make(fixture, 'two');
  const refused = (name: string, kind: string, message: RegExp) =>
    assert.rejects(renameContainer(deps, 'one', name), (thrown) => {
      assert.ok(thrown instanceof WharfError);
      assert.equal(thrown.kind, kind);
      assert.match(thrown.message, message);
      return true;
    });
  await refused(
    'two',
    'conflict',
    /^Error when allocating new name: Conflict\. The container name "\/two" is already/,
  );
  await refused('one', 'invalid', /^Renaming a container with the same name as its current name$/);
  await refused('', 'invalid', /^Neither old nor new names may be empty$/);
  await refused('b!', 'invalid', /^Error when allocating new name: Invalid container name \(\/b!\), only/);
  await renameContainer(deps, 'one', '/uno');
  assert.equal(deps.store.resolve('uno'), one);
  assert.deepEqual(events.at(-1)?.attributes, { image: 'busybox', name: 'uno', oldName: '/one' });
  await make(fixture, 'one');
});

function updating(fixture: Fixture) {
  const sent: Resources[] = [];
  const task = {
    async update(resources: unknown) {
      if ((resources as Resources).CpuShares === 666) throw new WharfError('internal', 'the kernel said no');
      sent.push(resources as Resources);
    },
  };
  const running = new Set<string>();
  const deps: UpdateDeps = {
    ...fixture.deps,
    live: { task: (id) => (running.has(id) ? task : undefined) },
    resources: (limits) => ({ resources: limits as never, warnings: [] }),
  };
  return { deps, sent, running };
}

test('update changes the process first, then the record; what is zero stays', async () => {
  await using fixture = await openFixture();
  const { deps, sent, running } = updating(fixture);
  const record = await make(fixture, 'limited', { Memory: 1e8 });
  running.add(record.id);
  assert.deepEqual(await updateContainer(deps, 'limited', { CpuShares: 512, Memory: 0, PidsLimit: 10 }), {
    warnings: [],
  });
  assert.deepEqual(
    [record.hostConfig.CpuShares, record.hostConfig.Memory, record.hostConfig.PidsLimit],
    [512, 1e8, 10],
  );
  assert.equal(sent.length, 1);
  await updateContainer(deps, 'limited', {
    RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 },
    PidsLimit: -1,
  });
  assert.deepEqual(record.hostConfig.RestartPolicy, { Name: 'on-failure', MaximumRetryCount: 2 });
  assert.equal(record.hostConfig.PidsLimit, 0);
  assert.equal(fixture.events.at(-1)?.action, 'update');
});

test('update is refused with the texts of the reference, and changes nothing then', async () => {
  await using fixture = await openFixture();
  const { deps, running } = updating(fixture);
  const record = await make(fixture, 'limited', { NanoCpus: 1e9, Memory: 1e8, AutoRemove: true });
  running.add(record.id);
  const before = structuredClone(record.hostConfig);
  const cannot = `Cannot update container ${record.id}: `;
  for (const [change, kind, message] of [
    [{ Memory: 1000 }, 'invalid', 'Minimum memory limit allowed is 6MB'],
    [
      { RestartPolicy: { Name: 'x' } },
      'invalid',
      "invalid restart policy: unknown policy 'x'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
    ],
    [
      { Memory: 3e8 },
      'conflict',
      `${cannot}Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time`,
    ],
    [
      { CpuQuota: 50000 },
      'conflict',
      `${cannot}Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set`,
    ],
    [
      { RestartPolicy: { Name: 'always' } },
      'conflict',
      `${cannot}Restart policy cannot be updated because AutoRemove is enabled for the container`,
    ],
    [{ CpuShares: 666 }, 'internal', `${cannot}the kernel said no`],
  ] as const) {
    await assert.rejects(updateContainer(deps, 'limited', change), { kind, message });
    assert.deepEqual(record.hostConfig, before);
  }
});

test('update names what it can not change', async () => {
  await using fixture = await openFixture();
  const { deps } = updating(fixture);
  await make(fixture, 'limited');
  const { warnings } = await updateContainer(deps, 'limited', {
    CgroupParent: '/x',
    Ulimits: [],
    Devices: [{}],
  });
  assert.deepEqual(warnings, ["CgroupParent, Devices can't be changed by an update and stay as they are."]);
});

test('prune removes stopped containers that fit, and passes over what it can not remove', async () => {
  await using fixture = await openFixture();
  const { deps } = fixture;
  const running = await make(fixture, 'running');
  running.state.status = 'running';
  const stopped = await make(fixture, 'stopped');
  const busy = await make(fixture, 'busy');
  const remove = async (record: ContainerRecord) => {
    if (record === busy) throw new WharfError('conflict', 'being started');
    deps.store.delete(record.id);
  };
  const prune = (filters: Record<string, string[]>) =>
    pruneContainers(
      { ...deps, remove, bytesOf: async () => 1, settled: async () => undefined },
      new Map(Object.entries(filters)) satisfies Filters,
    );
  assert.deepEqual((await prune({ until: ['1h'] })).deleted, []);
  assert.deepEqual((await prune({ label: ['nosuch'] })).deleted, []);
  await assert.rejects(prune({ foo: ['x'] }), { message: "invalid filter 'foo'" });
  const pruned = await prune({ 'label!': ['nosuch'] });
  assert.deepEqual(pruned.deleted, [stopped.id]);
  assert.equal(typeof pruned.spaceReclaimed, 'number');
  assert.equal(fixture.events.at(-1)?.action, 'prune');
  assert.ok(deps.store.get(running.id));
});
