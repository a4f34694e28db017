import type { Engine } from './engine.ts';

/** Columns looked at together: each keeps its counts in memory. */
const together = 128;

/**
 * Hands every value of the columns (SQL of numbers over `from`) to `take`, in the order of the rows, a
 * few thousand at a time; NaN where a value is missing. `take` gets the column's place in `columns`.
 */
export async function passNumbers(
  engine: Engine,
  from: string,
  columns: readonly string[],
  take: (column: number, values: Float64Array) => void,
): Promise<void> {
  for (let first = 0; first < columns.length; first += together) {
    const list = columns
      .slice(first, first + together)
      .map((value) => `coalesce(CAST(${value} AS DOUBLE), CAST('NaN' AS DOUBLE))`);
    await engine.doubles(`SELECT ${list.join(', ')} FROM ${from}`, (at, values) => take(first + at, values));
  }
}

/** Count, bounds, mean and spread of numbers that come in pieces; merged as Chan et al. (1979) do, so that rounding stays small. */
export class Moments {
  count = 0;
  min = Infinity;
  max = -Infinity;
  mean = 0;
  #squares = 0;

  add(values: Float64Array): void {
    let count = 0;
    let sum = 0;
    let { min, max } = this;
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (Number.isNaN(value)) continue;
      count++;
      sum += value;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    if (count === 0) return;
    this.min = min;
    this.max = max;
    const mean = sum / count;
    let squares = 0;
    for (let i = 0; i < values.length; i++) {
      const off = values[i]! - mean;
      if (!Number.isNaN(off)) squares += off * off;
    }
    const total = this.count + count;
    const apart = mean - this.mean;
    this.#squares += squares + (apart * apart * this.count * count) / total;
    this.mean += (apart * count) / total;
    this.count = total;
  }

  /** Sample standard deviation; 0 for fewer than two values. */
  get std(): number {
    return this.count > 1 ? Math.sqrt(this.#squares / (this.count - 1)) : 0;
  }
}

/** Numbers counted in bins of equal width from a smallest to a largest value. */
export class Bins {
  readonly min: number;
  readonly max: number;
  readonly counts: Float64Array;
  /** Smallest and largest value in each bin. */
  readonly low: Float64Array;
  readonly high: Float64Array;
  total = 0;
  readonly #width: number;

  /** @param size number of bins; where all values are equal there is one. */
  constructor(min: number, max: number, size: number) {
    this.min = min;
    this.max = max;
    const flat = !(max > min);
    // Neither the largest doubles nor neighbouring ones may end in a width without meaning.
    const width = Number.isFinite(max - min) ? (max - min) / size : max / size - min / size;
    this.#width = flat ? Infinity : Math.max(width, Number.MIN_VALUE);
    const bins = flat ? 1 : size;
    this.counts = new Float64Array(bins);
    this.low = new Float64Array(bins).fill(Infinity);
    this.high = new Float64Array(bins).fill(-Infinity);
  }

  get size(): number {
    return this.counts.length;
  }

  /** Values outside the bounds, and missing ones, are passed over. */
  add(values: Float64Array): void {
    const { min, max, counts, low, high } = this;
    const width = this.#width;
    const last = counts.length - 1;
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (!(value >= min && value <= max)) continue;
      let at = Math.floor((value - min) / width);
      if (at > last) at = last;
      counts[at]!++;
      this.total++;
      if (value < low[at]!) low[at] = value;
      if (value > high[at]!) high[at] = value;
    }
  }
}
