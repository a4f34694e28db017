import { BinnedNumbers } from './binned-numbers.ts';
import type { StoreDescription, WordsColumn } from './column-store.ts';
import { DistinctEstimate } from './distinct-estimate.ts';
import { Distribution } from './distribution.ts';
import { ValueTally } from './number-tally.ts';
import type { ColumnStats } from './result.ts';
import {
  countedRows,
  heldValues,
  keptValues,
  type Measured,
  type MeasuredColumn,
  mostCategories,
} from './statistics.ts';
import { StoreNumbers } from './store-numbers.ts';
import type { TableWorkers } from './table-workers.ts';
import type { ColumnBounds } from './tally-blocks.ts';
import type { ValueCounts } from './value-counter.ts';

/** Distinct values that are counted one by one before a column's are estimated: surely more than `mostCategories` then. */
const countedValues = 12_000;

export type StoredMeasured = Pick<Measured, 'type' | 'decimals'>;

/**
 * Figures of a column store's columns, as `measureColumns` has them of a relation. Numbers are counted by the
 * threads; the figures of words come with their codes. Texts of dates have years of four digits.
 * @param workers which share the store under the name `store`.
 * @param held values that may be sorted at once for a quantile.
 */
export async function measureStore(
  description: StoreDescription,
  workers: TableWorkers,
  columns: readonly StoredMeasured[],
  held = heldValues,
): Promise<MeasuredColumn[]> {
  const source = new StoreNumbers(description, workers);
  const places = [...columns.keys()].filter((i) => description.columns[i]!.kind === 'numbers');
  const ends = await source.bounds(places);
  const found = columns.map((column, i): MeasuredColumn => {
    const stored = description.columns[i]!;
    if (stored.kind === 'words') return { stats: wordStats(stored, column.type), numbers: null };
    return { stats: { count: 0, distinct: 0, distinctExact: false }, numbers: null };
  });
  const some = places.flatMap((column, k) => (ends[k]!.count > 0 ? [{ column, ends: ends[k]! }] : []));
  await measureNumbers(source, columns, some, found, held);
  return found;
}

async function measureNumbers(
  source: StoreNumbers,
  columns: readonly StoredMeasured[],
  some: readonly { column: number; ends: ColumnBounds }[],
  found: readonly MeasuredColumn[],
  held: number,
): Promise<void> {
  let room = keptValues;
  const asked = some.map(({ column, ends }) => {
    const { count, min, max } = ends;
    const isShort = count <= Math.min(countedRows, held, room);
    if (isShort) room -= count;
    const decimals = columns[column]!.decimals ?? null;
    const binned = isShort ? null : new BinnedNumbers(source, column, count, { min, max }, held, decimals);
    return { column, count, binned };
  });
  const long = asked.flatMap(({ binned }) => (binned ? [binned] : []));
  const plans = new Map(
    (await BinnedNumbers.plans(source, long)).map((plan, k) => [long[k]!, plan] as const),
  );
  const counted = await source.count(
    asked.map(({ column, count, binned }) => ({
      column,
      limit: binned ? countedValues : count,
      plan: binned ? plans.get(binned)! : null,
    })),
  );
  const most = Math.min(mostCategories, held);
  const again: { column: number; binned: BinnedNumbers; tally: ValueTally }[] = [];
  asked.forEach(({ column, count, binned }, k) => {
    const own = found[column]!;
    own.stats.count = count;
    const figures = counted[k]!;
    if (figures instanceof ValueTally) {
      binned!.counted(figures);
      own.numbers = binned;
    } else if (binned && estimateOf(figures) > most) {
      const tally = new ValueTally(plans.get(binned)!);
      again.push({ column, binned, tally });
      own.numbers = binned;
    } else own.numbers = distributionOf(figures);
  });
  await source.tally(again);
  for (const { binned, tally } of again) binned.counted(tally);
  // Where the estimate says that the values are few, and counting them ended early all the same.
  const few = asked.filter(
    ({ binned, column }) => binned && found[column]!.numbers === binned && binned.distinct <= most,
  );
  const fewCounts = await source.count(
    few.map(({ column, count }) => ({ column, limit: count, plan: null })),
  );
  few.forEach(({ column }, k) => {
    found[column]!.numbers = distributionOf(fewCounts[k] as ValueCounts);
  });
  await Promise.all(
    asked.map(({ binned, column }) => (found[column]!.numbers === binned ? binned?.measure() : undefined)),
  );
  const inexact: { column: number; count: number }[] = [];
  for (const { column, count } of asked) {
    const { stats, numbers } = found[column]!;
    stats.numeric = numbers!.summary;
    if (numbers instanceof Distribution)
      Object.assign(stats, { distinct: numbers.distinct, distinctExact: true });
    else if (count <= countedRows) inexact.push({ column, count });
    else stats.distinct = (numbers as BinnedNumbers).distinct;
  }
  const exact = await source.count(
    inexact.map(({ column, count }) => ({ column, limit: count, plan: null })),
  );
  inexact.forEach(({ column }, k) => {
    const { values } = exact[k] as ValueCounts;
    Object.assign(found[column]!.stats, { distinct: values.length, distinctExact: true });
  });
}

const distributionOf = ({ values, counts }: ValueCounts): Distribution =>
  Distribution.ofSorted(values, counts);

/** What a tally of the same values would have estimated. */
function estimateOf({ values }: ValueCounts): number {
  const estimate = new DistinctEstimate();
  estimate.push(values);
  return estimate.value;
}

/** Rows of each text, without those that have no value. */
export function textCounts({ words, counts }: WordsColumn): Map<string, number> {
  const found = new Map<string, number>();
  words.forEach((word, code) => {
    if (word !== null && counts[code]! > 0) found.set(word, (found.get(word) ?? 0) + counts[code]!);
  });
  return found;
}

function wordStats(column: WordsColumn, type: Measured['type']): ColumnStats {
  const found = [...textCounts(column)];
  const count = found.reduce((sum, [, rows]) => sum + rows, 0);
  const stats: ColumnStats = { count, distinct: found.length, distinctExact: count > 0 };
  if (count === 0) return stats;
  if (type === 'date' || type === 'datetime') {
    let [min, max] = [found[0]![0], found[0]![0]];
    for (const [text] of found) {
      if (text < min) min = text;
      if (text > max) max = text;
    }
    return Object.assign(stats, { min, max });
  }
  const frequent = mostFrequent(found, 10);
  // A list of ten texts that each stand once says nothing.
  if (found.length <= mostCategories && (frequent[0]![1] > 1 || found.length <= 10))
    stats.top = frequent.map(([value, rows]) => ({ value, count: rows }));
  return stats;
}

/** By their bytes, as the engine orders texts. */
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** The most frequent texts; of those that are equally frequent the smallest. */
export function mostFrequent(found: readonly [string, number][], size: number): [string, number][] {
  const least = found.map(([, rows]) => rows).sort((a, b) => b - a)[Math.min(size, found.length) - 1]!;
  return found
    .filter(([, rows]) => rows >= least)
    .sort(([a, many], [b, more]) => more - many || byBytes(a, b))
    .slice(0, size);
}

/**
 * The most frequent value of a column as text, its numbers clipped; the smallest of equals. Null when there is none.
 * Columns of more numbers than can be held are gone through range by range.
 */
export async function modeOfStore(
  description: StoreDescription,
  column: number,
  { stats, numbers }: MeasuredColumn,
  clip: { min: number | null; max: number | null } | null,
): Promise<string | null> {
  const stored = description.columns[column]!;
  if (stored.kind === 'words') return mostFrequent([...textCounts(stored)], 1)[0]?.[0] ?? null;
  if (stats.count === 0) return null;
  const [min, max] = [clip?.min ?? -Infinity, clip?.max ?? Infinity];
  const best = { value: 0, times: 0, run: 0, last: Number.NaN };
  const take = (value: number, times: number): void => {
    const x = value < min ? min : value > max ? max : value;
    best.run = x === best.last ? best.run + times : times;
    best.last = x;
    if (best.run > best.times) Object.assign(best, { value: x, times: best.run });
  };
  if (numbers instanceof Distribution)
    numbers.values.forEach((value, i) => {
      take(value, numbers.counts[i]!);
    });
  else
    await (numbers as BinnedNumbers).eachSorted((values) => {
      for (const value of values) take(value, 1);
    });
  return String(best.value);
}
