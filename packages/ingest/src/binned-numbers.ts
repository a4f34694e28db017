import {
  clipLimits,
  type NumberFigures,
  type NumberTreatment,
  outcomeFrom,
  outerFences,
  type TreatedNumbers,
} from './distribution.ts';
import type { NumberSource } from './number-source.ts';
import { ClippedTally, type ValuePlan, ValueTally } from './number-tally.ts';
import { type Bounds, binsFor, histogramOf, quantileAt, ranksOf, shownBins } from './quantiles.ts';
import type { NumericSummary } from './result.ts';

/** Rows whose median tells about where a column's values are. */
const firstRows = 1001;

/** A column of numbers that are counted where they lie, because its distinct values are too many to hold. */
export class BinnedNumbers implements NumberFigures {
  readonly source: NumberSource;
  readonly #column: number;
  readonly #total: number;
  readonly #bounds: Bounds;
  readonly #held: number;
  readonly #decimals: number | null;
  #tally: ValueTally | null = null;
  #bins: Float64Array = new Float64Array(0);
  #summary: NumericSummary | null = null;

  /**
   * @param column its place in the source.
   * @param total values that are not missing.
   * @param held values that may be sorted at once.
   * @param decimals digits behind the point that all values may have; null where that is not asked.
   */
  constructor(
    source: NumberSource,
    column: number,
    total: number,
    bounds: Bounds,
    held: number,
    decimals: number | null,
  ) {
    this.source = source;
    this.#column = column;
    this.#total = total;
    this.#bounds = bounds;
    this.#held = held;
    this.#decimals = decimals;
  }

  get summary(): NumericSummary {
    return this.#summary!;
  }

  /** An estimate of how many distinct values there are, once they were counted. */
  get distinct(): number {
    return this.#tally!.distinct.value;
  }

  keepDecimals(decimals: number): boolean {
    return decimals === this.#decimals && this.#tally!.areDecimals;
  }

  /** What to count of each of the columns, which have one source. */
  static async plans(source: NumberSource, columns: readonly BinnedNumbers[]): Promise<ValuePlan[]> {
    const first = await source.first(
      columns.map((one) => one.#column),
      firstRows,
    );
    return columns.map((one, i) => {
      const { min, max } = one.#bounds;
      const values = first[i]!.sort();
      const centre = values[values.length >> 1] ?? min / 2 + max / 2;
      return { bounds: one.#bounds, size: binsFor(one.#total), centre, decimals: one.#decimals };
    });
  }

  /** Counts the columns, which have one source, in one pass over all of them. */
  static async count(source: NumberSource, columns: readonly BinnedNumbers[]): Promise<void> {
    const plans = await BinnedNumbers.plans(source, columns);
    const tallies = plans.map((plan) => new ValueTally(plan));
    await source.tally(columns.map((one, i) => ({ column: one.#column, tally: tallies[i]! })));
    columns.forEach((one, i) => {
      one.counted(tallies[i]!);
    });
  }

  /** Takes what was counted by its plan. */
  counted(tally: ValueTally): void {
    this.#tally = tally;
    this.#bins = tally.bins;
  }

  /** Looks up the quantiles of a column that was counted. */
  async measure(): Promise<void> {
    const shares = [0.01, 0.25, 0.5, 0.75, 0.99];
    const [p01, p25, median, p75, p99] = (await this.quantiles(shares)) as [
      number,
      number,
      number,
      number,
      number,
    ];
    this.#summary = {
      ...this.#bounds,
      ...this.#tally!.sums.moments(this.#total),
      histogram: histogramOf(this.#bounds, this.#bins),
      ...{ p01, p25, median, p75, p99 },
    };
  }

  async quantiles(shares: readonly number[]): Promise<number[]> {
    const ranks = new Set(shares.flatMap((share) => ranksOf(share, this.#total)));
    const values = new Map<number, number>();
    await this.#pick([...ranks], 0, this.#bounds, this.#bins, values);
    return shares.map((share) => quantileAt(share, this.#total, (rank) => values.get(rank)!));
  }

  /** Goes through all values in ascending order, as many as may be held at a time. */
  async eachSorted(use: (values: Float64Array) => void): Promise<void> {
    const bins = this.#bins;
    for (let next = 0; next < bins.length; ) {
      const list: number[] = [];
      for (let held = 0; next < bins.length; next++) {
        if (list.length > 0 && held + bins[next]! > this.#held) break;
        held += bins[next]!;
        list.push(next);
      }
      const some = { bounds: this.#bounds, size: bins.length, bins: list, within: null };
      use((await this.source.inBins(this.#column, some)).sort());
    }
  }

  async treated(treatment: NumberTreatment): Promise<TreatedNumbers> {
    const { tally: wanted, result } = this.plan(treatment);
    if (wanted) await this.source.tally([{ column: this.#column, tally: wanted }]);
    return result();
  }

  /**
   * What has to be counted for the figures after a treatment, and the figures once it is.
   * The tally is null where the treatment changes nothing and no value is far out.
   */
  plan(treatment: NumberTreatment): { tally: ClippedTally | null; result: () => TreatedNumbers } {
    const { summary } = this;
    const limits = clipLimits(treatment);
    const fences = outerFences(summary);
    const fill = treatment.missing > 0 ? treatment.fill : null;
    const clips = summary.min < limits.min || summary.max > limits.max;
    const changed = clips || fill !== null;
    if (!changed && summary.min >= fences.min && summary.max <= fences.max)
      return { tally: null, result: () => ({ clipped: 0, outliers: 0, numeric: outcomeFrom(summary) }) };
    const clamp = (value: number) => Math.min(Math.max(value, limits.min), limits.max);
    const ends = [clamp(summary.min), clamp(summary.max), ...(fill === null ? [] : [fill])];
    const bounds = { min: Math.min(...ends), max: Math.max(...ends) };
    const found = new ClippedTally({
      limits,
      fences,
      bounds,
      size: shownBins,
      centre: clamp(summary.median),
    });
    const result = (): TreatedNumbers => {
      const { clipped, outliers } = found;
      if (!changed) return { clipped, outliers, numeric: outcomeFrom(summary) };
      if (fill !== null) found.fill(fill, treatment.missing);
      const moments = found.sums.moments(this.#total + (fill === null ? 0 : treatment.missing));
      const numeric = { ...bounds, ...moments, histogram: histogramOf(bounds, found.bins) };
      return { clipped, outliers, numeric };
    };
    return { tally: found, result };
  }

  /**
   * Values at ranks, exactly and in bounded memory: what few bins hold is sorted, and a bin that holds
   * too much is counted again, finer.
   * @param before values of the column that are smaller than `bounds`.
   */
  async #pick(
    ranks: readonly number[],
    before: number,
    bounds: Bounds,
    bins: Float64Array,
    into: Map<number, number>,
  ): Promise<void> {
    if (bins.length === 1) {
      for (const rank of ranks) into.set(rank, bounds.min);
      return;
    }
    const wanted = new Map<number, { first: number; ranks: number[] }>();
    let first = before;
    const ordered = [...ranks].sort((a, b) => a - b);
    let next = 0;
    for (let bin = 0; bin < bins.length && next < ordered.length; bin++) {
      const inside: number[] = [];
      while (next < ordered.length && ordered[next]! < first + bins[bin]!) inside.push(ordered[next++]!);
      if (inside.length > 0) wanted.set(bin, { first, ranks: inside });
      first += bins[bin]!;
    }
    const some = (list: readonly number[]) => ({
      ...{ bounds, size: bins.length, bins: list },
      within: bounds === this.#bounds ? null : bounds,
    });
    const few = [...wanted].filter(([bin]) => bins[bin]! * wanted.size <= this.#held);
    if (few.length > 0) {
      const values = await this.source.inBins(this.#column, some(few.map(([bin]) => bin)));
      values.sort();
      let start = 0;
      for (const [bin, one] of few) {
        for (const rank of one.ranks) into.set(rank, values[start + rank - one.first]!);
        start += bins[bin]!;
      }
    }
    for (const [bin, one] of wanted) {
      if (few.some(([other]) => other === bin)) continue;
      const inner = await this.source.endsOf(this.#column, some([bin]));
      const finer = await this.source.countBins(this.#column, inner, binsFor(bins[bin]!));
      await this.#pick(one.ranks, one.first, inner, finer, into);
    }
  }
}
