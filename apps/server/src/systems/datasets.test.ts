import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { routes } from '@vgpu/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type InProcess, startInProcess } from '../testing/in-process.ts';

let at: InProcess;
beforeAll(async () => {
  at = await startInProcess();
});
afterAll(() => at.close());

const csv = 'id;price;when;label\n007;1,5;2024-01-02;yes\n008;;2024-01-03;no\n009;2,5;2024-01-04;yes\n';
const data = routes.datasets;
const add = (name: string, body: string, query: Record<string, string> = {}) =>
  at.client.call(data.add, { query: { name, file: `${name}.csv`, ...query }, body });

test('a check says what would be done and keeps nothing', async () => {
  const report = await at.client.call(data.check, { query: { file: 'a.csv', target: 'label' }, body: csv });
  expect(report).toMatchObject({
    file: 'a.csv',
    rows: 3,
    rejected: 0,
    target: 'label',
    dialect: { delimiter: ';', decimal: ',', header: true, preamble: 0 },
  });
  expect(report.columns.find((column) => column.name === 'price')).toMatchObject({
    type: 'number',
    missing: 1,
  });
  expect(report.columns.find((column) => column.name === 'id')!.type).toBe('identifier');
  expect((await at.client.call(data.list, {})).total).toBe(0);
  expect(readdirSync(join(at.config.home, 'tmp'))).toEqual([]);
});

test('an import makes a numbered version; the same again makes none, other content makes the next', async () => {
  const first = await add('prices', csv, { target: 'label' });
  expect(first).toMatchObject({ name: 'prices', existed: false, report: { rows: 3 } });
  expect(await add('prices', csv, { target: 'label' })).toMatchObject({
    version: first.version,
    existed: true,
  });
  const second = await add('prices', `${csv}010;9;2024-01-05;no\n`, { target: 'label' });
  expect(second.version).not.toBe(first.version);
  const dataset = await at.client.call(data.get, { params: { dataset: 'prices' } });
  expect(dataset.versions.map((version) => [version.number, version.rows, version.target])).toEqual([
    [2, 4, 'label'],
    [1, 3, 'label'],
  ]);
  expect(dataset.latest?.version).toBe(second.version);
});

test('a version is read by name, number, or the start of its hash: rows, report, files', async () => {
  const preview = await at.client.call(data.preview, {
    params: { dataset: 'prices@1' },
    query: { limit: 2 },
  });
  expect(preview).toMatchObject({ total: 3, columns: ['id', 'price', 'when', 'label'] });
  expect(preview.rows[0]!.slice(0, 2)).toEqual(['007', '1.5']);
  const { versions } = await at.client.call(data.get, { params: { dataset: 'prices' } });
  const start = `prices@${versions[1]!.version.slice(0, 12)}`;
  const report = await at.client.call(data.report, { params: { dataset: start } });
  expect(report.rows).toBe(3);
  expect(report.columns.find((column) => column.name === 'price')).toMatchObject({
    imputed: 1,
    histogram: {},
  });
  for (const format of ['csv', 'parquet', 'original', 'rejected'] as const) {
    const file = await at.client.call(data.download, { params: { dataset: 'prices@1' }, query: { format } });
    const text = await file.text();
    if (format === 'original') expect(text).toBe(csv);
    if (format === 'csv') expect(text).toContain('007');
    if (format === 'parquet') expect(text.startsWith('PAR1')).toBe(true);
  }
  const none = at.client.call(data.get, { params: { dataset: 'prices@9' } });
  await expect(none).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('what is no table, and options that make no sense, are refused by name', async () => {
  await expect(add('empty', '')).rejects.toMatchObject({ code: 'BAD_DATASET' });
  await expect(add('../up', csv)).rejects.toMatchObject({ code: 'BAD_NAME' });
  await expect(add('x', csv, { clean: '{"impute": "guess"}' })).rejects.toMatchObject({ code: 'BAD_SPEC' });
  await expect(add('x', csv, { clean: 'no json' })).rejects.toMatchObject({ code: 'BAD_SPEC' });
  await expect(add('x', csv, { target: 'nothing' })).rejects.toMatchObject({ code: 'BAD_SPEC' });
});

test('a version that a waiting task needs stays; then it goes, and the dataset with its last one', async () => {
  const job = await at.client.submit('print(1)', { data: [{ dataset: 'prices@1' }] });
  const remove = (dataset: string) => at.client.call(data.remove, { params: { dataset } });
  await expect(remove('prices@1')).rejects.toMatchObject({ code: 'CONFLICT' });
  await at.client.call(routes.jobs.stop, { params: { job: job.id } });
  await remove('prices@1');
  expect((await at.client.call(data.get, { params: { dataset: 'prices' } })).versions).toHaveLength(1);
  await remove('prices');
  expect((await at.client.call(data.list, {})).total).toBe(0);
  expect(readdirSync(join(at.config.home, 'datasets'))).toEqual([]);
});
