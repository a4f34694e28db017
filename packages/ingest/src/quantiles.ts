import type { HistogramBin } from './result.ts';

/** Bars of the histograms that reports show. */
export const shownBins = 20;
const mostBins = 4000;

export interface Bounds {
  min: number;
  max: number;
}

/** Sums depend on the order of their terms in the last bits; twelve digits do not. */
export const steady = (value: number): number => (Number.isFinite(value) ? Number(value.toPrecision(12)) : 0);

/** As many bins as pay for so many values; a multiple of the histogram's bars. */
export const binsFor = (count: number): number =>
  shownBins * Math.max(1, Math.min(mostBins / shownBins, Math.floor(count / 200)));

/** Width of bins of equal width from a smallest to a largest value; Infinity where all values are equal. */
export function binWidth({ min, max }: Bounds, size: number): number {
  if (!(max > min)) return Infinity;
  // Neither the largest doubles nor neighbouring ones may end in a width without meaning.
  const width = Number.isFinite(max - min) ? (max - min) / size : max / size - min / size;
  return Math.max(width, Number.MIN_VALUE);
}

/** The bin, from 0, that a value within the bounds falls into. `binSql` says the same in SQL. */
export function binOf(bounds: Bounds, size: number): (value: number) => number {
  const width = binWidth(bounds, size);
  const { min, max } = bounds;
  return Number.isFinite(max - min)
    ? (value) => Math.min(Math.floor((value - min) / width), size - 1)
    : (value) => Math.min(Math.floor(value / width - min / width), size - 1);
}

/** Twenty bars from finer bins (a multiple of twenty); one where all values are equal. */
export function histogramOf({ min, max }: Bounds, bins: Float64Array): HistogramBin[] {
  if (!(max > min) || !Number.isFinite(max - min)) {
    const count = bins.reduce((sum, one) => sum + one, 0);
    return [{ from: min, to: max, count }];
  }
  const counts = new Array<number>(shownBins).fill(0);
  const each = bins.length / shownBins;
  for (let i = 0; i < bins.length; i++) counts[Math.floor(i / each)]! += bins[i]!;
  const width = (max - min) / shownBins;
  return counts.map((count, i) => ({
    from: steady(min + i * width),
    to: steady(i === shownBins - 1 ? max : min + (i + 1) * width),
    count,
  }));
}

/** The ranks, from 0, of the two values that a quantile lies between. */
export function ranksOf(share: number, total: number): [number, number] {
  const low = Math.floor(share * (total - 1));
  return [low, Math.min(low + 1, total - 1)];
}

/** A quantile by linear interpolation between the two nearest ranks, as NumPy and pandas do by default. */
export function quantileAt(share: number, total: number, valueAt: (rank: number) => number): number {
  const [at, next] = ranksOf(share, total);
  const low = valueAt(at);
  const part = share * (total - 1) - at;
  if (part === 0) return low;
  const high = valueAt(next);
  // Twelve digits keep 90.34 from becoming 90.3399999999999.
  return low === high ? low : Number((low + (high - low) * part).toPrecision(12));
}
