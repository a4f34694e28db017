import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decimate } from './decimate.ts';

const points = fc
  .array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 500 })
  .map((y) => ({ x: y.map((_, i) => i), y }));

test('keeps the limit, the order, the ends and the extremes', () => {
  fc.assert(
    fc.property(points, fc.integer({ min: 4, max: 200 }), (all, limit) => {
      const thin = decimate(all, limit);
      expect(thin.x.length).toBeLessThanOrEqual(Math.max(limit, all.x.length <= limit ? all.x.length : 0));
      expect(thin.x).toEqual([...new Set(thin.x)].sort((a, b) => a - b));
      expect([thin.x[0], thin.x.at(-1)]).toEqual([0, all.x.length - 1]);
      expect(Math.max(...thin.y)).toBe(Math.max(...all.y));
      expect(Math.min(...thin.y)).toBe(Math.min(...all.y));
      expect(thin.y).toEqual(thin.x.map((x) => all.y[x]));
    }),
  );
});
