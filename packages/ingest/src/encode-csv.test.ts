import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NumberCells, stripRows, WordCells } from './encode-cells.ts';
import { encodeRows } from './encode-csv.ts';
import { Output } from './encode-output.ts';
import { shortestText } from './number-text.ts';
import { quotedText, type WrittenColumn } from './written-column.ts';

interface Given {
  kind: 'words' | 'integer' | 'shortest' | number;
  seeds: readonly number[];
}

const words = ['', 'a', 'Köln', 'eight by', 'sixteen letters!', 'more than sixteen letters', 'x,y', null];

/** A column's cells and their texts, by the rules alone. */
function made({ kind, seeds }: Given, width: number) {
  if (kind === 'words') {
    const cells = new WordCells(words, null, '');
    cells.codes = Uint16Array.from(seeds, (seed) => Math.abs(seed) % words.length);
    const texts = Array.from(cells.codes, (code) => (words[code] === null ? '' : quotedText(words[code]!)));
    return { cells, texts };
  }
  const decimals = typeof kind === 'number' ? kind : null;
  const column: WrittenColumn = {
    ...{ column: 0, name: 'x', fill: null, decimals, tally: null },
    type: kind === 'integer' ? 'integer' : 'number',
    limits: { min: -1e15, max: 1e8 },
  };
  const cells = new NumberCells(column, '', stripRows(width));
  const power = 10 ** (decimals ?? (kind === 'integer' ? 0 : 3));
  cells.values = Float64Array.from(seeds, (seed) => (seed % 13 === 0 ? Number.NaN : seed / power));
  const texts = Array.from(cells.values, (value) => {
    if (Number.isNaN(value)) return '';
    if (value > 1e8) return kind === 'integer' ? '100000000' : '100000000.0';
    if (kind === 'integer') return String(value);
    return decimals === null ? shortestText(value) : value.toFixed(decimals).replace(/^-(0\.0*)$/, '$1');
  });
  return { cells, texts };
}

const seed = fc.oneof(
  fc.integer({ min: -2000, max: 2000 }),
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 }),
  fc.integer({ min: -1e11, max: 1e11 }),
);

describe('rows of cells as text', () => {
  it('are what their parts say, in any order of columns', () => {
    const kind = fc.oneof(
      fc.constantFrom('words' as const, 'integer' as const, 'shortest' as const),
      fc.integer({ min: 1, max: 9 }),
    );
    fc.assert(
      fc.property(
        fc.array(kind, { minLength: 1, maxLength: 6 }),
        fc.array(fc.array(seed, { minLength: 6, maxLength: 6 }), { minLength: 1, maxLength: 300 }),
        (kinds, rows) => {
          const columns = kinds.map((one, i) =>
            made({ kind: one, seeds: rows.map((row) => row[i]!) }, kinds.length),
          );
          const output = new Output([]);
          encodeRows(
            columns.map(({ cells }) => cells),
            rows.length,
            output,
          );
          const expected = rows.map((_, r) => `${columns.map(({ texts }) => texts[r]).join(',')}\n`).join('');
          expect(Buffer.concat(output.finish()).toString()).toBe(expected);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('go on in the next buffer, and use those that are given', () => {
    const { cells, texts } = made({ kind: 'words', seeds: Array.from({ length: 400_000 }, () => 5) }, 1);
    const spare = [new ArrayBuffer(4 << 20)];
    const output = new Output(spare);
    encodeRows([cells], 400_000, output);
    const pieces = output.finish();
    expect(pieces.length).toBeGreaterThan(1);
    expect(spare).toEqual([]);
    expect(Buffer.concat(pieces).toString()).toBe(`${texts.join('\n')}\n`);
  });
});
