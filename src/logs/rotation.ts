import { createReadStream, createWriteStream, type FSWatcher, watch } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { constants, createGzip } from 'node:zlib';
import type { Logger } from '../base/index.ts';
import { copyContinuation, noteContinuation } from './continued.ts';
import { identityOf, isMissing, rotatedFiles } from './files.ts';
import { diskProbe, FullDiskWatch } from './full-disk.ts';
import type { LogRotator, RotatedLog, RotationHold, RotationPolicy } from './types.ts';

/** Bounds of the wait between two looks at a log that is growing. */
const SHORTEST_MS = 4;
const LONGEST_MS = 200;
/** A monitor that was told to reopen by an earlier daemon has done so by then. */
const SETTLE_MS = 250;
/** Between two looks at a log on a full disk: nobody tells when there is room. */
const FULL_MS = 500;
/** A log of at least this many bytes is not watched from the first moment on. */
const LARGE = 10 * 1024 * 1024;

/** Opens the rotator. Failures of a rotation are logged; the log then grows on. */
export function openLogRotator(log: Logger): LogRotator {
  const watched = new Map<WatchedLog, string>();
  return {
    watch(logPath, policy, reopen, monitorPid) {
      const one = new WatchedLog({ logPath, policy, reopen, log, monitorPid });
      watched.set(one, logPath);
      void one.done.then(() => watched.delete(one));
      return one;
    },
    losses: () =>
      [...watched].flatMap(([{ lostBytes }, logPath]) => (lostBytes > 0 ? [{ logPath, lostBytes }] : [])),
  };
}

interface Watched {
  logPath: string;
  policy: RotationPolicy;
  reopen: () => Promise<void>;
  log: Logger;
  monitorPid: number | undefined;
}

/**
 * One log and its size. While nothing is written it sleeps on inotify; while it grows, the next look is taken half way
 * to the moment at which it will be full at the present pace.
 */
class WatchedLog implements RotatedLog {
  private readonly on: Watched;
  private readonly closing = new AbortController();
  readonly done: Promise<void>;
  private readonly disk: FullDiskWatch | undefined;
  private packing: Promise<void> = Promise.resolve();
  private packingEnds = new AbortController();

  constructor(on: Watched) {
    this.on = on;
    const { logPath, monitorPid, log } = on;
    if (monitorPid !== undefined) this.disk = new FullDiskWatch(logPath, diskProbe(logPath, monitorPid), log);
    this.done = this.run();
  }

  get lostBytes(): number {
    return this.disk?.loss.bytes ?? 0;
  }

  async close(): Promise<void> {
    this.closing.abort();
    await this.done;
  }

  private async run(): Promise<void> {
    const { logPath, log, policy } = this.on;
    try {
      // Most containers end soon, and what they print in a moment does not fill a large log.
      if (policy.maxBytes >= LARGE)
        await sleep(LONGEST_MS, undefined, { signal: this.closing.signal, ref: false });
      await this.recover();
      await this.loop();
    } catch (thrown) {
      if (!this.closing.signal.aborted) log.warn('a log is not rotated any more', { logPath, error: thrown });
    }
    await this.packing;
  }

  private async loop(): Promise<void> {
    const { policy, logPath } = this.on;
    const { signal } = this.closing;
    let last = { size: -1, at: performance.now() };
    while (!signal.aborted) {
      const size = await sizeOf(logPath);
      const at = performance.now();
      const full = this.disk?.look(size) === true;
      if (size >= policy.maxBytes) {
        await this.rotate();
        last = { size: 0, at: performance.now() };
      } else if (full) {
        await sleep(FULL_MS, undefined, { signal, ref: false });
      } else if (size === last.size) {
        await growth(logPath, size, signal);
        last = { size: -1, at: performance.now() };
      } else {
        const pace = last.size < 0 ? 0 : (size - last.size) / (at - last.at);
        last = { size, at };
        const half = (policy.maxBytes - size) / pace / 2;
        await sleep(Math.min(LONGEST_MS, Math.max(SHORTEST_MS, half)), undefined, { signal, ref: false });
      }
    }
  }

  /** Shifts the names, has the monitor go on in a new file, and waits until it does: only then is the old one complete. */
  private async rotate(): Promise<void> {
    const { logPath, policy, reopen } = this.on;
    // Who prints faster than can be packed would meanwhile fill the disk. What was not packed is so after this, if it is still kept.
    this.packingEnds.abort();
    await this.packing;
    const kept = policy.maxFiles - 1;
    for (const { index, path, packed } of rotatedFiles(logPath).reverse()) {
      if (await this.mayGo(path, index, kept)) await rm(path, { force: true });
      else await rename(path, `${logPath}.${index + 1}${packed ? '.gz' : ''}`);
    }
    await rename(logPath, `${logPath}.1`);
    await reopen();
    await appearance(logPath, this.closing.signal);
    noteContinuation(`${logPath}.1`, logPath);
    if (kept === 0 && (await this.mayGo(`${logPath}.1`, 0, 0))) await rm(`${logPath}.1`, { force: true });
    if (!policy.compress) return;
    this.packingEnds = new AbortController();
    this.packing = this.pack(this.packingEnds.signal);
  }

  /** Whether a file with this number is one too many. Who needs it is told, unless it is kept for that. */
  private async mayGo(path: string, index: number, kept: number): Promise<boolean> {
    if (index < kept) return false;
    const { hold } = this.on.policy;
    const identity = hold && (await heldIdentity(path, hold));
    if (!identity) return true;
    if (index < hold.mostFiles - 1) return false;
    await hold.giveUp(identity);
    return true;
  }

  private async pack(signal: AbortSignal): Promise<void> {
    const { logPath, log, policy } = this.on;
    try {
      for (const { path, packed } of rotatedFiles(logPath)) {
        if (packed || (policy.hold && (await heldIdentity(path, policy.hold)))) continue;
        await packFile(path, `${logPath}.packing`, signal);
      }
    } catch (thrown) {
      // Removed with its container.
      if (isMissing(thrown)) return;
      await rm(`${logPath}.packing`, { force: true }).catch(() => undefined);
      if (signal.aborted) return;
      log.warn('a rotated log is not packed', { logPath, error: thrown });
    }
  }

  /** Finishes what an earlier daemon began. The monitor must not be told twice: it would throw away what it wrote since. */
  private async recover(): Promise<void> {
    const { logPath, policy, reopen } = this.on;
    await rm(`${logPath}.packing`, { force: true });
    const rotated = rotatedFiles(logPath);
    for (const { index, path, packed } of rotated) {
      const whole = !packed && rotated.some((other) => other.packed && other.index === index);
      const surplus = index > Math.max(1, policy.maxFiles - 1) && (await this.mayGo(path, index, 0));
      if (whole || surplus) await rm(path, { force: true });
    }
    if ((await sizeOf(logPath)) >= 0) return;
    const { signal } = this.closing;
    const late = AbortSignal.any([signal, AbortSignal.timeout(SETTLE_MS)]);
    await appearance(logPath, late).catch(() => undefined);
    if (signal.aborted || (await sizeOf(logPath)) >= 0) return;
    await reopen();
    await appearance(logPath, signal);
  }
}

/** What a file that is needed is known by; undefined for one that nobody needs. */
async function heldIdentity(path: string, hold: RotationHold): Promise<string | undefined> {
  const identity = identityOf(await stat(path, { bigint: true }));
  return hold.needs(identity) ? identity : undefined;
}

/** Size in bytes; -1 when there is no such file. */
async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (thrown) {
    if (isMissing(thrown)) return -1;
    throw thrown;
  }
}

/** Packs a file into `<path>.gz`, which appears when it is whole. The signal ends it before that only. */
async function packFile(path: string, scratch: string, signal: AbortSignal): Promise<void> {
  const gzip = createGzip({ level: constants.Z_BEST_SPEED });
  await pipeline(createReadStream(path), gzip, createWriteStream(scratch, { mode: 0o600 }), { signal });
  copyContinuation(path, scratch);
  await rename(scratch, `${path}.gz`);
  await rm(path);
}

/** Resolves when a file no longer has this size. Rejects when the signal fires. */
async function growth(path: string, size: number, signal: AbortSignal): Promise<void> {
  await watching(path, signal, async () => (await sizeOf(path)) !== size);
}

/** Resolves when there is a file of this name. Rejects when the signal fires. */
async function appearance(path: string, signal: AbortSignal): Promise<void> {
  await watching(dirname(path), signal, async () => (await sizeOf(path)) >= 0, basename(path));
}

/** Asks at once and after each event whether `isSo`. */
async function watching(
  target: string,
  signal: AbortSignal,
  isSo: () => Promise<boolean>,
  name?: string,
): Promise<void> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  aborted.catch(() => undefined);
  let event = Promise.withResolvers<void>();
  let watcher: FSWatcher | undefined;
  try {
    watcher = watch(target, { persistent: false }, (_type, entry) => {
      if (name === undefined || entry === name) event.resolve();
    });
    watcher.on('error', reject);
    while (!(await isSo())) {
      await Promise.race([event.promise, aborted]);
      event = Promise.withResolvers<void>();
    }
  } finally {
    watcher?.close();
    signal.removeEventListener('abort', onAbort);
  }
}
