import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CleanOptions } from '@vgpu/core';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { cleanFile } from './clean-file.ts';
import { importFile } from './import-file.ts';
import type { Report, VersionResult } from './result.ts';
import { StoredRows } from './stored-rows.ts';
import { temporaryFolder } from './temporary-file.fixture.ts';
import { bytesOf, dirtyTable } from './testing/dirty-table.ts';
import { TypedRows } from './typed-rows.ts';

const { dir, file } = temporaryFolder();
let serial = 0;
const taken = { threads: 0, engine: 0 };

/** What an import would report of the file's values. */
async function read(
  path: string,
  threadsFrom: number,
): Promise<{ report: Report; byThreads: boolean } | string> {
  const work = join(dir, `work-${serial++}`);
  mkdirSync(work);
  try {
    const result = await cleanFile(path, {
      clean: { clip: [0.01, 0.99], missingIndicators: true },
      target: 'target',
      work,
      copyTo: null,
      after: true,
      threadsFrom,
    });
    await using _engine = result!.engine;
    const { cleaned } = result!;
    await cleaned.outcomes.count();
    return { report: await cleaned.complete(), byThreads: cleaned.rows instanceof StoredRows };
  } catch (error) {
    return (error as Error).message;
  }
}

afterAll(() => {
  // Most tables are ones that threads can read: the comparison is one of two readers.
  expect(taken.threads).toBeGreaterThan(taken.engine);
});

it('says the same of a table, whichever reader has it', async () => {
  await fc.assert(
    fc.asyncProperty(dirtyTable, async (table) => {
      const path = file(`dirty-${serial++}.csv`, bytesOf(table));
      const [threads, engine] = [await read(path, 0), await read(path, Number.POSITIVE_INFINITY)];
      if (typeof threads === 'string' || typeof engine === 'string') {
        expect(threads).toBe(engine);
        return;
      }
      taken[threads.byThreads ? 'threads' : 'engine']++;
      expect(threads.report).toEqual(engine.report);
    }),
    { numRuns: 15 },
  );
}, 600_000);

const lines = (rows: number, of: (row: number) => string): string =>
  Array.from({ length: rows }, (_, row) => `${of(row)}\n`).join('');

it.each([
  ['with texts that hardly repeat', `a,b\n${lines(70_000, (i) => `${i},w${i}`)}`, {}],
  ['with odd cells that hardly repeat', `a,b\n${lines(700_000, (i) => `${i},${i % 10 ? i : `+${i}`}`)}`, {}],
  ['with integers beyond 2^53', `a,b\n${lines(50, (i) => `${i},90071992547409${90 + (i % 9)}`)}`, {}],
  [
    'with years of five digits',
    `a,b\n${lines(50, (i) => `${i},${i === 7 ? '12024-01-01' : '2024-01-01'}`)}`,
    {},
  ],
  ['with cells of many lines', `a,b\n${lines(50, (i) => `${i},"x\ny"`)}`, {}],
  ['whose rows are compared', `a,b\n${lines(50, (i) => `${i % 7},x`)}`, { dropDuplicates: true }],
  ['that another reading fits better', `a,b\n${lines(30_000, (i) => `${i},${i < 15_000 ? i : 'word'}`)}`, {}],
] as [string, string, CleanOptions][])('leaves files %s to the engine', async (_, text, clean) => {
  const work = join(dir, `work-${serial++}`);
  mkdirSync(work);
  const path = file(`left-${serial}.csv`, text);
  const result = await cleanFile(path, {
    ...{ clean, target: undefined, work, copyTo: null, after: true, threadsFrom: 0 },
  });
  await using _engine = result!.engine;
  expect(result!.opened.reader).toBe('direct');
  expect(result!.cleaned.rows).toBeInstanceOf(TypedRows);
  await result!.cleaned.outcomes.count();
  expect((await result!.cleaned.complete()).rows).toBeGreaterThan(6);
});

/** A file of some blocks: values that are missing, odd or rewritten, rows without a target, texts in quotes. */
function longTable(size: number): string {
  const lines = ['id;weight;visits;price;day;town;seen;target'];
  for (let i = 0; i < size; i++) {
    const weight =
      i % 31 === 0 ? '' : i % 47 === 0 ? 'k.A.' : `${(40 + (i % 600) / 10).toFixed(1).replace('.', ',')} kg`;
    const visits =
      i % 97 === 0
        ? '?'
        : i % 5 === 0
          ? `${1 + (i % 9)}.${String(i % 1000).padStart(3, '0')}`
          : String(i % 1000);
    const price =
      i % 5003 === 0 ? 'free' : ((i * 7919) % 100_003).toString().concat(',', String(i % 10), '5');
    const day = `${String(1 + (i % 28)).padStart(2, '0')}.0${1 + (i % 9)}.2024`;
    const town = i % 11 === 0 ? '"San; Jose"' : i % 13 === 0 ? ' Rome' : i % 17 === 0 ? 'NA' : 'Köln';
    lines.push(
      [
        i,
        weight,
        visits,
        price,
        day,
        town,
        i % 2 ? 'yes' : 'no',
        i % 29 === 0 ? '' : i % 3 ? 'up' : 'down',
      ].join(';'),
    );
  }
  return `${lines.join('\n')}\n`;
}

it('makes the same version of a long table in the engine, in memory and in a file', async () => {
  const path = file('long.csv', longTable(150_000));
  const ways = [
    { threadsFrom: Number.POSITIVE_INFINITY },
    { threadsFrom: 0 },
    { threadsFrom: 0, memoryMiB: 12 },
  ];
  const made = [];
  for (const way of ways)
    made.push(
      await importFile(path, {
        ...{ outDir: join(dir, `ways-${made.length}`), target: 'target', keepOriginal: false, ...way },
        clean: { clip: [0.01, 0.99], missingIndicators: true },
      }),
    );
  const [engine, memory, onDisk] = made as [VersionResult, VersionResult, VersionResult];
  expect(engine.report.changes.map(({ kind }) => kind)).toEqual(
    expect.arrayContaining([
      'cell.missing-word',
      'cell.number',
      'cell.integer',
      'cell.date',
      'cell.trimmed',
      'cell.unreadable',
    ]),
  );
  expect(engine.rejected).toBeGreaterThan(5000);
  for (const name of ['csv', 'report', 'rejected', 'cells'] as const) {
    const content = readFileSync(engine.files[name], 'utf8');
    for (const other of [memory, onDisk])
      expect(readFileSync(other.files[name], 'utf8') === content, name).toBe(true);
  }
  const [first, second, third] = made.map(({ files }) => readFileSync(files.parquet));
  expect(second!.equals(third!)).toBe(true);
  // The threads write Parquet in a way of their own, so they were at work.
  expect(second!.equals(first!)).toBe(false);
});
