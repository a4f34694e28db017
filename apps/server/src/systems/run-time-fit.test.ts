import fc from 'fast-check';
import { expect, test } from 'vitest';
import { coarse, runTimeAt } from './run-time-fit.ts';

test('the median where all data has the same size, whatever one run did', () => {
  const runs = [100, 110, 120, 130, 9000].map((ms) => ({ bytes: 1000, ms }));
  expect(runTimeAt(runs, 1000)).toBeCloseTo(120);
  expect(runTimeAt(runs, 10), 'smaller data: as long').toBeCloseTo(120);
  expect(runTimeAt(runs, 10_009), 'ten times the data: ten times as long').toBeCloseTo(1200);
  const alike = [1000, 1001].map((bytes, i) => ({ bytes, ms: 100 * (i + 1) }));
  expect(runTimeAt(alike, 1001), 'a byte more does not double the time').toBeLessThan(201);
  const without = [{ bytes: 0, ms: 50 }];
  expect(runTimeAt(without, 0)).toBeCloseTo(50);
  expect(runTimeAt(without, 1e9), 'runs without data tell nothing about data').toBeCloseTo(50);
});

test('what grows with the data is found from few runs, an outlier among them', () => {
  const runs = [1e3, 1e4, 1e5, 1e6, 1e7].map((bytes) => ({ bytes: bytes - 1, ms: bytes / 100 }));
  runs[2]!.ms *= 20;
  expect(runTimeAt(runs, 5e6 - 1)).toBeCloseTo(5e4, -3);
  const flat = [1e3, 1e5, 1e7].map((bytes) => ({ bytes, ms: 700 }));
  expect(runTimeAt(flat, 1e9)).toBeCloseTo(700);
  const steep = [10, 100].map((bytes) => ({ bytes: bytes - 1, ms: bytes ** 5 }));
  expect(runTimeAt(steep, 999)).toBeLessThanOrEqual(100 ** 5 * 100.01);
});

test('never negative, never endless, and no less for more data', () => {
  const run = fc.record({ bytes: fc.nat(1e9), ms: fc.nat(1e8) });
  fc.assert(
    fc.property(fc.array(run, { minLength: 1, maxLength: 15 }), fc.nat(1e9), fc.nat(1e9), (runs, a, b) => {
      const [less, more] = [Math.min(a, b), Math.max(a, b)].map((bytes) => runTimeAt(runs, bytes));
      expect(less).toBeGreaterThan(0);
      expect(Number.isFinite(more)).toBe(true);
      expect(more! / less!).toBeGreaterThanOrEqual(1 - 1e-9);
    }),
  );
});

test('coarse keeps two digits and never shortens', () => {
  expect([0, 7, 10.2, 99, 101, 1234].map(coarse)).toEqual([0, 7, 11, 99, 110, 1300]);
});
