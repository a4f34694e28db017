import type { ClippedPlan } from './number-tally.ts';
import type { ColumnType } from './result.ts';

/** A final column, as the threads that write it have to know it. */
export interface WrittenColumn {
  /** Place of the column of the store that it comes from. */
  column: number;
  name: string;
  /** `indicator`: 1 where the column has no value, else 0. */
  type: ColumnType | 'indicator';
  /** Numbers outside become these. */
  limits: { min: number; max: number };
  /** What missing values become: a number for columns of numbers, else a text as it is written; null where they stay. */
  fill: number | string | null;
  /** Digits behind the point that numbers which are left as they are keep in the CSV; null for their shortest text. */
  decimals: number | null;
  /** What is counted of its values before treatment, on the way. */
  tally: ClippedPlan | null;
}

export interface WritePlan {
  columns: WrittenColumn[];
  /** What a missing value is in the CSV. */
  none: string;
}

/** As DuckDB writes a text that is not missing. */
export const quotedText = (text: string): string =>
  text === '' || /[",\r\n#]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
