import { sqlReal } from './column-sql.ts';
import { type Engine, toNumber } from './engine.ts';
import { exactQuantiles } from './quantiles.ts';
import type { ColumnStats, ColumnType, HistogramBin, NumericSummary } from './result.ts';

const bins = 20;
/** Above this many values, quantiles come from refining counts instead of holding a column in memory. */
export const heldValues = 8_000_000;
/** Columns with more distinct texts than this have no list of frequent values. */
const mostCategories = 10_000;

/** Sums depend on the order of threads in their last bits; twelve digits do not. */
export const steady = (value: number): number => (Number.isFinite(value) ? Number(value.toPrecision(12)) : 0);

/** Rows and columns to measure: SQL of a relation and of the value in it. */
export interface Measured {
  from: string;
  value: string;
  type: ColumnType;
}

async function histogram(
  engine: Engine,
  { from, value }: Measured,
  min: number,
  max: number,
): Promise<HistogramBin[]> {
  const width = (max - min) / bins;
  if (!(width > 0) || !Number.isFinite(width)) {
    const { n } = await engine.row(`SELECT count(${value}) AS n FROM ${from}`);
    return [{ from: min, to: max, count: toNumber(n) }];
  }
  const rows = await engine.rows(
    `SELECT CAST(least(floor((CAST(${value} AS DOUBLE) - ${sqlReal(min)}) / ${sqlReal(width)}), ${bins - 1}) AS INTEGER) AS bin, count(*) AS n FROM ${from} WHERE ${value} IS NOT NULL GROUP BY 1`,
  );
  const counts = new Map(rows.map((row) => [Number(row.bin), toNumber(row.n)]));
  return Array.from({ length: bins }, (_, i) => ({
    from: steady(min + i * width),
    to: steady(i === bins - 1 ? max : min + (i + 1) * width),
    count: counts.get(i) ?? 0,
  }));
}

async function numericSummary(
  engine: Engine,
  measured: Measured,
  count: number,
  held: number,
): Promise<NumericSummary> {
  const { from, value } = measured;
  const row = await engine.row(
    `SELECT CAST(min(${value}) AS DOUBLE) AS lo, CAST(max(${value}) AS DOUBLE) AS hi, favg(${value}) AS mean, CASE WHEN count(${value}) > 1 THEN stddev_samp(CAST(${value} AS DOUBLE)) END AS std FROM ${from}`,
  );
  const [min, max] = [Number(row.lo), Number(row.hi)];
  const [p01, p25, median, p75, p99] = await exactQuantiles(
    engine,
    measured,
    count,
    [0.01, 0.25, 0.5, 0.75, 0.99],
    held,
  );
  return {
    min,
    max,
    mean: steady(Number(row.mean)),
    std: row.std === null ? 0 : steady(Number(row.std)),
    p01: p01!,
    p25: p25!,
    median: median!,
    p75: p75!,
    p99: p99!,
    histogram: await histogram(engine, measured, min, max),
  };
}

/** Figures of one column. `held` bounds how many values quantiles may keep in memory. */
export async function measureColumn(
  engine: Engine,
  measured: Measured,
  held = heldValues,
): Promise<ColumnStats> {
  const { from, value, type } = measured;
  const first = await engine.row(
    `SELECT count(${value}) AS n, approx_count_distinct(${value}) AS d FROM ${from}`,
  );
  const count = toNumber(first.n);
  const stats: ColumnStats = { count, distinct: toNumber(first.d), distinctExact: false };
  if (count === 0) return { ...stats, distinct: 0, distinctExact: true };
  if (count <= 1_000_000 || stats.distinct <= mostCategories) {
    stats.distinct = toNumber((await engine.row(`SELECT count(DISTINCT ${value}) AS d FROM ${from}`)).d);
    stats.distinctExact = true;
  }
  if (type === 'integer' || type === 'number')
    return { ...stats, numeric: await numericSummary(engine, measured, count, held) };
  if (type === 'date' || type === 'datetime') {
    const row = await engine.row(
      `SELECT CAST(min(${value}) AS VARCHAR) AS lo, CAST(max(${value}) AS VARCHAR) AS hi FROM ${from}`,
    );
    return { ...stats, min: String(row.lo), max: String(row.hi) };
  }
  if (stats.distinct <= mostCategories) {
    const rows = await engine.rows(
      `SELECT CAST(${value} AS VARCHAR) AS value, count(*) AS n FROM ${from} WHERE ${value} IS NOT NULL GROUP BY 1 ORDER BY n DESC, value LIMIT 10`,
    );
    // A list of ten texts that each stand once says nothing.
    if (toNumber(rows[0]?.n) > 1 || stats.distinct <= 10)
      stats.top = rows.map((row) => ({ value: String(row.value), count: toNumber(row.n) }));
  }
  return stats;
}

/** The most frequent value as text; the smallest of equals. Null when there is none. */
export async function modeOf(engine: Engine, { from, value }: Measured): Promise<string | null> {
  const row = await engine.row(
    `SELECT CAST(value AS VARCHAR) AS mode FROM (SELECT ${value} AS value, count(*) AS n FROM ${from} WHERE ${value} IS NOT NULL GROUP BY 1) ORDER BY n DESC, value LIMIT 1`,
  );
  return row.mode === undefined || row.mode === null ? null : String(row.mode);
}
