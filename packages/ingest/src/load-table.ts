import { asText, type ColumnReading, isExactText, planReading, type ReadingHints } from './column-reading.ts';
import {
  duckType,
  keepsLittle,
  missingSql,
  rawSql,
  sqlText,
  stepsSql,
  trimmed,
  valueSql,
} from './column-sql.ts';
import { type Engine, toNumber } from './engine.ts';
import { planWays, type Way, waysHold } from './load-ways.ts';

/** A file that DuckDB reads strictly: every record has `width` fields. */
export interface StrictSource {
  path: string;
  /** Names that DuckDB knows. */
  encoding: 'utf-8' | 'latin-1';
  delimiter: string;
  quote: string;
  newline: 'lf' | 'crlf';
  skipLines: number;
  /** Bytes before the first record. */
  offset: number;
  width: number;
  /** Bytes of the longest record. */
  longest: number;
  multiline: boolean;
  bytes: number;
  /** Some cell of the sample holds an underscore, which DuckDB reads over in numbers. */
  underscores: boolean;
}

/** DuckDB's strict reader and the tolerant reader do not see the same records. */
export class ReadersDisagree extends Error {}

/**
 * DuckDB's reader with nothing left to guess: any surprise is an error, and nothing is dropped.
 * @param types of the columns; text where none is given. `decimal` is the mark in those that are numbers.
 */
export function strictScan(source: StrictSource, types: readonly string[] = [], decimal = '.'): string {
  const columns = Array.from({ length: source.width }, (_, i) => `'c${i}': '${types[i] ?? 'VARCHAR'}'`);
  // Told of carriage returns it finds no records, while untold it takes them for line ends.
  const newLine = source.newline === 'crlf' ? '' : "new_line = '\\n',";
  const line = Math.max(1 << 20, source.longest * 2 + 1024);
  return `read_csv(${sqlText(source.path)}, auto_detect = false, header = false, delim = ${sqlText(source.delimiter)},
    quote = ${sqlText(source.quote)}, escape = ${sqlText(source.quote)}, ${newLine}
    skip = ${source.skipLines}, columns = {${columns.join(', ')}}, strict_mode = true, null_padding = false, ignore_errors = false,
    nullstr = '', encoding = '${source.encoding}', decimal_separator = '${decimal}', max_line_size = ${line}, buffer_size = ${line * 8}, parallel = ${!source.multiline})`;
}

export interface Unread {
  /** Cells that the type could not read. */
  count: number;
  examples: { row: number; text: string }[];
}

const perOdd = 32;

/** Where the text of cells is kept that gave another value than they show: one list for many columns, NULL for most rows. */
const oddList = (i: number): string => `odd${Math.floor(i / perOdd)}`;

/** The written text of column `i` in `typed`, NULL where its value says it all. */
export const rawName = (i: number, reading: ColumnReading): string =>
  keepsLittle(reading) ? `${oddList(i)}[${(i % perOdd) + 1}]` : `r${i}`;

/**
 * Counts conditions that only hold where a column's written text was kept; few rows have to be looked at,
 * and mostly none.
 */
export async function countWhere(
  engine: Engine,
  from: string,
  readings: readonly ColumnReading[],
  conditions: readonly { index: number; where: string }[],
): Promise<number[]> {
  const counts = new Array<number>(conditions.length).fill(0);
  const groups = Map.groupBy(conditions.keys(), (k) => {
    const { index } = conditions[k]!;
    return keepsLittle(readings[index]!) ? oddList(index) : null;
  });
  const lists = [...groups.keys()].filter((list) => list !== null);
  const filled = await engine.aggregates(
    from,
    lists.map((list) => `count(${list})`),
  );
  for (const [list, members] of groups) {
    if (list !== null && toNumber(filled[lists.indexOf(list)]) === 0) continue;
    const relation = list === null ? from : `${from} WHERE ${list} IS NOT NULL`;
    let some = members;
    if (list !== null) {
      // The texts of most columns are looked at no further: there are none.
      const columns = [...new Set(members.map((k) => conditions[k]!.index))];
      const texts = await engine.aggregates(
        relation,
        columns.map((index) => `count(${rawName(index, readings[index]!)})`),
      );
      const held = new Set(columns.filter((_, k) => toNumber(texts[k]) > 0));
      some = members.filter((k) => held.has(conditions[k]!.index));
    }
    const found = await engine.aggregates(
      relation,
      some.map((k) => `count(*) FILTER (WHERE ${conditions[k]!.where})`),
    );
    some.forEach((k, at) => {
      counts[k] = toNumber(found[at]);
    });
  }
  return counts;
}

async function load(
  engine: Engine,
  source: StrictSource,
  readings: readonly ColumnReading[],
  ways: readonly Way[],
  tokens: readonly string[],
): Promise<number> {
  const all = [...readings.keys()];
  const cells = all.map((i) => `c${i}`);
  // What the reader itself makes of a column is its value, and has no other text.
  const looked = all.filter((i) => ways[i] === 'looked');
  const steps = all.map((i) => (ways[i] === 'looked' ? stepsSql(i, readings[i]!) : null));
  const digits = looked.flatMap((i) => (steps[i]?.digits ? [`${steps[i].digits} AS d${i}`] : []));
  const casts = looked.flatMap((i) => (steps[i]?.cast ? [`${steps[i].cast} AS n${i}`] : []));
  const values = all.map((i) => {
    const reading = readings[i]!;
    if (ways[i] !== 'looked') return `c${i} AS v${i}`;
    return `CAST(${valueSql(i, reading, tokens)} AS ${duckType(reading.type)}) AS v${i}`;
  });
  const raws = looked.map((i) => `${rawSql(`v${i}`, `c${i}`, readings[i]!)} AS r${i}`);
  const kept = all.map((i) => (keepsLittle(readings[i]!) ? `v${i}` : `v${i}, r${i}`));
  for (let from = 0; from < readings.length; from += perOdd) {
    const group = all.slice(from, from + perOdd);
    const odd = group.map((i) => (ways[i] === 'looked' && keepsLittle(readings[i]!) ? `r${i}` : null));
    const any = odd.flatMap((raw) => (raw === null ? [] : [`${raw} IS NOT NULL`]));
    const list = odd.map((raw) => raw ?? 'NULL::VARCHAR').join(', ');
    kept.push(
      `${any.length === 0 ? 'NULL::VARCHAR[]' : `CASE WHEN ${any.join(' OR ')} THEN [${list}] END`} AS ${oddList(from)}`,
    );
  }
  const native = all.findIndex((i) => ways[i] === 'native');
  const decimal = native === -1 ? '.' : (readings[native]!.number!.decimal as string);
  const types = all.map((i) => (ways[i] === 'native' ? 'DOUBLE' : 'VARCHAR'));
  const step = (columns: readonly string[], from: string) => `SELECT ${columns.join(',\n')} FROM ${from}`;
  const read = step([...cells, ...digits], strictScan(source, types, decimal));
  const cast = step(['*', ...casts], `(${read})`);
  const valued = step([...cells, ...values], `(${cast})`);
  const compared = step([...all.map((i) => `v${i}`), ...raws], `(${valued})`);
  await engine.run('DROP TABLE IF EXISTS typed');
  try {
    return toNumber(await engine.changed(`CREATE TABLE typed AS ${step(kept, `(${compared})`)}`));
  } catch (error) {
    if (/CSV Error|Error when sniffing|Invalid Input Error/i.test((error as Error).message))
      throw new ReadersDisagree('error', { cause: error });
    throw error;
  }
}

/** Cells with a text that gave no value and does not mean "missing", over SQL of the value and of the text that is kept. */
export const unreadSql = (
  value: string,
  raw: string,
  reading: ColumnReading,
  tokens: readonly string[],
): string =>
  `CASE WHEN ${value} IS NULL AND ${raw} IS NOT NULL THEN NOT ${missingSql(trimmed(raw), reading.type, tokens)} ELSE false END`;

/** The same of column `i` in `typed`. */
export const unreadIn = (i: number, reading: ColumnReading, tokens: readonly string[]): string =>
  unreadSql(`v${i}`, rawName(i, reading), reading, tokens);

/**
 * Loads the file as values by the planned readings, in one pass. Where the whole file contradicts what
 * the sample said, the plan is mended and the file is loaded again.
 * @param facts what a look at all of the file found; awaited when the first load is done.
 * @returns the number of rows, and per column the cells that stayed unreadable.
 */
export async function loadTable(
  engine: Engine,
  source: StrictSource,
  readings: ColumnReading[],
  samples: readonly (readonly string[])[],
  hints: (column: number) => ReadingHints,
  facts: Promise<{ records: number; underscores: boolean }>,
): Promise<{ rows: number; unread: Unread[] }> {
  const tokens = [...hints(0).missing];
  let ways = planWays(source, readings, samples, hints(0).missing);
  for (let round = 0; ; round++) {
    const rows = await loadBy(ways);
    const { records, underscores } = await facts;
    const rash = underscores && ways.includes('native');
    if (rows === null || rash || !(await waysHold(engine, readings, ways, tokens))) {
      ways = readings.map((): Way => 'looked');
      continue;
    }
    if (rows !== records) throw new ReadersDisagree(`${rows} records against ${records}`);
    const unread: Unread[] = readings.map(() => ({ count: 0, examples: [] }));
    let mended = false;
    const typed = [...readings.keys()].filter((i) => readings[i]!.type !== 'text');
    const counts = await countWhere(
      engine,
      'typed',
      readings,
      typed.map((index) => ({ index, where: unreadIn(index, readings[index]!, tokens) })),
    );
    for (const [k, i] of typed.entries()) {
      const reading = readings[i]!;
      const where = unreadIn(i, reading, tokens);
      const bad = counts[k]!;
      if (bad === 0) continue;
      const found = await engine.rows(
        `SELECT rowid AS row, ${rawName(i, reading)} AS text FROM typed WHERE ${where} LIMIT 2000`,
      );
      const good = toNumber((await engine.row(`SELECT count(v${i}) AS n FROM typed`)).n);
      const better =
        round < 3
          ? mend(
              reading,
              found.map((one) => String(one.text)),
              samples[i]!,
              bad,
              good,
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
    ways = underscores
      ? readings.map((): Way => 'looked')
      : planWays(source, readings, samples, hints(0).missing);
  }

  /** Null where the reader cannot make a value of every cell by itself. */
  async function loadBy(asked: readonly Way[]): Promise<number | null> {
    try {
      return await load(engine, source, readings, asked, tokens);
    } catch (error) {
      if (error instanceof ReadersDisagree && asked.some((way) => way === 'native')) return null;
      throw error;
    }
  }
}

/** Another reading for a column whose cells did not all fit; null when the misfits are best left out. */
export function mend(
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
