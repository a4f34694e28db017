import { type Engine, toNumber } from './engine.ts';
import { Bins, Moments, passNumbers } from './number-passes.ts';
import { binsFor, exactQuantiles, histogramOf, shownBins } from './quantiles.ts';
import type { ColumnStats, ColumnType, NumericOutcome, NumericSummary } from './result.ts';

/** Values that may be sorted at once for a quantile. */
export const heldValues = 1_000_000;
/** Columns with more distinct texts than this have no list of frequent values. */
const mostCategories = 10_000;
/** Tables up to this many rows have all their distinct values counted exactly. */
const countedRows = 50_000;

/** Sums depend on the order of threads in their last bits; twelve digits do not. */
export const steady = (value: number): number => (Number.isFinite(value) ? Number(value.toPrecision(12)) : 0);

/** Rows and columns to measure: SQL of a relation and of the value in it. */
export interface Measured {
  from: string;
  value: string;
  type: ColumnType;
}

const isNumeric = (type: ColumnType): boolean => type === 'integer' || type === 'number';

/** Figures of all numbers among the columns, in three passes over them whatever their number. */
async function measureNumbers(
  engine: Engine,
  from: string,
  values: readonly string[],
  rows: number,
  held: number,
): Promise<(NumericSummary | undefined)[]> {
  const moments = values.map(() => new Moments());
  await passNumbers(engine, from, values, (i, piece) => moments[i]!.add(piece));
  const summaries: (NumericSummary | undefined)[] = [];
  // Bins of many columns take memory: a hundred columns at a time.
  for (let first = 0; first < values.length; first += 100) {
    const group = values.slice(first, first + 100);
    const bins = group.map((_, k) => {
      const { min, max } = moments[first + k]!;
      return new Bins(min, max, binsFor(rows));
    });
    await passNumbers(engine, from, group, (i, piece) => bins[i]!.add(piece));
    const filled = [...group.keys()].filter((k) => bins[k]!.total > 0);
    const quantiles = await exactQuantiles(
      engine,
      from,
      filled.map((k) => ({ value: group[k]!, bins: bins[k]!, shares: [0.01, 0.25, 0.5, 0.75, 0.99] })),
      held,
    );
    group.forEach((_, k) => {
      const at = filled.indexOf(k);
      if (at === -1) summaries.push(undefined);
      else {
        const [p01, p25, median, p75, p99] = quantiles[at] as [number, number, number, number, number];
        const outcome = numericOutcome(moments[first + k]!, bins[k]!);
        summaries.push({ ...outcome, p01, p25, median, p75, p99 });
      }
    });
  }
  return summaries;
}

const numericOutcome = ({ min, max, mean, std }: Moments, bins: Bins): NumericOutcome => ({
  min,
  max,
  mean: steady(mean),
  std: steady(std),
  histogram: histogramOf(bins, steady),
});

/** The five quantiles that reports show and any others, of one column whose bounds are known. */
export async function quantilesOf(
  engine: Engine,
  { from, value }: Measured,
  { min, max }: NumericSummary,
  count: number,
  shares: readonly number[],
  held: number,
): Promise<number[]> {
  const bins = new Bins(min, max, binsFor(count));
  await passNumbers(engine, from, [value], (_, piece) => bins.add(piece));
  return (await exactQuantiles(engine, from, [{ value, bins, shares }], held))[0]!;
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
  const largest = Math.max(...stats.map(({ count }) => count));
  const countable = [...columns.keys()].filter(
    (i) => largest <= countedRows || stats[i]!.distinct <= mostCategories,
  );
  // A few at a time: each keeps its distinct values in memory.
  const distinct = await engine.aggregates(
    from,
    countable.map((i) => `count(DISTINCT ${columns[i]!.value})`),
    20,
  );
  countable.forEach((i, k) => {
    Object.assign(stats[i]!, { distinct: toNumber(distinct[k]), distinctExact: true });
  });
  const all = [...columns.keys()].filter((i) => stats[i]!.count > 0);
  const numbers = all.filter((i) => isNumeric(columns[i]!.type));
  const values = numbers.map((i) => columns[i]!.value);
  const summaries = await measureNumbers(engine, from, values, largest, held);
  numbers.forEach((i, k) => {
    const summary = summaries[k];
    if (summary) stats[i]!.numeric = summary;
  });
  const dates = all.filter((i) => columns[i]!.type === 'date' || columns[i]!.type === 'datetime');
  const bounds = await engine.aggregates(
    from,
    dates.flatMap((i) => ['min', 'max'].map((end) => `CAST(${end}(${columns[i]!.value}) AS VARCHAR)`)),
  );
  dates.forEach((i, k) => {
    Object.assign(stats[i]!, { min: String(bounds[2 * k]), max: String(bounds[2 * k + 1]) });
  });
  for (const i of all) {
    const { value, type } = columns[i]!;
    const own = stats[i]!;
    if ((type !== 'text' && type !== 'boolean') || own.distinct > mostCategories) continue;
    const rows = await engine.rows(
      `SELECT CAST(${value} AS VARCHAR) AS value, count(*) AS n FROM ${from} WHERE ${value} IS NOT NULL GROUP BY 1 ORDER BY n DESC, value LIMIT 10`,
    );
    // A list of ten texts that each stand once says nothing.
    if (toNumber(rows[0]?.n) > 1 || own.distinct <= 10)
      own.top = rows.map((row) => ({ value: String(row.value), count: toNumber(row.n) }));
  }
  return stats;
}

/** A column of numbers and what is done to it. */
export interface Treated {
  value: string;
  before: NumericSummary;
  clip: { min: number | null; max: number | null } | null;
  /** What missing values become; null where they stay. */
  fill: number | null;
  missing: number;
}

/** What became of a column of numbers. */
export interface Treatment {
  clipped: number;
  examples: { before: string; after: string }[];
  /** Values further than three interquartile ranges outside the quartiles (Tukey's outer fences). */
  outliers: number;
  numeric: NumericOutcome;
}

const unbounded = { min: -Infinity, max: Infinity };

/** Figures of numbers after clipping and filling; one pass over those columns where anything differs. */
export async function measureTreated(
  engine: Engine,
  from: string,
  columns: readonly Treated[],
): Promise<Treatment[]> {
  const looks = columns.map(({ before, clip, fill, missing }) => {
    const low = clip?.min ?? unbounded.min;
    const high = clip?.max ?? unbounded.max;
    const reach = 3 * (before.p75 - before.p25);
    const fences = reach > 0 ? [before.p25 - reach, before.p75 + reach] : [-Infinity, Infinity];
    const filled = fill !== null && missing > 0;
    const ends = [clamp(before.min, low, high), clamp(before.max, low, high), ...(filled ? [fill] : [])];
    const [min, max] = [Math.min(...ends), Math.max(...ends)];
    const changed = filled || before.min < low || before.max > high;
    return {
      low,
      high,
      fences: fences as [number, number],
      substitute: filled ? fill : Number.NaN,
      changed,
      needed: changed || before.min < fences[0]! || before.max > fences[1]!,
      moments: new Moments(),
      bins: new Bins(min, max, shownBins),
      treatment: { clipped: 0, examples: [], outliers: 0, numeric: outcomeOf(before) } as Treatment,
    };
  });
  const needed = looks
    .map((look, i) => ({ look, value: columns[i]!.value }))
    .filter(({ look }) => look.needed);
  await passNumbers(
    engine,
    from,
    needed.map(({ value }) => value),
    (at, piece) => {
      const { low, high, fences, substitute, changed, moments, bins, treatment } = needed[at]!.look;
      const final = Float64Array.from(piece);
      for (let i = 0; i < piece.length; i++) {
        const value = piece[i]!;
        if (value < fences[0] || value > fences[1]) treatment.outliers++;
        if (value < low || value > high) {
          final[i] = value < low ? low : high;
          if (treatment.clipped++ < 5)
            treatment.examples.push({ before: String(value), after: String(final[i]) });
        } else if (Number.isNaN(value)) final[i] = substitute;
      }
      if (!changed) return;
      moments.add(final);
      bins.add(final);
    },
  );
  return looks.map(({ changed, moments, bins, treatment }) =>
    changed ? { ...treatment, numeric: numericOutcome(moments, bins) } : treatment,
  );
}

const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);

const outcomeOf = ({ min, max, mean, std, histogram }: NumericSummary): NumericOutcome => ({
  min,
  max,
  mean,
  std,
  histogram,
});

/** The most frequent value as text; the smallest of equals. Null when there is none. */
export async function modeOf(engine: Engine, { from, value }: Measured): Promise<string | null> {
  const row = await engine.row(
    `SELECT CAST(value AS VARCHAR) AS mode FROM (SELECT ${value} AS value, count(*) AS n FROM ${from} WHERE ${value} IS NOT NULL GROUP BY 1) ORDER BY n DESC, value LIMIT 1`,
  );
  return row.mode === undefined || row.mode === null ? null : String(row.mode);
}
