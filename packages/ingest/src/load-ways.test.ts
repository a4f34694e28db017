import { describe, expect, it } from 'vitest';
import { checkFile } from './check-file.ts';
import { temporaryFolder } from './temporary-file.fixture.ts';

const { file } = temporaryFolder();
const rows = 30_000;
const filler = 'x'.repeat(140);

/** A file that is large enough for suppositions, with other cells in a row far behind the sample. */
async function check(odd: { number?: string; comma?: string; text?: string }) {
  const lines = Array.from({ length: rows }, (_, i) =>
    i === 21_234
      ? [i, odd.number ?? '1.5', odd.comma ?? '"2,5"', odd.text ?? 'up', filler].join(';')
      : [i, `${i % 90}.25`, `${i % 80},75`, i % 3 ? 'up' : 'down', filler].join(';'),
  );
  const name = `ways-${Object.values(odd).join('').replaceAll(/\W/g, '')}.csv`;
  const result = await checkFile(file(name, `id;number;comma;text;filler\n${lines.join('\n')}\n`), {
    clean: { delimiter: ';' },
  });
  const count = (kind: string, column: string) =>
    result.changes.find((change) => change.kind === kind && change.column === column)?.count ?? 0;
  const [id, number, comma, text] = result.columns;
  return { result, count, id: id!, number: number!, comma: comma!, text: text! };
}

describe('suppositions from the sample', () => {
  it('hold for a regular file, whose rewritten cells are counted with their texts', async () => {
    const { result, count, number, comma, text } = await check({});
    expect(result).toMatchObject({ rows, reader: 'direct' });
    expect([number.type, comma.type, text.type]).toEqual(['number', 'number', 'text']);
    expect(count('cell.number', 'comma')).toBe(rows);
    const change = result.changes.find(({ kind, column }) => kind === 'cell.number' && column === 'comma');
    expect(change?.examples.slice(0, 2)).toEqual([
      { row: 1, before: '0,75', after: '0.75' },
      { row: 2, before: '1,75', after: '1.75' },
    ]);
    expect(comma.before.numeric).toMatchObject({ min: 0.75, max: 79.75 });
  });

  it.each([
    ['a word', 'number', 'oops'],
    ['an underscore', 'number', '1_0'],
    ['infinity', 'number', 'inf'],
    ['a word among decimal commas', 'comma', 'oops'],
    ['an underscore among decimal commas', 'comma', '1_0,5'],
  ] as const)('are given up for %s', async (_, column, cell) => {
    const found = await check({ [column]: cell });
    expect(found[column]).toMatchObject({ type: 'number', unreadable: 1, missing: 1 });
    expect(found.count('cell.unreadable', column)).toBe(1);
    expect(found.result.rows).toBe(rows);
  });

  it.each([
    ['a blank at its edge', ' up', 0, 'cell.trimmed'],
    ['a word for missing', 'NA', 1, 'cell.missing-word'],
  ] as const)('are given up for a text with %s', async (_, cell, missing, kind) => {
    const found = await check({ text: cell });
    expect(found.text).toMatchObject({ type: 'text', missing });
    expect(found.text.before.distinct).toBe(2);
    expect(found.count(kind, 'text')).toBe(1);
  });
});
