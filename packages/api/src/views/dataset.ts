import { cleanOptions } from '@vgpu/core';
import { z } from 'zod';
import { pageOf, time } from './common.ts';

export const dialect = z.object({
  delimiter: z.string(),
  quote: z.string().nullable(),
  encoding: z.string(),
  /** Whether there is a header row. */
  header: z.boolean(),
  decimal: z.enum(['.', ',']),
  /** Lines before the header. */
  preamble: z.int(),
});

export const histogram = z.object({
  /** n+1 edges for n bins of numbers; labels for categories. */
  edges: z.array(z.number()).nullable(),
  labels: z.array(z.string()).nullable(),
  counts: z.array(z.int()),
});

export const column = z.object({
  name: z.string(),
  /** integer, number, boolean, date, datetime, category, text, identifier … */
  type: z.string(),
  missing: z.int(),
  unit: z.string().nullable(),
  distinct: z.int().nullable().optional(),
  min: z.union([z.number(), z.string()]).nullable().optional(),
  max: z.union([z.number(), z.string()]).nullable().optional(),
  mean: z.number().nullable().optional(),
  median: z.number().nullable().optional(),
  std: z.number().nullable().optional(),
  /** Cells that cleaning filled and clipped. */
  imputed: z.int().optional(),
  clipped: z.int().optional(),
  /** What cleaning does to the column, in words. */
  plan: z.string().optional(),
  histogram: histogram.nullable().optional(),
});

export const change = z.object({
  kind: z.string(),
  column: z.string().nullable(),
  count: z.int(),
  description: z.string(),
  examples: z.array(
    z.object({ row: z.number().nullable(), before: z.string().nullable(), after: z.string().nullable() }),
  ),
});

/** What cleaning found and did (or, in a check, would do). */
export const cleaningReport = z.object({
  file: z.string(),
  bytes: z.int(),
  dialect,
  rows: z.int(),
  rejected: z.int(),
  columns: z.array(column),
  changes: z.array(change),
  warnings: z.array(z.string()),
  target: z.string().nullable(),
});
export type CleaningReport = z.output<typeof cleaningReport>;

export const datasetVersion = z.object({
  /** Content hash that names the version. */
  version: z.string(),
  /** 1, 2, 3 … within its dataset. */
  number: z.int(),
  createdAt: time,
  rows: z.int(),
  rejected: z.int(),
  columns: z.int(),
  /** Bytes of the original file. */
  bytes: z.int(),
  file: z.string(),
  target: z.string().nullable(),
});

export const dataset = z.object({
  id: z.string(),
  name: z.string(),
  project: z.string(),
  createdAt: time,
  latest: datasetVersion.nullable(),
  versions: z.array(datasetVersion),
});
export type Dataset = z.output<typeof dataset>;
export const datasetPage = pageOf(dataset);

export const importQuery = z.object({
  /** Name of the dataset; the file's name without its extension by default. A known name gets a new version. */
  name: z.string().optional(),
  /** Name of the file as the user had it. */
  file: z.string(),
  target: z.string().optional(),
  /** JSON of the cleaning options. */
  clean: z.string().optional(),
});
export const cleanBody = cleanOptions;

export const importResult = z.object({
  dataset: z.string(),
  name: z.string(),
  version: z.string(),
  /** True when these very bytes with these options were imported before. */
  existed: z.boolean(),
  report: cleaningReport,
});

export const tablePreview = z.object({
  columns: z.array(z.string()),
  rows: z.array(z.array(z.string().nullable())),
  total: z.int(),
});
