import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type ImportOptions, importFile } from './import-file.ts';
import { columnStats, previewVersion } from './preview-version.ts';
import { temporaryFolder } from './temporary-file.fixture.ts';
import { sweepUnfinished } from './unfinished.ts';

const { dir, file } = temporaryFolder();
let serial = 0;
const bring = (content: string | Uint8Array, options: Partial<ImportOptions> = {}) =>
  importFile(file(`import-${serial++}.csv`, content), { outDir: join(dir, `out-${serial}`), ...options });
const read = (path: string): string => readFileSync(path, 'utf8');

describe('a version', () => {
  it('holds clean CSV, Parquet, report, rejected rows, odd cells and the original', async () => {
    const content =
      'id;weight (kg);day;label\n007;1,5;31.12.2023;a\n008;;01.02.2024;b\n009;2,5;05.06.2024;\n010;oops;07.08.2024;a\n';
    const rows = Array.from({ length: 20 }, (_, i) => `1${i};3,5;09.10.2024;b\n`).join('');
    const version = await bring(content + rows, { target: 'label' });
    expect(read(version.files.csv).split('\n').slice(0, 4)).toEqual([
      'id,weight (kg),day,label',
      '007,1.5,2023-12-31,a',
      '008,3.5,2024-02-01,b',
      '010,3.5,2024-08-07,a',
    ]);
    expect(read(version.files.rejected)).toBe(
      'line,reason,text\n4,"has no value for the target ""label""","009;2,5;05.06.2024;"\n',
    );
    expect(read(version.files.cells)).toBe('row,column,text\n4,weight (kg),oops\n');
    expect(read(version.files.original!)).toBe(content + rows);
    expect(version).toMatchObject({ rows: 23, rejected: 1, existed: false, target: 'label' });
    const preview = await previewVersion(version.dir, { limit: 2, offset: 1 });
    expect(preview).toEqual({
      columns: [
        { name: 'id', type: 'VARCHAR' },
        { name: 'weight (kg)', type: 'DOUBLE' },
        { name: 'day', type: 'DATE' },
        { name: 'label', type: 'VARCHAR' },
      ],
      rows: [
        ['008', 3.5, '2024-02-01', 'b'],
        ['010', 3.5, '2024-08-07', 'a'],
      ],
      total: 23,
    });
    expect(JSON.parse(read(version.files.report))).toEqual(version.report);
  });

  it('is named by content and options, and made once', async () => {
    const content = 'a,b\n1,2\n3,4\n';
    const outDir = join(dir, 'twice');
    const first = await bring(content, { outDir });
    const again = await bring(content, { outDir });
    const other = await bring(content, { outDir, clean: { impute: 'mean' } });
    const same = await bring(content, { outDir, clean: { clip: undefined } });
    expect(again).toMatchObject({ hash: first.hash, existed: true });
    expect(same.hash).toBe(first.hash);
    expect(other.hash).not.toBe(first.hash);
    expect(readdirSync(outDir).sort()).toEqual([first.hash, other.hash].sort());
    expect(statSync(first.files.csv).mode & 0o222).toBe(0);
  });

  it('is the same bytes however often it is made', async () => {
    const lines = Array.from(
      { length: 30_000 },
      (_, i) => `${i},${((i * 7919) % 1009) / 7},${i % 13 ? `t${i % 5}` : ''},${i % 2}`,
    );
    const content = `id,x,kind,y\n${lines.join('\n')}\n`;
    const clean = { impute: 'mean', clip: [0.01, 0.99] } as ImportOptions['clean'];
    const one = await bring(content, { target: 'y', clean });
    const two = await bring(content, { target: 'y', clean, memoryMiB: 256 });
    for (const name of ['csv', 'parquet', 'report', 'rejected', 'cells'] as const)
      expect(readFileSync(one.files[name]).equals(readFileSync(two.files[name])), name).toBe(true);
  });

  it('gives figures before and after for every column', async () => {
    const version = await bring(
      `x,y\n${Array.from({ length: 101 }, (_, i) => `${i === 100 ? 10_000 : i},${i % 2}`).join('\n')}\n`,
      {
        clean: { clip: { iqr: 1.5 } },
      },
    );
    const [x] = await columnStats(version.dir);
    expect(x).toMatchObject({ clipped: 1, outliers: 1, plan: { clip: { min: -50, max: 150 } } });
    expect(x?.before.numeric).toMatchObject({ min: 0, max: 10_000, median: 50, p25: 25, p75: 75 });
    expect(x?.before.numeric?.histogram.map((bin) => bin.count)).toEqual([100, ...Array(18).fill(0), 1]);
    expect(x?.after?.numeric).toMatchObject({ min: 0, max: 150 });
  });
});

describe('cleaning', () => {
  const table = 'n,w,c,y\n1,1.5,a,1\n2,,a,2\n,2.5,b,3\n4,3.5,,4\n100,4.5,a,5\n';
  const cells = async (clean: ImportOptions['clean'], target?: string) =>
    read((await bring(table, { clean, ...(target && { target }) })).files.csv)
      .trim()
      .split('\n')
      .slice(1);

  it('fills with medians and modes when nothing is said', async () => {
    expect(await cells(undefined)).toEqual([
      '1,1.5,a,1',
      '2,3.0,a,2',
      '3,2.5,b,3',
      '4,3.5,a,4',
      '100,4.5,a,5',
    ]);
  });

  it('fills as it is told, globally and by column', async () => {
    expect((await cells({ impute: 'none' }))[1]).toBe('2,,a,2');
    expect((await cells({ impute: 'mean' }))[2]).toBe('27,2.5,b,3');
    expect((await cells({ columns: { w: { impute: 'constant', value: -1 } } }))[1]).toBe('2,-1.0,a,2');
    expect((await cells({ columns: { c: { impute: 'constant', value: 'none' } } }))[3]).toBe('4,3.5,none,4');
  });

  it('adds indicators on request, for columns that were filled', async () => {
    const version = await bring(table, { clean: { missingIndicators: true } });
    expect(read(version.files.csv).split('\n').slice(0, 3)).toEqual([
      'n,n_missing,w,w_missing,c,c_missing,y',
      '1,0,1.5,0,a,0,1',
      '2,0,3.0,1,a,0,2',
    ]);
  });

  it('clips by quantiles, interquartile range and bounds, but never the target or flags', async () => {
    const many = `x,flag,y\n${Array.from({ length: 1000 }, (_, i) => `${i},${i === 5 ? 1 : 0},${i * 10}`).join('\n')}\n`;
    const version = await bring(many, {
      target: 'y',
      clean: { clip: [0.1, 0.9], columns: { x: { clip: { max: 500 } } } },
    });
    const [x, flag, y] = version.columns;
    expect(x).toMatchObject({ clipped: 499, plan: { clip: { min: null, max: 500 } } });
    expect(flag).toMatchObject({ clipped: 0, plan: { clip: null } });
    expect(y).toMatchObject({ clipped: 0, target: true, plan: { clip: null, impute: 'none' } });
    const quantiles = await bring(`x\n${Array.from({ length: 101 }, (_, i) => i / 2).join('\n')}\n`, {
      clean: { clip: [0.1, 0.9] },
    });
    expect(quantiles.columns[0]).toMatchObject({ clipped: 20, plan: { clip: { min: 5, max: 45 } } });
  });

  it('leaves the target as it is written', async () => {
    const version = await bring('x,y\n1,yes\n2,no\n3,yes\n', { target: 'y' });
    expect(read(version.files.csv)).toBe('x,y\n1,yes\n2,no\n3,yes\n');
  });

  it('drops duplicates only when asked, keeps the first, and keeps the order', async () => {
    const content = 'a,b\n3,x\n1,y\n3,x\n2,z\n1,y\n';
    expect((await bring(content)).rows).toBe(5);
    const version = await bring(content, { clean: { dropDuplicates: true } });
    expect(read(version.files.csv)).toBe('a,b\n3,x\n1,y\n2,z\n');
    expect(read(version.files.rejected)).toBe(
      'line,reason,text\n4,repeats an earlier row,"3,x"\n6,repeats an earlier row,"1,y"\n',
    );
  });

  it('writes integers beyond 2^53 exactly', async () => {
    const version = await bring('k,v\n1,9007199254740993\n2,9223372036854775807\n');
    expect(read(version.files.csv)).toContain('9007199254740993\n2,9223372036854775807');
    expect((await previewVersion(version.dir)).rows).toEqual([
      [1, '9007199254740993'],
      [2, '9223372036854775807'],
    ]);
  });

  it('computes quantiles out of core exactly as it does in memory', async () => {
    const content = `x\n${Array.from({ length: 5000 }, (_, i) => Math.exp(((i * 7919) % 5003) / 300).toFixed(6)).join('\n')}\n`;
    const free = await bring(content);
    const bounded = await bring(content, { outDir: join(dir, 'bounded'), heldValues: 3 });
    expect(bounded.columns[0]?.before).toEqual(free.columns[0]?.before);
    const sorted = content
      .trim()
      .split('\n')
      .slice(1)
      .map(Number)
      .sort((a, b) => a - b);
    expect(free.columns[0]?.before.numeric?.median).toBeCloseTo((sorted[2499]! + sorted[2500]!) / 2, 9);
    expect(free.columns[0]?.before.numeric?.p25).toBeCloseTo(
      sorted[1249]! + (sorted[1250]! - sorted[1249]!) * 0.75,
      9,
    );
  });
});

describe('the clean CSV', () => {
  it('is the same whether its cells are made from numbers or from texts', async () => {
    const words = ['plain', '"with, comma"', '"a ""quote"""', '#hash', '"two\nlines"', 'ü', ''];
    const rows = Array.from({ length: 3000 }, (_, i) =>
      [
        i,
        i % 7 === 3 ? '' : (((i * 37) % 1000) / 100).toFixed(2),
        i % 11 === 0 ? '' : String(((i * 7919) % 100_003) / 2 ** (i % 12)),
        i % 2 === 0 ? 'yes' : i % 5 === 0 ? '' : 'no',
        `20${10 + (i % 13)}-0${1 + (i % 9)}-1${i % 10}`,
        words[i % words.length],
        i % 3 === 0 ? -i * 1000 : '',
      ].join(','),
    );
    const header = 'id,cents,odd,flag,day,word,whole';
    const clean = { clip: [0.01, 0.99], missingIndicators: true } as ImportOptions['clean'];
    const made = await bring([header, ...rows, ''].join('\n'), { clean });
    // Times are written as texts, and all that stands beside them.
    const late = '2024-01-02 03:04:05';
    const content = [`${header},at`, ...rows.map((row) => `${row},${late}`), ''].join('\n');
    const texts = await bring(content, { clean });
    expect(texts.columns.at(-1)).toMatchObject({ type: 'datetime' });
    const lines = read(texts.files.csv).replaceAll(`,${late}\n`, '\n').replace(',at\n', '\n');
    expect(lines).toBe(read(made.files.csv));
    expect(made.columns.map(({ type }) => type)).toEqual([
      ...['integer', 'number', 'number', 'boolean', 'date', 'text', 'integer'],
    ]);
    expect(lines).toContain('"a ""quote"""');
  });
});

describe('refusals', () => {
  const codes = (promise: Promise<unknown>) =>
    promise.then(
      () => 'no error',
      (error) => `${error.code}: ${error.message}`,
    );

  it('names the column that does not exist and suggests one', async () => {
    expect(await codes(bring('alpha,beta\n1,2\n', { target: 'bta' }))).toBe(
      'BAD_SPEC: target: the file has no column "bta"; did you mean "beta"?',
    );
    expect(
      await codes(bring('alpha,beta\n1,2\n', { clean: { columns: { gamma: { impute: 'mean' } } } })),
    ).toContain('clean.columns.gamma: the file has no column "gamma"');
  });

  it('refuses options that make no sense', async () => {
    expect(await codes(bring('a\n1\n', { clean: { impute: 'zero' } as never }))).toContain(
      'BAD_SPEC: impute: Invalid option',
    );
    expect(await codes(bring('a\n1\n', { clean: { clip: [0.9, 0.1] } }))).toContain(
      'first quantile must be below',
    );
    expect(await codes(bring('a\n1\n', { clean: { imput: 'mean' } as never }))).toContain('UNKNOWN_KEY');
    expect(await codes(bring('a\n1\n', { clean: { impute: 'constant' } }))).toContain('needs a value');
    expect(await codes(bring('a\n1\n', { clean: { encoding: 'klingon' } }))).toContain(
      'not a known encoding',
    );
    expect(
      await codes(bring('a\n1\n', { clean: { columns: { a: { impute: 'constant', value: 'x' } } } })),
    ).toContain('is not a number');
  });

  it('leaves nothing behind when it fails or is aborted', async () => {
    const outDir = join(dir, 'failed');
    await codes(bring('a,b\n1,2\n', { outDir, target: 'zzz' }));
    const abort = AbortSignal.abort(new Error('stop'));
    await expect(bring('a,b\n1,2\n', { outDir, signal: abort })).rejects.toThrow('stop');
    expect(readdirSync(outDir)).toEqual([]);
  });
});

it.each(['scan', 'measure', 'write'] as const)(
  'leaves nothing of an import by threads that is aborted at %s',
  async (stage) => {
    const outDir = join(dir, `aborted-${stage}`);
    const source = file(`aborted-${stage}.csv`, `a,b,c\n${'1,2.5,text\n'.repeat(600_000)}`);
    const abort = new AbortController();
    const stop = new Error('stop');
    const importing = importFile(source, { outDir, signal: abort.signal }, (progress) => {
      if (progress.stage === stage) abort.abort(stop);
    });
    await expect(importing).rejects.toBe(stop);
    expect(readdirSync(outDir)).toEqual([]);
  },
);

it('shows nothing of an import that is killed, and sweeps it away', async () => {
  const outDir = join(dir, 'killed');
  const source = join(dir, 'large.csv');
  writeFileSync(source, `a,b,c\n${'1,2.5,text\n'.repeat(800_000)}`);
  const program = `import { importFile } from ${JSON.stringify(fileURLToPath(new URL('./import-file.ts', import.meta.url)))};
    await importFile(${JSON.stringify(source)}, { outDir: ${JSON.stringify(outDir)} }, (p) => { if (p.stage === 'measure') console.log('measuring'); });`;
  const child: ChildProcess = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout!, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  const left = readdirSync(outDir);
  expect(left.every((name) => name.startsWith('.unfinished-'))).toBe(true);
  expect(left).toHaveLength(1);
  expect(await sweepUnfinished(outDir)).toBe(1);
  expect(readdirSync(outDir)).toEqual([]);
});
