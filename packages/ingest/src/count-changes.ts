import type { ChangeLog } from './change-log.ts';
import type { ColumnReading } from './column-reading.ts';
import { isRewritten, isVerbatim, missingSql, sqlReal, trimmed } from './column-sql.ts';
import type { Engine } from './engine.ts';
import { countWhere, rawName, type StrictSource, strictScan, type Unread } from './load-table.ts';
import type { ColumnPlan } from './result.ts';

export interface CellChange {
  kind: string;
  where: string;
  count: number;
  /** SQL of the text as it was written; null where only the file has it. */
  written: string | null;
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
    const token = missingSql(trimmed(raw), reading.type, tokens);
    // CASE, unlike AND, never looks at the words of cells that have a value.
    const words = `CASE WHEN v${i} IS NULL AND ${raw} IS NOT NULL THEN trim(${raw}) <> '' AND ${token} ELSE false END`;
    const list: CellChange[] = [{ kind: 'cell.missing-word', where: words, count: 0, written: raw }];
    const differs = `v${i} IS NOT NULL AND ${raw} IS NOT NULL`;
    if (reading.type === 'text') list.push({ kind: 'cell.trimmed', where: differs, count: 0, written: raw });
    else if (isRewritten(reading))
      list.push({
        kind: `cell.${reading.type}`,
        where: `v${i} IS NOT NULL`,
        count: 0,
        written: null,
      });
    else if (!isVerbatim(reading)) {
      const where = `${differs} AND CAST(v${i} AS VARCHAR) <> r${i}`;
      list.push({ kind: `cell.${reading.type}`, where, count: 0, written: raw });
    }
    return list;
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

/** Writes what was counted, with its first examples, into the log. */
export async function logCellChanges(
  engine: Engine,
  changes: ChangeLog,
  source: StrictSource,
  column: { index: number; name: string },
  found: readonly CellChange[],
  unread: Unread,
): Promise<void> {
  const { index: i, name } = column;
  for (const { kind, where, count, written } of found) {
    if (count === 0) continue;
    const examples = await engine.rows(
      `SELECT rowid AS row, ${written ?? 'NULL'} AS before, CAST(v${i} AS VARCHAR) AS after FROM typed WHERE ${where} LIMIT ${Math.min(5, count)}`,
    );
    const texts =
      written === null
        ? await writtenCells(
            engine,
            source,
            i,
            examples.map((one) => Number(one.row)),
          )
        : [];
    changes.count(kind, name, count - examples.length, null);
    examples.forEach((one, k) => {
      changes.add(kind, name, {
        row: Number(one.row) + 1,
        before: String(texts[k] ?? one.before),
        after: String(one.after ?? ''),
      });
    });
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
export async function logClipped(
  engine: Engine,
  changes: ChangeLog,
  kept: string,
  column: { index: number; name: string; plan: ColumnPlan; count: number },
): Promise<void> {
  const { min, max } = column.plan.clip!;
  const x = `CAST(v${column.index} AS DOUBLE)`;
  const where = [
    ...(min === null ? [] : [`${x} < ${sqlReal(min)}`]),
    ...(max === null ? [] : [`${x} > ${sqlReal(max)}`]),
  ];
  const [values] = await engine.numbers(`SELECT ${x} FROM ${kept} WHERE ${where.join(' OR ')} LIMIT 5`);
  for (const value of values!)
    changes.add('cell.clipped', column.name, {
      before: String(value),
      after: String(min !== null && value < min ? min : max),
    });
  changes.count('cell.clipped', column.name, column.count - values!.length, null);
}
