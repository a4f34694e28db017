import { describe, expect, it } from 'vitest';
import { type CheckOptions, checkFile } from './check-file.ts';
import type { CheckResult } from './result.ts';
import { temporaryFolder } from './temporary-file.fixture.ts';

const { file } = temporaryFolder();
let serial = 0;
const check = (content: string | Uint8Array, options?: CheckOptions): Promise<CheckResult> =>
  checkFile(file(`check-${serial++}.csv`, content), options);
const types = (result: CheckResult): string[] => result.columns.map((column) => column.type);
const kinds = (result: CheckResult): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { kind, count } of result.changes) counts[kind] = (counts[kind] ?? 0) + count;
  return counts;
};
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('dialects', () => {
  const rows = [
    ['id', 'name', 'score'],
    ['1', 'Ann', '2.5'],
    ['2', 'Bob', '3.5'],
    ['3', 'Cid', '4.25'],
  ];
  for (const delimiter of [',', ';', '\t', '|', ' ', ', ', ' | ', '||', '^', '~', '\u0001'])
    it(`finds the delimiter ${JSON.stringify(delimiter)}`, async () => {
      const result = await check(rows.map((row) => row.join(delimiter)).join('\n'));
      expect(result.dialect.delimiter).toBe(delimiter);
      expect(result.columns.map((column) => column.name)).toEqual(['id', 'name', 'score']);
      expect(types(result)).toEqual(['integer', 'text', 'number']);
      expect(result.rows).toBe(3);
    });

  for (const [newline, end] of [
    ['lf', '\n'],
    ['crlf', '\r\n'],
    ['cr', '\r'],
  ] as const)
    it(`reads lines that end in ${newline}`, async () => {
      const result = await check(rows.map((row) => row.join(',') + end).join(''));
      expect(result.dialect.newline).toBe(newline);
      expect(result.rows).toBe(3);
    });

  it('reads columns aligned with blanks', async () => {
    const result = await check('  x     y   name\n  1   2.5    ab\n 10  12.5     c\n');
    expect(result.dialect).toMatchObject({ delimiter: ' ', collapse: true });
    expect(types(result)).toEqual(['integer', 'number', 'text']);
  });

  it('reads single quotes, doubled and backslashed quotes, and line breaks inside quotes', async () => {
    const single = await check("a,b\n'x, y',1\n'z',2\n'it''s, ok',3\n");
    expect(single.dialect.quote).toBe("'");
    expect(single.rows).toBe(3);
    const slashed = await check('a,b\n"say \\"hi\\", you",1\n"z",2\n"\\"q\\"",3\n');
    expect(slashed.dialect.escape).toBe('\\');
    expect(slashed.columns[0]?.before.top?.map((one) => one.value)).toContain('say "hi", you');
    const lines = await check('a,b\n"one\ntwo",1\n"three ""x""",2\n');
    expect(lines.rows).toBe(2);
    expect(lines.columns[0]?.before.top?.map((one) => one.value)).toEqual(['one\ntwo', 'three "x"']);
  });

  it('lets the options override what it would detect', async () => {
    const result = await check('a;b,c\n1;2,3\n', { clean: { delimiter: ';', header: false, decimal: ',' } });
    expect(result.columns.map((column) => column.name)).toEqual(['column_1', 'column_2']);
    expect(result.rows).toBe(2);
  });
});

describe('encodings', () => {
  const text = 'name;größe\nJürgen;1,5\nRené;2,5\nZoë;3,25\n';
  for (const [name, bytes, bom] of [
    ['utf-8', Buffer.from(text), false],
    ['utf-8', Buffer.from(`\ufeff${text}`), true],
    ['windows-1252', latin1(text), false],
    ['utf-16le', Buffer.from(`\ufeff${text}`, 'utf16le'), true],
    ['utf-16be', Buffer.from(`\ufeff${text}`, 'utf16le').swap16(), true],
    ['utf-16le', Buffer.from(text.replaceAll('ö', 'o'), 'utf16le'), false],
  ] as const)
    it(`recognises ${name}${bom ? ' with a mark' : ''}`, async () => {
      const result = await check(bytes);
      expect(result.dialect).toMatchObject({ encoding: name, bom, decimal: ',', delimiter: ';' });
      expect(result.columns[0]?.before.top?.map((one) => one.value)).toContain('Jürgen');
      expect(result.columns[1]).toMatchObject({ type: 'number', missing: 0 });
    });

  it('repairs single stray bytes in UTF-8 and counts them', async () => {
    const bytes = Buffer.concat([Buffer.from('a,b\nÄpfel,1\nÖl,2\nÜber,3\n'), latin1('caf\u00e9,4\n')]);
    const result = await check(bytes);
    expect(result.dialect.encoding).toBe('utf-8');
    expect(kinds(result)['bytes.repaired']).toBe(1);
    expect(result.columns[0]?.before.top?.map((one) => one.value)).toContain('café');
  });

  it('takes out embedded NULs and counts them', async () => {
    const result = await check('a,b\n1,x\0y\n2,z\0\n3,w\n');
    expect(kinds(result)['nul.removed']).toBe(2);
    expect(result.columns[1]?.before.top?.map((one) => one.value)).toEqual(['w', 'xy', 'z']);
  });
});

describe('layout', () => {
  it('recognises that there is no header', async () => {
    const result = await check('5.1,3.5,setosa\n4.9,3.0,setosa\n6.2,2.9,virginica\n');
    expect(result.dialect.header).toBe(0);
    expect(result.rows).toBe(3);
    expect(result.columns.map((column) => column.name)).toEqual(['column_1', 'column_2', 'column_3']);
  });

  it('recognises a header of two rows, and one whose second row names units', async () => {
    const two = await check('size,size,colour\nwidth,height,main\n1,2,red\n3,4,blue\n5,6,red\n');
    expect(two.dialect.header).toBe(2);
    expect(two.columns.map((column) => column.name)).toEqual(['size width', 'size height', 'colour main']);
    const units = await check('mass,length,kind\nkg,(cm),\n1,2,a\n3,4,b\n5,6,a\n');
    expect(units.dialect.header).toBe(2);
    expect(units.columns.map(({ name, unit }) => [name, unit])).toEqual([
      ['mass', 'kg'],
      ['length', 'cm'],
      ['kind', null],
    ]);
  });

  it('sets preamble and footer aside', async () => {
    const result = await check(
      'Quarterly report\nprinted 2024-01-01\n\nid,x,y\n1,2,3\n4,5,6\n7,8,9\n\nSource: the office\n',
    );
    expect(result.dialect).toMatchObject({ preamble: 3, header: 1, footer: 1 });
    expect(result.rows).toBe(3);
    expect(result).toMatchObject({ rejected: 0, rejections: [] });
    expect(kinds(result)).toMatchObject({ 'line.preamble': 2, 'line.footer': 1 });
    expect(result.warnings.join(' ')).toContain('2 lines above the table and 1 line below it');
  });

  it('takes the largest of several tables and says so', async () => {
    const result = await check('a,b\n1,2\n3,4\n\nx,y,z\n1,2,3\n4,5,6\n7,8,9\n10,11,12\n');
    expect(result.tables.map(({ columns, chosen }) => [columns, chosen])).toEqual([
      [2, false],
      [3, true],
    ]);
    expect(result.columns.map((column) => column.name)).toEqual(['x', 'y', 'z']);
    expect(result.rows).toBe(4);
    expect(result.rejected).toBe(0);
    expect(kinds(result)['table.other']).toBe(3);
    expect(result.warnings.join(' ')).toContain('2 tables');
  });

  it('separates tables of equal width by their headers', async () => {
    const result = await check('a,b\n1,2\n3,4\n5,6\n\nname,age\nAnn,30\nBob,31\n');
    expect(result.columns.map((column) => column.name)).toEqual(['a', 'b']);
    expect(result.rows).toBe(3);
    expect(result.tables).toHaveLength(2);
  });

  it('reports a row that reads like the header of another table, without a gap before it', async () => {
    const rows = (from: number) =>
      Array.from({ length: 20 }, (_, i) => `${from + i},${i}.5,2024-01-${10 + i}\n`);
    const stacked = `id,size,day\n${rows(1).join('')}order,price,paid\n${rows(50).join('')}`;
    const result = await check(stacked);
    expect(result.rows).toBe(41);
    expect(result.warnings.join(' ')).toContain(
      'Row 21 reads like the header of another table ("order", "price"',
    );
    const oops = await check(`id,size,day\n${rows(1).join('')}order,1.5,2024-01-01\n`);
    expect(oops.warnings.join(' ')).not.toContain('another table');
  });

  it('drops repeated headers of files that were joined', async () => {
    const result = await check('a,b\n1,2\n3,4\na,b\n5,6\n');
    expect(result.rows).toBe(3);
    expect(result).toMatchObject({ rejected: 0, rejections: [] });
    expect(kinds(result)['header.repeated']).toBe(1);
    expect(types(result)).toEqual(['integer', 'integer']);
  });

  it('pads short rows, trims empty surplus fields, and rejects the rest with line and reason', async () => {
    const result = await check('a,b,c,d\n1,2,3,4\n1,2,3\n1,2,3,4,,\n1,2,3,4,5\n1\n5,6,7,8\n');
    expect(result.rows).toBe(4);
    expect(kinds(result)).toMatchObject({ 'row.padded': 1, 'row.trimmed': 1 });
    expect(
      result.rejections.flatMap(({ reason, examples }) =>
        examples.map(({ line, text }) => [line, text, reason]),
      ),
    ).toEqual([
      [6, '1', 'has 1 field where 4 are expected'],
      [5, '1,2,3,4,5', 'has 5 fields where 4 are expected'],
    ]);
    expect(result.reader).toBe('tolerant');
  });

  for (const [what, odd, rows, rejected] of [
    ['a short row', '7', 40_000, 1],
    ['a row too long', '7,8,9,10', 40_000, 1],
    ['a blank line', '', 40_000, 0],
    ['a repeated header', 'a,b,c', 40_000, 0],
    ['a stray quote', '7,8 "x,9', 40_001, 0],
    ['a quoted row', '7,"8, ""x""\n",9', 40_001, 0],
    ['a lone carriage return', '7,8\r,9', 40_002, 0],
  ] as const)
    it(`notices ${what} far behind the sample`, async () => {
      const lines = Array.from({ length: 40_000 }, (_, i) => `${i},t${i},${i % 7}.5`);
      const result = await check(['a,b,c', ...lines.toSpliced(31_234, 0, odd), ''].join('\n'));
      expect(result).toMatchObject({ rows, rejected });
      expect(result.reader).toBe(what === 'a quoted row' ? 'direct' : 'tolerant');
    });

  it('names empty and repeated headers, whatever their case', async () => {
    const result = await check('id,,Value,value,id\n1,2,3,4,5\n6,7,8,9,10\n');
    expect(result.columns.map(({ name, original }) => [name, original])).toEqual([
      ['id', null],
      ['column_2', ''],
      ['Value', null],
      ['value_2', 'value'],
      ['id_2', 'id'],
    ]);
  });

  it('drops a trailing column without name and values', async () => {
    const result = await check('a,b,\n1,2,\n3,4,\n');
    expect(result.columns.map((column) => column.name)).toEqual(['a', 'b']);
    expect(kinds(result)['column.dropped']).toBe(1);
  });

  it('gives the row names of R a name', async () => {
    const result = await check('x y\nAlpha 1 2\nBeta 3 4\nGamma 5 6\n');
    expect(result.columns.map((column) => column.name)).toEqual(['row', 'x', 'y']);
  });

  it('says the standard quote where no cell is quoted, and none only when it is switched off', async () => {
    expect((await check('a,b\n1,x\n2,y\n')).dialect).toMatchObject({ quote: '"', escape: '"' });
    expect((await check('size\n5\n6\n')).dialect.quote).toBe('"');
    expect((await check('pipe,n\n5" steel,1\n6" iron,2\n7" steel,3\n')).dialect.quote).toBe('"');
    expect((await check('a,b\n1,x\n2,y\n', { clean: { quote: '' } })).dialect.quote).toBe('');
  });

  it('survives a quote that is never closed', async () => {
    const result = await check('a,b,c\n1,"x,3\n4,y,6\n7,z,9\n');
    expect(result.rows).toBe(3);
    expect(result.columns[1]?.before.top?.map((one) => one.value)).toContain('"x');
  });
});

describe('types', () => {
  const column = async (cells: readonly string[], options?: CheckOptions) => {
    const content = `k\tv\n${cells.map((cell, i) => `r${i}x\t${cell}`).join('\n')}\n`;
    const result = await check(content, options);
    return { ...result.columns[1]!, warnings: result.warnings, result };
  };

  it('keeps identifiers with leading zeros and huge integers exact', async () => {
    expect(await column(['007', '012', '100'])).toMatchObject({ type: 'text', identifier: true });
    const big = await column(['9007199254740993', '9007199254740995', '12']);
    expect(big).toMatchObject({ type: 'integer', identifier: false });
    expect(await column(['12345678901234567890123', '22345678901234567890123'])).toMatchObject({
      type: 'text',
      identifier: true,
    });
  });

  it('finds a leading zero anywhere in a long file', async () => {
    const cells = Array.from({ length: 60_000 }, (_, i) => String(i + 1));
    cells[41_234] = '0042';
    expect(await column(cells)).toMatchObject({ type: 'text', identifier: true });
  });

  it('widens whole numbers when decimals come late', async () => {
    const cells = Array.from({ length: 60_000 }, (_, i) => String(i + 1));
    cells[41_234] = '0.5';
    expect(await column(cells)).toMatchObject({ type: 'number', unreadable: 0 });
  });

  for (const [title, cells, type, first, unit] of [
    ['decimal commas', ['1,5', '2,25', '-3,0'], 'number', 0.25, null],
    ['points for thousands', ['1.234,5', '2.000,25', '3,0'], 'number', null, null],
    ['commas for thousands', ['1,234.50', '2,000.25', '12.5'], 'number', null, null],
    ['blanks for thousands', ['1 234', '12 000', '7'], 'integer', null, null],
    ['dollars', ['$1,200.50', '$3.10', '-$4.00'], 'number', null, 'USD'],
    ['euros', ['3,50 €', '1.200,00 €', '7,10 €'], 'number', null, 'EUR'],
    ['percentages', ['45%', '12 %', '7.5%'], 'number', null, '%'],
    ['units', ['12 kg', '14.5 kg', '13kg'], 'number', null, 'kg'],
    ['accounting brackets', ['(12)', '15', '(7)'], 'integer', null, null],
    ['exponents', ['1e5', '2.5E-3', '7'], 'number', null, null],
  ] as const)
    it(`reads ${title}`, async () => {
      const found = await column(cells);
      expect(found).toMatchObject({ type, missing: 0, unreadable: 0, unit });
      if (first !== null) expect(found.before.numeric?.median).toBe(1.5);
    });

  it('reads values to the right numbers', async () => {
    const numeric = async (cells: readonly string[]) => {
      const { min, median, max } = (await column(cells)).before.numeric!;
      return [min, median, max];
    };
    expect(await numeric(['1.234,5', '2.000,25', '3,0'])).toEqual([3, 1234.5, 2000.25]);
    expect(await numeric(['1,234.50', '2,000.25', '12.5'])).toEqual([12.5, 1234.5, 2000.25]);
    expect(await numeric(['$1,200.50', '$3.10', '-$4.00'])).toEqual([-4, 3.1, 1200.5]);
    expect(await numeric(['(12)', '15', '(7)'])).toEqual([-12, -7, 15]);
    expect(await numeric(['1 kg', '500 g', '2 kg'])).toEqual([0.5, 1, 2]);
    expect(await numeric(['1,5', '2.5', '3,5'])).toEqual([1.5, 2.5, 3.5]);
  });

  it('keeps units that do not convert as text, with a warning', async () => {
    const found = await column(['5 kg', '3 m', '7 kg', '4 m']);
    expect(found.type).toBe('text');
    expect(found.warnings.join(' ')).toContain('cannot be converted');
  });

  it('finds the unit in a header', async () => {
    const result = await check('height (cm),weight [kg],price_usd\n180,80,1.5\n170,70,2.5\n');
    expect(result.columns.map((one) => one.unit)).toEqual(['cm', 'kg', 'USD']);
  });

  it('reads dates by the evidence of the column', async () => {
    expect(await column(['2024-01-31', '2024-02-01'])).toMatchObject({
      type: 'date',
      before: { min: '2024-01-31' },
    });
    expect(await column(['31/01/2024', '02/03/2024'])).toMatchObject({
      type: 'date',
      before: { max: '2024-03-02' },
    });
    expect(await column(['01/31/2024', '02/03/2024'])).toMatchObject({
      type: 'date',
      before: { max: '2024-02-03' },
    });
    expect(await column(['31.1.2024', '2.3.2024'])).toMatchObject({
      type: 'date',
      before: { max: '2024-03-02' },
    });
    expect(await column(['3 Jan 2024', '14 Feb 2024'])).toMatchObject({
      type: 'date',
      before: { max: '2024-02-14' },
    });
    expect(await column(['2024-01-31T10:00:00Z', '2024-01-31T10:00:00+02:00'])).toMatchObject({
      type: 'datetime',
      before: { min: '2024-01-31 08:00:00', max: '2024-01-31 10:00:00' },
    });
  });

  it('does not guess where day and month cannot be told apart, until it is told', async () => {
    const cells = ['01/02/2024', '03/04/2024'];
    const unsure = await column(cells);
    expect(unsure.type).toBe('text');
    expect(unsure.warnings.join(' ')).toContain('"dates"');
    expect(await column(cells, { clean: { dates: 'dmy' } })).toMatchObject({
      type: 'date',
      before: { min: '2024-02-01' },
    });
    expect(await column(cells, { clean: { dates: 'mdy' } })).toMatchObject({
      type: 'date',
      before: { min: '2024-01-02' },
    });
  });

  it('asks about numbers that look as if they stood for a missing value, and changes none', async () => {
    const rows = Array.from(
      { length: 200 },
      (_, i) => `${20 + (i % 50)},${i % 40 === 7 ? -999 : i},${i === 9 ? 999 : i % 30}`,
    );
    const report = await check(['age,gap,lone', ...rows, ''].join('\n'));
    expect(report.warnings).toContain(
      '"gap" holds -999 5 times, far from its other numbers. If it means "no value", set missing: ["-999"].',
    );
    expect(report.warnings.filter((one) => one.includes('no value'))).toHaveLength(1);
    expect(report.columns[1]).toMatchObject({ missing: 0, outliers: 5, before: { numeric: { min: -999 } } });
  });

  it('reads booleans, but not zeros and ones or single letters', async () => {
    expect((await column(['yes', 'no', 'Yes'])).type).toBe('boolean');
    expect((await column(['TRUE', 'FALSE', 'true'])).type).toBe('boolean');
    expect((await column(['0', '1', '1'])).type).toBe('integer');
    expect((await column(['F', 'M', 'F'])).type).toBe('text');
  });

  it('counts missing words and unreadable cells apart', async () => {
    const cells = [...Array.from({ length: 30 }, (_, i) => String(i)), 'NA', '-', '', 'oops'];
    const found = await column(cells);
    expect(found).toMatchObject({ type: 'integer', missing: 4, unreadable: 1 });
    const unreadable = found.result.changes.find((change) => change.kind === 'cell.unreadable');
    expect(unreadable).toMatchObject({
      column: 'v',
      count: 1,
      examples: [{ row: 34, before: 'oops', after: '' }],
    });
  });

  it('does not take 1_000, hexadecimal or infinity for numbers', async () => {
    const cells = [...Array.from({ length: 40 }, (_, i) => `${i}.5`), '1_000', 'inf'];
    expect(await column(cells)).toMatchObject({ type: 'number', unreadable: 1 });
  });
});
