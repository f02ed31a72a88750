import { pairedRatio, spread } from './statistics.ts';

/** Someone's way to do what is measured; a sample is in whatever unit the row says. */
export interface Work {
  who: string;
  sample: () => Promise<number> | number;
}

/** One line of a table: what was measured, on whom, samples, and whom to compare with. */
interface Row {
  what: string;
  who: string;
  samples: number[];
  base: number[] | undefined;
  higherIsBetter: boolean;
}

/** A table of samples that were taken in rounds, so that what disturbs the machine for a while disturbs all alike. */
export class RoundTable {
  readonly #rounds: number;
  readonly #rows: Row[] = [];

  constructor(rounds: number) {
    this.#rounds = rounds;
  }

  /** Runs each work once a round, another one first every time, after one that does not count; the first of them is whom the others are compared with. */
  async measure(what: string, works: readonly Work[], higherIsBetter = false): Promise<number[][]> {
    const found = works.map(() => [] as number[]);
    for (let round = -1; round < this.#rounds; round++) {
      for (let step = 0; step < works.length; step++) {
        const at = (step + round + 1) % works.length;
        const value = await works[at]?.sample();
        if (round >= 0) found[at]?.push(value as number);
      }
    }
    for (const [at, { who }] of works.entries())
      this.add(what, who, found[at] as number[], at > 0 ? found[0] : undefined, higherIsBetter);
    return found;
  }

  /** Adds samples that were taken otherwise. */
  add(what: string, who: string, samples: number[], base?: number[], higherIsBetter = false): void {
    this.#rows.push({ what, who, samples, base, higherIsBetter });
    console.error(`measured: ${what}: ${who}: ${number(spread(samples).median)}`);
  }

  /** Lines of a Markdown table without its head: what, who, median with quartiles, and how many times better than the base. */
  lines(): string[] {
    return this.#rows.map(({ what, who, samples, base, higherIsBetter }) => {
      const { median, q1, q3 } = spread(samples);
      const ratio = base && (higherIsBetter ? pairedRatio(samples, base) : pairedRatio(base, samples));
      const times = ratio ? `${number(ratio.median)}× (${number(ratio.q1)}–${number(ratio.q3)})` : '';
      return `| ${what} | ${who} | ${number(median)} (${number(q1)}–${number(q3)}) | ${times} |`;
    });
  }
}

/** Digits enough to compare by. */
function number(value: number): string {
  return value.toFixed(value < 10 ? 2 : 1);
}
