import { type Engine, toNumber } from './engine.ts';

/**
 * Marks rows that repeat an earlier one, in a column `again` of `typed`; how many there are besides those
 * that are left out already.
 * @param late conditions of rows that are.
 */
export async function markRepeated(
  engine: Engine,
  columns: number,
  late: readonly string[],
): Promise<number> {
  const list = Array.from({ length: columns }, (_, i) => `v${i}`).join(', ');
  await engine.run(`CREATE OR REPLACE TABLE firsts AS SELECT min(rowid) AS id FROM typed GROUP BY ${list}`);
  const where = 'rowid NOT IN (SELECT id FROM firsts)';
  const earlier = late.map((one) => ` AND NOT (${one})`).join('');
  const count = toNumber((await engine.row(`SELECT count(*) AS n FROM typed WHERE ${where}${earlier}`)).n);
  if (count === 0) return 0;
  // Order matters to readers of a table: the rows that stay keep theirs.
  await engine.run(
    `CREATE TABLE marked AS SELECT typed.*, firsts.id IS NULL AS again FROM typed LEFT JOIN firsts ON typed.rowid = firsts.id ORDER BY typed.rowid`,
  );
  await engine.run('DROP TABLE typed');
  await engine.run('ALTER TABLE marked RENAME TO typed');
  return count;
}
