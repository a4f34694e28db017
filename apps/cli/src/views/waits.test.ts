import type { Job } from '@vgpu/api';
import { expect, test } from 'vitest';
import { until } from '../output/words.ts';
import { waits } from './job-report.ts';

const task = (name: string, position: number, estimatedStart: number | null = null) => ({
  name,
  waiting: { position, code: 'cpu', message: 'not enough free CPU', hint: null, estimatedStart },
});

test('the next waiting tasks are told with turn, reason and start, the rest are counted', () => {
  const tasks = [9, 3, 1, 7, 5, 2, 4].map((n) => task(`t${n}`, n, n === 1 ? Date.now() + 90_500 : null));
  const told = waits({ tasks: [...tasks, { name: 'up', waiting: null }] } as unknown as Job);
  expect(told.map((line) => line.split(' ')[0])).toEqual(['t1', 't2', 't3', 't4', 't5', '2']);
  expect(told[0]).toContain('(number 1 in the queue): not enough free CPU Expected to start: in 1 m 3');
  expect(told[1]).not.toContain('Expected');
});

test('what is due is soon, what is not known is a dash', () => {
  expect(until(1000, 5000)).toBe('soon');
  expect(until(null)).toBe('–');
});
