import { chmod, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CleanedTable } from './clean-table.ts';
import { sqlName, sqlText, trimmed } from './column-sql.ts';
import type { Engine } from './engine.ts';
import { rawName, unreadSql } from './load-table.ts';

export const versionFiles = {
  csv: 'data.csv',
  parquet: 'data.parquet',
  report: 'report.json',
  rejected: 'rejected.csv',
  cells: 'cells.csv',
  original: 'original',
  version: 'version.json',
} as const;

/** Writes the clean rows as CSV and Parquet, and the cells that have no value beside them. */
export async function writeData(engine: Engine, cleaned: CleanedTable, dir: string): Promise<void> {
  const list = cleaned.output
    .map(({ name, sql, type }) => `CAST(${sql} AS ${type}) AS ${sqlName(name)}`)
    .join(', ');
  const rows = `(SELECT ${list} FROM ${cleaned.kept})`;
  // A lone column's missing value would be a blank line, which readers skip.
  const none = cleaned.output.length === 1 ? 'NA' : '';
  await engine.run(
    `COPY ${rows} TO ${sqlText(join(dir, versionFiles.csv))} (FORMAT csv, HEADER true, DELIMITER ',', QUOTE '"', ESCAPE '"', NULLSTR ${sqlText(none)})`,
  );
  // Row groups of about four million cells keep the writer's buffers small for wide tables.
  const group = Math.max(
    2048,
    Math.min(122_880, Math.floor(4_000_000 / cleaned.output.length / 2048) * 2048),
  );
  await engine.run(
    `COPY ${rows} TO ${sqlText(join(dir, versionFiles.parquet))} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE ${group})`,
  );
  const cells = join(dir, versionFiles.cells);
  if (cleaned.unread.length === 0) await writeFile(cells, 'row,column,text\n', { flag: 'wx' });
  else {
    const parts = cleaned.unread.map(
      ({ index, name, reading }) =>
        `SELECT rowid + 1 AS "row", ${index} AS place, ${sqlText(name)} AS "column", ${trimmed(rawName(index, reading))} AS "text" FROM typed WHERE ${unreadSql(index, reading, cleaned.tokens)}`,
    );
    await engine.run(
      `COPY (SELECT "row", "column", "text" FROM (${parts.join(' UNION ALL ')}) ORDER BY "row", place) TO ${sqlText(cells)} (FORMAT csv, HEADER true)`,
    );
  }
}

/** Makes a folder's files read-only and durable, so that renaming the folder publishes them whole. */
export async function seal(dir: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const file = await open(join(dir, name), 'r');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
    await chmod(join(dir, name), 0o444);
  }
  await syncFolder(dir);
}

export async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
