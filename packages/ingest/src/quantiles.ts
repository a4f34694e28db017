import { sqlReal } from './column-sql.ts';
import { type Engine, toNumber } from './engine.ts';
import type { HistogramBin } from './result.ts';
import type { Measured } from './statistics.ts';

/** Bins of the first count; a multiple of the histogram's twenty. */
const bins = 4000;
const shown = 20;

interface Bin {
  index: number;
  count: number;
  low: number;
  high: number;
}

/** Values of a column counted in equal bins from its smallest to its largest. */
export interface Counted {
  min: number;
  max: number;
  count: number;
  bins: Bin[];
}

/** Counts a column in fine bins: the ground for histogram and quantiles, whatever the column's size. */
export async function countBins(
  engine: Engine,
  { from, value }: Measured,
  min: number,
  max: number,
): Promise<Counted> {
  const number = `CAST(${value} AS DOUBLE)`;
  const width = (max - min) / bins;
  const flat = !(width > 0) || !Number.isFinite(width);
  const index = flat
    ? '0'
    : `CAST(least(floor((${number} - ${sqlReal(min)}) / ${sqlReal(width)}), ${bins - 1}) AS INTEGER)`;
  const rows = await engine.rows(
    `SELECT ${index} AS bin, count(*) AS n, min(${number}) AS lo, max(${number}) AS hi FROM ${from} WHERE ${number} BETWEEN ${sqlReal(min)} AND ${sqlReal(max)} GROUP BY 1 ORDER BY 1`,
  );
  const counted = rows.map((row) => ({
    index: Number(row.bin),
    count: toNumber(row.n),
    low: Number(row.lo),
    high: Number(row.hi),
  }));
  return { min, max, count: counted.reduce((sum, bin) => sum + bin.count, 0), bins: counted };
}

/** Twenty bins of equal width; one where all values are equal. `steady` rounds the edges. */
export function histogramOf(counted: Counted, steady: (value: number) => number): HistogramBin[] {
  const { min, max } = counted;
  if (!(max > min) || !Number.isFinite(max - min)) return [{ from: min, to: max, count: counted.count }];
  const counts = new Array<number>(shown).fill(0);
  for (const bin of counted.bins) counts[Math.floor(bin.index / (bins / shown))]! += bin.count;
  const width = (max - min) / shown;
  return counts.map((count, i) => ({
    from: steady(min + i * width),
    to: steady(i === shown - 1 ? max : min + (i + 1) * width),
    count,
  }));
}

/**
 * Quantiles by linear interpolation between the two nearest ranks (as NumPy and pandas do by default).
 * Exact and out of core: counts in bins are refined around each rank until the bin is small enough to
 * sort, so memory is bounded by one bin and not by the column.
 * @param held values that may be sorted at once.
 */
export async function exactQuantiles(
  engine: Engine,
  measured: Measured,
  counted: Counted,
  shares: readonly number[],
  held: number,
): Promise<number[]> {
  const answers: number[] = [];
  const fetched = await fetchBins(engine, measured, counted, shares);
  for (const share of shares) {
    const position = share * (counted.count - 1);
    const below = Math.floor(position);
    const [low, high] = await valuesAt(engine, measured, counted, below, held, fetched);
    // Twelve digits keep 90.34 from becoming 90.3399999999999.
    answers.push(low === high ? low : Number((low + (high - low) * (position - below)).toPrecision(12)));
  }
  return answers;
}

const mostFetched = 50_000;

/** The sorted values of the bins that the shares fall into, by one query, where they are few. */
async function fetchBins(
  engine: Engine,
  { from, value }: Measured,
  counted: Counted,
  shares: readonly number[],
): Promise<Map<number, number[]>> {
  const wanted = new Map<number, Bin>();
  for (const share of shares) {
    let left = Math.floor(share * (counted.count - 1));
    const bin = counted.bins.find(({ count }) => {
      left -= count;
      return left < 0;
    });
    if (bin && bin.low < bin.high) wanted.set(bin.index, bin);
  }
  const bins = [...wanted.values()];
  if (bins.length === 0 || bins.reduce((sum, { count }) => sum + count, 0) > mostFetched) return new Map();
  const number = `CAST(${value} AS DOUBLE)`;
  const inside = bins
    .map(({ low, high }) => `${number} BETWEEN ${sqlReal(low)} AND ${sqlReal(high)}`)
    .join(' OR ');
  const values = (await engine.rowArrays(`SELECT ${number} FROM ${from} WHERE ${inside} ORDER BY 1`)).map(
    ([x]) => Number(x),
  );
  return new Map(bins.map(({ index, low, high }) => [index, values.filter((x) => x >= low && x <= high)]));
}

/** The values at `rank` (from 0) and at the next one, when the column is sorted. */
async function valuesAt(
  engine: Engine,
  measured: Measured,
  counted: Counted,
  rank: number,
  held: number,
  fetched: ReadonlyMap<number, number[]>,
): Promise<[number, number]> {
  let left = rank;
  for (const [i, bin] of counted.bins.entries()) {
    if (left >= bin.count) {
      left -= bin.count;
      continue;
    }
    const next = counted.bins[i + 1]?.low ?? bin.high;
    if (bin.low === bin.high) return [bin.low, left + 1 < bin.count ? bin.low : next];
    const ready = fetched.get(bin.index);
    if (ready) return [ready[left]!, ready[left + 1] ?? next];
    if (bin.count > held) {
      const finer = await countBins(engine, measured, bin.low, bin.high);
      const [low, high] = await valuesAt(engine, measured, finer, left, held, new Map());
      return [low, left + 1 < bin.count ? high : next];
    }
    const number = `CAST(${measured.value} AS DOUBLE)`;
    const rows = await engine.rows(
      `SELECT ${number} AS x FROM ${measured.from} WHERE ${number} BETWEEN ${sqlReal(bin.low)} AND ${sqlReal(bin.high)} ORDER BY 1 LIMIT 2 OFFSET ${left}`,
    );
    const low = Number(rows[0]!.x);
    return [low, rows[1] ? Number(rows[1].x) : next];
  }
  return [counted.max, counted.max];
}
