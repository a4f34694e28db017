import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeCounts, ValueCounter, type ValueCounts } from './value-counter.ts';

const numbers = fc.array(
  fc.oneof(fc.integer({ min: -5, max: 5 }), fc.double(), fc.constant(Number.NaN)).map((one) => one + 0),
  { maxLength: 60 },
);

/** Distinct values, ascending, with their counts, by a map. */
function counted(values: readonly number[]): [number, number][] {
  const found = new Map<number, number>();
  for (const value of values) if (!Number.isNaN(value)) found.set(value, (found.get(value) ?? 0) + 1);
  return [...found].sort(([a], [b]) => a - b);
}

const pairs = ({ values, counts }: ValueCounts) => Array.from(values, (value, i) => [value, counts[i]!]);

describe('counts of distinct values', () => {
  it('are those of a map, counted at once or merged', () => {
    fc.assert(
      fc.property(fc.array(numbers, { minLength: 1, maxLength: 5 }), (parts) => {
        const whole = new ValueCounter(400);
        const merged = mergeCounts(
          parts.map((part) => {
            expect(whole.push(Float64Array.from(part))).toBe(true);
            const own = new ValueCounter(100);
            own.push(Float64Array.from(part));
            return own.found;
          }),
        );
        expect(pairs(whole.found)).toEqual(counted(parts.flat()));
        expect(pairs(merged)).toEqual(counted(parts.flat()));
      }),
    );
  });

  it('end where there are too many, and begin anew', () => {
    const counter = new ValueCounter(3);
    expect(counter.push(Float64Array.of(1, 2, 2, 3, 3, 3))).toBe(true);
    expect(counter.push(Float64Array.of(4))).toBe(false);
    counter.clear();
    expect(counter.push(Float64Array.of(5, 5))).toBe(true);
    expect(pairs(counter.found)).toEqual([[5, 2]]);
  });

  it('take 0 and -0 as one when they are merged', () => {
    const both = [0, -0].map((zero) => {
      const counter = new ValueCounter(4);
      counter.push(Float64Array.of(zero, 1));
      return counter.found;
    });
    expect(mergeCounts(both).values.length).toBe(2);
  });
});
