import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plain } from './plain.ts';
import { cut, renderTable } from './table.ts';
import { displayWidth } from './width.ts';
import { ago, score } from './words.ts';

const dangerous = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

describe('plain', () => {
  test('leaves nothing that a terminal would obey', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => !dangerous.test(plain(text))));
    expect(plain('\x1b[31mred\x1b[0m')).toBe('[31mred[0m');
    expect(plain('a\nb\tc')).toBe('ab c');
    expect(plain('a\nb', true)).toBe('a\nb');
  });
});

describe('cut', () => {
  test('never exceeds the width, wide characters included', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', 'é', '漢', '🙂', ' ') }),
        fc.integer({ min: 1, max: 30 }),
        (text, width) => {
          expect(displayWidth(cut(text, width))).toBeLessThanOrEqual(width);
          if (displayWidth(text) <= width) expect(cut(text, width)).toBe(text);
        },
      ),
    );
  });
});

describe('renderTable', () => {
  const columns = [
    { title: 'name', shrinks: true },
    { title: 'n', align: 'right' as const },
  ];

  test('aligns', () => {
    expect(
      renderTable(
        columns,
        [
          ['a', 1],
          ['long', 100],
        ],
        80,
      ).split('\n'),
    ).toEqual(['name    n', 'a       1', 'long  100']);
  });

  test('fits the terminal by cutting what may be cut', () => {
    const lines = renderTable(columns, [['x'.repeat(100), 12345]], 30).split('\n');
    for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(30);
    expect(lines[1]).toMatch(/…\s+12345$/);
  });

  test('what is too wide for that goes on below, led by the column that tells the rows apart', () => {
    const wide = [
      { title: '#' },
      { title: 'task', key: true, shrinks: true },
      ...['accuracy', 'precision', 'recall'].map((title) => ({ title, align: 'right' as const })),
    ];
    const rows = [
      [1, 'north', 0.91, 0.92, 0.93],
      [2, 'south', 0.81, 0.82, 0.83],
    ];
    expect(renderTable(wide, rows, 29).split('\n')).toEqual([
      '#  task   accuracy  precision',
      '1  north      0.91       0.92',
      '2  south      0.81       0.82',
      '',
      'task   recall',
      'north    0.93',
      'south    0.83',
    ]);
  });

  test('no line is wider than the terminal, and every column is there', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ width: fc.integer({ min: 1, max: 30 }), shrinks: fc.boolean() }), {
          minLength: 1,
          maxLength: 12,
        }),
        fc.integer({ min: 60, max: 120 }),
        (shape, width) => {
          const all = shape.map(({ shrinks }, i) => ({ title: `c${i}`, shrinks }));
          const text = renderTable(all, [shape.map((one) => 'x'.repeat(one.width))], width);
          const lines = text.split('\n');
          for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(width);
          const titles = lines
            .filter((line) => line.includes('c'))
            .join(' ')
            .split(/\s+/);
          expect(new Set(titles)).toEqual(new Set(all.map(({ title }) => title)));
        },
      ),
    );
  });

  test('a missing value is a dash, and cells cannot break the line', () => {
    expect(renderTable(columns, [['a\nb', null]], 80)).toBe('name  n\nab    –');
  });
});

test('words', () => {
  expect(ago(1000, 1500)).toBe('just now');
  expect(ago(0, 12_300)).toBe('12 s ago');
  expect(ago(null)).toBe('–');
  expect(score(0.123456)).toBe('0.1235');
  expect(score(3)).toBe('3');
  expect(score(1)).toBe('1.0000');
  expect(score(54_321.98)).toBe('54322.0');
  expect(score(0.0000123)).toBe('1.230e-5');
  expect(score(undefined)).toBe('–');
});
