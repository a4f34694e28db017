import { closeSync, openSync, readSync } from 'node:fs';

/** A column of integers (of at most 2^53 in size) or other numbers: per block a Float64Array, NaN where a cell has no value. */
export interface NumbersColumn {
  kind: 'numbers';
}

/** A column of values whose texts repeat: per block a Uint16Array of places in `words`. */
export interface WordsColumn {
  kind: 'words';
  /**
   * The value's text as it is written into the CSV; null for a code of cells without a value. Several
   * codes may have the same text.
   */
  words: (string | null)[];
  /** Rows of each code, among those that are kept. */
  counts: number[];
}

export type StoredColumn = NumbersColumn | WordsColumn;

/** Most codes of a column of words. */
export const mostCodes = 65_535;

export interface StoredBlock {
  /** Place of its first row among all rows of the store. */
  first: number;
  rows: number;
  /** Rows that its columns are laid out for: it may hold fewer, where some were taken out. */
  capacity: number;
  /** Number (from 0) of its first record among the file's. */
  record: number;
  /** The record of each row, where some were taken out; else they follow one another. */
  records: Uint32Array | null;
  /** Its columns; null where they stand in the store's file. */
  buffer: SharedArrayBuffer | null;
  /** Where they begin in the file. */
  at: number;
}

/** A table in columns and blocks of rows, in the file's order; can be posted to a thread. */
export interface StoreDescription {
  columns: StoredColumn[];
  blocks: StoredBlock[];
  rows: number;
  /** File of the blocks that are not in memory. */
  path: string | null;
}

/** Where each column of a block begins, in bytes, and behind the last of them the block's length; each a multiple of 8. */
export function columnPlaces(columns: readonly { kind: StoredColumn['kind'] }[], capacity: number): number[] {
  const places = [0];
  for (const { kind } of columns) {
    const bytes = kind === 'numbers' ? 8 * capacity : Math.ceil(capacity / 4) * 8;
    places.push(places.at(-1)! + bytes);
  }
  return places;
}

/** A store's values. What it returns is good until the same column is asked for again, and is not to be written to. */
export class ColumnStore {
  readonly description: StoreDescription;
  readonly #places = new Map<number, number[]>();
  readonly #scratch: ArrayBuffer[] = [];
  #file: number | null = null;

  constructor(description: StoreDescription) {
    this.description = description;
  }

  /** The values of a column of numbers in one block, as many as it has rows. */
  numbers(block: number, column: number): Float64Array {
    const { rows } = this.description.blocks[block]!;
    const { buffer, at } = this.#bytes(block, column, 8 * rows);
    return new Float64Array(buffer, at, rows);
  }

  /** The codes of a column of words in one block, as many as it has rows. */
  codes(block: number, column: number): Uint16Array {
    const { rows } = this.description.blocks[block]!;
    const { buffer, at } = this.#bytes(block, column, 2 * rows);
    return new Uint16Array(buffer, at, rows);
  }

  /** Closes the file, where one was opened. */
  close(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }

  #bytes(block: number, column: number, bytes: number): { buffer: ArrayBufferLike; at: number } {
    const { columns, blocks, path } = this.description;
    const { capacity, buffer, at } = blocks[block]!;
    let places = this.#places.get(capacity);
    if (!places) {
      places = columnPlaces(columns, capacity);
      this.#places.set(capacity, places);
    }
    if (buffer) return { buffer, at: places[column]! };
    let scratch = this.#scratch[column];
    if (!scratch || scratch.byteLength < bytes) {
      scratch = new ArrayBuffer(Math.ceil((bytes * 1.25) / 8) * 8);
      this.#scratch[column] = scratch;
    }
    this.#file ??= openSync(path!, 'r');
    const into = new Uint8Array(scratch, 0, bytes);
    for (let read = 0; read < bytes; ) {
      const more = readSync(this.#file, into, read, bytes - read, at + places[column]! + read);
      if (more === 0) throw new Error(`the column store ends early: ${path}`);
      read += more;
    }
    return { buffer: scratch, at: 0 };
  }
}
