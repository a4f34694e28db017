import type { DuckDBValue } from '@duckdb/node-api';
import { type Engine, toNumber } from './engine.ts';
import { type Counted, countBins, exactQuantiles, histogramOf } from './quantiles.ts';
import type { ColumnOutcome, ColumnStats, ColumnType, NumericOutcome } from './result.ts';

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

const isNumeric = (type: ColumnType): boolean => type === 'integer' || type === 'number';

const momentsSql = (value: string): string[] => [
  `CAST(min(${value}) AS DOUBLE)`,
  `CAST(max(${value}) AS DOUBLE)`,
  `favg(${value})`,
  `CASE WHEN count(${value}) > 1 THEN stddev_samp(CAST(${value} AS DOUBLE)) ELSE 0 END`,
];

async function outcomeOf(
  engine: Engine,
  measured: Measured,
  moments: readonly DuckDBValue[],
): Promise<{ outcome: NumericOutcome; counted: Counted }> {
  const [min, max, mean, std] = moments.map(Number) as [number, number, number, number];
  const counted = await countBins(engine, measured, min, max);
  const histogram = histogramOf(counted, steady);
  return { outcome: { min, max, mean: steady(mean), std: steady(std), histogram }, counted };
}

/** Figures of a cleaned column, where cleaning changed it. */
export async function measureOutcome(engine: Engine, measured: Measured): Promise<ColumnOutcome> {
  const { from, value, type } = measured;
  const numeric = isNumeric(type);
  const [n, ...moments] = await engine.aggregates(from, [
    `count(${value})`,
    ...(numeric ? momentsSql(value) : []),
  ]);
  const count = toNumber(n);
  if (!numeric || count === 0) return { count };
  return { count, numeric: (await outcomeOf(engine, measured, moments)).outcome };
}

/**
 * Figures of all columns: what one pass can give for many columns at once, then what each needs alone.
 * @param held values that may be sorted at once for a quantile.
 */
export async function measureColumns(
  engine: Engine,
  columns: readonly Measured[],
  held = heldValues,
): Promise<ColumnStats[]> {
  const from = columns[0]!.from;
  const counts = await engine.aggregates(
    from,
    columns.flatMap(({ value }) => [`count(${value})`, `approx_count_distinct(${value})`]),
  );
  const stats = columns.map(
    (_, i): ColumnStats => ({
      count: toNumber(counts[2 * i]),
      distinct: toNumber(counts[2 * i + 1]),
      distinctExact: false,
    }),
  );
  const countable = [...columns.keys()].filter(
    (i) => stats[i]!.count <= 1_000_000 || stats[i]!.distinct <= mostCategories,
  );
  // Few at a time: each keeps its distinct values in memory.
  const distinct = await engine.aggregates(
    from,
    countable.map((i) => `count(DISTINCT ${columns[i]!.value})`),
    stats[0]!.count > 50_000 ? 2 : 100,
  );
  countable.forEach((i, k) => {
    Object.assign(stats[i]!, { distinct: toNumber(distinct[k]), distinctExact: true });
  });
  const numbers = [...columns.keys()].filter((i) => isNumeric(columns[i]!.type) && stats[i]!.count > 0);
  const moments = await engine.aggregates(
    from,
    numbers.flatMap((i) => momentsSql(columns[i]!.value)),
  );
  for (const [k, i] of numbers.entries()) {
    const { outcome, counted } = await outcomeOf(engine, columns[i]!, moments.slice(4 * k, 4 * k + 4));
    const shares = [0.01, 0.25, 0.5, 0.75, 0.99];
    const [p01, p25, median, p75, p99] = await exactQuantiles(engine, columns[i]!, counted, shares, held);
    stats[i]!.numeric = { ...outcome, p01: p01!, p25: p25!, median: median!, p75: p75!, p99: p99! };
  }
  for (const [i, { value, type }] of columns.entries()) {
    const own = stats[i]!;
    if (own.count === 0 || isNumeric(type)) continue;
    if (type === 'date' || type === 'datetime') {
      const row = await engine.row(
        `SELECT CAST(min(${value}) AS VARCHAR) AS lo, CAST(max(${value}) AS VARCHAR) AS hi FROM ${from}`,
      );
      Object.assign(own, { min: String(row.lo), max: String(row.hi) });
    } else if (own.distinct <= mostCategories) {
      const rows = await engine.rows(
        `SELECT CAST(${value} AS VARCHAR) AS value, count(*) AS n FROM ${from} WHERE ${value} IS NOT NULL GROUP BY 1 ORDER BY n DESC, value LIMIT 10`,
      );
      // A list of ten texts that each stand once says nothing.
      if (toNumber(rows[0]?.n) > 1 || own.distinct <= 10)
        own.top = rows.map((row) => ({ value: String(row.value), count: toNumber(row.n) }));
    }
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
