import type { metricsTable, Task } from '@vgpu/api';
import { knownScores } from '@vgpu/core';
import type { JobTable } from '@vgpu/store';
import type { z } from 'zod';
import { bestOf, primaryMetric } from './primary-metric.ts';

export type ScoreTable = z.output<typeof metricsTable>;

/** Columns of the table besides the known scores, at most. */
const MAX_OTHER = 20;

/** The table of scores of a job: the primary metric first, then the known scores, then what else was reported. */
export function scoreTable(job: JobTable, tasks: readonly Task[]): ScoreTable {
  const primary = primaryMetric(
    { primary: job.primary_metric, goal: job.goal },
    tasks.map((t) => t.metrics),
  );
  const seen = new Set(tasks.flatMap((task) => Object.keys(task.metrics)));
  const known = Object.keys(knownScores).filter((name) => seen.has(name));
  const others = [...seen]
    .filter((name) => !(name in knownScores))
    .sort()
    .slice(0, MAX_OTHER);
  const columns = [
    ...new Set([...(primary && seen.has(primary.name) ? [primary.name] : []), ...known, ...others]),
  ];
  const best = bestOf(tasks, primary)?.item.id;
  return {
    job: job.id,
    primary: primary?.name ?? null,
    goal: primary?.goal ?? null,
    columns,
    rows: tasks.map((task) => ({
      task: task.id,
      name: task.name,
      dataset: task.dataset,
      state: task.state,
      values: Object.fromEntries(columns.map((name) => [name, task.metrics[name] ?? null])),
      best: task.id === best,
    })),
  };
}

const cell = (value: number | null | undefined): string =>
  value === null || value === undefined ? '' : String(value);
/** To be read, not computed with: five significant digits. */
const readable = (value: number | null | undefined): string =>
  cell(typeof value === 'number' ? Number(value.toPrecision(5)) : value);
/** Quotes a cell for CSV (RFC 4180), and keeps spreadsheets from taking it for a formula. */
const csvCell = (text: string): string => {
  const safe = /^[=+\-@\t]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};
const markdownCell = (text: string): string => text.replace(/[\\|`*_<>[\]]/g, '\\$&').replace(/\s+/g, ' ');

/** The table as a file: numbers whole in CSV and JSON, rounded in Markdown. @returns its text, media type and file name extension. */
export function exportTable(table: ScoreTable, format: 'csv' | 'json' | 'markdown') {
  const head = ['task', 'dataset', 'state', ...table.columns, 'best'];
  const rows = (number: typeof cell) =>
    table.rows.map((row) => [
      row.name,
      row.dataset ?? '',
      row.state,
      ...table.columns.map((name) => number(row.values[name])),
      row.best ? 'best' : '',
    ]);
  switch (format) {
    case 'json':
      return { text: `${JSON.stringify(table, null, 2)}\n`, type: 'application/json', extension: 'json' };
    case 'csv': {
      const text = [head, ...rows(cell)].map((row) => row.map(csvCell).join(',')).join('\r\n');
      return { text: `${text}\r\n`, type: 'text/csv; charset=utf-8', extension: 'csv' };
    }
    case 'markdown': {
      const line = (cells: string[]) => `| ${cells.map(markdownCell).join(' | ')} |`;
      const numbers = table.columns.map(() => ' ---: |').join('');
      const rule = `| --- | --- | --- |${numbers} --- |`;
      const text = [line(head), rule, ...rows(readable).map(line)].join('\n');
      return { text: `${text}\n`, type: 'text/markdown; charset=utf-8', extension: 'md' };
    }
  }
}
