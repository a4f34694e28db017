import type { ColumnReading } from './column-reading.ts';
import { isRewritten, isVerbatim } from './column-sql.ts';
import type { StrictSource } from './load-table.ts';
import type { NumberFormat } from './number-format.ts';
import type { NumberBytes } from './parse-number.ts';
import type { ParsedColumn } from './parse-task.ts';
import { prefixSpellings, unitFactor } from './units.ts';

/** Columns that have more distinct texts than this in a sample are not tried, where most of its cells are distinct. */
const mostSampled = 2000;

/** What the threads parse a file's columns into, or why they cannot. */
export type ParsePlan = { columns: ParsedColumn[] } | { refused: string };

function numberBytes(
  { number, type }: ColumnReading,
  encoding: StrictSource['encoding'],
  told: ParsedColumn['told'],
): NumberBytes {
  const format = number as NumberFormat;
  const encode = (text: string): Uint8Array | null => {
    if (encoding === 'utf-8') return new Uint8Array(Buffer.from(text));
    const bytes = Buffer.from(text, 'latin1');
    return bytes.toString('latin1') === text ? new Uint8Array(bytes) : null;
  };
  const mark = (text: string): number => {
    const bytes = text === '' || text === '_' ? null : encode(text);
    return bytes?.length === 1 ? bytes[0]! : -1;
  };
  const units = format.units
    .filter((unit) => unitFactor(unit, format.unit) === 1)
    .sort((a, b) => b.length - a.length);
  const encoded = (list: readonly string[]) => list.map(encode).filter((bytes) => bytes !== null);
  const integer = type === 'integer';
  return {
    integer,
    decimal: integer ? -1 : mark(format.decimal === 'either' ? '.' : format.decimal),
    otherDecimal: !integer && format.decimal === 'either' ? mark(',') : -1,
    thousands: mark(format.thousands),
    suffixes: encoded(units),
    prefixes: encoded(units.filter((unit) => prefixSpellings.includes(unit))),
    blanks: format.plain,
    compared: told === 'rewritten',
  };
}

/** Whether a regular file's columns can be parsed into numbers and words, as far as its sample tells. */
export function planParse(
  source: StrictSource,
  readings: readonly ColumnReading[],
  samples: readonly (readonly string[])[],
): ParsePlan {
  if (source.width < 2) return { refused: 'one column alone' };
  if (source.multiline) return { refused: 'cells of many lines' };
  if (!/^[,;\t|:!~^&]$/.test(source.delimiter)) return { refused: 'an unusual delimiter' };
  const columns: ParsedColumn[] = [];
  for (const [i, reading] of readings.entries()) {
    if (reading.number) {
      const told = isVerbatim(reading) ? 'none' : isRewritten(reading) ? 'all' : 'rewritten';
      columns.push({ number: numberBytes(reading, source.encoding, told), told });
      continue;
    }
    const filled = samples[i]!.filter((cell) => cell !== '');
    const distinct = new Set(filled).size;
    if (distinct > mostSampled && distinct > filled.length / 2)
      return { refused: 'texts that hardly repeat' };
    columns.push({ number: null, told: 'none' });
  }
  return { columns };
}
