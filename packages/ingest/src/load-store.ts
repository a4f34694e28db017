import type { ColumnReading, ReadingHints } from './column-reading.ts';
import type { StoreDescription } from './column-store.ts';
import type { Engine } from './engine.ts';
import { mend, ReadersDisagree, type StrictSource, type Unread } from './load-table.ts';
import { parseFile } from './parse-file.ts';
import { planParse } from './parse-plan.ts';
import { StoreCells } from './store-cells.ts';
import { StoredRows } from './stored-rows.ts';
import type { TableWorkers } from './table-workers.ts';
import { type TextValue, valuesOfTexts } from './text-values.ts';

/** Misfits that another reading is planned from. */
const mostMisfits = 2000;

/**
 * Reads a regular file into a column store, in threads. What its texts mean is asked of the engine, once for
 * each distinct text.
 * @param path file for the store's blocks; null to keep them in memory.
 * @param facts what a look at all of the file found.
 * @returns null where the file is one for the engine's own reader: see `planParse`, and besides them files
 * with texts that hardly repeat, cells of many lines, integers beyond 2^53, years of more than four digits,
 * and columns whose cells want another reading than the sample had.
 */
export async function loadStore(
  engine: Engine,
  workers: TableWorkers,
  source: StrictSource,
  readings: readonly ColumnReading[],
  samples: readonly (readonly string[])[],
  hints: (column: number) => ReadingHints,
  facts: Promise<{ records: number }>,
  path: string | null,
): Promise<StoredRows | null> {
  const plan = planParse(source, readings, samples);
  if ('refused' in plan) return null;
  let contradiction: unknown = null;
  facts.catch((error: unknown) => {
    contradiction = error;
  });
  const parsed = await parseFile(workers, source, plan.columns, path, () => {
    if (contradiction) throw contradiction;
  });
  if (typeof parsed === 'string') return null;
  const { records } = await facts;
  if (parsed.rows !== records) throw new ReadersDisagree(`${parsed.rows} records against ${records}`);
  const tokens = [...hints(0).missing];
  const texts = plan.columns.map((_, i) => (parsed.words[i] ?? parsed.odd[i])!);
  const values = await valuesOfTexts(
    engine,
    readings,
    texts.map((one) => one.texts),
    tokens,
  );
  if (!readings.every((reading, i) => isHeld(reading, values[i]!))) return null;
  const store: StoreDescription = {
    columns: plan.columns.map(({ number }, i) =>
      number
        ? { kind: 'numbers' }
        : { kind: 'words', words: values[i]!.map(({ text }) => text), counts: [...texts[i]!.counts] },
    ),
    blocks: parsed.blocks,
    rows: parsed.rows,
    path: parsed.path,
  };
  const cells = new StoreCells(store, parsed, values);
  await cells.fillOddNumbers();
  const unread = readings.map((): Unread => ({ count: 0, examples: [] }));
  for (const [i, reading] of readings.entries()) {
    if (reading.type === 'text') continue;
    const count = cells.countCodes(i, ({ unread }) => unread !== null);
    if (count === 0) continue;
    const misfits = cells.first(i, ({ unread }) => unread !== null, mostMisfits);
    const found = misfits.map(({ text }) => text);
    if (mend(reading, found, samples[i]!, count, cells.countValues(i), hints(i))) return null;
    unread[i] = {
      count,
      examples: misfits.slice(0, 5).map(({ row, text }) => ({ row: row + 1, text })),
    };
  }
  return new StoredRows(workers, cells, readings, unread);
}

/** Whether a store holds the values of a column's texts exactly. */
function isHeld({ type }: ColumnReading, values: readonly TextValue[]): boolean {
  if (type === 'integer')
    return values.every(({ number }) => Number.isNaN(number) || Math.abs(number) <= Number.MAX_SAFE_INTEGER);
  if (type === 'date' || type === 'datetime')
    return values.every(
      ({ text }) => text === null || /^\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d(?:\.\d+)?)?$/.test(text),
    );
  return true;
}
