import { existsSync } from 'node:fs';
import { type Logger, WharfError } from '../base/index.ts';
import { bufferBytes, isNonBlocking } from './check-options.ts';
import { openSink } from './drivers.ts';
import { rotationPolicy } from './policy.ts';
import { positionPath } from './ship/position.ts';
import { retryOf } from './ship/retry.ts';
import { Shipper, type ShipReport } from './ship/shipper.ts';
import type { LogSource } from './sinks/types.ts';
import type { RotationHold } from './types.ts';

/** How many times the files of a spool are kept for a server that takes nothing, before the oldest are given up. */
const PATIENCE = 10;
/** How long a container's removal leaves its last lines. Milliseconds. */
const LAST_WORDS = 10_000;
/** The same, when the daemon is about to end. */
const HURRIED_WORDS = 300;

const NO_BUFFER =
  'fluentd-buffer-limit bounds nothing: lines wait on the disk, as cache-max-size and cache-max-file say';

/** What is shipped: a container's log, by which driver. */
export interface ShippedLog {
  logPath: string;
  driver: string;
  options: Readonly<Record<string, string>>;
  source: LogSource;
}

/** Sends the lines of containers to log servers. */
export interface LogShipping {
  /** Begins, or goes on with a spool that is shipped already. Never fails: what stands in the way is logged. */
  ship(shipped: ShippedLog): RotationHold | undefined;
  /** No more will be written to a spool: its rest is sent. */
  finish(logPath: string): void;
  /** Resolves when the rest of a spool is sent; what is left after a bounded time is given up and counted. */
  release(logPath: string): Promise<void>;
  /** What needs to be told: lines that were lost, servers that take nothing. */
  reports(): ShipReport[];
  /** The daemon is about to end: removals no longer wait for servers that take nothing. */
  hurry(): void;
  /** Ends all at once; positions stay for the next daemon. */
  close(): Promise<void>;
}

/** Opens it. Nothing is shipped yet. */
export function openLogShipping(log: Logger): LogShipping {
  return new Shipping(log);
}

/** Whether a log was ever sent to a server, to its end or not. */
export function isShipped(logPath: string): boolean {
  return existsSync(positionPath(logPath));
}

class Shipping implements LogShipping {
  private readonly log: Logger;
  private readonly shippers = new Map<string, Shipper>();
  private closed = false;
  private readonly hurried = Promise.withResolvers<void>();
  private patience = LAST_WORDS;

  constructor(log: Logger) {
    this.log = log;
  }

  ship({ logPath, driver, options, source }: ShippedLog): RotationHold | undefined {
    const present = this.shippers.get(logPath);
    if (this.closed) return undefined;
    if (present && !present.isDone) {
      present.goOn();
      return present.hold;
    }
    try {
      const shipper = new Shipper({
        container: source.id,
        name: source.name,
        driver,
        logPath,
        sink: openSink(driver, options, source),
        buffer: isNonBlocking(options) ? bufferBytes(options) : undefined,
        retry: retryOf(driver, options),
        mostFiles: (rotationPolicy(driver, options)?.maxFiles ?? 1) * PATIENCE,
        log: this.log,
      });
      this.shippers.set(logPath, shipper);
      if (options['fluentd-buffer-limit']) this.log.info(NO_BUFFER, { container: source.id });
      void shipper.done.then(() => {
        if (this.shippers.get(logPath) === shipper && shipper.report.lostRecords === 0)
          this.shippers.delete(logPath);
      });
      return shipper.hold;
    } catch (thrown) {
      this.log.error('a log is not shipped', { container: source.id, driver, error: thrown });
      return undefined;
    }
  }

  finish(logPath: string): void {
    this.shippers.get(logPath)?.finish();
  }

  async release(logPath: string): Promise<void> {
    const shipper = this.shippers.get(logPath);
    if (!shipper) return;
    shipper.finish();
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, this.patience);
    await Promise.race([shipper.done, late.promise, this.hurried.promise]);
    clearTimeout(timer);
    const bytes = shipper.isDone ? 0 : shipper.backlog();
    await shipper.close();
    this.shippers.delete(logPath);
    const { container, driver } = shipper.report;
    if (bytes > 0)
      this.log.warn('a container was removed before its log server took all', { container, driver, bytes });
  }

  reports(): ShipReport[] {
    const all = [...this.shippers.values()].map((shipper) => shipper.report);
    return all.filter(({ lostRecords, trouble }) => lostRecords > 0 || trouble !== undefined);
  }

  hurry(): void {
    this.patience = HURRIED_WORDS;
    setTimeout(this.hurried.resolve, HURRIED_WORDS);
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.shippers.values()].map((shipper) => shipper.close()));
  }
}

/** Tries a log server before a container starts, as the reference engine does. Errors: `invalid`, `unavailable` with its text. */
export async function tryLogServer(
  driver: string,
  options: Readonly<Record<string, string>>,
  source: LogSource,
  signal: AbortSignal,
): Promise<void> {
  const sink = openSink(driver, options, source);
  try {
    await sink.probe?.(signal);
  } catch (thrown) {
    throw WharfError.from(thrown);
  } finally {
    sink.close();
  }
}
