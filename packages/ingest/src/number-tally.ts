import { CentredSums } from './centred-sums.ts';
import { DistinctEstimate } from './distinct-estimate.ts';
import type { Engine } from './engine.ts';
import { isDecimal } from './number-text.ts';
import { type Bounds, binWidth } from './quantiles.ts';

/** Something that takes a column's values piece by piece; NaN stands for a missing one. */
export interface Tally {
  /** SQL of the value, a double. */
  readonly x: string;
  push(items: Float64Array): void;
}

/** Columns that are read in one pass. */
const together = 100;

/** Hands each of the columns its values, in the relation's order. */
export async function tally(engine: Engine, from: string, columns: readonly Tally[]): Promise<void> {
  for (let at = 0; at < columns.length; at += together) {
    const group = columns.slice(at, at + together);
    const list = group.map(({ x }) => `coalesce(${x}, CAST('NaN' AS DOUBLE))`).join(', ');
    await engine.eachPiece(`SELECT ${list} FROM ${from}`, (pieces) => {
      for (let i = 0; i < group.length; i++) group[i]!.push(pieces[i]!);
    });
  }
}

/** Counts values in bins, as `binOf` says it; those outside the limits count for the limits. */
function countInBins(items: Float64Array, bounds: Bounds, bins: Float64Array, limits: Bounds): void {
  const { min, max } = bounds;
  const { min: low, max: high } = limits;
  const width = binWidth(bounds, bins.length);
  const last = bins.length - 1;
  const far = !Number.isFinite(max - min);
  const shift = min / width;
  for (let i = 0; i < items.length; i++) {
    const value = items[i]!;
    if (Number.isNaN(value)) continue;
    const x = value < low ? low : value > high ? high : value;
    const bin = Math.floor(far ? x / width - shift : (x - min) / width);
    bins[bin < last ? bin : last]!++;
  }
}

/** All figures of a column that one pass can give. */
export class ValueTally implements Tally {
  readonly x: string;
  readonly bins: Float64Array;
  readonly sums: CentredSums;
  readonly distinct = new DistinctEstimate();
  /** Every value is a decimal of the asked length. */
  areDecimals: boolean;
  readonly #bounds: Bounds;
  readonly #power: number;

  /**
   * @param size of the bins.
   * @param centre about where most values are.
   * @param decimals digits behind the point that all values may have; null where that is not asked.
   */
  constructor(x: string, bounds: Bounds, size: number, centre: number, decimals: number | null) {
    this.x = x;
    this.#bounds = bounds;
    this.bins = new Float64Array(binWidth(bounds, size) === Infinity ? 1 : size);
    this.sums = new CentredSums(bounds, centre);
    this.areDecimals = decimals !== null;
    this.#power = 10 ** (decimals ?? 0);
  }

  push(items: Float64Array): void {
    countInBins(items, this.#bounds, this.bins, this.#bounds);
    this.sums.push(items, -Infinity, Infinity);
    this.distinct.push(items);
    if (this.areDecimals) this.areDecimals = allDecimals(items, this.#power);
  }
}

export function allDecimals(items: Float64Array, power: number): boolean {
  for (let i = 0; i < items.length; i++) {
    const x = items[i]!;
    if (!Number.isNaN(x) && !isDecimal(x, power)) return false;
  }
  return true;
}

/** What becomes of a column when it is clipped. */
export class ClippedTally implements Tally {
  readonly x: string;
  clipped = 0;
  outliers = 0;
  readonly bins: Float64Array;
  readonly sums: CentredSums;
  readonly #limits: Bounds;
  readonly #fences: Bounds;
  readonly #bounds: Bounds;

  /** @param bounds of the values after clipping and filling. */
  constructor(x: string, limits: Bounds, fences: Bounds, bounds: Bounds, size: number, centre: number) {
    this.x = x;
    this.#limits = limits;
    this.#fences = fences;
    this.#bounds = bounds;
    this.bins = new Float64Array(binWidth(bounds, size) === Infinity ? 1 : size);
    this.sums = new CentredSums(bounds, centre);
  }

  push(items: Float64Array): void {
    const { min, max } = this.#limits;
    const { min: low, max: high } = this.#fences;
    let clipped = 0;
    let outliers = 0;
    for (let i = 0; i < items.length; i++) {
      const x = items[i]!;
      if (x < min || x > max) clipped++;
      if (x < low || x > high) outliers++;
    }
    this.clipped += clipped;
    this.outliers += outliers;
    countInBins(items, this.#bounds, this.bins, this.#limits);
    this.sums.push(items, min, max);
  }

  /** Values that stood nowhere. */
  fill(value: number, times: number): void {
    const one = new Float64Array(this.bins.length);
    countInBins(Float64Array.of(value), this.#bounds, one, this.#bounds);
    one.forEach((count, i) => {
      this.bins[i]! += count * times;
    });
    this.sums.repeat(value, times);
  }
}
