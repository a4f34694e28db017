import { chmod, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { CleanedTable } from './clean-table.ts';
import { sqlName, sqlText } from './column-sql.ts';
import { allEnded, type Engine } from './engine.ts';
import { StoredRows } from './stored-rows.ts';
import { writeCsv } from './write-csv.ts';
import { writeStore } from './write-store.ts';

export const versionFiles = {
  csv: 'data.csv',
  parquet: 'data.parquet',
  report: 'report.json',
  rejected: 'rejected.csv',
  cells: 'cells.csv',
  original: 'original',
  version: 'version.json',
} as const;

/** Columns of a table that is written in two forms at once. */
const mostBeside = 64;

type Output = CleanedTable['output'][number];

/** SQL of a cell's text in the CSV. */
function csvText({ sql, type, decimals }: Output): string {
  if (!decimals) return `CAST(${sql} AS ${type})`;
  const { value, count, cases } = decimals;
  // Most rows come first: each case costs those that reach it.
  const same = `WHEN ${cases.same} THEN CAST(CAST(${value} AS DECIMAL(18, ${count})) AS VARCHAR)`;
  const others = cases.others.map((one) => `WHEN ${one.where} THEN CAST(${one.value} AS VARCHAR)`);
  return `CASE ${[same, ...others].join(' ')} END`;
}

/**
 * Writes the clean rows as CSV and Parquet, and the cells that have no value beside them; counts the figures
 * after cleaning on the way.
 */
export async function writeData(engine: Engine, cleaned: CleanedTable, dir: string): Promise<void> {
  const { output, rows } = cleaned;
  // A lone column's missing value would be a blank line, which readers skip.
  const none = output.length === 1 ? 'NA' : '';
  if (rows instanceof StoredRows) {
    const paths = { csv: join(dir, versionFiles.csv), parquet: join(dir, versionFiles.parquet) };
    await writeStore(rows.store, rows.workers, cleaned, paths, none);
  } else await writeTyped(engine, cleaned, dir, none);
  await rows.writeUnread(join(dir, versionFiles.cells), cleaned.names);
}

/** Writes rows that the engine has. */
async function writeTyped(engine: Engine, cleaned: CleanedTable, dir: string, none: string): Promise<void> {
  const { output } = cleaned;
  const from = (list: readonly string[]): string => `(SELECT ${list.join(', ')} FROM ${cleaned.kept})`;
  const named = output.map(({ name, sql, type }) => `CAST(${sql} AS ${type}) AS ${sqlName(name)}`);
  const texts = output.map((one) => `${csvText(one)} AS ${sqlName(one.name)}`);
  const csv = join(dir, versionFiles.csv);
  await using second = await engine.beside();
  const asNumbers = async (): Promise<boolean> => {
    const made = await writeCsv(second, cleaned, csv, none);
    if (made) await sync(csv);
    return made;
  };
  // A dictionary of thousands of numbers takes longer to find out than it saves.
  // Row groups of about four million cells keep the writer's buffers small for wide tables.
  const group = Math.max(2048, Math.min(122_880, Math.floor(4_000_000 / output.length / 2048) * 2048));
  const parquet = (): Promise<void> =>
    engine.run(
      `COPY ${from(named)} TO ${sqlText(join(dir, versionFiles.parquet))} (FORMAT parquet, COMPRESSION snappy, DICTIONARY_SIZE_LIMIT 1000, ROW_GROUP_SIZE ${group})`,
    );
  // Cells that are made here keep one processor busy, and Parquet another; of wide tables each needs the memory.
  let isMade: boolean;
  if (output.length > mostBeside) {
    isMade = await asNumbers();
    await parquet();
  } else [isMade] = await allEnded(asNumbers(), parquet());
  if (!isMade) {
    await cleaned.outcomes.count();
    await engine.run(
      `COPY ${from(texts)} TO ${sqlText(csv)} (FORMAT csv, HEADER true, DELIMITER ',', QUOTE '"', ESCAPE '"', NULLSTR ${sqlText(none)})`,
    );
  }
}

/** Makes a folder's files read-only and durable, so that renaming the folder publishes them whole. */
export async function seal(dir: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await sync(join(dir, name));
    await chmod(join(dir, name), 0o444);
  }
  await syncFolder(dir);
}

export const syncFolder = (dir: string): Promise<void> => sync(dir);

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
