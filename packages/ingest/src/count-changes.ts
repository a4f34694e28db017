import type { ChangeLog } from './change-log.ts';
import type { ColumnReading } from './column-reading.ts';
import { isVerbatim, missingSql, trimmed } from './column-sql.ts';
import { type Engine, toNumber } from './engine.ts';
import type { Unread } from './load-table.ts';
import type { ColumnReport, ColumnStats } from './result.ts';

export interface CellChange {
  kind: string;
  where: string;
  count: number;
}

/** How many cells of each column were read as something else than they were written. */
export async function countCellChanges(
  engine: Engine,
  kept: string,
  readings: readonly ColumnReading[],
  tokens: readonly string[],
): Promise<CellChange[][]> {
  const changes = readings.map((reading, i): CellChange[] => {
    const token = missingSql(trimmed(`r${i}`), reading.type, tokens);
    // CASE, unlike AND, never looks at the words of cells that have a value.
    const words = `CASE WHEN v${i} IS NULL AND r${i} IS NOT NULL THEN trim(r${i}) <> '' AND ${token} ELSE false END`;
    const list: CellChange[] = [{ kind: 'cell.missing-word', where: words, count: 0 }];
    if (reading.type === 'text')
      list.push({ kind: 'cell.trimmed', where: `v${i} IS NOT NULL AND r${i} IS NOT NULL`, count: 0 });
    else if (!isVerbatim(reading)) {
      const differs = `v${i} IS NOT NULL AND r${i} IS NOT NULL AND CAST(v${i} AS VARCHAR) <> r${i}`;
      list.push({ kind: `cell.${reading.type}`, where: differs, count: 0 });
    }
    return list;
  });
  const flat = changes.flat();
  const counts = await engine.aggregates(
    kept,
    flat.map(({ where }) => `count(*) FILTER (WHERE ${where})`),
  );
  flat.forEach((change, i) => {
    change.count = toNumber(counts[i]);
  });
  return changes;
}

/** Writes what was counted, with its first examples, into the log. */
export async function logCellChanges(
  engine: Engine,
  changes: ChangeLog,
  i: number,
  name: string,
  found: readonly CellChange[],
  unread: Unread,
): Promise<void> {
  for (const { kind, where, count } of found) {
    if (count === 0) continue;
    const examples = await engine.rows(
      `SELECT rowid AS row, r${i} AS before, CAST(v${i} AS VARCHAR) AS after FROM typed WHERE ${where} LIMIT 5`,
    );
    changes.count(kind, name, count - Math.min(count, examples.length), null);
    for (const one of examples.slice(0, count))
      changes.add(kind, name, {
        row: Number(one.row) + 1,
        before: String(one.before),
        after: String(one.after ?? ''),
      });
  }
  if (unread.count > 0) {
    changes.count('cell.unreadable', name, unread.count - unread.examples.length, null);
    for (const { row, text: before } of unread.examples)
      changes.add('cell.unreadable', name, { row, before, after: '' });
  }
}

/** Logs the clipped cells of one column. */
export async function countClipped(
  engine: Engine,
  kept: string,
  changes: ChangeLog,
  i: number,
  name: string,
  final: string,
  count: number,
  plan: ColumnReport['plan'],
): Promise<void> {
  const bounds: string[] = [];
  if (plan.clip?.min != null) bounds.push(`v${i} < CAST('${plan.clip.min}' AS DOUBLE)`);
  if (plan.clip?.max != null) bounds.push(`v${i} > CAST('${plan.clip.max}' AS DOUBLE)`);
  const examples = await engine.rows(
    `SELECT CAST(v${i} AS VARCHAR) AS before, CAST(${final} AS VARCHAR) AS after FROM ${kept} WHERE ${bounds.join(' OR ')} LIMIT 5`,
  );
  changes.count('cell.clipped', name, count - examples.length, null);
  for (const one of examples)
    changes.add('cell.clipped', name, { before: String(one.before), after: String(one.after) });
}

/** Values further than three interquartile ranges outside the quartiles (Tukey's outer fences). */
export async function countOutliers(
  engine: Engine,
  kept: string,
  i: number,
  stats: ColumnStats,
): Promise<number> {
  if (!stats.numeric) return 0;
  const { p25, p75, min, max } = stats.numeric;
  const reach = 3 * (p75 - p25);
  if (!(reach > 0) || (min >= p25 - reach && max <= p75 + reach)) return 0;
  return toNumber(
    (
      await engine.row(
        `SELECT count(*) AS n FROM ${kept} WHERE v${i} < CAST('${p25 - reach}' AS DOUBLE) OR v${i} > CAST('${p75 + reach}' AS DOUBLE)`,
      )
    ).n,
  );
}
