import type { Engine } from './engine.ts';
import { Bins, passNumbers } from './number-passes.ts';
import type { HistogramBin } from './result.ts';

/** Bars of the histograms that reports show. */
export const shownBins = 20;
const mostBins = 4000;

/** As many bins as pay for so many rows; a multiple of the histogram's bars. */
export const binsFor = (rows: number): number =>
  shownBins * Math.max(1, Math.min(mostBins / shownBins, Math.floor(rows / 200)));

/** Twenty bins of equal width; one where all values are equal. `steady` rounds the edges. */
export function histogramOf(bins: Bins, steady: (value: number) => number): HistogramBin[] {
  const { min, max } = bins;
  if (bins.size === 1 || !Number.isFinite(max - min)) return [{ from: min, to: max, count: bins.total }];
  const counts = new Array<number>(shownBins).fill(0);
  const each = bins.size / shownBins;
  for (let i = 0; i < bins.size; i++) counts[Math.floor(i / each)]! += bins.counts[i]!;
  const width = (max - min) / shownBins;
  return counts.map((count, i) => ({
    from: steady(min + i * width),
    to: steady(i === shownBins - 1 ? max : min + (i + 1) * width),
    count,
  }));
}

/** One rank of one column that is being looked for. */
interface Search {
  column: number;
  /** Where the answer goes. */
  slot: number;
  /** Rank within `bins`, from 0. */
  rank: number;
  bins: Bins;
  /** The value that follows the largest one of `bins` in the column. */
  next: number;
}

interface Narrowed {
  search: Search;
  low: number;
  high: number;
  count: number;
  left: number;
  next: number;
}

/** The bin that holds a rank. */
function narrow(search: Search): Narrowed {
  const { bins } = search;
  let left = search.rank;
  let at = 0;
  while (left >= bins.counts[at]!) left -= bins.counts[at++]!;
  let after = at + 1;
  while (after < bins.size && bins.counts[after] === 0) after++;
  const next = after < bins.size ? bins.low[after]! : search.next;
  return { search, low: bins.low[at]!, high: bins.high[at]!, count: bins.counts[at]!, left, next };
}

/**
 * Quantiles by linear interpolation between the two nearest ranks (as NumPy and pandas do by default),
 * of many columns at once. Exact and out of core: bins are counted again, finer, around each rank until
 * what they hold is little enough to sort; memory is bounded by `held` values and not by the columns.
 * @param columns SQL of each column's value, its counted bins and the shares wanted of it.
 * @param held values that may be sorted at once.
 * @returns the quantiles, by column and share.
 */
export async function exactQuantiles(
  engine: Engine,
  from: string,
  columns: readonly { value: string; bins: Bins; shares: readonly number[] }[],
  held: number,
): Promise<number[][]> {
  const pairs = columns.map(({ shares }) => shares.map((): [number, number] => [0, 0]));
  let open: Search[] = columns.flatMap(({ bins, shares }, column) =>
    shares.map((share, slot) => ({
      column,
      slot,
      rank: Math.floor(share * (bins.total - 1)),
      bins,
      next: bins.max,
    })),
  );
  while (open.length > 0) {
    const unsettled: Narrowed[] = [];
    for (const one of open.map(narrow)) {
      const { search, low, high, left, count, next } = one;
      if (low === high) pairs[search.column]![search.slot] = [low, left + 1 < count ? low : next];
      else unsettled.push(one);
    }
    open = await settle(engine, from, columns, unsettled, held, pairs);
  }
  return columns.map(({ bins, shares }, column) =>
    shares.map((share, slot) => {
      const [low, high] = pairs[column]![slot]!;
      const position = share * (bins.total - 1);
      // Twelve digits keep 90.34 from becoming 90.3399999999999.
      return low === high
        ? low
        : Number((low + (high - low) * (position - Math.floor(position))).toPrecision(12));
    }),
  );
}

/** One pass: sorts what small bins hold, and counts large ones again. Returns the searches that go on. */
async function settle(
  engine: Engine,
  from: string,
  columns: readonly { value: string }[],
  searches: readonly Narrowed[],
  held: number,
  pairs: [number, number][][],
): Promise<Search[]> {
  if (searches.length === 0) return [];
  const looks = new Map<number, { low: number; high: number; take: (value: number) => void }[]>();
  const later: Search[] = [];
  let holding = 0;
  const seen = new Map<string, Narrowed[]>();
  for (const one of searches) {
    const key = `${one.search.column} ${one.low} ${one.high}`;
    const same = seen.get(key);
    if (same) {
      same.push(one);
      continue;
    }
    seen.set(key, [one]);
  }
  const settled: (() => void)[] = [];
  for (const same of seen.values()) {
    const [{ search, low, high, count }] = same as [Narrowed, ...Narrowed[]];
    const list = looks.get(search.column) ?? [];
    looks.set(search.column, list);
    if (count <= held && holding + count <= Math.max(held, 1_000_000)) {
      holding += count;
      const values = new Float64Array(count);
      let filled = 0;
      list.push({ low, high, take: (value) => (values[filled++] = value) });
      settled.push(() => {
        values.sort();
        for (const { search: own, left, next } of same)
          pairs[own.column]![own.slot] = [values[left]!, left + 1 < count ? values[left + 1]! : next];
      });
    } else if (count > held) {
      const bins = new Bins(low, high, binsFor(count));
      const piece = new Float64Array(1);
      list.push({
        low,
        high,
        take: (value) => {
          piece[0] = value;
          bins.add(piece);
        },
      });
      settled.push(() => {
        for (const { search: own, left, next } of same) later.push({ ...own, rank: left, bins, next });
      });
    } else for (const { search: own } of same) later.push(own);
  }
  const wanted = [...looks].filter(([, list]) => list.length > 0);
  await passNumbers(
    engine,
    from,
    wanted.map(([column]) => columns[column]!.value),
    (at, values) => {
      const list = wanted[at]![1];
      for (const { low, high, take } of list)
        for (let i = 0; i < values.length; i++) {
          const value = values[i]!;
          if (value >= low && value <= high) take(value);
        }
    },
  );
  for (const done of settled) done();
  return later;
}
