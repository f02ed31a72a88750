import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostConfig, Resources, RestartPolicy } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import { resourcesFromHostConfig } from '../../runtime/index.ts';
import type { OciResources } from '../../runtime/spec-types.ts';
import { ableFacts } from './field-effects.cases.ts';
import { World } from './lifecycle.cases.ts';
import { startContainer } from './lifecycle.ts';
import { ableHost } from './test-fixture.ts';
import { type UpdateDeps, updateContainer } from './update.ts';

type Change = Resources & { RestartPolicy?: RestartPolicy };

function updating(world: World): UpdateDeps {
  return {
    ...world.deps,
    host: ableHost(),
    resources: (limits) => resourcesFromHostConfig(limits, ableFacts()),
  };
}

async function running(world: World, hostConfig: HostConfig = {}) {
  const record = world.add({ hostConfig: { NetworkMode: 'default', ...hostConfig } });
  await startContainer(world.deps, record.id);
  return { record, task: world.tasks.of(record.id) };
}

test('each limit reaches the running process and the record', async () => {
  const rows: [Change, HostConfig, (resources: OciResources) => unknown, unknown][] = [
    [{ CpuShares: 512 }, {}, ({ cpu }) => cpu?.shares, 512],
    [{ NanoCpus: 1.5e9 }, {}, ({ cpu }) => [cpu?.quota, cpu?.period], [150_000, 100_000]],
    [{ CpuPeriod: 50_000 }, { CpuQuota: 20_000 }, ({ cpu }) => [cpu?.quota, cpu?.period], [20_000, 50_000]],
    [{ CpuQuota: 20_000 }, {}, ({ cpu }) => cpu?.quota, 20_000],
    [
      { CpuRealtimeRuntime: 10_000, CpuRealtimePeriod: 90_000 },
      {},
      ({ cpu }) => cpu?.realtimeRuntime,
      10_000,
    ],
    [{ CpusetCpus: '1' }, {}, ({ cpu }) => cpu?.cpus, '1'],
    [{ CpusetMems: '0' }, {}, ({ cpu }) => cpu?.mems, '0'],
    [
      { Memory: 3e7 },
      { Memory: 2e7, MemorySwap: 4e7 },
      ({ memory }) => [memory?.limit, memory?.swap],
      [3e7, 4e7],
    ],
    [{ Memory: 9e7, MemorySwap: 9e7 }, { Memory: 2e7, MemorySwap: 4e7 }, ({ memory }) => memory?.swap, 9e7],
    [{ MemoryReservation: 1e7 }, {}, ({ memory }) => memory?.reservation, 1e7],
    [{ BlkioWeight: 300 }, {}, ({ blockIO }) => blockIO?.weight, 300],
    [{ PidsLimit: 7 }, {}, ({ pids }) => pids, { limit: 7 }],
  ];
  for (const [change, before, see, expected] of rows) {
    await using world = new World();
    const { record, task } = await running(world, before);
    assert.deepEqual(await updateContainer(updating(world), record.name, change), { warnings: [] });
    assert.equal(task.updates.length, 1);
    assert.deepEqual(see(task.updates[0] ?? {}), expected, JSON.stringify(change));
    for (const [field, value] of Object.entries(change)) {
      assert.deepEqual(record.hostConfig[field as keyof HostConfig], value);
    }
    assert.equal((await world.actions()).at(-1), 'update');
  }
});

test('a limit on processes is lifted by 0 and by -1, in the kernel, too', async () => {
  for (const PidsLimit of [0, -1]) {
    await using world = new World();
    const { record, task } = await running(world, { PidsLimit: 5 });
    await updateContainer(updating(world), record.id, { PidsLimit });
    assert.deepEqual([record.hostConfig.PidsLimit, task.updates.at(-1)?.pids], [0, { limit: -1 }]);
  }
});

test('what is zero, empty or null stays; without a change of limits the process is not asked', async () => {
  await using world = new World();
  const { record, task } = await running(world, { Memory: 2e7, MemorySwap: 4e7, CpuShares: 5 });
  const before = structuredClone(record.hostConfig);
  for (const change of [{}, { Memory: 0, CpusetCpus: '' }, { CpuShares: 5 }, { PidsLimit: null }]) {
    await updateContainer(updating(world), record.id, change as Change);
  }
  assert.deepEqual([record.hostConfig, task.updates], [before, []]);
  assert.equal((await world.actions()).filter((one) => one === 'update').length, 4, 'told all the same');
});

test('a restart policy changes without the process, and an empty one stays', async () => {
  await using world = new World();
  const { record, task } = await running(world, { RestartPolicy: { Name: 'no', MaximumRetryCount: 0 } });
  const steps: [RestartPolicy, RestartPolicy][] = [
    [{ Name: 'always' }, { Name: 'always', MaximumRetryCount: 0 }],
    [
      { Name: 'on-failure', MaximumRetryCount: 3 },
      { Name: 'on-failure', MaximumRetryCount: 3 },
    ],
    [{ Name: '' }, { Name: 'on-failure', MaximumRetryCount: 3 }],
    [{ Name: 'no' }, { Name: 'no', MaximumRetryCount: 0 }],
  ];
  for (const [asked, expected] of steps) {
    await updateContainer(updating(world), record.id, { RestartPolicy: asked });
    assert.deepEqual(record.hostConfig.RestartPolicy, expected);
  }
  assert.deepEqual(task.updates, []);
});

test('a stopped container is changed for its next start', async () => {
  await using world = new World();
  const record = world.add({ hostConfig: {} });
  await updateContainer(updating(world), record.id, { CpuShares: 99 });
  assert.deepEqual([record.hostConfig.CpuShares, world.store.saves], [99, 1]);
});

test('conflicts with what is set, in the words of the reference; nothing changes', async () => {
  const swap =
    'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time';
  const nano = (what: string) =>
    `Conflicting options: CPU ${what} cannot be updated as NanoCPUs has already been set`;
  const rows: [HostConfig, Change, string][] = [
    [{ Memory: 3e7, MemorySwap: 4e7 }, { Memory: 5e7 }, swap],
    [{ Memory: 3e7, MemorySwap: -1 }, { Memory: 9e7 }, swap],
    [{}, { Memory: 9e7 }, swap],
    [{ NanoCpus: 1e9 }, { CpuPeriod: 5_000 }, nano('Period')],
    [{ NanoCpus: 1e9 }, { CpuQuota: 5_000 }, nano('Quota')],
    [
      { CpuPeriod: 5_000 },
      { NanoCpus: 1e9 },
      'Conflicting options: Nano CPUs cannot be updated as CPU Period has already been set',
    ],
    [
      { CpuQuota: 5_000 },
      { NanoCpus: 1e9 },
      'Conflicting options: Nano CPUs cannot be updated as CPU Quota has already been set',
    ],
    [
      { AutoRemove: true },
      { RestartPolicy: { Name: 'unless-stopped' } },
      'Restart policy cannot be updated because AutoRemove is enabled for the container',
    ],
  ];
  for (const [before, change, text] of rows) {
    await using world = new World();
    const { record, task } = await running(world, before);
    const kept = structuredClone(record.hostConfig);
    await assert.rejects(updateContainer(updating(world), record.name, change), {
      kind: 'conflict',
      message: `Cannot update container ${record.id}: ${text}`,
    });
    assert.deepEqual([record.hostConfig, task.updates, world.store.saves], [kept, [], 1]);
    assert.ok(!(await world.actions()).includes('update'));
  }
});

test('a container that is being removed or is dead is not changed', async () => {
  await using world = new World();
  for (const status of ['removing', 'dead'] as const) {
    const record = world.add({ hostConfig: {} });
    record.state.status = status;
    await assert.rejects(updateContainer(updating(world), record.id, { CpuShares: 9 }), {
      kind: 'conflict',
      message: `Cannot update container ${record.id}: Container is marked for removal and cannot be "update".`,
    });
  }
});

test('values are checked before the container is looked for', async () => {
  await using world = new World();
  const refused = (change: Change) => updateContainer(updating(world), 'nosuch', change);
  await assert.rejects(refused({ Memory: 1_000 }), { message: 'Minimum memory limit allowed is 6MB' });
  await assert.rejects(refused({ Memory: 1e7, MemorySwap: 5e6 }), {
    message: 'Minimum memoryswap limit should be larger than memory limit, see usage',
  });
  await assert.rejects(refused({ CpusetCpus: '7' }), {
    message: 'Requested CPUs are not available - requested 7, available: 0-1',
  });
  // Swap alone is no fault of an update: the memory limit may be set already.
  await assert.rejects(refused({ MemorySwap: 5 }), {
    kind: 'not-found',
    message: 'No such container: nosuch',
  });
});

test('when the kernel refuses, the record stays; when the disk does, the kernel is set back', async () => {
  await using world = new World();
  const { record, task } = await running(world, { CpuShares: 5 });
  const real = task.update.bind(task);
  task.update = async () => {
    throw new WharfError('internal', 'write memory.max: device or resource busy');
  };
  await assert.rejects(updateContainer(updating(world), record.id, { CpuShares: 9 }), {
    kind: 'internal',
    message: `Cannot update container ${record.id}: write memory.max: device or resource busy`,
  });
  assert.equal(record.hostConfig.CpuShares, 5);
  task.update = real;
  world.store.save = () => {
    throw new WharfError('exhausted', 'disk full');
  };
  await assert.rejects(updateContainer(updating(world), record.id, { CpuShares: 9 }), /disk full/);
  assert.equal(record.hostConfig.CpuShares, 5);
  assert.deepEqual(
    task.updates.map((one) => one.cpu?.shares),
    [9, 5],
  );
});

test('warnings: what this host can not keep, and what an update does not change', async () => {
  await using world = new World();
  const { record } = await running(world);
  const deps = updating(world);
  deps.host.cgroup.blkioWeight = false;
  const change: Change = {
    BlkioWeight: 100,
    Devices: [{}],
    MemorySwappiness: 5,
    Ulimits: [],
    CgroupParent: '',
  };
  assert.deepEqual((await updateContainer(deps, record.id, change)).warnings, [
    'Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.',
    "Devices, MemorySwappiness can't be changed by an update and stay as they are.",
  ]);
  assert.equal('BlkioWeight' in record.hostConfig, false);
});
