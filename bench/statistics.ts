/** Median and quartiles of samples, in the samples' unit. */
export interface Spread {
  median: number;
  q1: number;
  q3: number;
  /** How many samples there were. */
  count: number;
}

/** The value below which a share of the samples lies, with linear interpolation between neighbours. */
function quantile(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? low;
  return low + (high - low) * (at - Math.floor(at));
}

/** Median and quartiles; NaN of nothing. */
export function spread(samples: readonly number[]): Spread {
  const sorted = [...samples].sort((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    q1: quantile(sorted, 0.25),
    q3: quantile(sorted, 0.75),
    count: sorted.length,
  };
}

/** How many times as long `base` took as `samples`, round by round; above 1 means that `samples` were faster. */
export function pairedRatio(base: readonly number[], samples: readonly number[]): Spread {
  const pairs = Math.min(base.length, samples.length);
  return spread(Array.from({ length: pairs }, (_, at) => (base[at] as number) / (samples[at] as number)));
}
