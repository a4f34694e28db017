import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Engine } from './engine.ts';
import {
  isDecimal,
  type PutNumber,
  putDecimal,
  putInteger,
  putShortest,
  shortestText,
} from './number-text.ts';

const text = (put: PutNumber, value: number): string => {
  const to = new Uint8Array(64).fill(120);
  return Buffer.from(to.subarray(0, put(value, to, 0))).toString();
};

describe('numbers as text', () => {
  it('writes whole numbers as JavaScript does', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        expect(text(putInteger, value)).toBe(String(value));
      }),
    );
    for (const value of [0, 9, 10, 99, 100, 999_999_999, 1e9, 1e9 + 7, 2 ** 53 - 1])
      expect(text(putInteger, -value)).toBe(String(value === 0 ? 0 : -value));
  });

  it('keeps a count of decimals', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: -1e9, max: 1e9 }), (decimals, digits) => {
        const value = digits / 10 ** decimals;
        expect(isDecimal(value, 10 ** decimals)).toBe(true);
        expect(text(putDecimal(decimals), value)).toBe(value.toFixed(decimals).replace(/^-(0\.0*)$/, '$1'));
      }),
    );
    expect(isDecimal(0.1 + 0.2, 1000)).toBe(false);
    expect(text(putDecimal(2), -0.05)).toBe('-0.05');
  });

  it('writes any number as DuckDB does, and so that it reads back', async () => {
    await using engine = await Engine.open(null, false, 64);
    const puts = putShortest();
    const odd = [
      0, -0, 1, -1, 0.1, 1e-4, 9.99e-5, 1e-5, 1e15, 1e16, 123456789012345680, 5e-324, 1.7976931348623157e308,
    ];
    const cents = fc.sample(fc.integer({ min: -1e7, max: 1e7 }), 300).map((one) => one / 1000);
    const any = fc.sample(fc.double({ noNaN: true, noDefaultInfinity: true }), 500);
    const all = [...odd, ...cents, ...any];
    for (let at = 0; at < all.length; at += 100) {
      const some = all.slice(at, at + 100);
      const [row] = await engine.rowArrays(
        `SELECT ${some.map((one) => `CAST(CAST('${Object.is(one, -0) ? '-0.0' : one}' AS DOUBLE) AS VARCHAR)`).join(', ')}`,
      );
      expect(some.map((one) => text(puts, one))).toEqual(row);
      for (const one of some) expect(Object.is(Number(shortestText(one)), one)).toBe(true);
    }
  });
});
