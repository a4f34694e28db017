import type { ChangeLog } from './change-log.ts';
import type { ColumnReading } from './column-reading.ts';
import { isRewritten, isVerbatim, missingSql, trimmed } from './column-sql.ts';
import type { Engine } from './engine.ts';
import { countWhere, rawName, type StrictSource, strictScan, type Unread } from './load-table.ts';
import type { FoundChange } from './loaded-rows.ts';
import type { Change, ColumnPlan } from './result.ts';

export interface CellChange {
  kind: string;
  where: string;
  count: number;
  /** SQL of the text as it was written; null where only the file has it. */
  written: string | null;
}

/** What may have become of a cell, as conditions over the SQL of its value and of the text that is kept of it. */
export function changeConditions(
  value: string,
  raw: string,
  reading: ColumnReading,
  tokens: readonly string[],
): { kind: string; where: string; ofAll: boolean }[] {
  const token = missingSql(trimmed(raw), reading.type, tokens);
  // CASE, unlike AND, never looks at the words of cells that have a value.
  const words = `CASE WHEN ${value} IS NULL AND ${raw} IS NOT NULL THEN trim(${raw}) <> '' AND ${token} ELSE false END`;
  const missing = { kind: 'cell.missing-word', where: words, ofAll: false };
  const kind = `cell.${reading.type}`;
  const differs = `${value} IS NOT NULL AND ${raw} IS NOT NULL`;
  if (reading.type === 'text') return [missing, { kind: 'cell.trimmed', where: differs, ofAll: false }];
  if (isRewritten(reading)) return [missing, { kind, where: `${value} IS NOT NULL`, ofAll: true }];
  if (isVerbatim(reading)) return [missing];
  return [missing, { kind, where: `${differs} AND CAST(${value} AS VARCHAR) <> ${raw}`, ofAll: false }];
}

/**
 * How many cells of each column were read as something else than they were written.
 * @param values how many each column has; awaited when all else is counted.
 */
export async function countCellChanges(
  engine: Engine,
  kept: string,
  readings: readonly ColumnReading[],
  tokens: readonly string[],
  values: Promise<readonly number[]>,
): Promise<CellChange[][]> {
  const changes = readings.map((reading, i): CellChange[] => {
    const raw = rawName(i, reading);
    return changeConditions(`v${i}`, raw, reading, tokens).map(({ kind, where, ofAll }) => ({
      kind,
      where,
      count: 0,
      written: ofAll ? null : raw,
    }));
  });
  const flat = changes.flatMap((list, index) =>
    list.flatMap((change) => (change.written === null ? [] : [{ index, where: change.where, change }])),
  );
  const counts = await countWhere(engine, kept, readings, flat);
  flat.forEach(({ change }, k) => {
    change.count = counts[k]!;
  });
  const all = await values;
  for (const [i, list] of changes.entries())
    for (const change of list) if (change.written === null) change.count = all[i]!;
  return changes;
}

/** The first cells of a change, among all rows. */
export async function cellExamples(
  engine: Engine,
  source: StrictSource,
  column: number,
  { where, count, written }: CellChange,
): Promise<Change['examples']> {
  const examples = await engine.rows(
    `SELECT rowid AS row, ${written ?? 'NULL'} AS before, CAST(v${column} AS VARCHAR) AS after FROM typed WHERE ${where} LIMIT ${Math.min(5, count)}`,
  );
  const rows = examples.map((one) => Number(one.row));
  const texts = written === null ? await writtenCells(engine, source, column, rows) : [];
  return examples.map((one, k) => ({
    row: Number(one.row) + 1,
    before: String(texts[k] ?? one.before),
    after: String(one.after ?? ''),
  }));
}

/** Writes what became of a column's cells, with the first of them, into the log. */
export function logCellChanges(
  changes: ChangeLog,
  name: string,
  found: readonly FoundChange[],
  unread: Unread,
): void {
  for (const { kind, count, examples } of found) {
    if (count === 0) continue;
    changes.count(kind, name, count - examples.length, null);
    for (const example of examples) changes.add(kind, name, example);
  }
  if (unread.count > 0) {
    changes.count('cell.unreadable', name, unread.count - unread.examples.length, null);
    for (const { row, text: before } of unread.examples)
      changes.add('cell.unreadable', name, { row, before, after: '' });
  }
}

/** The texts of a column's cells in a few rows (from 0, ascending), read from the file again. */
async function writtenCells(
  engine: Engine,
  source: StrictSource,
  index: number,
  rows: readonly number[],
): Promise<string[]> {
  const head = `SELECT row_number() OVER () - 1 AS row, c${index} AS text FROM (SELECT c${index} FROM ${strictScan(source)} LIMIT ${rows.at(-1)! + 1})`;
  const found = await engine.rows(
    `SELECT text FROM (${head}) WHERE row IN (${rows.join(', ')}) ORDER BY row`,
  );
  return found.map((one) => String(one.text));
}

/** Writes the number of clipped cells, with the first of them, into the log. */
export function logClipped(
  changes: ChangeLog,
  name: string,
  { min, max }: NonNullable<ColumnPlan['clip']>,
  values: readonly number[],
  count: number,
): void {
  for (const value of values)
    changes.add('cell.clipped', name, {
      before: String(value),
      after: String(min !== null && value < min ? min : max),
    });
  changes.count('cell.clipped', name, count - values.length, null);
}
