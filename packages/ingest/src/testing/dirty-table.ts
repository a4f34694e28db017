import fc from 'fast-check';

/** A table as text, of columns that are each written in a way of their own, with a few cells that are not. */
export interface DirtyTable {
  names: string[];
  rows: string[][];
  delimiter: string;
  newline: string;
  latin: boolean;
  quoteAll: boolean;
  lastLineEnds: boolean;
}

const pick = (...texts: string[]) => fc.constantFrom(...texts);
const digits = (most: number) =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: most }).map((list) => list.join(''));
const whole = fc.integer({ min: -5000, max: 99_999 }).map(String);
const decimals = (mark: string, places: number) =>
  fc
    .integer({ min: -9_999_999, max: 9_999_999 })
    .map((value) => (value / 10 ** places).toFixed(places).replace('.', mark));
const grouped = (mark: string) =>
  fc.integer({ min: 0, max: 3_000_000 }).map((value) => String(value).replace(/\B(?=(\d{3})+$)/g, mark));
const day = fc.record({
  y: fc.integer({ min: 1990, max: 2030 }),
  m: fc.integer({ min: 1, max: 12 }),
  d: fc.integer({ min: 1, max: 28 }),
});
const two = (value: number): string => String(value).padStart(2, '0');

/** Cells that are rarely what the rest of a column is. */
const odd = pick(
  ...[
    '',
    '',
    '',
    'NA',
    'n/a',
    '-',
    'k.A.',
    '?',
    ' ',
    'none',
    'NULL',
    'oops',
    '+5',
    '007',
    ' 12',
    '12 ',
    '1e3',
    '1E-2',
  ],
  ...[
    '1_000',
    '.5',
    '5.',
    '-0',
    '-0.0',
    'inf',
    '-nan',
    '0x10',
    '(12)',
    '12 kg',
    '1,5',
    '1.5',
    '1.234,5',
    '1,234.5',
  ],
  ...[
    '12345678901234567890',
    '9007199254740993',
    '0.12345678901234567890',
    '1e400',
    '1e-320',
    '--5',
    '5-',
    '1 2',
  ],
  ...[
    'x "y"',
    'a;b',
    'a,b',
    'a|b',
    '#1',
    "it's",
    '12kg',
    '€ 12',
    '2024-02-30',
    '31.12.2023',
    '2024-01-05',
    'TRUE',
    'ja',
  ],
);

const kinds: (() => fc.Arbitrary<string>)[] = [
  () => whole,
  () => decimals('.', 2),
  () => decimals('.', 6),
  () => decimals(',', 2),
  () => fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  () => fc.double({ min: -1, max: 1, noNaN: true }).map(String),
  () => fc.tuple(digits(20), digits(20)).map(([a, b]) => `${a}.${b}`),
  () => grouped(','),
  () => grouped('.'),
  () => grouped(' '),
  () => decimals(',', 1).map((text) => `${text} kg`),
  () => decimals('.', 2).map((text) => `$${text}`),
  () => decimals('.', 1).map((text) => `${text} €`),
  () =>
    fc.oneof(
      decimals('.', 1).map((text) => `${text} kg`),
      whole.map((text) => `${text} g`),
    ),
  () => day.map(({ y, m, d }) => `${y}-${two(m)}-${two(d)}`),
  () => day.map(({ y, m, d }) => `${two(d)}.${two(m)}.${y}`),
  () => day.map(({ y, m, d }) => `${y}-${two(m)}-${two(d)} ${two(d % 24)}:${two(m * 3)}`),
  () => pick('yes', 'no', 'Yes', 'no '),
  () => pick('Köln', 'Paris', 'San Jose', ' Rome', 'Lima ', 'a"b', 'NA'),
  () => pick('up', 'down'),
  () => fc.string({ maxLength: 4, unit: fc.constantFrom(...'abc d"é#') }),
];

const column = fc
  .tuple(fc.constantFrom(...kinds), fc.constantFrom(0, 0, 0.02, 0.1))
  .chain(([kind, share]) => fc.record({ share: fc.constant(share), cell: fc.constant(kind()) }));

/** Tables of some columns and rows; the last column is called `target` and misses some values. */
export const dirtyTable: fc.Arbitrary<DirtyTable> = fc
  .record({
    columns: fc.array(column, { minLength: 3, maxLength: 9 }),
    size: fc.integer({ min: 30, max: 120 }),
  })
  .chain(({ columns, size }) => {
    const cells = columns.map(({ cell, share }) =>
      fc.array(
        share === 0
          ? cell
          : fc.oneof(
              { weight: Math.round((1 - share) * 100), arbitrary: cell },
              { weight: share * 100, arbitrary: odd },
            ),
        { minLength: size, maxLength: size },
      ),
    );
    const target = fc.array(pick('up', 'down', 'up', 'down', 'up', ''), { minLength: size, maxLength: size });
    return fc.record({
      names: fc.constant([...columns.map((_, i) => `c${i}`), 'target']),
      rows: fc
        .tuple(...cells, target)
        .map((list) => Array.from({ length: size }, (_, row) => list.map((own) => own[row]!))),
      delimiter: pick(',', ';', '\t', '|'),
      newline: pick('\n', '\r\n'),
      latin: fc.boolean(),
      quoteAll: fc.boolean(),
      lastLineEnds: fc.boolean(),
    });
  });

/** The table's bytes. */
export function bytesOf({
  names,
  rows,
  delimiter,
  newline,
  latin,
  quoteAll,
  lastLineEnds,
}: DirtyTable): Buffer {
  const write = (cell: string): string =>
    quoteAll || cell.includes(delimiter) || cell.includes('"') ? `"${cell.replaceAll('"', '""')}"` : cell;
  const lines = [names, ...rows].map((row) => row.map(write).join(delimiter));
  const text = lines.join(newline) + (lastLineEnds ? newline : '');
  return Buffer.from(latin ? text.replaceAll('€', '$') : text, latin ? 'latin1' : 'utf8');
}
