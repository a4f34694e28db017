import { describe, expect, it } from 'vitest';
import { DistinctEstimate } from './distinct-estimate.ts';

describe('the estimate of distinct values', () => {
  it('is within 3 %, however often values repeat and whatever they are', () => {
    const kinds = [(i: number) => i, (i: number) => i / 1000, (i: number) => Math.sin(i) * 1e-200];
    for (const kind of kinds)
      for (const distinct of [1, 100, 9000, 60_000, 400_000]) {
        const estimate = new DistinctEstimate();
        const values = Float64Array.from({ length: distinct }, (_, i) => kind(i));
        estimate.push(values);
        estimate.push(values.slice(0, 5000));
        estimate.push(Float64Array.of(Number.NaN));
        expect(Math.abs(estimate.value / distinct - 1)).toBeLessThan(0.03);
      }
  });
});
