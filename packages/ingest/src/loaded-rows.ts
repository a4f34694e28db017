import type { Unread } from './load-table.ts';
import type { Change, ColumnPlan, ColumnType } from './result.ts';
import type { MeasuredColumn } from './statistics.ts';

/** What is known of a column before it is measured. */
export interface ColumnHint {
  type: ColumnType;
  /** Its distinct values are few for all that a sample tells. */
  repeats: boolean;
  /** Digits behind the point that all of its numbers may have, where a sample says so. */
  decimals: number | undefined;
}

/** Cells of a column that were read as something else than they were written, with the first of them. */
export interface FoundChange {
  kind: string;
  count: number;
  examples: Change['examples'];
}

/**
 * A table's values as they were read, wherever they are: in the engine (`TypedRows`) or in a column store
 * (`StoredRows`). Both say the same of the same file.
 */
export interface LoadedRows {
  /** Rows of the table, before any is left out. */
  readonly read: number;
  /** Per column, over all rows. */
  readonly unread: readonly Unread[];
  /** Leaves out rows without a value in a column; how many. */
  leaveOutMissing(column: number): Promise<number>;
  /** Leaves out rows that repeat an earlier one; how many. */
  leaveOutRepeated(): Promise<number>;
  /** Which rows were left out, as bits: a list for each time, in the order asked. */
  leftOut(): Promise<Uint8Array[]>;
  /** Figures of all columns over the rows that stay; to be asked for once, and before what follows. */
  measure(hints: readonly ColumnHint[], held: number | undefined): Promise<MeasuredColumn[]>;
  /** What became of a column's cells, counted over the rows that stay; the examples may be of any. */
  changes(column: number): Promise<FoundChange[]>;
  /** How often a number stands in a column, and the nearest number on one side of it. */
  near(column: number, value: number, side: 'above' | 'below'): Promise<{ times: number; next: number }>;
  /** The most frequent value as text, of numbers after clipping; the smallest of equals. Null when there is none. */
  mode(column: number, clip: ColumnPlan['clip']): Promise<string | null>;
  /** The first five numbers outside of bounds. */
  outside(column: number, bounds: NonNullable<ColumnPlan['clip']>): Promise<number[]>;
  /** Writes the cells that could not be read as CSV: row, column, text. */
  writeUnread(path: string, names: readonly string[]): Promise<void>;
}
