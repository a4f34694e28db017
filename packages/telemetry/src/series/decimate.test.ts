import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decimate } from './decimate.ts';
import { MetricSeries } from './metric-series.ts';

const points = fc
  .array(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 400 })
  .map((values) => values.map((value, i) => ({ step: i, time: i, value })));

test('decimation keeps order, ends, the lowest and the highest value, and the limit', () => {
  fc.assert(
    fc.property(points, fc.integer({ min: 4, max: 60 }), (all, max) => {
      const kept = decimate(all, max);
      expect(kept.length).toBeLessThanOrEqual(Math.max(max, 4));
      if (all.length <= max) expect(kept).toEqual(all);
      const steps = kept.map((point) => point.step!);
      expect(steps).toEqual([...new Set(steps)].sort((a, b) => a - b));
      if (all.length === 0) return;
      const values = all.map((point) => point.value);
      expect(Math.min(...kept.map((point) => point.value))).toBe(Math.min(...values));
      expect(Math.max(...kept.map((point) => point.value))).toBe(Math.max(...values));
      expect(kept[0]).toEqual(all[0]);
      expect(kept.at(-1)).toEqual(all.at(-1));
    }),
  );
});

test('a long series stays bounded and keeps its peak', () => {
  const series = new MetricSeries();
  for (let step = 0; step < 100_000; step += 1)
    series.add({
      name: 'loss',
      value: step === 31_337 ? 99 : Math.sin(step),
      step,
      time: step,
      source: 'parsed',
    });
  const kept = series.points('loss', 500);
  expect(kept.length).toBeLessThanOrEqual(500);
  expect(kept.some((point) => point.step === 31_337 && point.value === 99)).toBe(true);
  expect(series.latest().loss).toMatchObject({ step: 99_999 });
});

test('a value without step after values with steps is a final score, not part of the curve', () => {
  const series = new MetricSeries();
  series.add({ name: 'f1', value: 0.1, step: 1, time: 1, source: 'explicit' });
  series.add({ name: 'f1', value: 0.9, time: 2, source: 'explicit' });
  expect(series.points('f1')).toHaveLength(1);
  expect(series.latest().f1!.value).toBe(0.9);
});
