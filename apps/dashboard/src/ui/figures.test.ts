import { expect, test } from 'vitest';
import { progressText } from '../jobs/progress-text.ts';
import { count, plural, resourcesText, score } from './figures.ts';
import { relativeTime } from './when.tsx';

test('writes scores with four digits that mean something', () => {
  expect([0.91344, 0, 12, 123.456, 54.321, 1234567, 0.000021, null, Number.NaN].map(score)).toEqual([
    '0.9134',
    '0',
    '12',
    '123.5',
    '54.32',
    '1,234,567',
    '2.10e-5',
    '–',
    'NaN',
  ]);
});

test('writes units out', () => {
  expect(plural(1, 'job')).toBe('1 job');
  expect(plural(2000, 'job')).toBe('2,000 jobs');
  expect(count(1_000_000)).toBe('1,000,000');
  expect(resourcesText({ gpu: 250, vram: 8 * 2 ** 30, cpu: 1000, memory: 2 ** 29 })).toBe(
    '0.25 GPU · 1 core · 512 MiB memory · 8 GiB GPU memory',
  );
});

test('tells progress in words', () => {
  const none = { label: null, current: 3, total: null, fraction: null, unit: null, rate: null, eta: null };
  expect(progressText(none)).toBe('3 steps');
  expect(
    progressText({
      ...none,
      label: 'Train',
      current: 48,
      total: 400,
      fraction: 0.12,
      unit: 'batch',
      rate: 5.13,
      eta: 69,
    }),
  ).toBe('Train · 48 of 400 batches · 5.1 batches a second · 1 m 09 s left');
});

test('tells times relative to now', () => {
  const now = 1_700_000_000_000;
  expect([-3000, -60_000, -7_200_000, -86_400_000, 240_000].map((by) => relativeTime(now + by, now))).toEqual(
    ['just now', '1 minute ago', '2 hours ago', 'yesterday', 'in 4 minutes'],
  );
});
