import { sqlReal } from './column-sql.ts';
import { type Engine, toNumber } from './engine.ts';
import type { Measured } from './statistics.ts';

const bins = 4096;

/**
 * Quantiles by linear interpolation between the two nearest ranks (as NumPy and pandas do by default).
 * Up to `held` values DuckDB sorts them in memory; beyond, counts in 4096 bins are refined around each
 * rank until the bin fits, which is as exact and needs memory for the bin alone.
 */
export async function exactQuantiles(
  engine: Engine,
  measured: Measured,
  count: number,
  shares: readonly number[],
  held: number,
): Promise<number[]> {
  const { from, value } = measured;
  if (count === 0) return shares.map(() => Number.NaN);
  if (count <= held) {
    const list = shares
      .map((share, i) => `quantile_cont(CAST(${value} AS DOUBLE), ${share}) AS q${i}`)
      .join(', ');
    const row = await engine.row(`SELECT ${list} FROM ${from}`);
    return shares.map((_, i) => Number(row[`q${i}`]));
  }
  const ranks = new Map<number, number>();
  const at = async (rank: number): Promise<number> => {
    const known = ranks.get(rank);
    if (known !== undefined) return known;
    const found = await valueAtRank(engine, measured, rank, held);
    ranks.set(rank, found);
    return found;
  };
  const answers: number[] = [];
  for (const share of shares) {
    const position = share * (count - 1);
    const below = Math.floor(position);
    const low = await at(below);
    const high = below + 1 < count ? await at(below + 1) : low;
    answers.push(low + (high - low) * (position - below));
  }
  return answers;
}

/** The value that stands at `rank` (from 0) when the column is sorted. */
async function valueAtRank(
  engine: Engine,
  { from, value }: Measured,
  rank: number,
  held: number,
): Promise<number> {
  const number = `CAST(${value} AS DOUBLE)`;
  const ends = await engine.row(`SELECT min(${number}) AS lo, max(${number}) AS hi FROM ${from}`);
  let [low, high] = [Number(ends.lo), Number(ends.hi)];
  let left = rank;
  while (low < high) {
    const width = (high - low) / bins;
    const rows = await engine.rows(
      `SELECT least(floor((${number} - ${sqlReal(low)}) / ${sqlReal(width)}), ${bins - 1}) AS bin, count(*) AS n, min(${number}) AS lo, max(${number}) AS hi FROM ${from} WHERE ${number} BETWEEN ${sqlReal(low)} AND ${sqlReal(high)} GROUP BY 1 ORDER BY 1`,
    );
    let size = 0;
    for (const row of rows) {
      size = toNumber(row.n);
      if (left < size) {
        [low, high] = [Number(row.lo), Number(row.hi)];
        break;
      }
      left -= size;
    }
    if (low < high && size <= held) {
      const row = await engine.row(
        `SELECT ${number} AS x FROM ${from} WHERE ${number} BETWEEN ${sqlReal(low)} AND ${sqlReal(high)} ORDER BY 1 LIMIT 1 OFFSET ${left}`,
      );
      return Number(row.x);
    }
  }
  return low;
}
