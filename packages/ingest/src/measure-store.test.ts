import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BinnedNumbers } from './binned-numbers.ts';
import { Engine } from './engine.ts';
import { measureStore, modeOfStore } from './measure-store.ts';
import { type Measured, measureColumns, modeOf } from './statistics.ts';
import { type GivenColumn, storeOf, tableOf } from './stored-table.fixture.ts';
import { TableWorkers } from './table-workers.ts';

let engine: Engine;
let workers: TableWorkers;
beforeAll(async () => {
  engine = await Engine.open(null, false, 256);
  workers = new TableWorkers(2);
});
afterAll(async () => {
  await workers.close();
  await engine[Symbol.asyncDispose]();
});

const measured = (columns: readonly GivenColumn[]): Measured[] =>
  columns.map(({ type }, i) => ({ from: 'typed', value: `v${i}`, type, repeats: true, decimals: 2 }));

async function bothWays(columns: readonly GivenColumn[], perBlock: number, held: number) {
  await tableOf(engine, columns);
  const store = storeOf(columns, perBlock);
  workers.share('store', store);
  const asked = measured(columns);
  return {
    store,
    asked,
    ours: await measureStore(store, workers, asked, held),
    theirs: await measureColumns(engine, asked, held),
  };
}

const number = fc.oneof(
  fc.integer({ min: -20, max: 20 }),
  fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((one) => one + 0),
  fc.constantFrom(0.1, 1e-7, 1e12),
);
const row = fc.tuple(
  fc.option(number),
  fc.option(fc.integer({ min: -1000, max: 1000 })),
  fc.option(fc.constantFrom('Köln', 'a,b', 'Z', '', '𝒳', '\uf000')),
  fc.option(fc.boolean().map(String)),
  fc.option(fc.constantFrom('2024-02-29', '1969-12-31')),
  fc.option(fc.constantFrom('2024-02-29 10:00:00', '2024-02-29 10:00:00.5')),
);
const types = ['number', 'integer', 'text', 'boolean', 'date', 'datetime'] as const;
const columnsOf = (rows: readonly (readonly (number | string | null)[])[]): GivenColumn[] =>
  types.map((type, i) => ({ type, cells: rows.map((cells) => cells[i]!) }));

describe('figures of a column store', () => {
  it('are those of the same table in the engine, whether numbers are held or not', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 70 }),
        fc.constantFrom(3, 1_000_000),
        async (rows, perBlock, held) => {
          const { ours, theirs } = await bothWays(columnsOf(rows), perBlock, held);
          expect(ours.map(({ stats }) => stats)).toEqual(theirs.map(({ stats }) => stats));
          for (const [i, { numbers }] of ours.entries())
            expect(numbers?.keepDecimals(2)).toBe(theirs[i]!.numbers?.keepDecimals(2));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('are the same for long columns, of many distinct values and of few', async () => {
    const rows = Array.from({ length: 60_000 }, (_, i) => [
      Math.sin(i) * 1000,
      (i * 7919) % 997,
      i % 3 === 0 ? null : `town ${i % 12}`,
    ]);
    const columns: GivenColumn[] = (['number', 'integer', 'text'] as const).map((type, i) => ({
      type,
      cells: rows.map((cells) => cells[i]!),
    }));
    columns.push({ type: 'number', cells: rows.map((_, i) => (i % 10_100) / 100) });
    const { ours, theirs, store } = await bothWays(columns, 7000, 1_000_000);
    expect(ours.map(({ stats }) => stats)).toEqual(theirs.map(({ stats }) => stats));
    const clip = { min: -500, max: 500 };
    const treatment = { clip, fill: 3, missing: 10 };
    for (const i of [0, 1])
      expect(await ours[i]!.numbers!.treated(treatment)).toEqual(
        await theirs[i]!.numbers!.treated(treatment),
      );
    const one = new TableWorkers(1);
    one.share('store', store);
    const alone = await measureStore(store, one, measured(columns));
    await one.close();
    expect(alone.map(({ stats }) => stats)).toEqual(ours.map(({ stats }) => stats));
  });

  it('say the most frequent value', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 40 }),
        fc.constantFrom(3, 1_000_000),
        async (rows, held) => {
          const columns = columnsOf(rows);
          const { ours, asked, store } = await bothWays(columns, 16, held);
          const clip = { min: -5, max: 7.5 };
          for (const [i, one] of asked.entries()) {
            const isNumber = ours[i]!.numbers !== null;
            const value = isNumber ? `greatest(least(CAST(v${i} AS DOUBLE), 7.5), -5)` : one.value;
            const expected = await modeOf(engine, one.from, `CASE WHEN v${i} IS NOT NULL THEN ${value} END`);
            const mode = await modeOfStore(store, i, ours[i]!, isNumber ? clip : null);
            if (isNumber && mode !== null) expect(Number(mode)).toBe(Number(expected));
            else expect(mode).toBe(expected);
          }
        },
      ),
      { numRuns: 20 },
    );
  });

  it('holds but a part of the values at a time', async () => {
    const cells = Array.from({ length: 3000 }, (_, i) => Math.round(Math.cos(i) * 1e6) / 1e3);
    const { ours } = await bothWays([{ type: 'number', cells }], 100, 500);
    const pieces: Float64Array[] = [];
    await (ours[0]!.numbers as BinnedNumbers).eachSorted((values) => pieces.push(values));
    expect(pieces.length).toBeGreaterThan(5);
    expect(pieces.flatMap((piece) => [...piece])).toEqual(cells.toSorted((a, b) => a - b));
  });
});
