import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatBytes, parseBytes } from './bytes.ts';
import { formatDuration, parseDuration } from './duration.ts';
import { formatMilli, parseMilli } from './milli.ts';

describe('units', () => {
  it.each([
    ['512MiB', 512 * 2 ** 20],
    ['8GiB', 8 * 2 ** 30],
    ['1.5g', 1.5e9],
    ['1048576', 1048576],
    [7, 7],
    ['2 kb', 2000],
  ])('reads the size %s', (text, bytes) => expect(parseBytes(text)).toBe(bytes));
  it.each([
    ['60s', 60_000],
    ['2h', 7_200_000],
    ['1h30m', 5_400_000],
    ['250ms', 250],
    ['90', 90_000],
    [1.5, 1500],
    ['10min', 600_000],
  ])('reads the duration %s', (text, ms) => expect(parseDuration(text)).toBe(ms));
  it.each([
    ['0.25', 250],
    ['2', 2000],
    ['250m', 250],
    ['25%', 250],
    [0.3, 300],
  ])('reads the share %s', (text, milli) => expect(parseMilli(text, 'gpu')).toBe(milli));
  it.each(['', 'x', '-1', '1 furlong', 'NaN'])('refuses %j', (text) => {
    expect(() => parseBytes(text)).toThrow(/not a size/);
    expect(() => parseDuration(text)).toThrow(/not a duration/);
    expect(() => parseMilli(text, 'cpu')).toThrow(/not a cpu/);
  });
  it('writes what it reads, within its precision', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 50 }), (bytes) => {
        const back = parseBytes(formatBytes(bytes));
        expect(Math.abs(back - bytes)).toBeLessThanOrEqual(bytes * 0.06 + 1);
      }),
    );
    expect(formatBytes(1.5 * 2 ** 30)).toBe('1.5 GiB');
    expect(formatDuration(85)).toBe('85 ms');
    expect(formatDuration(185_000)).toBe('3 m 05 s');
    expect(formatMilli(250)).toBe('0.25');
  });
});
