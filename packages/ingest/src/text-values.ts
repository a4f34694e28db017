import type { ColumnReading } from './column-reading.ts';
import { duckType, rawSql, stepsSql, trimmed, valueSql } from './column-sql.ts';
import { changeConditions } from './count-changes.ts';
import type { Engine } from './engine.ts';
import { unreadSql } from './load-table.ts';

/** What a cell's text says in a column. */
export interface TextValue {
  /** The value as text; null where there is none. */
  text: string | null;
  /** The value of a number; NaN without one. */
  number: number;
  /** Kinds of change that such a cell counts for. */
  changes: string[];
  /** The text, without blanks around it, where it could not be read. */
  unread: string | null;
}

const nothing: TextValue = { text: null, number: Number.NaN, changes: [], unread: null };

/**
 * What texts mean, by the very expressions that a whole column is read with. Columns that are read alike are
 * asked for together.
 * @param texts of each column; an empty one is a cell without text.
 */
export async function valuesOfTexts(
  engine: Engine,
  readings: readonly ColumnReading[],
  texts: readonly (readonly string[])[],
  tokens: readonly string[],
): Promise<TextValue[][]> {
  const alike = Map.groupBy(readings.keys(), (i) => {
    const { type, number, date } = readings[i]!;
    return JSON.stringify({ type, number, date });
  });
  const found: TextValue[][] = readings.map(() => []);
  for (const members of alike.values()) {
    const all = new Map<string, TextValue>([['', nothing]]);
    for (const i of members) for (const text of texts[i]!) if (text !== '') all.set(text, nothing);
    await lookUp(engine, readings[members[0]!]!, all, tokens);
    for (const i of members) found[i] = texts[i]!.map((text) => all.get(text)!);
  }
  return found;
}

async function lookUp(
  engine: Engine,
  reading: ColumnReading,
  values: Map<string, TextValue>,
  tokens: readonly string[],
): Promise<void> {
  const texts = [...values.keys()].filter((text) => text !== '');
  if (texts.length === 0) return;
  await engine.run('CREATE OR REPLACE TABLE texts (code INTEGER, c0 VARCHAR)');
  await engine.appendTexts('texts', texts);
  const { digits, cast } = stepsSql(0, reading);
  const read = `SELECT code, c0${digits ? `, ${digits} AS d0` : ''} FROM texts`;
  const stepped = cast ? `SELECT *, ${cast} AS n0 FROM (${read})` : read;
  const valued = `SELECT code, c0, CAST(${valueSql(0, reading, tokens)} AS ${duckType(reading.type)}) AS v0 FROM (${stepped})`;
  const compared = `SELECT code, v0, ${rawSql('v0', 'c0', reading)} AS r0 FROM (${valued})`;
  const changes = changeConditions('v0', 'r0', reading, tokens);
  const isNumber = reading.number !== null;
  const unread = reading.type === 'text' ? 'false' : unreadSql('v0', 'r0', reading, tokens);
  const list = [
    'code',
    'CAST(v0 AS VARCHAR)',
    isNumber ? 'CAST(v0 AS DOUBLE)' : 'NULL',
    `CASE WHEN ${unread} THEN ${trimmed('r0')} END`,
    ...changes.map(({ where }) => where),
  ];
  const rows = await engine.rowArrays(`SELECT ${list.join(', ')} FROM (${compared})`);
  for (const [code, text, number, odd, ...changed] of rows)
    values.set(texts[Number(code)]!, {
      text: text === null ? null : String(text),
      number: number === null ? Number.NaN : Number(number),
      changes: changes.flatMap(({ kind }, k) => (changed[k] === true ? [kind] : [])),
      unread: odd === null ? null : String(odd),
    });
  await engine.run('DROP TABLE texts');
}
