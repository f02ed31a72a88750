import { parseGoDurationMs } from '../option-values.ts';

type Options = Readonly<Record<string, string>>;

/** How what failed is tried again. Times are in milliseconds. */
export interface Retry {
  /** Wait before the second attempt; it doubles from one to the next. */
  first: number;
  longest: number;
  /** Attempts before lines are given up and counted. Without end, unless the options say so. */
  most: number;
}

const FIRST = 50;
const LONGEST = 5_000;
/** What the fluentd driver of the reference engine makes of 0. */
const FLUENTD_ATTEMPTS = 13;
const SECOND = 1_000;

/** What the options of a driver say of repeated attempts. They were checked before. */
export function retryOf(driver: string, options: Options): Retry {
  const endless = { first: FIRST, longest: LONGEST, most: Number.POSITIVE_INFINITY };
  if (driver === 'fluentd') {
    const { 'fluentd-retry-wait': wait, 'fluentd-max-retries': attempts } = options;
    const first = wait ? Math.max(1, parseGoDurationMs(wait)) : FIRST;
    const most = attempts ? Number(attempts) || FLUENTD_ATTEMPTS : endless.most;
    return { first, longest: Math.max(LONGEST, first), most };
  }
  if (driver === 'gelf') {
    const { 'gelf-tcp-reconnect-delay': delay, 'gelf-tcp-max-reconnect': attempts } = options;
    const most = attempts ? Number(attempts) + 1 : endless.most;
    // Always the same wait, as the reference engine waits.
    const wait = delay ? Math.max(FIRST, Number(delay) * SECOND) : undefined;
    return { first: wait ?? FIRST, longest: wait ?? LONGEST, most };
  }
  return endless;
}
