import fc from 'fast-check';
import { expect, test } from 'vitest';
import { longScroll, moved, physicalLimit, toPhysical, toVirtual } from './long-scroll.ts';

const rows = fc.integer({ min: 100, max: 5_000_000 });
const share = fc.double({ min: 0, max: 1, noNaN: true });
const of = (count: number) => longScroll(count, 20, 600);
const room = (count: number) => count * 20 - 600;

test('top and end of the bar are top and end of the rows, whatever their number', () => {
  fc.assert(
    fc.property(rows, (count) => {
      const scroll = of(count);
      expect(scroll.physicalHeight).toBeLessThanOrEqual(physicalLimit);
      expect(toVirtual(scroll, 0)).toBe(0);
      expect(toVirtual(scroll, scroll.physicalHeight - 600)).toBeCloseTo(room(count));
    }),
  );
});

test('bar and rows are each other’s inverse', () => {
  fc.assert(
    fc.property(rows, share, (count, at) => {
      const scroll = of(count);
      expect(toVirtual(scroll, toPhysical(scroll, at * room(count)))).toBeCloseTo(at * room(count), 0);
    }),
  );
});

test('a small movement moves the rows by as many pixels, and never beyond them', () => {
  fc.assert(
    fc.property(rows, share, fc.integer({ min: -1000, max: 1000 }), (count, at, by) => {
      const scroll = of(count);
      const top = at * room(count);
      const from = toPhysical(scroll, top);
      const to = from + by;
      const next = moved(scroll, top, from, to);
      expect(next).toBeGreaterThanOrEqual(0);
      expect(next).toBeLessThanOrEqual(room(count) + 0.001);
      const inside = to > 0 && to < scroll.physicalHeight - 600 && top + by > 0 && top + by < room(count);
      if (inside) expect(next).toBeCloseTo(top + by, 0);
    }),
  );
});
