import type { Task } from '@vgpu/api';
import type { JobTable } from '@vgpu/store';
import { expect, test } from 'vitest';
import { primaryMetric } from './primary-metric.ts';
import { exportTable, scoreTable } from './score-table.ts';

const job = { id: 'job_1', primary_metric: null, goal: null } as JobTable;
const task = (name: string, metrics: Record<string, number>) =>
  ({ id: name, name, dataset: name, state: 'COMPLETED', metrics }) as Task;

test('the primary metric is the one that most tasks have; asked ones win', () => {
  const metrics: Record<string, number>[] = [
    { f1: 0.5, accuracy: 1 },
    { r2: 0.9, mse: 1 },
    { r2: 0.8, mse: 2 },
  ];
  expect(primaryMetric({ primary: null, goal: null }, metrics)).toEqual({ name: 'r2', goal: 'maximize' });
  expect(primaryMetric({ primary: 'mse', goal: null }, metrics)).toEqual({ name: 'mse', goal: 'minimize' });
  expect(primaryMetric({ primary: 'mse', goal: 'maximize' }, metrics)?.goal).toBe('maximize');
  expect(primaryMetric({ primary: null, goal: null }, [{ custom: 1 }])).toBeUndefined();
});

test('the best row is marked, and a missing value is never best', () => {
  const table = scoreTable({ ...job, primary_metric: 'mse' }, [
    task('a', { mse: 2, zeta: 1 }),
    task('b', { accuracy: 1 }),
    task('c', { mse: 1 }),
  ]);
  expect(table.columns).toEqual(['mse', 'accuracy', 'zeta']);
  expect(table.rows.map((row) => row.best)).toEqual([false, false, true]);
});

test('exports quote what needs it and start no formula', () => {
  const table = scoreTable(job, [task('=cmd|"x"', { f1: -0.5 })]);
  expect(exportTable(table, 'csv').text).toContain(`"'=cmd|""x""","'=cmd|""x""",COMPLETED,-0.5,best`);
  expect(exportTable(table, 'markdown').text).toContain('| =cmd\\|"x" |');
  expect(JSON.parse(exportTable(table, 'json').text)).toEqual(table);
});

test('Markdown is for reading: numbers are rounded, others whole', () => {
  const table = scoreTable(job, [task('a', { mse: 3262.189339642743, f1: 0.9397590361445783 })]);
  expect(exportTable(table, 'markdown').text).toContain('| 0.93976 | 3262.2 |');
  expect(exportTable(table, 'csv').text).toContain('0.9397590361445783,3262.189339642743');
});
