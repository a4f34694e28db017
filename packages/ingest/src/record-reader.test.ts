import fc from 'fast-check';
import Papa from 'papaparse';
import { describe, expect, it } from 'vitest';
import { csvLine } from './csv-text.ts';
import { RecordReader, type RecordSyntax, type TextRecord } from './record-reader.ts';

const standard: RecordSyntax = { delimiter: ',', collapse: false, quote: '"', escape: '"' };

function read(text: string, syntax = standard, expected = 0, pieces: readonly number[] = []): TextRecord[] {
  const records: TextRecord[] = [];
  const reader = new RecordReader(syntax, expected);
  let from = 0;
  for (const length of pieces) {
    reader.push(text.slice(from, from + length), (record) => records.push(record));
    from += length;
  }
  reader.push(text.slice(from), (record) => records.push(record));
  reader.end((record) => records.push(record));
  return records;
}
const fieldsOf = (records: readonly TextRecord[]): string[][] => records.map((record) => record.fields);

const cell = fc.string({
  unit: fc.constantFrom('a', 'b', '1', ' ', ',', '"', '\n', 'é', ';', "'", '\\'),
  maxLength: 8,
});
const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 6 });

describe('the tolerant reader', () => {
  it('reads back whatever was written by the standard, cut into any pieces', () => {
    fc.assert(
      fc.property(table, fc.array(fc.nat(7), { maxLength: 20 }), (rows, pieces) => {
        expect(fieldsOf(read(rows.map(csvLine).join(''), standard, 0, pieces))).toEqual(rows);
      }),
    );
  });

  it('agrees with papaparse on well-formed text', () => {
    fc.assert(
      fc.property(table, (rows) => {
        const text = rows.map(csvLine).join('').trimEnd();
        const theirs = Papa.parse<string[]>(text, { delimiter: ',', newline: '\n' }).data;
        expect(fieldsOf(read(text))).toEqual(theirs);
      }),
    );
  });

  it('never fails, and never loses a line, on any text', () => {
    const noise = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', ' ', '\\'), maxLength: 60 });
    fc.assert(
      fc.property(noise, fc.nat(4), fc.array(fc.nat(9), { maxLength: 12 }), (text, expected, pieces) => {
        const records = read(text, standard, expected, pieces);
        const raw = records
          .map((record) => record.raw)
          .join('\n')
          .replace(/\r\n?/g, '\n');
        expect(raw.replace(/\n+$/, '')).toBe(text.replace(/\r\n?/g, '\n').replace(/\n+$/, ''));
        // The same records come out however the text arrives.
        expect(records).toEqual(read(text, standard, expected));
      }),
    );
  });

  it('numbers the lines that records start on', () => {
    expect(read('a,b\n"x\ny",2\n\nz,3').map(({ line, blank }) => [line, blank])).toEqual([
      [1, false],
      [2, false],
      [4, true],
      [5, false],
    ]);
  });

  it('takes a quote literally when the record would otherwise swallow others', () => {
    expect(fieldsOf(read('1,"x,3\n4,"y",6\n', standard, 3))).toEqual([
      ['1', '"x', '3'],
      ['4', 'y', '6'],
    ]);
    expect(fieldsOf(read('a,5" pipe,c\n', standard, 3))).toEqual([['a', '5" pipe', 'c']]);
    expect(fieldsOf(read('a,"say "hi" now",c\n', standard, 3))).toEqual([['a', 'say "hi" now', 'c']]);
  });

  it('cuts a line that is longer than any record can be, in bounded memory', () => {
    const reader = new RecordReader(standard);
    const records: TextRecord[] = [];
    const chunk = 'x'.repeat(1 << 20);
    for (let i = 0; i < 20; i++) reader.push(chunk, (record) => records.push(record));
    reader.push('\nnext,1\n', (record) => records.push(record));
    expect(records.map(({ overlong, line }) => [overlong, line])).toEqual([
      [true, 1],
      [false, 2],
    ]);
  });
});
