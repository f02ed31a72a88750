import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import type { ContainerStatsResponse } from '../../api/index.ts';
import { abortable } from '../../base/index.ts';
import type { NetworkStack } from '../../network/types.ts';
import type { CoreDeps } from './lifecycle-deps.ts';
import { emptyStats, type StatsSample, shapeStats } from './stats-shape.ts';

const PERIOD_MS = 1_000;
/** USER_HZ of every Linux ABI that Node runs on. */
const NANOS_PER_TICK = 10_000_000;

/** CPU time of the host, its CPUs and its memory, as they are now. */
export type ReadHost = () => StatsSample['system'];

interface Tick {
  sample: StatsSample | undefined;
  previous: StatsSample | undefined;
}

/** Samples containers once a second while anyone watches, however many do. */
export class StatsSampler {
  private readonly watched = new Map<string, Watch>();
  private readonly live: CoreDeps['live'];
  private readonly networks: Pick<NetworkStack, 'sandboxOf' | 'counters'>;
  private readonly clock: CoreDeps['clock'];
  private readonly host: ReadHost;

  constructor(
    deps: Pick<CoreDeps, 'live' | 'clock'> & {
      networks: Pick<NetworkStack, 'sandboxOf' | 'counters'>;
      host?: ReadHost;
    },
  ) {
    this.live = deps.live;
    this.networks = deps.networks;
    this.clock = deps.clock;
    this.host = deps.host ?? readHost;
  }

  /** The container as it is now; undefined when it does not run. */
  async sample(id: string): Promise<StatsSample | undefined> {
    const task = this.live.task(id);
    if (!task) return undefined;
    const sandbox = this.networks.sandboxOf(id);
    const [cgroup, interfaces] = await Promise.all([
      task.stats(),
      sandbox ? this.networks.counters(sandbox.sandboxId) : {},
    ]);
    return cgroup && { at: this.clock.nowNanos(), cgroup, interfaces, system: this.host() };
  }

  /** The next sample of that container, taken with everyone else's. */
  next(id: string): Promise<Tick> {
    let watch = this.watched.get(id);
    if (!watch) {
      watch = new Watch(
        () => this.sample(id),
        () => this.watched.delete(id),
      );
      this.watched.set(id, watch);
    }
    return watch.next();
  }
}

/** The shared samples of one container; it ends by itself when a period goes by with nobody waiting. */
class Watch {
  private waiting: ((tick: Tick) => void)[] = [];
  private last: StatsSample | undefined;
  private readonly take: () => Promise<StatsSample | undefined>;
  private readonly ended: () => void;

  constructor(take: () => Promise<StatsSample | undefined>, ended: () => void) {
    this.take = take;
    this.ended = ended;
    setImmediate(() => void this.tick());
  }

  next(): Promise<Tick> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
    });
  }

  private async tick(): Promise<void> {
    if (this.waiting.length === 0) return this.ended();
    const sample = await this.take().catch(() => undefined);
    const tick = { sample, previous: this.last };
    this.last = sample;
    const told = this.waiting;
    this.waiting = [];
    setTimeout(() => void this.tick(), PERIOD_MS).unref();
    for (const resolve of told) resolve(tick);
  }
}

/**
 * A container's figures: one document, or one a second until it is removed or the signal fires. A single one waits for
 * a second sample, so that `precpu_stats` is filled, unless `oneShot`. A container that does not run shows zeros.
 */
export async function containerStats(
  deps: Pick<CoreDeps, 'store'> & { sampler: StatsSampler },
  ref: string,
  options: { stream: boolean; oneShot: boolean },
  signal: AbortSignal,
): Promise<AsyncIterable<ContainerStatsResponse>> {
  const record = deps.store.resolve(ref);
  const { id } = record;
  const shape = (tick: Tick) =>
    tick.sample ? shapeStats(id, record.name, tick.sample, tick.previous) : emptyStats(id, record.name);
  if (options.stream) return streamStats(deps, id, shape, signal);
  if (options.oneShot) {
    return one(async () => shape({ sample: await deps.sampler.sample(id), previous: undefined }));
  }
  return one(async () => {
    let tick = await abortable(deps.sampler.next(id), signal);
    if (tick.sample && !tick.previous) tick = await abortable(deps.sampler.next(id), signal);
    return shape(tick);
  });
}

async function* one(work: () => Promise<ContainerStatsResponse>): AsyncGenerator<ContainerStatsResponse> {
  yield await work();
}

async function* streamStats(
  deps: Pick<CoreDeps, 'store'> & { sampler: StatsSampler },
  id: string,
  shape: (tick: Tick) => ContainerStatsResponse,
  signal: AbortSignal,
): AsyncGenerator<ContainerStatsResponse> {
  while (!signal.aborted && deps.store.get(id)) {
    const tick = await abortable(deps.sampler.next(id), signal).catch(() => undefined);
    if (tick) yield shape(tick);
  }
}

const readHost: ReadHost = () => {
  const [first = ''] = readFileSync('/proc/stat', 'utf8').split('\n', 1);
  // user, nice, system, idle, iowait, irq, softirq, steal; guest time is in user already (proc(5)).
  const ticks = first
    .split(/\s+/)
    .slice(1, 9)
    .reduce((sum, field) => sum + Number(field), 0);
  return { cpuNanos: ticks * NANOS_PER_TICK, onlineCpus: cpus().length, memory: totalmem() };
};
