import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type CleanedTable, type CleanTableOptions, cleanTable, readersAgree } from './clean-table.ts';
import { Engine, engineThreads } from './engine.ts';
import { ReadersDisagree } from './load-table.ts';
import { KnownVersion, OpeningTable, type OpenOptions } from './open-table.ts';
import type { OpenedTable } from './opened-table.ts';
import { refuseChanged } from './source-file.ts';

const defaultMemoryMiB = 256;
/** Files below this are cleaned in memory, which then gets the room for it; larger ones in a database file. */
const inMemory = 256 << 20;
/** Bytes of memory for each byte of a file that is cleaned in memory: its table and what is written from it. */
const memoryPerByte = 2.5;
/** The least that such a file is cleaned in, and the most that is taken for it. */
const leastPerByte = 2;
const mostMemoryMiB = 512;
/** What a column's open blocks take while a short table is loaded. */
const columnMiB = 0.6;
/** What they take for each thread, where a table fills the engine's row groups: 122,880 values of eight bytes. */
const longColumnMiB = 1;

/** Regular files from this size on are read by threads; smaller ones are read before those have begun. */
const forThreads = 4 << 20;

export interface CleanFileOptions extends OpenOptions, Omit<CleanTableOptions, 'store' | 'agreed'> {
  memoryMiB?: number | undefined;
  /** Bytes from which on threads read a regular file; default 4 MiB. */
  threadsFrom?: number | undefined;
}

export interface CleanedFile {
  opened: OpenedTable;
  engine: Engine;
  cleaned: CleanedTable;
}

/**
 * Opens, loads and plans a file. DuckDB begins to read it directly where its head lets expect that both
 * readers agree on it, while all of its bytes are looked at. Where they do not (first rows, number of
 * records, or any error of the strict reader), the tolerant reader decides.
 * The caller closes the engine. Returns null when `known` said that the result is there already.
 */
export async function cleanFile(path: string, options: CleanFileOptions): Promise<CleanedFile | null> {
  const opening = await OpeningTable.start(path, options);
  const unlessDisagreed = (opened: OpenedTable): Promise<CleanedFile | null> =>
    attempt(opened, options).catch((error: unknown) => {
      if (error instanceof ReadersDisagree && opened.reader === 'direct') return null;
      throw error;
    });
  try {
    const supposed = opening.supposed();
    const first = supposed && (await unlessDisagreed(supposed));
    if (first) return first;
    supposed?.look();
    // What was true of the file and still failed would fail again.
    const failed = await supposed?.facts.then(
      () => true,
      () => false,
    );
    const opened = await opening.opened(!failed);
    return (await unlessDisagreed(opened)) ?? (await attempt(await opening.opened(false), options));
  } catch (error) {
    if (error instanceof KnownVersion) return null;
    throw error;
  } finally {
    await opening.close();
  }
}

async function attempt(opened: OpenedTable, options: CleanFileOptions): Promise<CleanedFile> {
  const { bytes } = opened.source;
  const given = options.memoryMiB === undefined ? Infinity : options.memoryMiB * 2 ** 20;
  const large = bytes >= Math.min(inMemory, given / leastPerByte);
  const room = large ? 0 : Math.min(mostMemoryMiB, Math.ceil((bytes * memoryPerByte) / (1 << 20)));
  const folder = await mkdtemp(join(options.work, 'engine-'));
  const { width } = opened.layout;
  const threads = engineThreads();
  const perColumn = Math.max(columnMiB, Math.min(1, bytes / width / 700_000) * longColumnMiB * threads);
  const memoryMiB = options.memoryMiB ?? Math.max(defaultMemoryMiB, room, Math.ceil(width * perColumn));
  const engine = await Engine.open(folder, large, memoryMiB, options.signal);
  const threaded = opened.reader === 'direct' && bytes >= (options.threadsFrom ?? forThreads);
  const store =
    threaded && !options.clean.dropDuplicates ? { path: large ? join(folder, 'store') : null } : undefined;
  // They are there when the first rows have been looked at.
  if (store) engine.workers.start();
  // Answered while the columns are sampled.
  const agreed = opened.reader === 'direct' ? readersAgree(engine, opened) : Promise.resolve(true);
  let contradicted = false;
  opened.facts.catch(() => {
    contradicted = true;
    engine.interrupt();
  });
  try {
    const cleaned = await cleanTable(engine, opened, { ...options, store, agreed });
    await refuseChanged(opened.source);
    return { opened, engine, cleaned };
  } catch (error) {
    const disagreed = !(await agreed);
    await engine[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
    if (contradicted) await opened.facts;
    throw disagreed ? new ReadersDisagree('first rows', { cause: error }) : error;
  }
}
