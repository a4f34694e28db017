import type { ColumnReading } from './column-reading.ts';
import { unitInCell, unitInHeader, unitName } from './units.ts';

/** A column's unit: from its cells, a row of units or its header; null where none names one. */
export function unitOf(row: string | undefined, header: string, reading: ColumnReading): string | null {
  if (reading.number?.unit) return unitName(reading.number.unit);
  return (
    (row === undefined ? null : unitInCell(row)) ?? (reading.type === 'text' ? null : unitInHeader(header))
  );
}

/** In words, how a column's written cells are read. */
export function describeReading(reading: ColumnReading): string[] {
  const words: string[] = [];
  const { number, date } = reading;
  if (number && number.decimal !== '.')
    words.push(number.decimal === ',' ? 'decimal comma' : 'decimal point or comma');
  if (number?.thousands) words.push(`thousands divided by "${number.thousands}"`);
  if (number && number.units.length > 0)
    words.push(
      number.units.length === 1
        ? `unit ${number.unit} taken off`
        : `units ${number.units.join(', ')} taken off and converted to ${number.unit}`,
    );
  if (number?.brackets) words.push('brackets read as minus');
  if (date) words.push(date.words);
  if (date?.zone) words.push('offsets applied, written in UTC');
  if (reading.type === 'boolean') words.push('yes/no words read as true/false');
  if (reading.identifier) words.push('kept as text: leading zeros or more digits than a number holds');
  return words;
}
