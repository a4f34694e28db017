import { isDate } from './date-format.ts';
import { missingTokens } from './missing-tokens.ts';
import { numberShape } from './number-format.ts';

export type CellKind =
  | 'empty'
  | 'number'
  | 'quantity'
  | 'date'
  | 'time'
  | 'boolean'
  | 'address'
  | 'word'
  | 'text';

const tokens = new Set(missingTokens);
// Not yes, no, y, n, t, f: "No" and "y" are frequent column names.
const booleans = new Set(['true', 'false']);

/** What a cell looks like by itself, for detecting delimiters and headers. */
export function cellKind(cell: string): CellKind {
  const text = cell.trim();
  if (tokens.has(text)) return 'empty';
  if (text.length <= 60) {
    const number = numberShape(text);
    if (number) return number.unit ? 'quantity' : 'number';
    if (isDate(text)) return 'date';
    if (/^\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?$/.test(text)) return 'time';
    if (booleans.has(text.toLowerCase())) return 'boolean';
  }
  if (/^([a-z][a-z0-9+.-]*:\/\/\S+|[^\s@]+@[^\s@]+\.[a-z]+|\d{1,3}(\.\d{1,3}){3}|www\.\S+)$/i.test(text))
    return 'address';
  if (/^[\p{L}\p{N}_.'()/&%+-]+( [\p{L}\p{N}_.'()/&%+-]+){0,3}$/u.test(text)) return 'word';
  return 'text';
}

/** Kinds that a column of values has and a name in a header has not. */
export const isTyped = (kind: CellKind): boolean =>
  kind === 'number' ||
  kind === 'quantity' ||
  kind === 'date' ||
  kind === 'time' ||
  kind === 'boolean' ||
  kind === 'address';
