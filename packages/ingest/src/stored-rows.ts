import type { ColumnReading } from './column-reading.ts';
import { ColumnStore, type StoreDescription, type WordsColumn } from './column-store.ts';
import { TextWriter } from './csv-text.ts';
import type { Unread } from './load-table.ts';
import type { ColumnHint, FoundChange, LoadedRows } from './loaded-rows.ts';
import { measureStore, modeOfStore } from './measure-store.ts';
import { shortestText } from './number-text.ts';
import type { ColumnPlan } from './result.ts';
import type { MeasuredColumn } from './statistics.ts';
import type { StoreCells } from './store-cells.ts';
import type { TableWorkers } from './table-workers.ts';
import { quotedText } from './written-column.ts';

const mostExamples = 5;

interface Example {
  row: number;
  before: string;
  after: string;
}

/** Rows in a column store. */
export class StoredRows implements LoadedRows {
  readonly read: number;
  readonly unread: readonly Unread[];
  readonly store: StoreDescription;
  readonly workers: TableWorkers;
  readonly #cells: StoreCells;
  readonly #readings: readonly ColumnReading[];
  /** The first cells of each kind of change that a column has. */
  readonly #examples: Map<string, Example[]>[];
  /** Cells of words that could not be read, with the numbers of their rows. */
  readonly #unreadWords = new Map<number, { row: number; code: number }[]>();
  #leftOut: Uint8Array | null = null;
  #measured: MeasuredColumn[] = [];

  /** @param cells of a store from which no row was taken out yet. */
  constructor(
    workers: TableWorkers,
    cells: StoreCells,
    readings: readonly ColumnReading[],
    unread: readonly Unread[],
  ) {
    this.workers = workers;
    this.#cells = cells;
    this.store = cells.store;
    this.read = cells.parsed.rows;
    this.#readings = readings;
    this.unread = unread;
    this.#examples = readings.map((_, i) => this.#examplesOf(i));
    for (const [i, { count }] of unread.entries()) {
      if (count === 0 || this.store.columns[i]!.kind === 'numbers') continue;
      const list: { row: number; code: number }[] = [];
      cells.each(
        i,
        (value) => value.unread !== null,
        (row, code) => list.push({ row, code }) > 0,
      );
      this.#unreadWords.set(i, list);
    }
  }

  async leaveOutMissing(column: number): Promise<number> {
    const { bits, count } = await this.#cells.takeOutMissing(column);
    if (count > 0) this.#leftOut = bits;
    return count;
  }

  leaveOutRepeated(): Promise<number> {
    throw new Error('a column store does not compare rows');
  }

  async leftOut(): Promise<Uint8Array[]> {
    return this.#leftOut ? [this.#leftOut] : [];
  }

  async measure(hints: readonly ColumnHint[], held: number | undefined): Promise<MeasuredColumn[]> {
    this.workers.share('store', this.store);
    this.#measured = await measureStore(this.store, this.workers, hints, held);
    return this.#measured;
  }

  async changes(column: number): Promise<FoundChange[]> {
    const { type } = this.#readings[column]!;
    const own = type === 'text' ? 'cell.trimmed' : `cell.${type}`;
    return ['cell.missing-word', own].map((kind) => {
      const count = this.#countChange(column, kind);
      const examples = (this.#examples[column]!.get(kind) ?? []).slice(0, Math.min(mostExamples, count));
      return { kind, count, examples: examples.map((one) => ({ ...one, row: one.row + 1 })) };
    });
  }

  #countChange(column: number, kind: string): number {
    const { parsed, values } = this.#cells;
    const counts = values[column]!.map(({ changes }) => changes.includes(kind));
    const stored = this.store.columns[column]!;
    if (stored.kind === 'words') {
      const { counts: rows } = stored as WordsColumn;
      return counts.reduce((sum, asked, code) => sum + (asked ? rows[code]! : 0), 0);
    }
    const told = kind === 'cell.missing-word' ? 'none' : parsed.columns[column]!.told;
    if (told === 'all') return this.#measured[column]!.stats.count;
    let count = 0;
    const some = counts.includes(true);
    for (const [block, { record }] of this.store.blocks.entries()) {
      const odd = some ? parsed.oddCells[block]![column] : null;
      if (odd)
        for (let k = 0; k < odd.rows.length; k++)
          if (counts[odd.codes[k]!] && !this.#isOut(record + odd.rows[k]!)) count++;
      const bits = told === 'rewritten' ? parsed.told[block]![column]!.rewritten! : null;
      if (!bits) continue;
      for (let at = 0; at < bits.length; at++) {
        if (bits[at] === 0) continue;
        for (let bit = 0; bit < 8; bit++)
          if ((bits[at]! >> bit) & 1 && !this.#isOut(record + at * 8 + bit)) count++;
      }
    }
    return count;
  }

  #isOut(record: number): boolean {
    return this.#leftOut !== null && ((this.#leftOut[record >> 3]! >> (record & 7)) & 1) === 1;
  }

  #examplesOf(column: number): Map<string, Example[]> {
    const found = new Map<string, Example[]>();
    const { parsed, values, texts } = this.#cells;
    const kinds = new Set(values[column]!.flatMap(({ changes }) => changes));
    for (const kind of kinds)
      found.set(
        kind,
        this.#cells
          .first(column, ({ changes }) => changes.includes(kind), mostExamples)
          .map(({ row, code }) => ({
            row,
            before: texts[column]![code]!,
            after: values[column]![code]!.text ?? '',
          })),
      );
    if (parsed.columns[column]!.told === 'none') return found;
    const store = new ColumnStore(this.store);
    const { type } = this.#readings[column]!;
    const kind = `cell.${type}`;
    const plain: Example[] = [];
    for (const [block, { record }] of this.store.blocks.entries()) {
      for (const { row, text } of parsed.told[block]![column]?.examples ?? []) {
        const value = store.numbers(block, column)[row]!;
        const after = type === 'integer' ? String(value) : shortestText(value);
        plain.push({ row: record + row, before: text, after });
      }
      if (plain.length >= mostExamples) break;
    }
    store.close();
    const all = [...plain, ...(found.get(kind) ?? [])].sort((a, b) => a.row - b.row);
    found.set(kind, all.slice(0, mostExamples));
    return found;
  }

  async near(
    column: number,
    value: number,
    side: 'above' | 'below',
  ): Promise<{ times: number; next: number }> {
    let times = 0;
    let next = side === 'above' ? Infinity : -Infinity;
    this.#eachBlock(column, (items) => {
      for (let i = 0; i < items.length; i++) {
        const x = items[i]!;
        if (x === value) times++;
        else if (side === 'above' ? x > value && x < next : x < value && x > next) next = x;
      }
      return true;
    });
    return { times, next: Number.isFinite(next) ? next : 0 };
  }

  mode(column: number, clip: ColumnPlan['clip']): Promise<string | null> {
    return modeOfStore(this.store, column, this.#measured[column]!, clip);
  }

  async outside(column: number, { min, max }: NonNullable<ColumnPlan['clip']>): Promise<number[]> {
    const found: number[] = [];
    const [low, high] = [min ?? -Infinity, max ?? Infinity];
    this.#eachBlock(column, (items) => {
      for (let i = 0; i < items.length && found.length < mostExamples; i++)
        if (items[i]! < low || items[i]! > high) found.push(items[i]!);
      return found.length < mostExamples;
    });
    return found;
  }

  #eachBlock(column: number, use: (items: Float64Array) => boolean): void {
    const store = new ColumnStore(this.store);
    for (const block of this.store.blocks.keys()) if (!use(store.numbers(block, column))) break;
    store.close();
  }

  async writeUnread(path: string, names: readonly string[]): Promise<void> {
    const writer = new TextWriter(path);
    writer.add('row,column,text\n');
    const { parsed, values } = this.#cells;
    const columns = [...names.keys()].filter((i) => this.unread[i]!.count > 0);
    const places = new Map<number, number>();
    for (const [block, { record }] of columns.length > 0 ? this.store.blocks.entries() : []) {
      const end = this.store.blocks[block + 1]?.record ?? this.read;
      const cells: { row: number; column: number; text: string }[] = [];
      const add = (row: number, column: number, code: number): void => {
        const text = values[column]![code]!.unread;
        if (text !== null) cells.push({ row, column, text });
      };
      for (const column of columns) {
        const list = this.#unreadWords.get(column);
        if (list) {
          let next = places.get(column) ?? 0;
          for (; next < list.length && list[next]!.row < end; next++)
            add(list[next]!.row, column, list[next]!.code);
          places.set(column, next);
        }
        const odd = parsed.oddCells[block]![column];
        if (odd) for (let k = 0; k < odd.rows.length; k++) add(record + odd.rows[k]!, column, odd.codes[k]!);
      }
      cells.sort((a, b) => a.row - b.row || a.column - b.column);
      for (const { row, column, text } of cells)
        writer.add(`${row + 1},${quotedText(names[column]!)},${quotedText(text)}\n`);
      await writer.flush();
    }
    await writer.end();
  }
}
