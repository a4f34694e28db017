import { asText, type ColumnReading, isExactText, planReading, type ReadingHints } from './column-reading.ts';
import { duckType, missingSql, rawSql, sqlText, trimmed, valueSql } from './column-sql.ts';
import { type Engine, toNumber } from './engine.ts';

/** A file that DuckDB reads strictly: every record has `width` fields. */
export interface StrictSource {
  path: string;
  delimiter: string;
  quote: string;
  newline: 'lf' | 'crlf';
  skipLines: number;
  width: number;
  /** Bytes of the longest record. */
  longest: number;
  multiline: boolean;
  /** Records that the other reader counted. */
  records: number;
}

/** DuckDB's strict reader and the tolerant reader do not see the same records. */
export class ReadersDisagree extends Error {}

/** DuckDB's reader with nothing left to guess: any surprise is an error, no cell is typed or dropped. */
export function strictScan(source: StrictSource): string {
  const columns = Array.from({ length: source.width }, (_, i) => `'c${i}': 'VARCHAR'`).join(', ');
  const line = Math.max(1 << 20, source.longest * 2 + 1024);
  return `read_csv(${sqlText(source.path)}, auto_detect = false, header = false, delim = ${sqlText(source.delimiter)},
    quote = ${sqlText(source.quote)}, escape = ${sqlText(source.quote)}, new_line = ${source.newline === 'crlf' ? "'\\r\\n'" : "'\\n'"},
    skip = ${source.skipLines}, columns = {${columns}}, strict_mode = true, null_padding = false, ignore_errors = false,
    nullstr = '', max_line_size = ${line}, buffer_size = ${line * 8}, parallel = ${!source.multiline})`;
}

export interface Unread {
  /** Cells that the type could not read. */
  count: number;
  examples: { row: number; text: string }[];
}

async function load(
  engine: Engine,
  source: StrictSource,
  readings: readonly ColumnReading[],
  tokens: readonly string[],
): Promise<number> {
  const inner = readings
    .map((reading, i) => `c${i}, ${valueSql(`c${i}`, reading, tokens)} AS v${i}`)
    .join(',\n');
  const outer = readings
    .map(
      (reading, i) =>
        `CAST(v${i} AS ${duckType(reading.type)}) AS v${i}, ${rawSql(`v${i}`, `c${i}`, reading)} AS r${i}`,
    )
    .join(',\n');
  await engine.run('DROP TABLE IF EXISTS typed');
  try {
    await engine.run(
      `CREATE TABLE typed AS SELECT ${outer} FROM (SELECT ${inner} FROM ${strictScan(source)})`,
    );
  } catch (error) {
    if (/CSV Error|Error when sniffing|Invalid Input Error/i.test((error as Error).message))
      throw new ReadersDisagree('error', { cause: error });
    throw error;
  }
  const rows = toNumber((await engine.row('SELECT count(*) AS n FROM typed')).n);
  if (rows !== source.records) throw new ReadersDisagree(`${rows} records against ${source.records}`);
  return rows;
}

/** Cells with a text that gave no value and does not mean "missing". */
export const unreadSql = (i: number, reading: ColumnReading, tokens: readonly string[]): string =>
  `CASE WHEN v${i} IS NULL AND r${i} IS NOT NULL THEN NOT ${missingSql(trimmed(`r${i}`), reading.type, tokens)} ELSE false END`;

/**
 * Loads the file as values by the planned readings, in one pass. Where the whole file contradicts what
 * the sample said, the plan is mended and the file is loaded again.
 * @returns the number of rows, and per column the cells that stayed unreadable.
 */
export async function loadTable(
  engine: Engine,
  source: StrictSource,
  readings: ColumnReading[],
  samples: readonly (readonly string[])[],
  hints: (column: number) => ReadingHints,
): Promise<{ rows: number; unread: Unread[] }> {
  const tokens = [...hints(0).missing];
  for (let round = 0; ; round++) {
    const rows = await load(engine, source, readings, tokens);
    const unread: Unread[] = readings.map(() => ({ count: 0, examples: [] }));
    let mended = false;
    const typed = [...readings.keys()].filter((i) => readings[i]!.type !== 'text');
    const counts = await engine.aggregates(
      'typed',
      typed.flatMap((i) => [`count(v${i})`, `count(*) FILTER (WHERE ${unreadSql(i, readings[i]!, tokens)})`]),
    );
    for (const [k, i] of typed.entries()) {
      const reading = readings[i]!;
      const where = unreadSql(i, reading, tokens);
      const bad = toNumber(counts[2 * k + 1]);
      if (bad === 0) continue;
      const found = await engine.rows(
        `SELECT rowid AS row, r${i} AS text FROM typed WHERE ${where} LIMIT 2000`,
      );
      const better =
        round < 3
          ? mend(
              reading,
              found.map((one) => String(one.text)),
              samples[i]!,
              bad,
              toNumber(counts[2 * k]),
              hints(i),
            )
          : null;
      if (better) {
        readings[i] = better;
        mended = true;
      }
      unread[i] = {
        count: bad,
        examples: found.slice(0, 5).map((one) => ({ row: Number(one.row) + 1, text: String(one.text) })),
      };
    }
    if (!mended) return { rows, unread };
  }
}

/** Another reading for a column whose cells did not all fit; null when the misfits are best left out. */
function mend(
  reading: ColumnReading,
  misfits: readonly string[],
  sample: readonly string[],
  bad: number,
  read: number,
  hints: ReadingHints,
): ColumnReading | null {
  const cells = misfits.map((cell) => cell.trim());
  if (!hints.forced && reading.type === 'integer' && reading.number?.plain && cells.some(isExactText))
    return asText(null, true);
  const again = planReading([...sample, ...cells], hints);
  const differs = JSON.stringify(again) !== JSON.stringify(reading);
  if (again.type !== 'text' && differs) return again;
  if (!hints.forced && bad > (bad + read) * 0.1) return again.type === 'text' ? again : asText();
  return null;
}
