import type { ColumnReading } from './column-reading.ts';
import type { DateFormat } from './date-format.ts';
import { missingAmongNumbers } from './missing-tokens.ts';
import { escapeRegex, type NumberFormat } from './number-format.ts';
import { prefixSpellings, unitFactor } from './units.ts';

export const sqlText = (text: string): string => `'${text.replaceAll("'", "''")}'`;
export const sqlName = (name: string): string => `"${name.replaceAll('"', '""')}"`;
/** A number exactly as JavaScript holds it. */
export const sqlReal = (value: number): string => `CAST('${value}' AS DOUBLE)`;
export const sqlList = (texts: readonly string[]): string => `[${texts.map(sqlText).join(', ')}]`;

/** Blanks, tabs, line ends and no-break spaces around a cell are not part of it. */
const blanks = [' ', '\t', '\n', '\r', '\u00a0', '\u202f', '\ufeff'];
export const trimmed = (column: string): string => `trim(${column}, ${sqlText(blanks.join(''))})`;

/** The same as a class of a regular expression. */
export const blankClass = `[${blanks.join('')}]`;

/** `slow` for cells that carry blanks at an edge or are one of `words`, `fast` for all others: one look instead of many. */
function unlessPlain(column: string, words: readonly string[], slow: string, fast: string): string {
  const exact = words.filter((word) => word !== '').map(escapeRegex);
  const pattern = [
    `^${blankClass}`,
    `${blankClass}$`,
    ...(exact.length > 0 ? [`^(?:${exact.join('|')})$`] : []),
  ].join('|');
  return `CASE WHEN regexp_matches(${column}, ${sqlText(pattern)}) THEN ${slow} ELSE ${fast} END`;
}

/** Whether a written cell means "no value" in a column of this type. */
export function missingSql(text: string, type: ColumnReading['type'], tokens: readonly string[]): string {
  const all = type === 'text' ? tokens : [...tokens, ...missingAmongNumbers];
  return `list_contains(${sqlList(all)}, ${text})`;
}

export const duckType = (type: ColumnReading['type']): string =>
  ({
    integer: 'BIGINT',
    number: 'DOUBLE',
    boolean: 'BOOLEAN',
    date: 'DATE',
    datetime: 'TIMESTAMP',
    text: 'VARCHAR',
  })[type];

const group = (mark: string): string => {
  const char = mark === '' ? '' : escapeRegex(mark);
  return char === '' ? '[0-9]+' : `(?:[0-9]{1,3}(?:${char}[0-9]{3})+|[0-9]+)`;
};

function slowNumber(text: string, format: NumberFormat, type: 'integer' | 'number'): string {
  const units =
    format.units.length > 0
      ? `(?:${[...format.units]
          .sort((a, b) => b.length - a.length)
          .map(escapeRegex)
          .join('|')})`
      : '';
  const unit = units === '' ? '' : `(?:${units})?`;
  const whole = group(format.thousands);
  const mark = format.decimal === 'either' ? '[.,]' : escapeRegex(format.decimal);
  const digits = `(?:${whole}(?:${mark}[0-9]*)?|${mark}[0-9]+)`;
  const pattern = `(\\()?\\s*([-+−]?)\\s*${unit}\\s*([-+−]?)(${digits}(?:[eE][-+]?[0-9]+)?)\\s*${unit}\\s*\\)?`;
  let core = `regexp_replace(${text}, ${sqlText(`^${pattern}$`)}, '\\1\\2\\3\\4')`;
  core = `replace(replace(${core}, '(', '-'), '−', '-')`;
  if (format.thousands !== '') core = `replace(${core}, ${sqlText(format.thousands)}, '')`;
  if (format.decimal !== '.') core = `replace(${core}, ',', '.')`;
  const target = type === 'integer' ? 'BIGINT' : 'DOUBLE';
  // A whole-number column must not round what has decimals: such cells are unreadable as integers.
  const guard =
    type === 'integer' ? ` AND NOT contains(${core}, '.') AND NOT contains(lower(${core}), 'e')` : '';
  let value = `TRY_CAST(${core} AS ${target})`;
  const converted = format.units.filter((one) => unitFactor(one, format.unit) !== 1);
  if (converted.length > 0) {
    const cases = converted.map((one) => {
      const edge = escapeRegex(one);
      return `WHEN regexp_matches(${text}, ${sqlText(`(^|[\\s0-9.,])${edge}\\s*$|^[-+−(\\s]*${edge}`)}) THEN ${unitFactor(one, format.unit)!}`;
    });
    value = `${value} * (CASE ${cases.join(' ')} ELSE 1 END)`;
  }
  return `CASE WHEN regexp_full_match(${text}, ${sqlText(pattern)})${guard} THEN ${value} END`;
}

function dateValue(text: string, format: DateFormat, type: 'date' | 'datetime'): string {
  const ways: string[] = [];
  const target = type === 'date' ? 'DATE' : 'TIMESTAMP';
  const bare = format.zone ? `regexp_replace(${text}, '\\s*(Z|[+-][0-9]{2}:?([0-9]{2})?)$', '')` : text;
  // A cast to DATE would drop a time in silence, and a cast to TIMESTAMP an offset.
  if (format.iso && type === 'date')
    ways.push(`CASE WHEN length(${text}) <= 10 THEN TRY_CAST(${text} AS DATE) END`);
  if (format.iso && type === 'datetime') {
    const stamp = `CASE WHEN regexp_full_match(${bare}, '[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([T ]+[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?)?') THEN TRY_CAST(${bare} AS TIMESTAMP) END`;
    ways.push(stamp);
  }
  if (format.formats.length > 0)
    ways.push(`CAST(try_strptime(${bare}, ${sqlList(format.formats)}) AS ${target})`);
  const value = ways.length === 1 ? ways[0]! : `COALESCE(${ways.join(', ')})`;
  if (!format.zone) return value;
  const part = (group: number) =>
    `TRY_CAST(nullif(regexp_extract(${text}, ':[0-9.]+\\s*([+-])([0-9]{2}):?([0-9]{2})?$', ${group}), '') AS INTEGER)`;
  const sign = `CASE WHEN regexp_matches(${text}, ':[0-9.]+\\s*-[0-9]{2}:?([0-9]{2})?$') THEN -1 ELSE 1 END`;
  return `(${value}) - to_minutes(CAST((${sign}) * (COALESCE(${part(2)}, 0) * 60 + COALESCE(${part(3)}, 0)) AS BIGINT))`;
}

/** Digits of a formatted number: the unit cut off, thousands taken out, a point for the decimal mark. */
function digitsSql(column: string, { units: [unit], thousands, decimal }: NumberFormat): string {
  let digits =
    unit === undefined
      ? column
      : `CASE WHEN ends_with(${column}, ${sqlText(unit)}) THEN left(${column}, length(${column}) - ${unit.length}) ELSE ${column} END`;
  if (thousands !== '') digits = `replace(${digits}, ${sqlText(thousands)}, '')`;
  return decimal === '.' ? digits : `replace(${digits}, ',', '.')`;
}

/** Whether most cells of a formatted column can be read without taking them apart by a pattern. */
const isSimple = ({ units: [unit, ...others], decimal }: NumberFormat): boolean =>
  others.length === 0 && decimal !== 'either' && (unit === undefined || !prefixSpellings.includes(unit));

/**
 * Steps towards the value of a written cell `c`: its digits `d`, and a cast `n` of them that is the value
 * of most cells. Null where a column has no such step.
 */
export function stepsSql(i: number, reading: ColumnReading): { digits: string | null; cast: string | null } {
  const { number, type } = reading;
  const target = type === 'integer' ? 'BIGINT' : 'DOUBLE';
  if (number?.plain) return { digits: null, cast: `TRY_CAST(c${i} AS ${target})` };
  if (number && isSimple(number))
    return { digits: digitsSql(`c${i}`, number), cast: `TRY_CAST(d${i} AS ${target})` };
  if (type === 'date' && reading.date?.iso) return { digits: null, cast: `TRY_CAST(c${i} AS DATE)` };
  return { digits: null, cast: null };
}

/**
 * Whether `n`, cast from the digits `d`, is surely what the cell `c` says; where not, the pattern decides.
 * At most one mark for thousands, with one to three digits before it and three behind.
 */
function surely(i: number, { thousands, decimal, units: [unit] }: NumberFormat, type: string): string {
  const [c, d, n] = [`c${i}`, `d${i}`, `n${i}`];
  const bare =
    unit === undefined
      ? c
      : `rtrim(CASE WHEN ends_with(${c}, ${sqlText(unit)}) THEN left(${c}, length(${c}) - ${unit.length}) ELSE ${c} END)`;
  const exact =
    type === 'integer' ? `CAST(${n} AS VARCHAR) = trim(${d})` : `isfinite(${n}) AND NOT contains(${d}, '_')`;
  const foreign = decimal === ',' && thousands !== '.' ? ` AND NOT contains(${c}, '.')` : '';
  if (thousands === '') return `${exact}${foreign}`;
  const mark = `strpos(${bare}, ${sqlText(thousands)})`;
  const end = `length(${bare}) = ${mark} + 3`;
  const behind =
    type === 'integer'
      ? end
      : `(strpos(${bare}, ${sqlText(decimal)}) = ${mark} + 4 OR ${end}) AND NOT contains(${d}, 'e') AND NOT contains(${d}, 'E')`;
  const grouped = `${n} >= 1000 AND ${n} < 1000000 AND ${mark} BETWEEN 2 AND 4 AND ${behind}`;
  return `${exact}${foreign} AND (${mark} = 0 OR (${grouped}))`;
}

/** The value of a written cell, NULL where it is missing or cannot be read; over what `stepsSql` gave. */
export function valueSql(i: number, reading: ColumnReading, tokens: readonly string[]): string {
  const [column, cast] = [`c${i}`, `n${i}`];
  const text = trimmed(column);
  switch (reading.type) {
    case 'integer':
    case 'number': {
      const number = reading.number!;
      if (!number.plain) {
        const slow = slowNumber(text, number, reading.type);
        if (!isSimple(number)) return slow;
        return `CASE WHEN ${surely(i, number, reading.type)} THEN ${cast} WHEN ${column} IS NOT NULL THEN ${slow} END`;
      }
      // DuckDB reads 1_000 and hexadecimal as numbers; a person would want to know.
      if (reading.type === 'number')
        return `CASE WHEN isfinite(${cast}) AND NOT contains(${column}, '_') THEN ${cast} END`;
      // What casts there and back unchanged is a plain integer: no zeros in front, no rounding.
      const slow = `CASE WHEN regexp_full_match(${text}, '[+-]?(0|[1-9][0-9]*)') THEN ${cast} END`;
      return `CASE WHEN CAST(${cast} AS VARCHAR) = ${column} THEN ${cast} WHEN ${column} IS NOT NULL THEN ${slow} END`;
    }
    case 'boolean':
      return `CASE lower(${text}) WHEN 'true' THEN true WHEN 'yes' THEN true WHEN 't' THEN true WHEN 'y' THEN true WHEN 'false' THEN false WHEN 'no' THEN false WHEN 'f' THEN false WHEN 'n' THEN false END`;
    case 'date':
    case 'datetime': {
      const slow = dateValue(unlessPlain(column, [], text, column), reading.date!, reading.type);
      if (reading.type === 'datetime' || !reading.date!.iso) return slow;
      return `CASE WHEN CAST(${cast} AS VARCHAR) = ${column} THEN ${cast} WHEN ${column} IS NOT NULL THEN ${slow} END`;
    }
    case 'text':
      return unlessPlain(
        column,
        tokens,
        `CASE WHEN ${missingSql(text, 'text', tokens)} THEN NULL ELSE ${text} END`,
        `nullif(${column}, '')`,
      );
  }
}

/**
 * What of the written cell is kept beside its value, so that every change can be counted: all of it
 * where some cells are rewritten and others not, else only cells that differ or have no value.
 */
export function rawSql(value: string, column: string, reading: ColumnReading): string {
  if (reading.type === 'text') return `CASE WHEN ${value} IS DISTINCT FROM ${column} THEN ${column} END`;
  if (keepsLittle(reading)) return `CASE WHEN ${value} IS NULL THEN ${column} END`;
  return column;
}

/** Every cell that has a value is written in another way than it was: a comma in its decimals, another date. */
export function isRewritten({ type, number, date }: ColumnReading): boolean {
  if (number) return type === 'number' && number.decimal === ',';
  return date !== null && type === 'date' && !date.iso;
}

/** The written text of cells that have a value need not be kept: it says nothing that is not known. */
export const keepsLittle = (reading: ColumnReading): boolean => isVerbatim(reading) || isRewritten(reading);

/** Values are written as the cells were, apart from a number's spelling (1.50 and 1.5). */
export function isVerbatim({ type, number, date }: ColumnReading): boolean {
  if (type === 'text') return true;
  if (number) return number.plain;
  return date?.iso === true && date.formats.length === 0 && !date.zone;
}
