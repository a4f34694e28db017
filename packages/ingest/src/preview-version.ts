import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VgpuError } from '@vgpu/core';
import { sqlText } from './column-sql.ts';
import { Engine, toNumber } from './engine.ts';
import type { ColumnReport, Report } from './result.ts';
import { versionFiles } from './write-version.ts';

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

function cell(value: unknown): string | number | boolean | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  return typeof value === 'number' || typeof value === 'boolean' ? value : String(value);
}

/**
 * A page of a version's clean rows.
 * @param dir the version's folder.
 * @throws VgpuError `BAD_REQUEST` for a page outside the bounds.
 */
export async function previewVersion(dir: string, options: PreviewOptions = {}): Promise<Preview> {
  const { limit = 50, offset = 0 } = options;
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000)
    throw new VgpuError('BAD_REQUEST', { problem: 'limit must be a whole number from 1 to 1000' });
  if (!Number.isInteger(offset) || offset < 0)
    throw new VgpuError('BAD_REQUEST', { problem: 'offset must be a whole number from 0' });
  await using engine = await Engine.open(null, false, 128);
  const file = `read_parquet(${sqlText(join(dir, versionFiles.parquet))})`;
  const names = await engine.rows(`DESCRIBE SELECT * FROM ${file}`);
  const rows = await engine.rowArrays(`SELECT * FROM ${file} LIMIT ${limit} OFFSET ${offset}`);
  const total = toNumber((await engine.row(`SELECT count(*) AS n FROM ${file}`)).n);
  return {
    columns: names.map((one) => ({ name: String(one.column_name), type: String(one.column_type) })),
    rows: rows.map((row) => row.map(cell)),
    total,
  };
}

/** Every column's figures and histograms, before and after cleaning, from a version's report. */
export async function columnStats(dir: string): Promise<ColumnReport[]> {
  return (JSON.parse(await readFile(join(dir, versionFiles.report), 'utf8')) as Report).columns;
}
