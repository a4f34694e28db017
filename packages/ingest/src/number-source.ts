import type { Tally } from './number-tally.ts';
import type { Bounds } from './quantiles.ts';

/** Some of the bins that `binOf` makes of bounds and a size; the last one holds what rounding puts behind it. */
export interface SomeBins {
  bounds: Bounds;
  size: number;
  bins: readonly number[];
  /** Values outside are none of them; null where no value is. */
  within: Bounds | null;
}

/** Columns of numbers that are too long to hold, by their place: values are counted where they lie. */
export interface NumberSource {
  /** The values among a column's first rows. */
  first(columns: readonly number[], rows: number): Promise<Float64Array[]>;
  /** Gives each tally its column's values, in the order of the rows. */
  tally(columns: readonly { column: number; tally: Tally }[]): Promise<void>;
  /** All values in some bins, in any order. */
  inBins(column: number, bins: SomeBins): Promise<Float64Array>;
  /** The smallest and the largest of them. */
  endsOf(column: number, bins: SomeBins): Promise<Bounds>;
  /** Counts the values within bounds in bins. */
  countBins(column: number, bounds: Bounds, size: number): Promise<Float64Array>;
}
