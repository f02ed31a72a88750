import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { HealthConfig } from '../../api/index.ts';
import type { Clock } from '../../base/index.ts';
import { type ProbeResult, startHealth } from './health.ts';
import { World } from './lifecycle.cases.ts';
import type { LiveHealth } from './lifecycle-deps.ts';
import type { ContainerRecord } from './record.ts';

const MS = 1_000_000;
const START = 1_800_000_000_000;

/** Probes under the test's hand, with a clock that goes with the mocked timers. */
class Bench implements AsyncDisposable {
  readonly world = new World();
  readonly record: ContainerRecord;
  readonly health: LiveHealth | undefined;
  /** Answers of probes under way. */
  readonly open: { answer(result: Partial<ProbeResult>): void; signal: AbortSignal; args: string[] }[] = [];
  probes = 0;
  private now = START;
  private readonly t: TestContext;

  constructor(t: TestContext, healthcheck: HealthConfig, before?: ContainerRecord['state']['health']) {
    this.t = t;
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const timeouts = t.mock.method(AbortSignal, 'timeout', (ms: number) => {
      const late = new AbortController();
      setTimeout(() => late.abort(), ms);
      return late.signal;
    });
    t.after(() => timeouts.mock.restore());
    this.record = this.world.add({
      config: { Image: 'busybox', Healthcheck: { Test: ['CMD', 'check'], ...healthcheck } },
    });
    this.record.state.startedAt = new Date(START).toISOString();
    if (before) this.record.state.health = before;
    const clock: Clock = { ...this.world.clock, nowNanos: () => BigInt(this.now) * 1_000_000n };
    const probe = (_record: ContainerRecord, args: string[], signal: AbortSignal) => {
      this.probes += 1;
      return new Promise<ProbeResult>((resolve) => {
        this.open.push({ args, signal, answer: (result) => resolve({ exitCode: 0, output: '', ...result }) });
      });
    };
    this.health = startHealth({ ...this.world.deps, clock, probe }, this.record, before !== undefined);
  }

  get status(): string | undefined {
    return this.record.state.health?.Status;
  }

  get streak(): number | undefined {
    return this.record.state.health?.FailingStreak;
  }

  async pass(ms: number): Promise<void> {
    this.now += ms;
    this.t.mock.timers.tick(ms);
    await this.turn();
  }

  /** Ends the oldest probe under way. */
  async answer(exitCode: number, output = ''): Promise<void> {
    this.open.shift()?.answer({ exitCode, output });
    await this.turn();
  }

  async turn(): Promise<void> {
    for (let count = 0; count < 3; count += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.health?.stop();
    for (const one of this.open) one.answer({});
    await this.world[Symbol.asyncDispose]();
  }
}

test('the first probe comes an interval after the start, the next one after the end of the last', async (t) => {
  await using bench = new Bench(t, { Interval: 1_000 * MS });
  await bench.pass(999);
  assert.equal(bench.probes, 0);
  await bench.pass(1);
  assert.equal(bench.probes, 1);
  assert.deepEqual(bench.open[0]?.args, ['check']);
  await bench.pass(5_000);
  assert.equal(bench.probes, 1, 'never two at once');
  await bench.answer(0);
  await bench.pass(999);
  assert.equal(bench.probes, 1);
  await bench.pass(1);
  assert.equal(bench.probes, 2);
});

test('healthy at the first success, unhealthy at the last retry, healthy again', async (t) => {
  await using bench = new Bench(t, { Interval: 1_000 * MS, Retries: 2 });
  const seen: [string | undefined, number | undefined][] = [];
  for (const code of [1, 0, 1, 2, 3, 0]) {
    await bench.pass(1_000);
    await bench.answer(code);
    seen.push([bench.status, bench.streak]);
  }
  assert.deepEqual(seen, [
    ['starting', 1],
    ['healthy', 0],
    ['healthy', 1],
    ['unhealthy', 2],
    ['unhealthy', 3],
    ['healthy', 0],
  ]);
  assert.deepEqual(await bench.world.actions(), [
    'health_status: healthy',
    'health_status: unhealthy',
    'health_status: healthy',
  ]);
});

test('in the start period: its own interval, failures do not count, a success ends it', async (t) => {
  await using bench = new Bench(t, {
    Interval: 30_000 * MS,
    StartPeriod: 10_000 * MS,
    StartInterval: 500 * MS,
    Retries: 1,
  });
  for (let count = 1; count <= 3; count += 1) {
    await bench.pass(500);
    assert.equal(bench.probes, count);
    await bench.answer(1);
    assert.deepEqual([bench.status, bench.streak], ['starting', 0]);
  }
  await bench.pass(500);
  await bench.answer(0);
  assert.equal(bench.status, 'healthy');
  await bench.pass(500);
  assert.equal(bench.probes, 4, 'the usual interval from now on');
  await bench.pass(29_500);
  assert.equal(bench.probes, 5);
  await bench.answer(1);
  assert.equal(bench.status, 'unhealthy', 'failures count once it was healthy');
});

test('the start period ends by itself', async (t) => {
  await using bench = new Bench(t, {
    Interval: 4_000 * MS,
    StartPeriod: 1_000 * MS,
    StartInterval: 600 * MS,
    Retries: 1,
  });
  await bench.pass(600);
  await bench.answer(1);
  assert.equal(bench.streak, 0);
  await bench.pass(600);
  await bench.answer(1);
  assert.deepEqual([bench.status, bench.streak], ['unhealthy', 1]);
  await bench.pass(600);
  assert.equal(bench.probes, 2);
  await bench.pass(3_400);
  assert.equal(bench.probes, 3);
});

test('a probe that takes too long is ended and counts as failed, with its output', async (t) => {
  await using bench = new Bench(t, { Interval: 1_000 * MS, Timeout: 90_000 * MS, Retries: 1 });
  await bench.pass(1_000);
  await bench.pass(89_999);
  assert.equal(bench.open[0]?.signal.aborted, false);
  await bench.pass(1);
  assert.equal(bench.open[0]?.signal.aborted, true);
  await bench.answer(0, 'half');
  assert.equal(bench.status, 'unhealthy');
  const [entry] = bench.record.state.health?.Log ?? [];
  assert.deepEqual([entry?.ExitCode, entry?.Output], [-1, 'Health check exceeded timeout (1m30s): half']);
  assert.deepEqual(
    [entry?.Start, entry?.End],
    [new Date(START + 1_000), new Date(START + 91_000)].map((date) =>
      date.toISOString().replace('.000Z', 'Z'),
    ),
  );
});

test('a probe that could not run counts as failed, with the reason', async (t) => {
  await using bench = new Bench(t, { Interval: 1_000 * MS, Retries: 1 });
  await bench.pass(1_000);
  await bench.answer(-1, 'OCI runtime exec failed: no such file');
  assert.deepEqual(
    [bench.status, bench.record.state.health?.Log?.[0]?.Output],
    ['unhealthy', 'OCI runtime exec failed: no such file'],
  );
});

test('a pause cuts a probe off without a verdict; the next one comes an interval after', async (t) => {
  await using bench = new Bench(t, { Interval: 1_000 * MS, Retries: 1 });
  await bench.pass(1_000);
  bench.health?.pause();
  assert.equal(bench.open[0]?.signal.aborted, true);
  await bench.answer(137);
  assert.deepEqual([bench.status, bench.record.state.health?.Log], ['starting', []]);
  await bench.pass(60_000);
  assert.equal(bench.probes, 1);
  bench.health?.resume();
  bench.health?.resume();
  await bench.pass(1_000);
  assert.equal(bench.probes, 2, 'one, not two');
});

test('after the stop nothing more is run, noted or told', async (t) => {
  await using bench = new Bench(t, { Interval: 1_000 * MS, Retries: 1 });
  await bench.pass(1_000);
  bench.health?.stop();
  bench.health?.resume();
  await bench.answer(1);
  await bench.pass(60_000);
  assert.deepEqual([bench.probes, bench.status, await bench.world.actions()], [1, 'starting', []]);
});

test('an adopted container keeps its status and streak, a new run begins anew', async (t) => {
  const before = { Status: 'unhealthy' as const, FailingStreak: 4, Log: [] };
  await using bench = new Bench(t, { Interval: 1_000 * MS }, structuredClone(before));
  assert.deepEqual(bench.record.state.health, before);
  await bench.pass(1_000);
  await bench.answer(1);
  assert.deepEqual([bench.status, bench.streak], ['unhealthy', 5]);
  startHealth(
    { ...bench.world.deps, probe: async () => ({ exitCode: 0, output: '' }) },
    bench.record,
  )?.stop();
  assert.deepEqual(bench.record.state.health, { Status: 'starting', FailingStreak: 0, Log: [] });
});

test('a container without a check has no health', async () => {
  await using world = new World();
  const probe = async () => ({ exitCode: 0, output: '' });
  for (const Healthcheck of [
    undefined,
    { Test: ['NONE'] },
    { Test: [] },
    { Test: ['CMD'] },
    { Test: ['FOO', 'x'] },
  ]) {
    const record = world.add({ config: { Image: 'busybox', ...(Healthcheck ? { Healthcheck } : {}) } });
    record.state.health = { Status: 'healthy' };
    assert.equal(startHealth({ ...world.deps, probe }, record), undefined);
    assert.equal('health' in record.state, false);
  }
});

test('fifty containers are probed apart from each other', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  await using world = new World();
  const counts = new Map<string, number>();
  const probe = async (record: ContainerRecord) => {
    counts.set(record.id, (counts.get(record.id) ?? 0) + 1);
    return { exitCode: 0, output: '' };
  };
  const all = Array.from({ length: 50 }, () => {
    const Healthcheck = { Test: ['CMD', 'x'], Interval: 1_000 * MS };
    return startHealth({ ...world.deps, probe }, world.add({ config: { Healthcheck } }));
  });
  for (let second = 0; second < 3; second += 1) {
    t.mock.timers.tick(1_000);
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
  for (const one of all) one?.stop();
  assert.equal(counts.size, 50);
  assert.deepEqual(new Set(counts.values()), new Set([3]));
  assert.equal(world.store.saves, 50, 'one durable write each, for the change to healthy');
});
