import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ColumnReading } from './column-reading.ts';
import { Engine } from './engine.ts';
import type { StrictSource } from './load-table.ts';
import type { NumberFormat } from './number-format.ts';
import { shortestText } from './number-text.ts';
import { type NumberBytes, NumberReader } from './parse-number.ts';
import { planParse } from './parse-plan.ts';
import { valuesOfTexts } from './text-values.ts';

const plain: NumberBytes = {
  integer: false,
  decimal: 46,
  otherDecimal: -1,
  thousands: -1,
  suffixes: [],
  prefixes: [],
  blanks: true,
  compared: false,
};

/** The value of a whole text, and whether it is written as it stands; null where the text is not surely a number. */
function read(text: string, format: Partial<NumberBytes>): { value: number; verbatim: boolean } | null {
  const bytes = Buffer.from(`${text};`);
  const reader = new NumberReader({ ...plain, ...format });
  if (!reader.read(bytes, 0) || reader.end !== bytes.length - 1) return null;
  return { value: reader.value, verbatim: reader.verbatim };
}

const digits = (most: number) =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: most }).map((list) => list.join(''));
const spelling = fc
  .tuple(
    fc.constantFrom('', '-'),
    digits(25),
    fc.option(digits(25), { nil: null }),
    fc.option(fc.integer({ min: -330, max: 330 }), { nil: null }),
  )
  .map(
    ([sign, whole, fraction, exponent]) =>
      `${sign}${whole}${fraction === null ? '' : `.${fraction}`}${exponent === null ? '' : `e${exponent}`}`,
  );

describe('numbers in bytes', () => {
  it('are the nearest doubles, however many digits they have', () => {
    fc.assert(
      fc.property(
        fc.oneof(spelling, fc.double({ noNaN: true, noDefaultInfinity: true }).map(String)),
        (text) => {
          const found = read(text, {});
          // What is about to leave the range of doubles is not for this reader.
          const size = Math.abs(Number(text));
          if (found === null) expect(size > 1e299 || size < 1e-299 || /e\+/.test(text)).toBe(true);
          else expect(found.value).toBe(Number(text));
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('are only what the column may hold', () => {
    const texts = [
      '',
      '-',
      '.',
      '.5',
      '5.',
      '+5',
      '1e',
      '1e5x',
      '1,5',
      '1_000',
      '--1',
      '1 2',
      'inf',
      'NaN',
      '0x1',
      '١',
    ];
    for (const text of texts) expect(read(text, {}), text).toBeNull();
    for (const text of ['007', '-0', '1.0', '1e3', '1234567890123456'])
      expect(read(text, { integer: true, decimal: -1 }), text).toBeNull();
    expect(read(' 12 ', {})).toEqual({ value: 12, verbatim: false });
    expect(read(' 12', { blanks: false })).toBeNull();
  });

  it('know whether their value is written as they are', () => {
    fc.assert(
      fc.property(spelling, (text) => {
        const found = read(text, { blanks: false, compared: true });
        if (found) expect(found.verbatim).toBe(shortestText(found.value) === text);
      }),
      { numRuns: 3000 },
    );
  });

  it('have marks and units as the column has them', () => {
    const [kg, euro] = ['kg', '€'].map((unit) => new Uint8Array(Buffer.from(unit))) as [
      Uint8Array,
      Uint8Array,
    ];
    const bytes = { decimal: 44, thousands: 46, suffixes: [kg, euro], prefixes: [euro], blanks: false };
    expect(read('1.234,50 kg', bytes)).toEqual({ value: 1234.5, verbatim: false });
    expect(read('€ 1.234', bytes)).toEqual({ value: 1234, verbatim: false });
    expect(read('€ 12 kg', bytes)).toBeNull();
    expect(read('12.34', bytes)).toBeNull();
    expect(read('12.3456', bytes)).toBeNull();
  });

  it('are what the engine makes of the same cells', async () => {
    await using engine = await Engine.open(null, false, 128);
    const format = fc.record<NumberFormat>({
      decimal: fc.constantFrom('.', ',', 'either'),
      thousands: fc.constantFrom('', '.', ',', ' ', "'"),
      units: fc.constantFrom([], ['kg'], ['€', 'kg'], ['EUR', '€']),
      unit: fc.constant(''),
      brackets: fc.boolean(),
      plain: fc.constant(false),
    });
    const cell = fc
      .tuple(
        fc.constantFrom('', '', '-', '+', '€', '-€ ', '('),
        digits(4),
        fc.array(fc.tuple(fc.constantFrom('.', ',', ' ', "'"), fc.oneof(digits(3), fc.constant('123'))), {
          maxLength: 3,
        }),
        fc.option(fc.tuple(fc.constantFrom('.', ','), digits(6)), { nil: null }),
        fc.constantFrom('', '', ' kg', 'kg', '  €', ' g', 'e3', 'e-2 kg', ' '),
      )
      .map(([before, first, groups, fraction, behind]) =>
        [before, first, ...groups.flat(), ...(fraction ?? []), behind].join(''),
      );
    await fc.assert(
      fc.asyncProperty(
        fc.array(cell, { minLength: 100, maxLength: 200 }),
        format,
        fc.constantFrom('integer' as const, 'number' as const),
        async (cells, number, type) => {
          number.unit = number.units[0] ?? '';
          // As formats come: where both marks are for decimals, thousands have another.
          const marks = number.decimal === 'either' ? ['.', ','] : [number.decimal];
          if (marks.includes(number.thousands)) number.thousands = '';
          number.plain = number.decimal === '.' && number.thousands === '' && number.units.length === 0;
          const reading: ColumnReading = { type, identifier: false, number, date: null, warning: null };
          const [plan] = planOf(reading);
          const [values] = await valuesOfTexts(engine, [reading], [cells], ['']);
          cells.forEach((text, i) => {
            const found = read(text, plan!.number!);
            if (!found) return;
            expect(found.value, text).toBe(values![i]!.number);
            const changed = values![i]!.changes.includes(`cell.${type}`);
            if (plan!.told === 'rewritten') expect(!found.verbatim, text).toBe(changed);
          });
        },
      ),
      { numRuns: 60 },
    );
  });
});

const planOf = (reading: ColumnReading) => {
  const source: StrictSource = {
    ...{ path: '', encoding: 'utf-8', delimiter: ';', quote: '"', newline: 'lf', skipLines: 0, offset: 0 },
    ...{ width: 2, longest: 10, multiline: false, bytes: 0, underscores: false },
  };
  const plan = planParse(source, [reading, reading], [[], []]);
  return 'columns' in plan ? plan.columns : [];
};
