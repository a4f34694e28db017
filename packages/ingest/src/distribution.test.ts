import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BinnedNumbers } from './binned-numbers.ts';
import { Distribution, type NumberTreatment } from './distribution.ts';
import { Engine } from './engine.ts';
import { EngineNumbers } from './engine-numbers.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.open(null, false, 256);
});
afterAll(() => engine[Symbol.asyncDispose]());

/** The engine's figures of the same numbers, of which it may sort but a few at once. */
async function counted(values: readonly number[], missing: number): Promise<BinnedNumbers> {
  const cells = [...values.map((value) => `('${value}')`), ...Array<string>(missing).fill('(NULL)')];
  await engine.run('CREATE OR REPLACE TABLE numbers (v DOUBLE)');
  await engine.run(`INSERT INTO numbers VALUES ${cells.join(', ')}`);
  const bounds = { min: Math.min(...values), max: Math.max(...values) };
  const source = new EngineNumbers(engine, 'numbers', ['v']);
  const numbers = new BinnedNumbers(source, 0, values.length, bounds, 3, 2);
  await BinnedNumbers.count(source, [numbers]);
  await numbers.measure();
  return numbers;
}

const value = fc.oneof(
  fc.integer({ min: -50, max: 50 }),
  fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  fc.constantFrom(0.1, 1e-7, 1e12),
);
const numbers = fc.array(
  value.map((one) => one + 0),
  { minLength: 1, maxLength: 60 },
);
const treatment = fc.record({
  clip: fc.option(
    fc.record({ min: fc.option(fc.integer({ min: -99, max: 0 })), max: fc.option(fc.constant(7.5)) }),
  ),
  fill: fc.option(fc.constantFrom(-1000, 0.5, 1e9)),
  missing: fc.nat(3),
});
/** Equal to ten digits of the numbers' own size: both ways round their sums. */
const near = (a: number, b: number, size: number) =>
  expect(Math.abs(a - b)).toBeLessThanOrEqual(size * 1e-10);

describe('figures of numbers', () => {
  it('are the same whether they are held or counted by the engine', async () => {
    await fc.assert(
      fc.asyncProperty(numbers, treatment, async (values, asked: NumberTreatment) => {
        const held = Distribution.ofValues(Float64Array.from(values));
        const engines = await counted(values, asked.missing);
        const size = Math.max(...values.map(Math.abs), Math.abs(asked.fill ?? 0), 1e-9);
        const { mean, std, ...rest } = engines.summary;
        const { mean: ownMean, std: ownStd, ...own } = held.summary;
        expect(rest).toEqual(own);
        near(mean, ownMean, size);
        near(std, ownStd, size);
        const shares = [0, 0.1, 1 / 3, 0.9, 1];
        expect(await engines.quantiles(shares)).toEqual(await held.quantiles(shares));
        expect(engines.keepDecimals(2)).toBe(held.keepDecimals(2));
        const after = await engines.treated(asked);
        const expected = await held.treated(asked);
        expect([after.clipped, after.outliers]).toEqual([expected.clipped, expected.outliers]);
        expect(after.numeric.histogram).toEqual(expected.numeric.histogram);
        expect([after.numeric.min, after.numeric.max]).toEqual([expected.numeric.min, expected.numeric.max]);
        near(after.numeric.mean, expected.numeric.mean, size);
        near(after.numeric.std, expected.numeric.std, size);
      }),
      { numRuns: 40 },
    );
  });

  it('interpolate quantiles and use the sample deviation, as NumPy and pandas do', async () => {
    const four = Distribution.ofValues(Float64Array.of(4, 1, 3, 2));
    expect(await four.quantiles([0, 0.1, 0.5, 1])).toEqual([1, 1.3, 2.5, 4]);
    expect(four.summary).toMatchObject({ mean: 2.5, std: 1.29099444874 });
  });

  it('survive the largest and the smallest doubles', async () => {
    for (const values of [
      [-1.7e308, 0, 1.7e308],
      [5e-324, 1e-323, 0],
      [-4e-323, 0, 2e-323, 4.4e-323, 5.4e-323, -5e-323, 1.5e-323, -2e-323],
    ]) {
      const engines = await counted(values, 0);
      const held = Distribution.ofValues(Float64Array.from(values));
      expect(engines.summary.median).toBe(held.summary.median);
      expect(engines.summary.p99).toBe(held.summary.p99);
      expect(engines.summary.histogram).toEqual(held.summary.histogram);
    }
  });
});
