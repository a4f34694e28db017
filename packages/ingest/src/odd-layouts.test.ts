import { describe, expect, it } from 'vitest';
import { checkFile } from './check-file.ts';
import { temporaryFolder } from './temporary-file.fixture.ts';

const { file } = temporaryFolder();
let serial = 0;
const check = (content: string | Uint8Array) => checkFile(file(`odd-${serial++}.csv`, content));
const columns = (result: Awaited<ReturnType<typeof check>>): string[] =>
  result.columns.map(({ name, type }) => `${name}: ${type}`);

describe('what stands between, above and below the rows', () => {
  it('takes the delimiter from a line that Excel reads for it', async () => {
    const result = await check('sep=;\na;b\n1;2\n3;4\n');
    expect(result.dialect).toMatchObject({ delimiter: ';', preamble: 1 });
    expect(columns(result)).toEqual(['a: integer', 'b: integer']);
    expect(result.rows).toBe(2);
  });

  it('sets a last row that sums up aside', async () => {
    const short = await check('time,hum\n2024-01-01,40\n2024-01-02,41\n2024-01-03,\nTotal,81\n');
    expect(columns(short)).toEqual(['time: date', 'hum: integer']);
    expect(short.rows).toBe(3);
    const texts = await check('city;people\nRome;3\nOslo;1\nLima;10\nSubtotal;14\nGrand total;14\n');
    expect(texts.rows).toBe(3);
    expect(texts.changes.find(({ kind }) => kind === 'line.footer')?.count).toBe(2);
  });

  it('finds the row that sums up at the end of a file of which only the start was sampled', async () => {
    const rows = Array.from({ length: 60_000 }, (_, i) => `${i},${i % 7},${(i % 11) / 4}`);
    const result = await check(`a,b,c\n${rows.join('\n')}\nTotal,179995,74998\n`);
    expect(result.rows).toBe(60_000);
    expect(result.columns[0]).toMatchObject({ type: 'integer', missing: 0 });
  });

  it('keeps a row whose label only looks like a sum', async () => {
    expect((await check('kind,n\ntotal,1\npart,2\ntotal,3\n')).rows).toBe(3);
    expect((await check('kind,note\nx,a\ny,b\ntotal,c\n')).rows).toBe(3);
  });

  it('sets comments between rows aside', async () => {
    const result = await check('a,b\n1,2\n# checked until here\n3,4\n5,6\n');
    expect(columns(result)).toEqual(['a: integer', 'b: integer']);
    expect(result.rows).toBe(3);
    expect(result.warnings.join(' ')).toContain('1 comment between its rows');
  });

  it('keeps a header that starts like a comment', async () => {
    expect(columns(await check('#id,b\n1,2\n3,4\n'))).toEqual(['#id: integer', 'b: integer']);
  });

  it('sees a header over blank lines', async () => {
    expect(columns(await check('a,b\n\n1,2\n3,4\n'))).toEqual(['a: integer', 'b: integer']);
    const spaced = await check('a,b\n\n1,2\n\n3,4\n\n5,6\n');
    expect(columns(spaced)).toEqual(['a: integer', 'b: integer']);
    expect(spaced.rows).toBe(3);
  });

  it('gives the names of merged cells to all their columns', async () => {
    const result = await check('size,,weight,\nmin,max,min,max\n1,2,3,4\n5,6,7,8\n9,1,2,3\n');
    expect(result.columns.map(({ name }) => name)).toEqual([
      'size min',
      'size max',
      'weight min',
      'weight max',
    ]);
  });

  it('reads delimiters behind backslashes as text', async () => {
    const result = await check('a|b\nx\\|y|1\nC:\\dir|2\n');
    expect(result.dialect).toMatchObject({ delimiter: '|', escape: '\\' });
    expect(result.columns[0]?.before.top?.map((one) => one.value).sort()).toEqual(['C:\\dir', 'x|y']);
  });

  it('repairs single stray bytes in text that is otherwise UTF-8', async () => {
    const bytes = Buffer.concat([Buffer.from('a,b\ncafé,1\n'), Buffer.from('naïve,2\n', 'latin1')]);
    const result = await check(bytes);
    expect(result.dialect.encoding).toBe('utf-8');
    expect(result.columns[0]?.before.top?.map((one) => one.value).sort()).toEqual(['café', 'naïve']);
  });

  it('calls the file by the name that it is given', async () => {
    const path = file('upload-1', 'a,b\n');
    await expect(checkFile(path, { file: 'sales.csv' })).rejects.toThrow(/sales\.csv/);
    await expect(checkFile(file('upload-2', ''), { file: 'none.csv' })).rejects.toThrow(/none\.csv/);
  });
});
