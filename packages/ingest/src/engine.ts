import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { DuckDBConnection, DuckDBInstance, DuckDBValue } from '@duckdb/node-api';
import { VgpuError } from '@vgpu/core';
import { joined } from './joined.ts';
import { TableWorkers } from './table-workers.ts';

export type Row = Record<string, DuckDBValue>;

/** Threads that an engine works with. */
export const engineThreads = (): number => Math.max(1, Math.min(4, availableParallelism()));

/** One DuckDB, bounded in memory, that spills to its own folder and never reaches the network. */
export class Engine implements AsyncDisposable {
  /** Null where another engine opened it, and closes it. */
  readonly #own: DuckDBInstance | null;
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  readonly #memoryMiB: number;
  readonly #signal: AbortSignal | undefined;
  readonly #stop = (): void => this.#connection.interrupt();
  #workers: TableWorkers | null = null;

  private constructor(
    instance: DuckDBInstance,
    connection: DuckDBConnection,
    memoryMiB: number,
    signal: AbortSignal | undefined,
    own: boolean,
  ) {
    this.#instance = instance;
    this.#own = own ? instance : null;
    this.#connection = connection;
    this.#memoryMiB = memoryMiB;
    this.#signal = signal;
    signal?.addEventListener('abort', this.#stop, { once: true });
  }

  /**
   * @param folder where it spills; null where it never has to.
   * @param onDisk keep its tables in a database file there instead of in memory.
   * @param memoryMiB bound of its buffers; the process needs about 200 MiB on top.
   */
  static async open(
    folder: string | null,
    onDisk: boolean,
    memoryMiB: number,
    signal?: AbortSignal,
  ): Promise<Engine> {
    signal?.throwIfAborted();
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const options: Record<string, string> = {
      memory_limit: `${memoryMiB}MiB`,
      threads: String(engineThreads()),
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      preserve_insertion_order: 'true',
    };
    let path = ':memory:';
    if (folder !== null) {
      await mkdir(join(folder, 'spill'), { recursive: true });
      options.temp_directory = join(folder, 'spill');
      if (onDisk) path = join(folder, 'work.duckdb');
    }
    const instance = await DuckDBInstance.create(path, options);
    const connection = await instance.connect();
    // What is read a few times and then thrown away is not worth compressing.
    await connection.run("PRAGMA force_compression = 'uncompressed'");
    return new Engine(instance, connection, memoryMiB, signal, true);
  }

  /** Another connection to the same tables, for a statement that runs beside another. To be closed first. */
  async beside(): Promise<Engine> {
    const connection = await this.#instance.connect();
    return new Engine(this.#instance, connection, this.#memoryMiB, this.#signal, false);
  }

  /** Threads for what is done beside the engine; they end with it. */
  get workers(): TableWorkers {
    this.#workers ??= new TableWorkers(engineThreads(), this.#signal);
    return this.#workers;
  }

  /** Ends the statement that runs, with an error. */
  interrupt(): void {
    this.#stop();
  }

  async run(sql: string): Promise<void> {
    await this.#guard(() => this.#connection.run(sql));
  }

  /** Runs a statement that writes rows; how many. */
  async changed(sql: string): Promise<DuckDBValue | undefined> {
    return (await this.rowArrays(sql))[0]?.[0];
  }

  /** All rows of an answer that is known to be small. */
  async rows(sql: string): Promise<Row[]> {
    const reader = await this.#guard(() => this.#connection.runAndReadAll(sql));
    return reader.getRowObjects();
  }

  /** The same as lists in the order of the columns, whose names may repeat. */
  async rowArrays(sql: string): Promise<DuckDBValue[][]> {
    const reader = await this.#guard(() => this.#connection.runAndReadAll(sql));
    return reader.getRows();
  }

  /** An answer of DOUBLE columns without NULLs, as one array for each column. */
  async numbers(sql: string): Promise<Float64Array[]> {
    const pieces: Float64Array[][] = [];
    const width = await this.eachPiece(sql, (columns) => {
      pieces.push(columns.map((column) => column.slice()));
    });
    return Array.from({ length: width }, (_, i) => joined(pieces.map((piece) => piece[i]!)));
  }

  /**
   * The same, a few thousand rows at a time and in the relation's order, for as many rows as there may be.
   * @param use gets one array for each column, which are only its own until it is done.
   * @returns the number of columns.
   */
  async eachPiece(
    sql: string,
    use: (columns: readonly Float64Array[], rows: number) => void | Promise<void>,
  ): Promise<number> {
    return this.#guard(async () => {
      const answer = await this.#connection.stream(sql);
      const width = answer.columnCount;
      for (let chunk = await answer.fetchChunk(); chunk; chunk = await answer.fetchChunk()) {
        const rows = chunk.rowCount;
        if (rows === 0) break;
        const columns: Float64Array[] = [];
        // The vector's own array, which its type hides: looking up each value by itself takes ten times as long.
        for (let i = 0; i < width; i++)
          columns.push((chunk.getColumnVector(i) as unknown as { items: Float64Array }).items);
        const done = use(columns, rows);
        if (done) await done;
      }
      return width;
    });
  }

  /** Many aggregates over one relation, a few hundred to a query; values in the order asked. */
  async aggregates(from: string, expressions: readonly string[], perQuery = 200): Promise<DuckDBValue[]> {
    const values: DuckDBValue[] = [];
    for (let i = 0; i < expressions.length; i += perQuery) {
      const [row] = await this.rowArrays(
        `SELECT ${expressions.slice(i, i + perQuery).join(', ')} FROM ${from}`,
      );
      values.push(...row!);
    }
    return values;
  }

  /** Fills a table of two columns: places from 0 on, and the texts. */
  async appendTexts(table: string, texts: readonly string[]): Promise<void> {
    await this.#guard(async () => {
      const appender = await this.#connection.createAppender(table);
      try {
        texts.forEach((text, place) => {
          appender.appendInteger(place);
          appender.appendVarchar(text);
          appender.endRow();
        });
      } finally {
        appender.closeSync();
      }
    });
  }

  async row(sql: string): Promise<Row> {
    return (await this.rows(sql))[0] ?? {};
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    this.#signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      this.#signal?.throwIfAborted();
      const text = (error as Error).message;
      if (/No space left on device|could not write.*disk/i.test(text))
        throw new VgpuError('DISK_FULL', { path: 'the data folder' });
      if (/Out of Memory Error/i.test(text))
        throw new VgpuError('TOO_LARGE', {
          what: 'the table',
          limit: `${this.#memoryMiB} MiB of working memory`,
          advice: 'Give the import more memory, or split the table into fewer columns.',
        });
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#workers?.close();
    this.#signal?.removeEventListener('abort', this.#stop);
    this.#connection.closeSync();
    this.#own?.closeSync();
  }
}

/** Waits for all, and only then tells of a failure: nothing uses a connection any more that is closed now. */
export async function allEnded<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  const [one, two] = await Promise.allSettled([first, second]);
  if (one.status === 'rejected') throw one.reason;
  if (two.status === 'rejected') throw two.reason;
  return [one.value, two.value];
}

export const toNumber = (value: DuckDBValue | undefined): number =>
  value === null || value === undefined ? 0 : Number(value);
