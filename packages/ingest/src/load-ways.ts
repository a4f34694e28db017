import { type ColumnReading, isExactText } from './column-reading.ts';
import { blankClass, sqlList, sqlText } from './column-sql.ts';
import { type Engine, toNumber } from './engine.ts';
import type { StrictSource } from './load-table.ts';

/**
 * How a column is loaded: `native` as a number that DuckDB's own reader makes of the cell, `asWritten` as
 * text without a second look, `looked` by an expression over every cell's text. The first two are
 * suppositions from the sample, and are checked.
 */
export type Way = 'native' | 'asWritten' | 'looked';

/** Files below this are loaded in a moment either way; nothing is supposed about them. */
const smallFile = 4 << 20;
/** A text column with more distinct cells than this in the sample is not one that repeats itself. */
const mostSampled = 300;

/** Numbers that DuckDB's reader understands as the tolerant reader does. */
const plainNumber = { '.': /^[-+]?\d+(\.\d*)?([eE][-+]?\d+)?$/, ',': /^[-+]?\d+(,\d*)?([eE][-+]?\d+)?$/ };

export function planWays(
  source: StrictSource,
  readings: readonly ColumnReading[],
  samples: readonly (readonly string[])[],
  missing: ReadonlySet<string>,
): Way[] {
  if (source.bytes < smallFile) return readings.map(() => 'looked');
  // The reader takes one decimal mark for all columns: the one that more of them have.
  const marks = readings.flatMap(({ type, number }) => (type === 'number' && number ? [number.decimal] : []));
  const decimal = marks.filter((mark) => mark === ',').length > marks.length / 2 ? ',' : '.';
  return readings.map(({ type, number, identifier }, i): Way => {
    const sample = samples[i]!;
    if (type === 'number' && number?.decimal === decimal && !source.underscores) {
      const bare = number.thousands === '' && number.units.length === 0 && !number.brackets;
      const pattern = plainNumber[decimal];
      return bare && sample.every((cell) => cell === '' || pattern.test(cell)) ? 'native' : 'looked';
    }
    if (type !== 'text' || identifier || sample.some(isExactText)) return 'looked';
    const distinct = [...new Set(sample)];
    const plain = (cell: string): boolean => cell === '' || (cell === cell.trim() && !missing.has(cell));
    return distinct.length <= mostSampled && distinct.every(plain) ? 'asWritten' : 'looked';
  });
}

/** Whether what was supposed of the columns is true of the whole table. */
export async function waysHold(
  engine: Engine,
  readings: readonly ColumnReading[],
  ways: readonly Way[],
  tokens: readonly string[],
): Promise<boolean> {
  const natives = [...readings.keys()].filter((i) => ways[i] === 'native');
  const odd = await engine.aggregates(
    'typed',
    natives.map((i) => `count(*) FILTER (NOT isfinite(v${i}))`),
  );
  if (odd.some((count) => toNumber(count) > 0)) return false;
  for (const i of readings.keys()) {
    if (ways[i] !== 'asWritten') continue;
    const edges = sqlText(`^${blankClass}|${blankClass}$`);
    const row = await engine.row(
      // A condition behind WHERE would be looked at for every row.
      `SELECT count(*) FILTER (list_contains(${sqlList(tokens)}, text) OR regexp_matches(text, ${edges})) AS n FROM (SELECT DISTINCT v${i} AS text FROM typed)`,
    );
    if (toNumber(row.n) > 0) return false;
  }
  return true;
}
