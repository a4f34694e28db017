import fc from 'fast-check';
import { expect, it } from 'vitest';
import { columnPlaces } from './column-store.ts';
import { parsePiece } from './parse-piece.ts';
import type { ParsedPiece, ParseTask } from './parse-task.ts';
import { temporaryFolder } from './temporary-file.fixture.ts';

const { file } = temporaryFolder();
let serial = 0;

const columns: ParseTask['columns'] = [
  {
    number: {
      ...{ integer: true, decimal: -1, otherDecimal: -1, thousands: 44, suffixes: [], prefixes: [] },
      ...{ blanks: false, compared: true },
    },
    told: 'rewritten',
  },
  { number: null, told: 'none' },
];

function taskOf(text: string, crlf: boolean): ParseTask {
  const path = file(`piece-${serial++}.csv`, text);
  const marks = { delimiter: 44, quote: 34, crlf, encoding: 'utf8' as const };
  return { path, from: 0, to: Buffer.byteLength(text), first: true, ...marks, columns, spare: null };
}

/** Cells of a piece as they stood there: numbers with their odd texts, and words. */
function cellsOf(piece: ParsedPiece): (string | number)[][] {
  const places = columnPlaces([{ kind: 'numbers' }, { kind: 'words' }], piece.capacity);
  const numbers = new Float64Array(piece.buffer, places[0]!, piece.rows);
  const codes = new Uint16Array(piece.buffer, places[1]!, piece.rows);
  const rows = Array.from(numbers, (value, row): (string | number)[] => [
    Number.isNaN(value) ? '' : value,
    piece.words[1]!.texts[codes[row]!]!,
  ]);
  const odd = piece.odd[0];
  odd?.rows.forEach((row, k) => {
    rows[row]![0] = odd.texts[odd.codes[k]!]!;
  });
  return rows;
}

const number = fc.oneof(
  fc.integer({ min: -999, max: 999 }),
  fc.integer({ min: 1_000, max: 999_999 }),
  fc.constantFrom('', 'NA', '1.5', 'x"y'),
);
const word = fc.string({ unit: fc.constantFrom(...'ab,"é '), maxLength: 5 });

it('reads the same rows wherever the file is cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(number, word), { minLength: 1, maxLength: 30 }),
      fc.boolean(),
      fc.boolean(),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }),
      (rows, crlf, lastEnds, cuts) => {
        const write = (cell: string | number): string => {
          const text = typeof cell === 'number' && cell >= 1000 ? cell.toLocaleString('en') : String(cell);
          return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
        };
        const end = crlf ? '\r\n' : '\n';
        const text = rows.map((row) => row.map(write).join(',')).join(end) + (lastEnds ? end : '');
        const task = taskOf(text, crlf);
        const places = [...new Set([0, ...cuts.map((share) => Math.floor(share * task.to)), task.to])].sort(
          (a, b) => a - b,
        );
        const found = places.slice(1).flatMap((to, i) => {
          const { answer } = parsePiece({ ...task, from: places[i]!, to, first: i === 0 });
          if (typeof answer === 'string') throw new Error(answer);
          const told = answer.told[0]!;
          const grouped = cellsOf(answer).map(([value]) => typeof value === 'number' && value >= 1000);
          // A bit is set for each number that is written with a mark.
          grouped.forEach((is, row) => {
            expect((told.rewritten![row >> 3]! >> (row & 7)) & 1).toBe(is ? 1 : 0);
          });
          return cellsOf(answer);
        });
        expect(found).toEqual(rows.map((row) => [...row]));
      },
    ),
    { numRuns: 300 },
  );
});

it.each([
  ['1,a\n2\n', 'irregular'],
  ['1,a\n2,b,c\n', 'irregular'],
  ['1,a\n\n2,b\n', 'irregular'],
  ['1,a"b\n', 'irregular'],
  ['1,"a"b\n', 'irregular'],
  ['1,a\r\n2,b\n', 'irregular'],
  ['1,"a\nb"\n', 'multiline'],
])('leaves %j to other readers', (text, why) => {
  expect(parsePiece(taskOf(text, false)).answer).toBe(why);
});

it('gives up texts that hardly repeat', () => {
  const text = Array.from({ length: 70_000 }, (_, i) => `1,w${i}\n`).join('');
  expect(parsePiece(taskOf(text, false)).answer).toBe('distinct');
});
