import { join } from 'node:path';
import { type CleanedTable, type CleanTableOptions, cleanTable, readersAgree } from './clean-table.ts';
import { Engine } from './engine.ts';
import { ReadersDisagree } from './load-table.ts';
import { type OpenedTable, type OpenOptions, openTable } from './open-table.ts';

const defaultMemoryMiB = 256;
/** Files below this are cleaned in memory, which then gets the room for it; larger ones in a database file. */
const inMemory = 256 << 20;
/** Bytes of memory for each byte of a file that is cleaned in memory. */
const memoryPerByte = 2;
/** What a column's open blocks take while a table is loaded. */
const columnMiB = 0.6;

export interface CleanFileOptions extends OpenOptions, CleanTableOptions {
  memoryMiB?: number | undefined;
}

export interface CleanedFile {
  opened: OpenedTable;
  engine: Engine;
  cleaned: CleanedTable;
}

/**
 * Opens, loads and plans a file. DuckDB reads it directly where both readers agree on it; where they do
 * not (first rows, number of records, or any error of the strict reader), the tolerant reader decides.
 * The caller closes the engine. Returns null when `known` said that the result is there already.
 */
export async function cleanFile(path: string, options: CleanFileOptions): Promise<CleanedFile | null> {
  const opened = await openTable(path, options);
  if (opened === 'known') return null;
  try {
    return await attempt(opened, options);
  } catch (error) {
    if (!(error instanceof ReadersDisagree) || opened.reader === 'tolerant') throw error;
    const again = await openTable(options.copyTo ?? path, {
      ...options,
      copyTo: null,
      known: undefined,
      direct: false,
      name: opened.source.name,
    });
    if (again === 'known') return null;
    return attempt(again, options);
  }
}

async function attempt(opened: OpenedTable, options: CleanFileOptions): Promise<CleanedFile> {
  const { bytes } = opened.source;
  const given = options.memoryMiB === undefined ? Infinity : options.memoryMiB * 2 ** 20;
  const large = bytes >= Math.min(inMemory, given / memoryPerByte);
  const room = large ? 0 : Math.ceil((bytes * memoryPerByte) / (1 << 20));
  const folder = join(options.work, `engine-${opened.reader}`);
  const memoryMiB =
    options.memoryMiB ?? Math.max(defaultMemoryMiB, room, Math.ceil(opened.layout.width * columnMiB));
  const engine = await Engine.open(folder, large, memoryMiB, options.signal);
  try {
    if (opened.reader === 'direct' && !(await readersAgree(engine, opened)))
      throw new ReadersDisagree('first rows');
    return { opened, engine, cleaned: await cleanTable(engine, opened, options) };
  } catch (error) {
    await engine[Symbol.asyncDispose]();
    throw error;
  }
}
