import { WharfError } from './errors.ts';

/** The longest time that a timer can be set to, in milliseconds (25 days); Node lets a longer one fire at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Serialises work by key: two calls with one key never overlap, others run freely, in order of arrival. */
export class KeyedLock {
  private readonly tails = new Map<string, Promise<void>>();

  /** Runs `work` alone for that key. The caller inside must not lock the same key again. */
  async with<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.tails.get(key);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.tails.set(key, promise);
    if (before) await before;
    try {
      return await work();
    } finally {
      if (this.tails.get(key) === promise) this.tails.delete(key);
      resolve();
    }
  }

  /** True while work for the key is under way or waiting. */
  held(key: string): boolean {
    return this.tails.has(key);
  }
}

/** Rejects with `timeout` when `work` takes more than `ms`; the work itself goes on unless it heeds its own signal. */
export async function deadline<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new WharfError('timeout', `${what} took more than ${ms} ms`)),
      Math.min(ms, LONGEST_TIMER_MS),
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves with the work, or rejects with `cancelled` as soon as the signal fires; leaves no listener behind. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  if (signal.aborted) {
    // Nobody waits for the work any more: its failure must not end the process as an unhandled one.
    work.catch(() => {});
    throw new WharfError('cancelled', 'the request was cancelled');
  }
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(new WharfError('cancelled', 'the request was cancelled'));
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (onAbort) signal.removeEventListener('abort', onAbort);
  }
}

/** Runs `work` over `items`, at most `limit` at once; results in the order of the items. The first error wins. */
export async function mapLimit<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = new Array(items.length);
  let next = 0;
  const lane = async () => {
    for (let at = next++; at < items.length; at = next++) results[at] = await work(items[at] as T);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
  return results;
}
