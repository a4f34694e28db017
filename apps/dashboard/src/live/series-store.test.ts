import type { Series } from '@vgpu/api';
import { expect, test } from 'vitest';
import { SeriesStore } from './series-store.ts';

const recorded: Series = { name: 'loss', step: [0, 1, 2], time: [10, 20, 30], value: [3, 2, 1], total: 3 };

test('live points that come while the recorded part is read follow it, without doubles', async () => {
  let answer: (items: Series[]) => void = () => undefined;
  const store = new SeriesStore('task', () => new Promise((resolve) => (answer = resolve)));
  const loading = store.load();
  store.append([
    ['loss', 2, 30, 1], // is in the recorded part as well
    ['loss', 3, 40, 0.5],
  ]);
  expect(store.names()).toEqual([]);
  answer([recorded]);
  await loading;
  expect(store.get('loss')).toEqual({ step: [0, 1, 2, 3], value: [3, 2, 1, 0.5], lastTime: 40 });
});

test('counts the steps of a script that gives none', async () => {
  const store = new SeriesStore('task', async () => []);
  await store.load();
  store.append([
    ['loss', -1, 10, 3],
    ['loss', -1, 10, 2],
    ['loss', -1, 11, 1],
  ]);
  expect(store.get('loss')!.step).toEqual([0, 1, 2]);
});

test('thins what grows without end, and keeps its last point', async () => {
  const store = new SeriesStore('task', async () => []);
  await store.load();
  store.append(Array.from({ length: 50_000 }, (_, i) => ['loss', i, i, Math.sin(i)] as const));
  const { step } = store.get('loss')!;
  expect(step.length).toBeLessThanOrEqual(4000);
  expect(step[0]).toBe(0);
  expect(step.at(-1)).toBe(49_999);
});

test('a failed reading is told, and live points show all the same', async () => {
  const store = new SeriesStore('task', () => Promise.reject(new Error('gone')));
  await store.load();
  store.append([['loss', 0, 1, 2]]);
  expect(store.error).toEqual(new Error('gone'));
  expect(store.get('loss')!.value).toEqual([2]);
});
