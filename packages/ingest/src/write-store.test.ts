import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CleanedTable } from './clean-table.ts';
import { duckType, sqlName, sqlReal, sqlText } from './column-sql.ts';
import type { StoreDescription } from './column-store.ts';
import { Engine } from './engine.ts';
import { NumberOutcomes } from './number-outcomes.ts';
import type { ColumnPlan } from './result.ts';
import { measureColumns } from './statistics.ts';
import { type GivenColumn, storeOf, tableOf } from './stored-table.fixture.ts';
import { TableWorkers } from './table-workers.ts';
import { writeCsv } from './write-csv.ts';
import { spansOf, writeStore } from './write-store.ts';

let engine: Engine;
let workers: TableWorkers;
let folder: string;
let made = 0;
beforeAll(async () => {
  engine = await Engine.open(null, false, 256);
  workers = new TableWorkers(2);
  folder = await mkdtemp(join(tmpdir(), 'vgpu-write-store-'));
});
afterAll(async () => {
  await workers.close();
  await engine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

interface Treated extends GivenColumn {
  name: string;
  clip?: ColumnPlan['clip'];
  fill?: number | string | null;
  decimals?: number | undefined;
  indicator?: boolean;
}

/** What cleaning says of such columns. */
async function cleanedOf(
  columns: readonly Treated[],
): Promise<Pick<CleanedTable, 'output' | 'outcomes' | 'kept'>> {
  const measured = await measureColumns(
    engine,
    columns.map(({ type }, i) => ({
      ...{ from: 'typed', value: `v${i}`, type, repeats: true, decimals: columns[i]!.decimals },
    })),
    3,
  );
  const output = columns.flatMap(({ name, type, clip = null, fill = null, decimals, indicator }, i) => {
    const plan: ColumnPlan = { impute: 'none', fill, clip, indicator: null, reading: [] };
    const v = `v${i}`;
    const bound = (value: number) => (type === 'integer' ? `${value}::BIGINT` : sqlReal(value));
    const others = [
      ...(clip?.min == null ? [] : [{ where: `${v} < ${bound(clip.min)}`, value: bound(clip.min) }]),
      ...(clip?.max == null ? [] : [{ where: `${v} > ${bound(clip.max)}`, value: bound(clip.max) }]),
      ...(fill === null
        ? []
        : [{ where: `${v} IS NULL`, value: `CAST(${sqlText(String(fill))} AS ${duckType(type)})` }]),
    ];
    const cases = others.map((one) => `WHEN ${one.where} THEN ${one.value}`).join(' ');
    const keeps = decimals !== undefined && measured[i]!.numbers?.keepDecimals(decimals);
    return [
      {
        ...{ name, type: duckType(type), sql: others.length > 0 ? `CASE ${cases} ELSE ${v} END` : v },
        from: { index: i, type, before: measured[i]!.stats, plan },
        ...(keeps ? { decimals: { count: decimals, value: v, cases: { same: 'true', others } } } : {}),
      },
      ...(indicator
        ? [
            {
              ...{ name: `${name}_missing`, type: 'INTEGER', indicates: i },
              sql: `CAST(${v} IS NULL AS INTEGER)`,
            },
          ]
        : []),
    ];
  });
  const outcomes = new NumberOutcomes(
    columns.map(({ clip = null, fill = null, cells }, index) => ({
      index,
      numbers: measured[index]!.numbers,
      treatment: {
        clip,
        fill: typeof fill === 'number' ? fill : null,
        missing: cells.filter((cell) => cell === null).length,
      },
    })),
  );
  return { output, outcomes, kept: 'typed' };
}

const paths = () => {
  made++;
  return { csv: join(folder, `${made}.csv`), parquet: join(folder, `${made}.parquet`) };
};

async function written(columns: readonly Treated[], perBlock: number, pool = workers) {
  const store = storeOf(columns, perBlock);
  pool.share('store', store);
  const cleaned = await cleanedOf(columns);
  const to = paths();
  await writeStore(store, pool, cleaned, to, columns.length === 1 ? 'NA' : '');
  const results = await cleaned.outcomes.results();
  return { csv: await readFile(to.csv), parquet: await readFile(to.parquet), to, results };
}

async function expectAsEngine(columns: readonly Treated[], perBlock: number): Promise<void> {
  await tableOf(engine, columns);
  for (const i of columns.keys()) await engine.run(`DROP TYPE IF EXISTS "words of ${i}"`);
  const cleaned = await cleanedOf(columns);
  const { output } = cleaned;
  const to = paths();
  const none = columns.length === 1 ? 'NA' : '';
  const isMade = await writeCsv(engine, cleaned as CleanedTable, to.csv, none);
  const list = output.map(({ sql, type, name }) => `CAST(${sql} AS ${type}) AS ${sqlName(name)}`).join(', ');
  // Where a column has no value at all, the statement below writes all numbers by their shortest text.
  const alike = isMade ? columns : columns.map((one) => ({ ...one, decimals: undefined }));
  const own = await written(alike, perBlock);
  if (!isMade) {
    await cleaned.outcomes.count();
    await engine.run(
      `COPY (SELECT ${list} FROM typed) TO ${sqlText(to.csv)} (FORMAT csv, HEADER true, QUOTE '"', NULLSTR '${none}')`,
    );
  }
  expect(own.csv.toString()).toBe(await readFile(to.csv, 'utf8'));
  const after = await cleaned.outcomes.results();
  expect(own.results.map((one) => one?.numeric.histogram)).toEqual(
    after.map((one) => one?.numeric.histogram),
  );
  expect(own.results.map((one) => one?.clipped)).toEqual(after.map((one) => one?.clipped));
  await engine.run(`COPY (SELECT ${list} FROM typed) TO ${sqlText(to.parquet)} (FORMAT parquet)`);
  const [ours, theirs] = [own.to.parquet, to.parquet].map((path) => `read_parquet(${sqlText(path)})`);
  const types = (from: string) =>
    engine.rows(`SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM ${from})`);
  expect(await types(ours!)).toEqual(await types(theirs!));
  const texts = (from: string) =>
    engine.rowArrays(
      `SELECT ${output.map(({ name }) => `CAST(${sqlName(name)} AS VARCHAR)`).join(', ')} FROM ${from}`,
    );
  expect(await texts(ours!)).toEqual(await texts(theirs!));
  const schema = (path: string) =>
    engine.rows(
      `SELECT name, type, converted_type, CAST(logical_type AS VARCHAR) AS logical, repetition_type FROM parquet_schema(${sqlText(path)}) OFFSET 1`,
    );
  expect(await schema(own.to.parquet)).toEqual(await schema(to.parquet));
  // The bounds of row groups hold: a reader that skips by them finds every row.
  for (const { name, from } of output) {
    const column = sqlName(name);
    const ends = await engine.rows(
      `SELECT DISTINCT CAST(${column} AS VARCHAR) AS text FROM ${theirs} WHERE ${column} IS NOT NULL LIMIT 5`,
    );
    for (const { text } of ends) {
      const type = from ? duckType(from.type) : 'INTEGER';
      const count = (where: string) =>
        engine.row(
          `SELECT count(*) AS n FROM ${where} WHERE ${column} = CAST(${sqlText(String(text))} AS ${type})`,
        );
      expect(await count(ours!)).toEqual(await count(theirs!));
    }
  }
}

const number = fc.oneof(
  fc.integer({ min: -9_999, max: 9_999 }).map((one) => one / 100),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((one) => one + 0),
  fc.constantFrom(1e-7, 1e16, -1e300),
);
const row = fc.tuple(
  fc.option(number),
  fc.option(fc.integer({ min: -2_000_000, max: 3e9 }).map((one) => one / 1000)),
  fc.option(fc.oneof(fc.maxSafeInteger(), fc.integer({ min: 0, max: 9 }))),
  fc.option(fc.constantFrom('Köln', 'a,b', 'say "x"', '', '#1', 'two\nlines', '𝒳')),
  fc.option(fc.boolean().map(String)),
  fc.option(fc.constantFrom('2024-02-29', '1969-12-31', '0001-01-01')),
  fc.option(fc.constantFrom('2024-02-29 10:00:00', '1950-02-28 10:00:00.5')),
);
const types = ['number', 'number', 'integer', 'text', 'boolean', 'date', 'datetime'] as const;

function treatedOf(rows: readonly (readonly (number | string | null)[])[], isFilled: boolean): Treated[] {
  const fills = [0.5, -1.25, 7, 'no, "none"', 'true', '2000-01-01', '2000-01-01 00:00:00'];
  return types.map((type, i) => ({
    ...{ name: `c "${i}"`, type, cells: rows.map((cells) => cells[i]!) },
    clip: i > 2 ? null : i === 2 ? { min: -1e12, max: 1e15 } : { min: null, max: 12.25 },
    fill: isFilled ? fills[i]! : null,
    indicator: i % 2 === 0,
    ...(i === 1 ? { decimals: 3 } : {}),
  }));
}

describe('a column store is written', () => {
  it('as the engine writes the same table', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 70 }),
        fc.boolean(),
        fc.boolean(),
        async (rows, perBlock, isFilled, noTimes) => {
          const columns = treatedOf(rows, isFilled);
          // The engine writes tables with times itself, and then all numbers by their shortest text.
          const same = columns.map((one) => ({ ...one, decimals: undefined }));
          await expectAsEngine(noTimes ? columns.slice(0, -1) : same, perBlock);
        },
      ),
      { numRuns: 15 },
    );
  });

  it('in several row groups, of many distinct values and of few', async () => {
    const count = 9000;
    const cells = Array.from({ length: count }, (_, i) => [
      i,
      ((i * 7919) % 5003) / 100,
      Math.sin(i) * 1000,
      i * 2 ** 33 * (i % 2 === 0 ? 1 : -1),
      i < 20 ? null : 1,
      `word ${i % 300}`,
      `text ${i}`,
      i % 7 === 0 ? null : '2024-01-01',
    ]);
    const kinds = ['integer', 'number', 'number', 'integer', 'integer', 'text', 'text', 'date'] as const;
    const columns = kinds.map(
      (type, i): Treated => ({ name: `c${i}`, type, cells: cells.map((one) => one[i]!) }),
    );
    await expectAsEngine(columns, 4000);
  });

  it('in row groups of so many rows and cells', () => {
    const blocks = Array.from({ length: 10 }, (_, i) => ({ rows: i === 9 ? 100 : 50_000 }));
    const sizes = (width: number) =>
      spansOf({ blocks } as StoreDescription, width).map(({ from, to }) => to - from);
    expect(sizes(3)).toEqual([2, 2, 2, 2, 2]);
    expect(sizes(40)).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    expect(sizes(30_000)).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
  });

  it('with a word for nothing where it is the only column', async () => {
    await expectAsEngine([{ name: 'x', type: 'number', cells: [1.5, null, 2] }], 2);
    await expectAsEngine([{ name: 'x', type: 'text', cells: ['a', null, 'b'] }], 2);
  });

  it('as the same bytes by any number of threads', async () => {
    const cells = Array.from({ length: 5000 }, (_, i) =>
      i % 11 === 0 ? null : Math.round(Math.cos(i) * 1e5) / 100,
    );
    const columns: Treated[] = [
      { name: 'x', type: 'number', cells, clip: { min: -900, max: 900 }, decimals: 2 },
      { name: 'y', type: 'text', cells: cells.map((_, i) => `t${i % 5}`) },
    ];
    await tableOf(engine, columns);
    const two = await written(columns, 100);
    await using one = new TableWorkers(1);
    const alone = await written(columns, 100, one);
    expect(alone.csv.equals(two.csv)).toBe(true);
    expect(alone.parquet.equals(two.parquet)).toBe(true);
    expect(alone.results).toEqual(two.results);
  });

  it('or fails, without leaving a file open, where a path is taken', async () => {
    const columns: Treated[] = [{ name: 'x', type: 'number', cells: [1] }];
    await tableOf(engine, columns);
    const { to } = await written(columns, 1);
    const store = storeOf(columns, 1);
    await expect(writeStore(store, workers, await cleanedOf(columns), to, '')).rejects.toThrow('EEXIST');
  });
});
