import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, type Store } from '@vgpu/store';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RunHistory } from './run-history.ts';

const dir = mkdtempSync(join(tmpdir(), 'vgpu-history-'));
let store: Store;
beforeAll(async () => {
  store = await openStore({ dialect: 'sqlite', file: join(dir, 'state.db') });
  await store.write(async (trx) => {
    await trx
      .insertInto('datasets')
      .values({ id: 'd', project: 'default', name: 'd', created_at: 0 })
      .execute();
    for (const [i, bytes] of [1e3, 1e5, 1e7].entries()) {
      const counts = { rows: 1, rejected: 0, columns: 1 };
      await trx
        .insertInto('dataset_versions')
        .values({
          ...counts,
          project: 'default',
          dataset: 'd',
          number: i + 1,
          version: `v${i}`,
          created_at: 0,
          bytes,
          file: 'd.csv',
          target: null,
        })
        .execute();
    }
  });
});
afterAll(async () => {
  await store.close();
  rmSync(dir, { recursive: true, force: true });
});

const work = (dataset: string | null, script = 'train.py') => ({
  project: 'default',
  script,
  name: 'churn',
  dataset,
});

test('what nobody ran is expected to take its whole limit', async () => {
  const history = await RunHistory.open(store);
  expect(history.expected(work(null), 7000)).toBe(7000);
});

test('run times follow the size of the dataset, within the limit', async () => {
  const history = await RunHistory.open(store);
  await history.knowSizes(['v0', 'v1', 'v2', 'no-such-version', null]);
  history.note(work('v0'), 1000);
  history.note(work('v1'), 10_000);
  // A hundred times the data took ten times as long, so it does once more.
  expect(history.expected(work('v2'), 1e9)).toBeGreaterThan(95_000);
  expect(history.expected(work('v2'), 1e9)).toBeLessThanOrEqual(110_000);
  expect(history.expected(work('v2'), 30_000)).toBe(30_000);
  expect(history.expected(work('v2', 'other.py'), 1e9), 'another script').toBe(1e9);
});

test('models are told apart by rates, for data that was never seen on one of them too', async () => {
  const models = ['A100', 'T4'];
  const history = await RunHistory.open(store, () => models);
  expect(history.throughput(work('v0'))).toBeUndefined();
  for (const script of ['a.py', 'b.py', 'c.py'])
    for (const [model, ms] of [
      ['A100', 1000],
      ['T4', 4000],
    ] as const)
      for (let i = 0; i < 4; i++) history.note(work('v0', script), ms, [model]);
  expect(history.throughput(work('v0', 'a.py'))!.T4).toBe(1);
  expect(history.throughput(work('v0', 'a.py'))!.A100).toBeCloseTo(4, 0);
  expect(history.throughput(work('v2', 'new.py'))!.A100).toBeGreaterThan(2);
  history.note(work('v0', 'both.py'), 1, ['A100', 'T4']);
  expect(history.throughput(work('v0', 'both.py')), 'a run on both tells of neither').toEqual(
    history.throughput(work('v2', 'new.py')),
  );
  models.pop();
  expect(history.throughput(work('v0', 'a.py')), 'there is but one model').toBeUndefined();
});
