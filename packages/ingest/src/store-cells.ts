import { type FileHandle, open } from 'node:fs/promises';
import { ColumnStore, columnPlaces, type StoreDescription } from './column-store.ts';
import type { ParsedFile } from './parse-file.ts';
import type { TextValue } from './text-values.ts';
import { readWhole, writeWhole } from './whole.ts';

/** A cell whose text is known; rows count from 0, over all records. */
export interface FoundCell {
  row: number;
  code: number;
  text: string;
}

type Condition = (value: TextValue) => boolean;

/**
 * The cells of a store that is being made: which texts they had, and what these say. Cells of columns of
 * numbers are known by text only where they are odd.
 */
export class StoreCells {
  readonly store: StoreDescription;
  readonly parsed: ParsedFile;
  readonly values: readonly (readonly TextValue[])[];
  /** Texts of each column by their codes. */
  readonly texts: readonly (readonly string[])[];

  constructor(store: StoreDescription, parsed: ParsedFile, values: readonly (readonly TextValue[])[]) {
    this.store = store;
    this.parsed = parsed;
    this.values = values;
    this.texts = values.map((_, i) => (parsed.words[i] ?? parsed.odd[i])!.texts);
  }

  /** Cells of a column whose text has a value that is asked for, over all records. */
  countCodes(column: number, condition: Condition): number {
    const { counts } = (this.parsed.words[column] ?? this.parsed.odd[column])!;
    let count = 0;
    this.values[column]!.forEach((value, code) => {
      if (condition(value)) count += counts[code]!;
    });
    return count;
  }

  /** Cells that have a value, over all records. */
  countValues(column: number): number {
    if (this.parsed.words[column]) return this.countCodes(column, ({ text }) => text !== null);
    const store = new ColumnStore(this.store);
    let count = 0;
    for (const block of this.store.blocks.keys())
      for (const value of store.numbers(block, column)) if (!Number.isNaN(value)) count++;
    store.close();
    return count;
  }

  /** The first cells whose text has a value that is asked for. To be asked before rows are taken out. */
  first(column: number, condition: Condition, most: number): FoundCell[] {
    const found: FoundCell[] = [];
    this.each(column, condition, (row, code) => {
      found.push({ row, code, text: this.texts[column]![code]! });
      return found.length < most;
    });
    return found;
  }

  /** The same, for all of them, as long as `use` says true. */
  each(column: number, condition: Condition, use: (row: number, code: number) => boolean): void {
    const asked = Uint8Array.from(this.values[column]!, (value) => (condition(value) ? 1 : 0));
    if (!asked.includes(1)) return;
    const isWords = this.parsed.words[column] !== null;
    const store = new ColumnStore(this.store);
    try {
      for (const [block, { record }] of this.store.blocks.entries()) {
        if (isWords) {
          const codes = store.codes(block, column);
          for (let row = 0; row < codes.length; row++)
            if (asked[codes[row]!] === 1 && !use(record + row, codes[row]!)) return;
          continue;
        }
        const odd = this.parsed.oddCells[block]![column];
        if (!odd) continue;
        for (let k = 0; k < odd.rows.length; k++)
          if (asked[odd.codes[k]!] === 1 && !use(record + odd.rows[k]!, odd.codes[k]!)) return;
      }
    } finally {
      store.close();
    }
  }

  /** Writes the values of odd cells into their columns. */
  async fillOddNumbers(): Promise<void> {
    await this.#edit(async (edit) => {
      for (const [block, columns] of this.parsed.oddCells.entries())
        for (const [column, odd] of columns.entries()) {
          const values = this.values[column]!;
          if (!odd?.codes.some((code) => !Number.isNaN(values[code]!.number))) continue;
          await edit(block, column, (items) => {
            for (let k = 0; k < odd.rows.length; k++) items[odd.rows[k]!] = values[odd.codes[k]!]!.number;
          });
        }
    });
  }

  /**
   * Takes rows without a value in a column out of all blocks.
   * @returns the rows without one, as bits over all records, and how many; where there are no others, all stay.
   */
  async takeOutMissing(column: number): Promise<{ bits: Uint8Array; count: number }> {
    const { blocks, columns } = this.store;
    const bits = new Uint8Array(Math.ceil(this.parsed.rows / 8));
    const stored = columns[column]!;
    const reader = new ColumnStore(this.store);
    const gone: Uint32Array[] = [];
    for (const [block, { record, rows }] of blocks.entries()) {
      const dropped = new Uint32Array(rows);
      let size = 0;
      if (stored.kind === 'words') {
        const missing = Uint8Array.from(stored.words, (word) => (word === null ? 1 : 0));
        const codes = reader.codes(block, column);
        for (let row = 0; row < rows; row++) if (missing[codes[row]!] === 1) dropped[size++] = row;
      } else {
        const items = reader.numbers(block, column);
        for (let row = 0; row < rows; row++) if (Number.isNaN(items[row]!)) dropped[size++] = row;
      }
      gone.push(dropped.slice(0, size));
      for (let k = 0; k < size; k++) {
        const at = record + dropped[k]!;
        bits[at >> 3]! |= 1 << (at & 7);
      }
    }
    reader.close();
    const count = gone.reduce((sum, rows) => sum + rows.length, 0);
    if (count > 0 && count < this.store.rows) await this.#takeOut(gone);
    return { bits, count };
  }

  async #takeOut(gone: readonly Uint32Array[]): Promise<void> {
    const { blocks, columns } = this.store;
    let first = 0;
    await this.#edit(async (edit) => {
      for (const [block, own] of blocks.entries()) {
        own.first = first;
        const dropped = gone[block]!;
        if (dropped.length > 0) {
          const kept = new Uint32Array(own.rows - dropped.length);
          for (let row = 0, size = 0, next = 0; row < own.rows; row++)
            if (dropped[next] === row) next++;
            else kept[size++] = row;
          const start = dropped[0]!;
          for (const [column, { kind }] of columns.entries()) {
            const counts = kind === 'words' ? (columns[column] as { counts: number[] }).counts : null;
            await edit(block, column, (items) => {
              if (counts) for (const row of dropped) counts[items[row]!]!--;
              for (let k = start; k < kept.length; k++) items[k] = items[kept[k]!]!;
            });
          }
          own.rows = kept.length;
          own.records = kept.map((row) => own.record + row);
        }
        first += own.rows;
      }
    });
    this.store.rows = first;
  }

  /** Lets columns of blocks be changed, in memory or in the file. */
  async #edit(
    use: (
      edit: (
        block: number,
        column: number,
        change: (items: Float64Array | Uint16Array) => void,
      ) => Promise<void>,
    ) => Promise<void>,
  ): Promise<void> {
    const { columns, blocks, path } = this.store;
    const file: FileHandle | null = path === null ? null : await open(path, 'r+');
    try {
      await use(async (block, column, change) => {
        const { capacity, rows, buffer, at } = blocks[block]!;
        const place = columnPlaces(columns, capacity)[column]!;
        const isNumbers = columns[column]!.kind === 'numbers';
        const view = (of: ArrayBufferLike, from: number) =>
          isNumbers ? new Float64Array(of, from, rows) : new Uint16Array(of, from, rows);
        if (buffer) {
          change(view(buffer, place));
          return;
        }
        const bytes = new Uint8Array((isNumbers ? 8 : 2) * rows);
        await readWhole(file!, bytes, at + place);
        change(view(bytes.buffer, 0));
        await writeWhole(file!, bytes, at + place);
      });
    } finally {
      await file?.close();
    }
  }
}
