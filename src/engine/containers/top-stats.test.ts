import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerStatsResponse } from '../../api/index.ts';
import { World } from './lifecycle.cases.ts';
import { containerChanges, containerStats, StatsSampler, startContainer, topContainer } from './lifecycle.ts';
import { parsePs } from './top.ts';

const PS = `UID   PID  PPID  C STIME TTY   TIME     CMD
root    1     0  0 10:00 ?     00:00:01 /sbin/init
root 1100     1  0 10:00 ?     00:00:00 sh -c  sleep 5
`;

test('rows of the container, the command with its blanks joined', () => {
  assert.deepEqual(parsePs(PS, new Set([1100])), {
    Titles: ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD'],
    Processes: [['root', '1100', '1', '0', '10:00', '?', '00:00:00', 'sh -c sleep 5']],
  });
  assert.throws(() => parsePs('COMMAND\nsh\n', new Set()), {
    message: "Couldn't find PID field in ps output",
  });
  assert.deepEqual(parsePs('PID LWP\n7 7\n- 8\n9 9\n- 10\n', new Set([7])).Processes, [
    ['7', '7'],
    ['-', '8'],
  ]);
});

test('top asks the host for `-ef` by default, tells of it, and refuses a stopped container', async () => {
  await using world = new World();
  const { id } = world.add();
  const asked: string[][] = [];
  const ps = async (args: string[]) => {
    asked.push(args);
    return PS;
  };
  const deps = { ...world.deps, ps };
  await assert.rejects(topContainer(deps, id, ''), { message: `container ${id} is not running` });
  await startContainer(world.deps, id);
  const answer = await topContainer(deps, id, '');
  assert.equal(answer.Processes?.[0]?.[1], String(world.tasks.of(id).pid));
  await topContainer(deps, id, 'aux  -w');
  assert.deepEqual(asked, [['-ef'], ['aux', '-w']]);
  await assert.rejects(topContainer(deps, id, '-o comm=PID'), {
    kind: 'internal',
    message: 'specifying "comm=PID" is not allowed',
  });
  assert.equal((await world.actions()).at(-1), 'top');
});

test("the host's own ps answers, and its complaint is passed on", async () => {
  await using world = new World();
  const { id } = world.add();
  await startContainer(world.deps, id);
  const own = world.tasks.of(id);
  own.pids = async () => [process.pid];
  const { Titles, Processes } = await topContainer(world.deps, id, '-o pid,comm');
  assert.deepEqual(Titles, ['PID', 'COMMAND']);
  assert.ok((Processes?.length ?? 0) <= 1);
  await assert.rejects(topContainer(world.deps, id, '--nosuch'), {
    message: 'ps: error: unknown gnu long option',
  });
});

function sampler(world: World): StatsSampler {
  const counter = {
    rxBytes: 1,
    rxPackets: 2,
    rxErrors: 0,
    rxDropped: 0,
    txBytes: 3,
    txPackets: 4,
    txErrors: 0,
    txDropped: 0,
  };
  return new StatsSampler({
    live: world.live,
    clock: world.clock,
    networks: { sandboxOf: world.deps.networks.sandboxOf, counters: async () => ({ eth0: counter }) },
    host: () => ({ cpuNanos: 9_000, onlineCpus: 2, memory: 1_000_000 }),
  });
}

async function collect(
  stats: AsyncIterable<ContainerStatsResponse>,
  count: number,
): Promise<ContainerStatsResponse[]> {
  const seen: ContainerStatsResponse[] = [];
  for await (const one of stats) if (seen.push(one) === count) break;
  return seen;
}

const never = new AbortController().signal;

test('one shot: the present figures in their shape, without a second sample', async () => {
  await using world = new World();
  const record = world.add();
  await startContainer(world.deps, record.id);
  const deps = { store: world.store, sampler: sampler(world) };
  const [one] = await collect(
    await containerStats(deps, record.id, { stream: false, oneShot: true }, never),
    9,
  );
  assert.ok(one);
  assert.equal(one.name, `/${record.name}`);
  assert.equal(one.preread, '0001-01-01T00:00:00Z');
  assert.equal(one.precpu_stats?.cpu_usage?.total_usage, 0);
  assert.deepEqual(one.cpu_stats?.cpu_usage?.percpu_usage, [1_500, 1_500]);
  assert.equal(one.cpu_stats?.online_cpus, 2);
  assert.equal(one.memory_stats?.limit, 1_000_000, 'no limit is the memory of the host');
  assert.ok((one.memory_stats?.stats?.['hierarchical_memory_limit'] ?? 0) <= 2 ** 62);
  assert.deepEqual(one.pids_stats, { current: 1 });
  assert.equal(one.networks?.['eth0']?.tx_packets, 4);
  assert.equal(one.blkio_stats?.io_service_bytes_recursive?.[0]?.value, 512);
  assert.deepEqual(one.blkio_stats?.sectors_recursive, []);
});

test('a single document waits for a second sample; watchers share the samples', async () => {
  await using world = new World();
  const record = world.add();
  await startContainer(world.deps, record.id);
  const task = world.tasks.of(record.id);
  let taken = 0;
  const real = task.stats;
  task.stats = () => {
    taken++;
    return real();
  };
  const deps = { store: world.store, sampler: sampler(world) };
  const single = containerStats(deps, record.id, { stream: false, oneShot: false }, never).then((one) =>
    collect(one, 9),
  );
  const stream = containerStats(deps, record.id, { stream: true, oneShot: false }, never).then((all) =>
    collect(all, 2),
  );
  const [[one], both] = await Promise.all([single, stream]);
  assert.notEqual(one?.preread, '0001-01-01T00:00:00Z');
  assert.equal(one?.precpu_stats?.cpu_usage?.total_usage, 3_000);
  assert.equal(both.length, 2);
  assert.equal(taken, 2);
});

test('a stopped container shows zeros', async () => {
  await using world = new World();
  const record = world.add();
  const deps = { store: world.store, sampler: sampler(world) };
  const [one] = await collect(
    await containerStats(deps, record.id, { stream: false, oneShot: false }, never),
    9,
  );
  assert.equal(one?.read, '0001-01-01T00:00:00Z');
  assert.deepEqual(one?.memory_stats, {});
  assert.equal(one?.blkio_stats?.io_service_bytes_recursive, null);
});

test('changes have numbers on the wire', async () => {
  await using world = new World();
  const { id } = world.add();
  const snapshotter = {
    changes: async () => [
      { path: '/a', kind: 'modified' as const },
      { path: '/b', kind: 'added' as const },
      { path: '/c', kind: 'deleted' as const },
    ],
  };
  assert.deepEqual(await containerChanges({ store: world.store, snapshotter }, id), [
    { Path: '/a', Kind: 0 },
    { Path: '/b', Kind: 1 },
    { Path: '/c', Kind: 2 },
  ]);
});
