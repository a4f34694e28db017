import type { NumberBytes } from './parse-number.ts';

/** How one column is parsed; `number` where it holds numbers. */
export interface ParsedColumn {
  number: NumberBytes | null;
  /** Which of the cells that give a value are told as examples of a change, if any. */
  told: 'none' | 'rewritten' | 'all';
}

/** Bytes of a regular file to be parsed: the lines that begin in them. */
export interface ParseTask {
  path: string;
  from: number;
  to: number;
  /** They begin with a line, not within one. */
  first: boolean;
  encoding: 'utf8' | 'latin1';
  delimiter: number;
  /** -1 where nothing is quoted. */
  quote: number;
  crlf: boolean;
  columns: ParsedColumn[];
  /** Memory that may be written over; null where the piece's is to be new. */
  spare: SharedArrayBuffer | null;
}

/** Cells of a column of numbers that the engine's expressions have to look at. */
export interface OddCells {
  rows: Uint32Array;
  /** Places in `texts`. */
  codes: Uint16Array;
  texts: string[];
}

/** What is told of a column whose values are written in another way than its cells. */
export interface ToldCells {
  /** For each row a bit: its cell is rewritten. Null where all are that have a value. */
  rewritten: Uint8Array | null;
  /** The first rows of them, with their texts. */
  examples: { row: number; text: string }[];
}

export interface ParsedPiece {
  rows: number;
  /** Rows that the columns are laid out for. */
  capacity: number;
  /** The columns as `columnPlaces` has them. */
  buffer: SharedArrayBuffer;
  /** Per column: the texts of words by their codes, and how often each stands there. */
  words: ({ texts: string[]; counts: Uint32Array } | null)[];
  odd: (OddCells | null)[];
  told: (ToldCells | null)[];
}

/** Why a piece cannot be parsed here: its lines are not those of a regular file, a cell goes over many lines, or texts hardly repeat. */
export type ParseRefusal = 'irregular' | 'multiline' | 'distinct';
