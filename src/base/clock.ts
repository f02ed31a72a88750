import { WharfError } from './errors.ts';

/** Time as the engine sees it; injected, so that tests can turn it. */
export interface Clock {
  /** Wall time in nanoseconds since 1970. Jumps when the host's clock is set. */
  nowNanos(): bigint;
  /** Monotonic milliseconds, for durations and deadlines. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with `cancelled` when the signal fires. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The host's clock. */
export const systemClock: Clock = {
  nowNanos() {
    // timeOrigin + now() has microseconds where Date.now() has milliseconds; Date.now() follows clock jumps.
    const wall = BigInt(Date.now()) * 1_000_000n;
    const precise = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n;
    const drift = wall > precise ? wall - precise : precise - wall;
    return drift < 2_000_000n ? precise : wall;
  },
  monotonic: () => performance.now(),
  sleep(ms, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(new WharfError('cancelled', 'the wait was cancelled'));
      const onAbort = () => {
        clearTimeout(timer);
        reject(new WharfError('cancelled', 'the wait was cancelled'));
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, ms);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  },
};

/** `2026-05-01T10:20:30.123456789Z`: the form of every time in the Engine API (RFC 3339, nanoseconds). */
export function rfc3339Nano(nanos: bigint): string {
  // The fraction counts forward, before 1970 as well.
  const past = ((nanos % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const seconds = new Date(Number((nanos - past) / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  const fraction = past.toString().padStart(9, '0').replace(/0+$/, '');
  return fraction ? `${seconds}.${fraction}Z` : `${seconds}Z`;
}

/** Go's zero time, which the Engine API writes for "never". */
export const ZERO_TIME = '0001-01-01T00:00:00Z';
