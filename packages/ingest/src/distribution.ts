import { allDecimals } from './number-tally.ts';
import { type Bounds, binOf, binsFor, histogramOf, quantileAt, steady } from './quantiles.ts';
import type { NumericOutcome, NumericSummary } from './result.ts';

/** What is done to a column of numbers. */
export interface NumberTreatment {
  clip: { min: number | null; max: number | null } | null;
  /** What missing values become; null where they stay. */
  fill: number | null;
  missing: number;
}

/** What became of a column of numbers. */
export interface TreatedNumbers {
  clipped: number;
  /** Values further than three interquartile ranges outside the quartiles (Tukey's outer fences). */
  outliers: number;
  numeric: NumericOutcome;
}

/** The figures of one column of numbers, wherever they are counted. */
export interface NumberFigures {
  summary: NumericSummary;
  /** Quantiles by linear interpolation between the two nearest ranks. */
  quantiles(shares: readonly number[]): Promise<number[]>;
  /** Whether every value is a decimal of so many digits behind the point. */
  keepDecimals(decimals: number): boolean;
  /** Figures after clipping and filling. */
  treated(treatment: NumberTreatment): Promise<TreatedNumbers>;
}

/** Tukey's outer fences; nothing is outside where half of the values are equal. */
export function outerFences({ p25, p75 }: NumericSummary): Bounds {
  const reach = 3 * (p75 - p25);
  return reach > 0 ? { min: p25 - reach, max: p75 + reach } : { min: -Infinity, max: Infinity };
}

export const clipLimits = ({ clip }: NumberTreatment): Bounds => ({
  min: clip?.min ?? -Infinity,
  max: clip?.max ?? Infinity,
});

/** Numbers that are all at hand: each distinct value once, ascending, and how often it stands in the column. */
export class Distribution implements NumberFigures {
  readonly values: Float64Array;
  readonly counts: Float64Array;
  readonly total: number;
  #summary: NumericSummary | null = null;

  private constructor(values: Float64Array, counts: Float64Array) {
    this.values = values;
    this.counts = counts;
    this.total = counts.reduce((sum, count) => sum + count, 0);
  }

  /** From a column's values, at least one; the array is sorted in place. */
  static ofValues(all: Float64Array): Distribution {
    all.sort();
    const values = new Float64Array(all.length);
    const counts = new Float64Array(all.length);
    let size = 0;
    for (let i = 0; i < all.length; i++) {
      if (size === 0 || values[size - 1] !== all[i]) values[size++] = all[i]!;
      counts[size - 1]!++;
    }
    return new Distribution(values.slice(0, size), counts.slice(0, size));
  }

  /** From distinct values, ascending, each with its count. */
  static ofSorted(values: Float64Array, counts: Float64Array): Distribution {
    return new Distribution(values, counts);
  }

  /** From distinct values in any order, each with its count. */
  static ofCounts(values: Float64Array, counts: Float64Array): Distribution {
    const order = Uint32Array.from(values.keys()).sort((a, b) => values[a]! - values[b]!);
    return new Distribution(
      Float64Array.from(order, (i) => values[i]!),
      Float64Array.from(order, (i) => counts[i]!),
    );
  }

  get distinct(): number {
    return this.values.length;
  }

  get summary(): NumericSummary {
    if (this.#summary) return this.#summary;
    const outcome = outcomeOf(this.values, this.counts, this.total);
    const [p01, p25, median, p75, p99] = this.#quantiles([0.01, 0.25, 0.5, 0.75, 0.99]);
    this.#summary = { ...outcome, p01: p01!, p25: p25!, median: median!, p75: p75!, p99: p99! };
    return this.#summary;
  }

  async quantiles(shares: readonly number[]): Promise<number[]> {
    return this.#quantiles(shares);
  }

  #quantiles(shares: readonly number[]): number[] {
    const upTo = new Float64Array(this.counts.length);
    let sum = 0;
    for (let i = 0; i < upTo.length; i++) upTo[i] = sum += this.counts[i]!;
    const valueAt = (rank: number): number => {
      let low = 0;
      let high = upTo.length - 1;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (upTo[middle]! > rank) high = middle;
        else low = middle + 1;
      }
      return this.values[low]!;
    };
    return shares.map((share) => quantileAt(share, this.total, valueAt));
  }

  keepDecimals(decimals: number): boolean {
    return allDecimals(this.values, 10 ** decimals);
  }

  async treated(treatment: NumberTreatment): Promise<TreatedNumbers> {
    const limits = clipLimits(treatment);
    const fences = outerFences(this.summary);
    const fill = treatment.missing > 0 ? treatment.fill : null;
    let clipped = 0;
    let outliers = 0;
    const values = Float64Array.from(this.values, (value, i) => {
      if (value < fences.min || value > fences.max) outliers += this.counts[i]!;
      if (value >= limits.min && value <= limits.max) return value;
      clipped += this.counts[i]!;
      return value < limits.min ? limits.min : limits.max;
    });
    if (clipped === 0 && fill === null) return { clipped, outliers, numeric: outcomeFrom(this.summary) };
    const all = fill === null ? values : Float64Array.of(...[fill], ...values);
    const counts = fill === null ? this.counts : Float64Array.of(treatment.missing, ...this.counts);
    const total = this.total + (fill === null ? 0 : treatment.missing);
    return { clipped, outliers, numeric: outcomeOf(all, counts, total) };
  }
}

/** The part of a summary that is known after cleaning too. */
export const outcomeFrom = ({ min, max, mean, std, histogram }: NumericSummary): NumericOutcome => ({
  min,
  max,
  mean,
  std,
  histogram,
});

function outcomeOf(values: Float64Array, counts: Float64Array, total: number): NumericOutcome {
  let min = Infinity;
  let max = -Infinity;
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const mean = weightedMean(values, counts, total, (value) => value);
  const squares = weightedMean(values, counts, total, (value) => (value - mean) ** 2);
  const std = total > 1 ? Math.sqrt((squares / (total - 1)) * total) : 0;
  const bins = new Float64Array(binsFor(total));
  const at = binOf({ min, max }, bins.length);
  for (let i = 0; i < values.length; i++) bins[at(values[i]!)]! += counts[i]!;
  return { min, max, mean: steady(mean), std: steady(std), histogram: histogramOf({ min, max }, bins) };
}

/** Mean with Neumaier's compensation (1974), so that small values are not lost beside large ones. */
function weightedMean(
  values: Float64Array,
  counts: Float64Array,
  total: number,
  of: (value: number) => number,
): number {
  let sum = 0;
  let lost = 0;
  for (let i = 0; i < values.length; i++) {
    // Divided first, so that the sum of the largest doubles stays finite.
    const term = of(values[i]!) * (counts[i]! / total);
    const next = sum + term;
    lost += Math.abs(sum) >= Math.abs(term) ? sum - next + term : term - next + sum;
    sum = next;
  }
  return Number.isFinite(lost) ? sum + lost : sum;
}
