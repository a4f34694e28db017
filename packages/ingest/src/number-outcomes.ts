import { BinnedNumbers } from './binned-numbers.ts';
import type { NumberFigures, NumberTreatment, TreatedNumbers } from './distribution.ts';
import type { NumberSource } from './number-source.ts';
import type { ClippedTally } from './number-tally.ts';

/** Columns with their treatment; `numbers` is null for those that hold none. */
export interface TreatedColumnOfNumbers {
  /** Place among the loaded columns. */
  index: number;
  numbers: NumberFigures | null;
  treatment: NumberTreatment;
}

/**
 * Figures after cleaning. Those of long columns take a pass over their values, which whoever reads all
 * values anyway can give to `tallies`.
 */
export class NumberOutcomes {
  /** What still wants its column's values, by the column's place. */
  readonly tallies = new Map<number, ClippedTally>();
  #source: NumberSource | null = null;
  readonly #results: (() => Promise<TreatedNumbers> | TreatedNumbers | null)[];

  constructor(columns: readonly TreatedColumnOfNumbers[]) {
    this.#results = columns.map(({ index, numbers, treatment }) => {
      if (!(numbers instanceof BinnedNumbers)) return () => numbers?.treated(treatment) ?? null;
      const plan = numbers.plan(treatment);
      this.#source = numbers.source;
      if (plan.tally) this.tallies.set(index, plan.tally);
      return plan.result;
    });
  }

  /** Reads the values themselves. */
  async count(): Promise<void> {
    await this.#source?.tally([...this.tallies].map(([column, tally]) => ({ column, tally })));
  }

  /** In the order of the columns, once all tallies had their values. */
  results(): Promise<(TreatedNumbers | null)[]> {
    return Promise.all(this.#results.map((one) => one()));
  }
}
