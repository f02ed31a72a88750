import { type Clock, WharfError } from '../../base/index.ts';
import { NetworkError, RegistryError } from './errors.ts';
import type { RetryNotice } from './types.ts';

/** Longest wait between two tries, and longest Retry-After that is waited for, in milliseconds. */
const LONGEST_MS = 60_000;
/** Upper bound of the first wait, in milliseconds; each next one is twice as long. */
const FIRST_MS = 500;

/** How tries are repeated. */
export interface RetryPolicy {
  /** Tries in all. */
  attempts: number;
  clock: Clock;
  /** A number in [0, 1). */
  random: () => number;
  onRetry?: ((notice: RetryNotice) => void) | undefined;
}

/** True when the same request may pass later: broken connections, 5xx and 429, and nothing else of what a registry says. */
export function isPassing(thrown: unknown): boolean {
  if (thrown instanceof NetworkError) return thrown.passing;
  return thrown instanceof RegistryError && (thrown.kind === 'unavailable' || thrown.kind === 'rate-limited');
}

/**
 * Runs `work` until it succeeds, fails for good, or the tries are used up; then its last error is thrown. Waits grow
 * exponentially with full jitter; a Retry-After is kept, and one of more than a minute ends the tries.
 */
export async function withRetries<T>(
  policy: RetryPolicy,
  what: string,
  signal: AbortSignal | undefined,
  work: (attempt: number) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt);
    } catch (thrown) {
      if (attempt >= policy.attempts || !isPassing(thrown)) throw thrown;
      await pause(policy, what, attempt, thrown, signal);
    }
  }
}

/** The wait before the next try. Errors: what failed, when it asks for more time than a user would wait; `cancelled`. */
export async function pause(
  policy: RetryPolicy,
  what: string,
  attempt: number,
  failure: unknown,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (signal?.aborted) throw new WharfError('cancelled', 'context canceled');
  const asked = failure instanceof RegistryError ? failure.retryAfterMs : undefined;
  if (asked !== undefined && asked > LONGEST_MS) throw failure;
  const bound = Math.min(LONGEST_MS, FIRST_MS * 2 ** (attempt - 1));
  // Jitter on top of what was asked: all who were sent away together would else come back together.
  const waitMs = Math.round((asked ?? 0) + policy.random() * bound);
  policy.onRetry?.({ what, waitMs });
  await policy.clock.sleep(waitMs, signal);
}
