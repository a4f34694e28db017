import type { ColumnReport } from './result.ts';

export interface PreviewOptions {
  /** Rows to return, 1 to 1000; default 50. */
  limit?: number | undefined;
  /** Rows to skip; default 0. */
  offset?: number | undefined;
}

export interface Preview {
  columns: { name: string; type: string }[];
  /** Integers beyond 2^53 and dates come as text; missing is null. */
  rows: (string | number | boolean | null)[][];
  total: number;
}

/** A page of a version's clean rows. */
export async function previewVersion(_dir: string, _options: PreviewOptions = {}): Promise<Preview> {
  throw new Error('not yet');
}

/** Every column's figures and histograms, before and after cleaning. */
export async function columnStats(_dir: string): Promise<ColumnReport[]> {
  throw new Error('not yet');
}
