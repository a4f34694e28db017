import { BinnedNumbers } from './binned-numbers.ts';
import { Distribution, type NumberFigures } from './distribution.ts';
import { allEnded, type Engine, toNumber } from './engine.ts';
import { EngineNumbers } from './engine-numbers.ts';
import type { Bounds } from './quantiles.ts';
import type { ColumnStats, ColumnType } from './result.ts';

/** Values that may be sorted at once for a quantile. */
export const heldValues = 1_000_000;
/** Columns with more distinct texts than this have no list of frequent values. */
export const mostCategories = 10_000;
/** Columns with up to this many values are read whole, and all their figures are exact. */
export const countedRows = 50_000;
/** Values of many short columns that are read at once. */
const readTogether = 2_000_000;
/** Values of short columns that are kept until their treatment is known. */
export const keptValues = 8_000_000;

/** Rows and columns to measure: SQL of a relation and of the value in it. */
export interface Measured {
  from: string;
  value: string;
  type: ColumnType;
  /** Its distinct values are few for all that a sample tells: texts and dates are counted without an estimate. */
  repeats: boolean;
  /** Digits behind the point that all of its numbers may have, where a sample says so. */
  decimals?: number | undefined;
}

/** What is known of a column; `numbers` where it holds any. */
export interface MeasuredColumn {
  stats: ColumnStats;
  numbers: NumberFigures | null;
}

const isNumeric = ({ type }: Measured): boolean => type === 'integer' || type === 'number';

/**
 * Figures of all columns: one query counts them all; then numbers and other columns are measured side by side.
 * @param held values that may be sorted at once for a quantile.
 */
export async function measureColumns(
  engine: Engine,
  columns: readonly Measured[],
  held = heldValues,
): Promise<MeasuredColumn[]> {
  const from = columns[0]!.from;
  const first = await engine.aggregates(
    from,
    columns.flatMap((one) => {
      const ends = isNumeric(one)
        ? [`CAST(min(${one.value}) AS DOUBLE)`, `CAST(max(${one.value}) AS DOUBLE)`]
        : ['NULL', 'NULL'];
      const estimate = one.repeats || isNumeric(one) ? '0' : `approx_count_distinct(${one.value})`;
      return [`count(${one.value})`, estimate, ...ends];
    }),
  );
  const found = columns.map((_, i): MeasuredColumn => {
    const [count, distinct] = first.slice(4 * i, 4 * i + 2).map(toNumber) as [number, number];
    return { stats: { count, distinct, distinctExact: false }, numbers: null };
  });
  const all = [...columns.keys()].filter((i) => found[i]!.stats.count > 0);
  const others = all
    .filter((i) => !isNumeric(columns[i]!))
    .map((i) => ({ column: columns[i]!, own: found[i]!.stats }));
  const bounds = columns.map((_, i) => ({ min: Number(first[4 * i + 2]), max: Number(first[4 * i + 3]) }));
  const numbers = all.filter((i) => isNumeric(columns[i]!));
  // Numbers are mostly counted here, and texts by the engine, which has time for it then.
  await using second = await engine.beside();
  await allEnded(
    measureNumbers(engine, columns, numbers, bounds, found, held),
    measureOthers(second, columns, others),
  );
  return found;
}

/** Figures of the columns of numbers at the given places, into `found`. */
async function measureNumbers(
  engine: Engine,
  columns: readonly Measured[],
  numbers: readonly number[],
  bounds: readonly Bounds[],
  found: readonly MeasuredColumn[],
  held: number,
): Promise<void> {
  const from = columns[0]!.from;
  let room = keptValues;
  const short = numbers.filter((i) => {
    const { count } = found[i]!.stats;
    if (count > Math.min(countedRows, held, room)) return false;
    room -= count;
    return true;
  });
  const rows = Math.max(1, ...short.map((i) => found[i]!.stats.count));
  const together = Math.min(200, Math.max(1, Math.floor(readTogether / rows)));
  for (let at = 0; at < short.length; at += together) {
    const group = short.slice(at, at + together);
    const list = group.map((i) => `coalesce(CAST(${columns[i]!.value} AS DOUBLE), CAST('NaN' AS DOUBLE))`);
    const values = await engine.numbers(`SELECT ${list.join(', ')} FROM ${from}`);
    group.forEach((i, k) => {
      found[i]!.numbers = Distribution.ofValues(values[k]!.filter((value) => !Number.isNaN(value)));
    });
  }
  const source = new EngineNumbers(
    engine,
    from,
    columns.map(({ value }) => value),
  );
  const long = numbers
    .filter((i) => !found[i]!.numbers)
    .map((i) => {
      const { count } = found[i]!.stats;
      const decimals = columns[i]!.decimals ?? null;
      return { i, binned: new BinnedNumbers(source, i, count, bounds[i]!, held, decimals) };
    });
  await BinnedNumbers.count(
    source,
    long.map(({ binned }) => binned),
  );
  for (const { i, binned } of long) {
    const { min, max } = bounds[i]!;
    const close = Math.max(-min, max) > Number.MAX_SAFE_INTEGER && columns[i]!.type === 'integer';
    const distinct = close
      ? toNumber((await engine.aggregates(from, [`approx_count_distinct(${columns[i]!.value})`]))[0])
      : binned.distinct;
    found[i]!.stats.distinct = distinct;
    if (distinct <= Math.min(mostCategories, held)) {
      const [values, counts] = await engine.numbers(
        `SELECT CAST(${columns[i]!.value} AS DOUBLE) AS x, CAST(count(*) AS DOUBLE) FROM ${from} WHERE ${columns[i]!.value} IS NOT NULL GROUP BY 1`,
      );
      found[i]!.numbers = Distribution.ofCounts(values!, counts!);
    } else {
      await binned.measure();
      found[i]!.numbers = binned;
    }
  }
  const inexact: number[] = [];
  for (const i of numbers) {
    const { stats, numbers: figures } = found[i]!;
    stats.numeric = figures!.summary;
    const isHeld = figures instanceof Distribution;
    if (!isHeld && stats.count > countedRows) continue;
    const { min, max } = stats.numeric;
    // Neighbouring integers beyond 2^53 are one double.
    if (!isHeld || Math.max(-min, max) > Number.MAX_SAFE_INTEGER) inexact.push(i);
    else Object.assign(stats, { distinct: figures.distinct, distinctExact: true });
  }
  const distinct = await engine.aggregates(
    from,
    inexact.map((i) => `count(DISTINCT ${columns[i]!.value})`),
    20,
  );
  inexact.forEach((i, k) => {
    Object.assign(found[i]!.stats, { distinct: toNumber(distinct[k]), distinctExact: true });
  });
}

/** Bounds of dates; frequent values of texts and booleans. */
async function measureOthers(
  engine: Engine,
  columns: readonly Measured[],
  others: readonly { column: Measured; own: ColumnStats }[],
): Promise<void> {
  const from = columns[0]!.from;
  const countable = ({ own }: { own: ColumnStats }) =>
    own.count <= countedRows || own.distinct <= mostCategories;
  const dates = others.filter(({ column }) => column.type === 'date' || column.type === 'datetime');
  const bounds = await engine.aggregates(
    from,
    dates.flatMap((one) => [
      ...['min', 'max'].map((end) => `CAST(${end}(${one.column.value}) AS VARCHAR)`),
      countable(one) ? `count(DISTINCT ${one.column.value})` : 'NULL',
    ]),
    60,
  );
  dates.forEach(({ own }, k) => {
    Object.assign(own, { min: String(bounds[3 * k]), max: String(bounds[3 * k + 1]) });
    const distinct = bounds[3 * k + 2];
    if (distinct !== null) Object.assign(own, { distinct: toNumber(distinct), distinctExact: true });
  });
  for (const one of others) {
    const { column, own } = one;
    if (dates.includes(one) || !countable(one)) continue;
    const rows = await engine.rows(
      `SELECT value, n, count(*) OVER () AS distinct_values FROM (SELECT CAST(${column.value} AS VARCHAR) AS value, count(*) AS n FROM ${from} WHERE ${column.value} IS NOT NULL GROUP BY 1) ORDER BY n DESC, value LIMIT 10`,
    );
    Object.assign(own, { distinct: toNumber(rows[0]?.distinct_values), distinctExact: true });
    // A list of ten texts that each stand once says nothing.
    if (own.distinct <= mostCategories && (toNumber(rows[0]?.n) > 1 || own.distinct <= 10))
      own.top = rows.map((row) => ({ value: String(row.value), count: toNumber(row.n) }));
  }
}

/** The most frequent value as text; the smallest of equals. Null when there is none. */
export async function modeOf(engine: Engine, from: string, value: string): Promise<string | null> {
  const row = await engine.row(
    `SELECT CAST(value AS VARCHAR) AS mode FROM (SELECT ${value} AS value, count(*) AS n FROM ${from} WHERE ${value} IS NOT NULL GROUP BY 1) ORDER BY n DESC, value LIMIT 1`,
  );
  return row.mode === undefined || row.mode === null ? null : String(row.mode);
}
