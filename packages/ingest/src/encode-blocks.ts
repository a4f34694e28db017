import { codedValues, flagValues } from './coded-values.ts';
import type { ColumnStore } from './column-store.ts';
import { eachPart } from './encode-bits.ts';
import { type Cells, NumberCells, stripRows, WordCells } from './encode-cells.ts';
import { booleanChunk, type CodedValues, codedChunk, numberChunk } from './encode-chunk.ts';
import { encodeRows } from './encode-csv.ts';
import { Output } from './encode-output.ts';
import type { Chunk, ChunkFacts } from './encode-page.ts';
import { scratch } from './encode-scratch.ts';
import { type ClippedState, ClippedTally } from './number-tally.ts';
import type { Answer, Shared } from './serve-tasks.ts';
import { eachSlice, type Span, sharedStore } from './tally-blocks.ts';
import type { WritePlan, WrittenColumn } from './written-column.ts';

export interface EncodedRows {
  rows: number;
  csv: Uint8Array<ArrayBuffer>[];
  /** The columns' chunks one behind the other, without what joins them to a file. */
  parquet: Uint8Array<ArrayBuffer>[];
  chunks: ChunkFacts[];
  /** Of each column, where one is counted. */
  tallies: (ClippedState | null)[];
  /** Buffers that were not used. */
  spare: ArrayBuffer[];
}

/** Takes a column's blocks, gives its cells of each and its chunk of all of them. */
interface Encoder {
  cells: Cells;
  take(store: ColumnStore, block: number, at: number): void;
  chunk(rows: number): Chunk;
  tally: ClippedTally | null;
}

/** Cells are made once for each plan. */
const numberCells = new WeakMap<WrittenColumn, NumberCells>();

function numberEncoder({ columns, none }: WritePlan, place: number, rows: number): Encoder {
  const column = columns[place]!;
  let cells = numberCells.get(column);
  if (!cells) {
    cells = new NumberCells(column, none, stripRows(columns.length));
    numberCells.set(column, cells);
  }
  const own = cells;
  const tally = column.tally && new ClippedTally(column.tally);
  const treated = new Float64Array(scratch(`column ${place}`, 8 * rows), 0, rows);
  const { min, max } = column.limits;
  const fill = column.fill === null ? Number.NaN : Number(column.fill);
  const isLeft = min === -Infinity && max === Infinity && column.fill === null;
  return {
    cells,
    tally,
    take(store, block, at) {
      const values = store.numbers(block, column.column);
      own.values = values;
      if (tally) eachSlice(values, (items) => tally.push(items));
      if (isLeft) treated.set(values, at);
      else eachPart(values.length, (from, end) => treat(values, from, end, treated, at, column.limits, fill));
    },
    chunk: (size) => numberChunk(treated.subarray(0, size), column.type as 'integer' | 'number'),
  };
}

function treat(
  values: Float64Array,
  from: number,
  end: number,
  to: Float64Array,
  at: number,
  { min, max }: { min: number; max: number },
  fill: number,
): void {
  for (let i = from; i < end; i++) {
    const x = values[i]!;
    to[at + i] = x >= min && x <= max ? x : x < min ? min : x > max ? max : fill;
  }
}

/** Cells whose codes come from a store, or are made. */
function codedEncoder(
  cells: WordCells,
  rows: number,
  place: number,
  codesOf: (store: ColumnStore, block: number) => Uint16Array,
  chunk: (codes: Uint16Array) => Chunk,
): Encoder {
  const all = new Uint16Array(scratch(`column ${place}`, 2 * rows), 0, rows);
  return {
    cells,
    tally: null,
    take(store, block, at) {
      cells.codes = codesOf(store, block);
      all.set(cells.codes, at);
    },
    chunk: (size) => chunk(all.subarray(0, size)),
  };
}

/** What is made of a column's words for any row. */
interface Words {
  cells: WordCells;
  values: CodedValues | null;
  truths: Int8Array | null;
}

function wordsOf(words: readonly (string | null)[], { type, fill }: WrittenColumn, none: string): Words {
  const cells = new WordCells(words, fill as string | null, none);
  if (type === 'indicator') return { cells, values: flagValues, truths: null };
  if (type !== 'boolean')
    return { cells, values: codedValues(words, fill as string | null, type as 'text'), truths: null };
  const truths = Int8Array.from(words, (word) => {
    const text = word ?? fill;
    return text === null ? -1 : text === 'true' ? 1 : 0;
  });
  return { cells, values: null, truths };
}

/** Words are prepared once for each plan. */
const prepared = new WeakMap<WrittenColumn, Words>();

function encoderOf(plan: WritePlan, place: number, rows: number, store: ColumnStore): Encoder {
  const column = plan.columns[place]!;
  const stored = store.description.columns[column.column]!;
  const isIndicator = column.type === 'indicator';
  if (stored.kind === 'numbers' && !isIndicator) return numberEncoder(plan, place, rows);
  let words = prepared.get(column);
  if (!words) {
    words = wordsOf(isIndicator || stored.kind === 'numbers' ? ['0', '1'] : stored.words, column, plan.none);
    prepared.set(column, words);
  }
  const { cells, values, truths } = words;
  const isMissing =
    stored.kind === 'words' && isIndicator
      ? Uint16Array.from(stored.words, (word) => Number(word === null))
      : null;
  const codesOf = (_: ColumnStore, block: number): Uint16Array => {
    if (stored.kind === 'numbers')
      return Uint16Array.from(store.numbers(block, column.column), (value) => Number(Number.isNaN(value)));
    const codes = store.codes(block, column.column);
    return isMissing ? codes.map((code) => isMissing[code]!) : codes;
  };
  return codedEncoder(cells, rows, place, codesOf, (codes) =>
    truths ? booleanChunk(codes, truths) : codedChunk(codes, values!),
  );
}

/** Makes the rows of some blocks, treated as the shared plan `write` says, into CSV and one Parquet row group. */
export function encodeBlocks(task: Span & { spare: ArrayBuffer[] }, shared: Shared): Answer<EncodedRows> {
  const store = sharedStore(shared);
  const plan = shared.get('write') as WritePlan;
  const blocks = store.description.blocks.slice(task.from, task.to);
  const rows = blocks.reduce((sum, block) => sum + block.rows, 0);
  const encoders = plan.columns.map((_, i) => encoderOf(plan, i, rows, store));
  const cells = encoders.map((one) => one.cells);
  const lines = new Output(task.spare);
  let at = 0;
  for (let block = task.from; block < task.to; block++) {
    for (const encoder of encoders) encoder.take(store, block, at);
    const size = store.description.blocks[block]!.rows;
    encodeRows(cells, size, lines);
    at += size;
  }
  const csv = lines.finish();
  const group = new Output(task.spare);
  const chunks = encoders.map((encoder) => {
    const { parts, facts } = encoder.chunk(rows);
    for (const part of parts) group.add(part);
    return facts;
  });
  const parquet = group.finish();
  const tallies = encoders.map(({ tally }) => tally?.state ?? null);
  const answer = { rows, csv, parquet, chunks, tallies, spare: task.spare };
  return { answer, transfer: [...csv, ...parquet].map(({ buffer }) => buffer).concat(task.spare) };
}
