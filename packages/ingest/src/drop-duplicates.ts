import type { CleanedTable } from './clean-table.ts';
import type { ColumnReading } from './column-reading.ts';
import { type Engine, toNumber } from './engine.ts';

/** Marks rows that repeat an earlier one, in a column `again` of `typed`, as late rejections. */
export async function dropDuplicates(
  engine: Engine,
  readings: readonly ColumnReading[],
  late: CleanedTable['late'],
): Promise<void> {
  const list = readings.map((_, i) => `v${i}`).join(', ');
  await engine.run(`CREATE OR REPLACE TABLE firsts AS SELECT min(rowid) AS id FROM typed GROUP BY ${list}`);
  const where = 'rowid NOT IN (SELECT id FROM firsts)';
  const earlier = late.map((one) => ` AND NOT (${one.where})`).join('');
  const count = toNumber((await engine.row(`SELECT count(*) AS n FROM typed WHERE ${where}${earlier}`)).n);
  if (count === 0) return;
  // Order matters to readers of a table: the rows that stay keep theirs.
  await engine.run(
    `CREATE TABLE marked AS SELECT typed.*, firsts.id IS NULL AS again FROM typed LEFT JOIN firsts ON typed.rowid = firsts.id ORDER BY typed.rowid`,
  );
  await engine.run('DROP TABLE typed');
  await engine.run('ALTER TABLE marked RENAME TO typed');
  late.push({ where: 'again', reason: 'repeats an earlier row', count });
}
