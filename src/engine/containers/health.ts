import type { ContainerConfig, Health, HealthConfig } from '../../api/index.ts';
import { LONGEST_TIMER_MS, rfc3339Nano } from '../../base/index.ts';
import { publishContainerEvent } from './container-events.ts';
import type { CoreDeps, LiveHealth } from './lifecycle-deps.ts';
import type { ContainerRecord } from './record.ts';

const SECOND = 1_000;
const DEFAULTS = {
  interval: 30 * SECOND,
  timeout: 30 * SECOND,
  startInterval: 5 * SECOND,
  startPeriod: 0,
  retries: 3,
};
const KEPT_RESULTS = 5;
/** Bytes of a probe's output that are kept. */
export const PROBE_OUTPUT = 4_096;

/** A probe's outcome; `exitCode` -1 when it could not run or took too long. */
export interface ProbeResult {
  exitCode: number;
  output: string;
}

/** Runs one probe in the container, ended by the signal. */
export type RunProbe = (record: ContainerRecord, args: string[], signal: AbortSignal) => Promise<ProbeResult>;

/** A health check as it runs, times in milliseconds. */
export interface HealthCheck {
  args: string[];
  interval: number;
  timeout: number;
  startInterval: number;
  startPeriod: number;
  retries: number;
}

/** The check that a container's config asks for, defaults filled in; undefined for none. */
export function healthCheck(config: Pick<ContainerConfig, 'Healthcheck' | 'Shell'>): HealthCheck | undefined {
  const asked = config.Healthcheck;
  const [kind, ...rest] = asked?.Test ?? [];
  if (!asked || rest.length === 0 || (kind !== 'CMD' && kind !== 'CMD-SHELL')) return undefined;
  const shell = config.Shell?.length ? config.Shell : ['/bin/sh', '-c'];
  return {
    args: kind === 'CMD' ? rest : [...shell, rest.join(' ')],
    interval: millis(asked, 'Interval', DEFAULTS.interval),
    timeout: millis(asked, 'Timeout', DEFAULTS.timeout),
    startInterval: millis(asked, 'StartInterval', DEFAULTS.startInterval),
    startPeriod: millis(asked, 'StartPeriod', DEFAULTS.startPeriod),
    retries: asked.Retries || DEFAULTS.retries,
  };
}

function millis(
  asked: HealthConfig,
  field: 'Interval' | 'Timeout' | 'StartInterval' | 'StartPeriod',
  otherwise: number,
): number {
  const nanos = asked[field];
  return nanos ? Math.min(Math.ceil(nanos / 1e6), LONGEST_TIMER_MS) : otherwise;
}

/**
 * Begins the probes of a container that runs. One probe at a time, the next an interval after the last ended; a status
 * change is saved and told, single results stay in memory. `adopted` keeps the status that an earlier daemon left.
 */
export function startHealth(
  deps: Pick<CoreDeps, 'store' | 'events' | 'clock' | 'log'> & { probe: RunProbe },
  record: ContainerRecord,
  adopted = false,
): LiveHealth | undefined {
  const check = healthCheck(record.config);
  if (!check) {
    delete record.state.health;
    return undefined;
  }
  if (!adopted || !record.state.health) {
    record.state.health = { Status: 'starting', FailingStreak: 0, Log: [] };
  }
  return new HealthMonitor(deps, record, check);
}

class HealthMonitor implements LiveHealth {
  private readonly deps: Pick<CoreDeps, 'store' | 'events' | 'clock' | 'log'> & { probe: RunProbe };
  private readonly record: ContainerRecord;
  private readonly check: HealthCheck;
  private timer: NodeJS.Timeout | undefined;
  private running: AbortController | undefined;
  private stopped = false;

  constructor(
    deps: Pick<CoreDeps, 'store' | 'events' | 'clock' | 'log'> & { probe: RunProbe },
    record: ContainerRecord,
    check: HealthCheck,
  ) {
    this.deps = deps;
    this.record = record;
    this.check = check;
    this.schedule();
  }

  pause(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.running?.abort();
    this.running = undefined;
  }

  resume(): void {
    if (!this.stopped && !this.timer && !this.running) this.schedule();
  }

  stop(): void {
    this.stopped = true;
    this.pause();
  }

  private schedule(): void {
    const { check, record } = this;
    const starting =
      record.state.health?.Status === 'starting' && inStartPeriod(record, check, this.deps.clock.nowNanos());
    this.timer = setTimeout(() => void this.probe(), starting ? check.startInterval : check.interval);
  }

  private async probe(): Promise<void> {
    this.timer = undefined;
    const own = new AbortController();
    this.running = own;
    const started = this.deps.clock.nowNanos();
    const result = await this.runWithin(own);
    // A probe that a pause or an exit cut off says nothing about health.
    if (own !== this.running) return;
    this.running = undefined;
    try {
      noteResult(this.deps, this.record, this.check, result, started);
    } catch (thrown) {
      // A full disk must not end the probes.
      this.deps.log.warn('health not saved', { container: this.record.id, error: thrown });
    }
    if (!this.stopped) this.schedule();
  }

  private async runWithin(own: AbortController): Promise<ProbeResult> {
    const limit = AbortSignal.timeout(this.check.timeout);
    try {
      const result = await this.deps.probe(
        this.record,
        this.check.args,
        AbortSignal.any([own.signal, limit]),
      );
      if (!limit.aborted) return result;
      const text = `Health check exceeded timeout (${goDuration(this.check.timeout)})`;
      return { exitCode: -1, output: result.output ? `${text}: ${result.output}` : text };
    } catch (thrown) {
      return { exitCode: -1, output: thrown instanceof Error ? thrown.message : String(thrown) };
    }
  }
}

function inStartPeriod(record: ContainerRecord, check: HealthCheck, now: bigint): boolean {
  if (check.startPeriod === 0) return false;
  return Number(now / 1_000_000n) - Date.parse(record.state.startedAt) < check.startPeriod;
}

/** Applies one result to a container's health, as Docker counts: failures within the start period do not count until the first success. */
export function noteResult(
  deps: Pick<CoreDeps, 'store' | 'events' | 'clock'>,
  record: ContainerRecord,
  check: HealthCheck,
  result: ProbeResult,
  started: bigint,
): void {
  const health = record.state.health;
  if (!health) return;
  const before = health.Status;
  const now = deps.clock.nowNanos();
  addResult(health, result, started, now);
  if (result.exitCode === 0) {
    health.FailingStreak = 0;
    health.Status = 'healthy';
  } else if (before !== 'starting' || !inStartPeriod(record, check, now)) {
    health.FailingStreak = (health.FailingStreak ?? 0) + 1;
    if (health.FailingStreak >= check.retries) health.Status = 'unhealthy';
  }
  if (health.Status === before) return;
  deps.store.save(record);
  publishContainerEvent(deps.events, record, `health_status: ${health.Status}`);
}

function addResult(health: Health, result: ProbeResult, started: bigint, ended: bigint): void {
  const entry = {
    Start: rfc3339Nano(started),
    End: rfc3339Nano(ended),
    ExitCode: result.exitCode,
    Output: result.output,
  };
  health.Log = [...(health.Log ?? []), entry].slice(-KEPT_RESULTS);
}

/** Milliseconds as Go prints a duration: `1s`, `500ms`, `1m30s`. */
function goDuration(ms: number): string {
  if (ms < SECOND) return `${ms}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = `${(ms % 60_000) / SECOND}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
