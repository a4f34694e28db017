import { type Engine, toNumber } from './engine.ts';
import { type Counted, countBins, exactQuantiles, histogramOf } from './quantiles.ts';
import type { ColumnOutcome, ColumnStats, ColumnType, NumericOutcome, NumericSummary } from './result.ts';

/** Values that may be sorted at once for a quantile. */
export const heldValues = 1_000_000;
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

async function numericOutcome(
  engine: Engine,
  measured: Measured,
): Promise<{ outcome: NumericOutcome; counted: Counted }> {
  const { from, value } = measured;
  const row = await engine.row(
    `SELECT CAST(min(${value}) AS DOUBLE) AS lo, CAST(max(${value}) AS DOUBLE) AS hi, favg(${value}) AS mean, CASE WHEN count(${value}) > 1 THEN stddev_samp(CAST(${value} AS DOUBLE)) END AS std FROM ${from}`,
  );
  const [min, max] = [Number(row.lo), Number(row.hi)];
  const std = row.std === null ? 0 : steady(Number(row.std));
  const counted = await countBins(engine, measured, min, max);
  return {
    outcome: { min, max, mean: steady(Number(row.mean)), std, histogram: histogramOf(counted, steady) },
    counted,
  };
}

async function numericSummary(engine: Engine, measured: Measured, held: number): Promise<NumericSummary> {
  const { outcome, counted } = await numericOutcome(engine, measured);
  const asked = [0.01, 0.25, 0.5, 0.75, 0.99];
  const [p01, p25, median, p75, p99] = await exactQuantiles(engine, measured, counted, asked, held);
  return { ...outcome, p01: p01!, p25: p25!, median: median!, p75: p75!, p99: p99! };
}

/** Figures of a cleaned column, where cleaning changed it. */
export async function measureOutcome(engine: Engine, measured: Measured): Promise<ColumnOutcome> {
  const { n } = await engine.row(`SELECT count(${measured.value}) AS n FROM ${measured.from}`);
  const count = toNumber(n);
  const isNumeric = measured.type === 'integer' || measured.type === 'number';
  return isNumeric && count > 0
    ? { count, numeric: (await numericOutcome(engine, measured)).outcome }
    : { count };
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
    return { ...stats, numeric: await numericSummary(engine, measured, held) };
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
