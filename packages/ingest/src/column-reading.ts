import { type DateFormat, DateVotes } from './date-format.ts';
import { missingAmongNumbers } from './missing-tokens.ts';
import {
  type NumberFormat,
  type NumberShape,
  NumberVotes,
  numberShape,
  readNumber,
} from './number-format.ts';
import type { ColumnType } from './result.ts';
import { unitFactor } from './units.ts';

/** How the cells of one column are turned into values. */
export interface ColumnReading {
  type: ColumnType;
  identifier: boolean;
  number: NumberFormat | null;
  date: DateFormat | null;
  warning: string | null;
  /** Digits behind the decimal mark, where all sampled cells have as many. */
  decimals?: number;
}

export interface ReadingHints {
  /** The file's decimal mark, for columns that alone do not tell. */
  decimal: '.' | ',';
  dates: 'dmy' | 'mdy' | null;
  missing: ReadonlySet<string>;
  forced?: ColumnType | undefined;
}

/** Share of a column's filled cells that must fit a type; the rest become missing, and are reported. */
export const fitShare = 0.9;

const alsoMissing = new Set(missingAmongNumbers);
const truths = [
  ['true', 'false'],
  ['yes', 'no'],
  ['t', 'f'],
  ['y', 'n'],
] as const;

export const asText = (warning: string | null = null, identifier = false): ColumnReading => ({
  type: 'text',
  identifier,
  number: null,
  date: null,
  warning,
});

function isBoolean(filled: readonly string[]): boolean {
  const seen = new Set(filled.map((cell) => cell.toLowerCase()));
  const pair = truths.find(([yes, no]) => [...seen].every((value) => value === yes || value === no));
  // One letter alone could mean anything; both of a pair are needed.
  return pair !== undefined && (seen.size === 2 || pair[0].length > 1);
}

/** Leading zeros, or more digits than a 64-bit integer surely holds. */
export const isExactText = (cell: string): boolean => /^[+-]?(0\d+|\d{19,})$/.test(cell);

function readNumbers(
  filled: readonly string[],
  shapes: readonly (NumberShape | null)[],
  hints: ReadingHints,
): ColumnReading {
  const votes = new NumberVotes();
  for (const shape of shapes) if (shape) votes.add(shape);
  const format = votes.format(hints.decimal);
  const foreign = format.units.filter((unit) => unitFactor(unit, format.unit) === null);
  if (foreign.length > 0) {
    const strange = foreign.reduce((sum, unit) => sum + (votes.units.get(unit) ?? 0), 0);
    if (strange > filled.length * (1 - fitShare))
      return asText(
        `mixes units that cannot be converted into one another (${[format.unit, ...foreign].slice(0, 4).join(', ')}); kept as text`,
      );
    format.units = format.units.filter((unit) => !foreign.includes(unit));
  }
  const converts = format.units.some((unit) => unitFactor(unit, format.unit) !== 1);
  const whole =
    !converts &&
    shapes.every((shape) => {
      if (!shape) return true;
      if (/[eE]/.test(shape.core)) return false;
      const value = readNumber(shape.core, { ...format, units: [] });
      const mark = format.decimal === 'either' ? /[.,]/ : format.decimal === ',' ? /,/ : /\./;
      return value === null || !mark.test(shape.core);
    });
  const found = { identifier: false, number: format, date: null, warning: null };
  if (whole) return { type: 'integer', ...found };
  const decimals = converts ? null : equalDecimals(shapes, format.decimal);
  return { type: 'number', ...found, ...(decimals !== null && { decimals }) };
}

/** How many digits all cells have behind the decimal mark; null where they differ. */
function equalDecimals(
  shapes: readonly (NumberShape | null)[],
  mark: NumberFormat['decimal'],
): number | null {
  let decimals: number | null = null;
  for (const shape of shapes) {
    if (!shape) continue;
    const at = shape.core.lastIndexOf(mark);
    const own = at === -1 || /[eE]/.test(shape.core) ? 0 : shape.core.length - at - 1;
    if (own === 0 || own > 9 || own !== (decimals ?? own)) return null;
    decimals = own;
  }
  return decimals;
}

/** Decides from sampled cells how a column is read. Text is the type that never loses anything. */
export function planReading(cells: readonly string[], hints: ReadingHints): ColumnReading {
  const written = cells.map((cell) => cell.trim()).filter((cell) => !hints.missing.has(cell));
  const filled = written.filter((cell) => !alsoMissing.has(cell));
  if (hints.forced === 'text') return asText();
  if (filled.length === 0) return asText();
  if (hints.forced === 'boolean' || (!hints.forced && isBoolean(written)))
    return { type: 'boolean', identifier: false, number: null, date: null, warning: null };
  const numbers = !hints.forced || hints.forced === 'integer' || hints.forced === 'number';
  if (numbers) {
    const shapes = filled.map((cell) => numberShape(cell));
    const fit = shapes.filter((shape) => shape !== null).length;
    if (hints.forced || fit >= filled.length * fitShare) {
      const bare = filled.filter(
        (_, i) => shapes[i]?.separators === 'none' && !shapes[i]?.unit && !shapes[i]?.group,
      );
      if (!hints.forced && bare.length === fit && bare.some(isExactText)) return asText(null, true);
      const reading = readNumbers(filled, shapes, hints);
      return hints.forced && reading.number ? { ...reading, type: hints.forced } : reading;
    }
  }
  const votes = new DateVotes();
  const dates = filled.filter((cell) => votes.add(cell)).length;
  if (hints.forced === 'date' || hints.forced === 'datetime' || dates >= filled.length * fitShare) {
    const format = votes.format(hints.dates);
    if (format)
      return {
        type: hints.forced ?? (format.time ? 'datetime' : 'date'),
        identifier: false,
        number: null,
        date: format,
        warning: null,
      };
    return asText(
      votes.contradictory
        ? 'has dates with the day first and dates with the month first; kept as text. Set "dates" to dmy or mdy'
        : `has dates like ${filled[0]}, and nothing tells the day from the month; kept as text. Set "dates" to dmy or mdy`,
    );
  }
  return asText();
}

/** The decimal mark that most unmistakable numbers of the file have. */
export function fileDecimal(columns: readonly (readonly string[])[], delimiter: string): '.' | ',' {
  let commas = 0;
  let dots = 0;
  for (const cells of columns) {
    const filled = cells.filter((cell) => cell.trim() !== '');
    const shapes = filled.map((cell) => numberShape(cell)).filter((shape) => shape !== null);
    if (shapes.length === 0 || shapes.length < filled.length * 0.7) continue;
    const votes = new NumberVotes();
    for (const shape of shapes) votes.add(shape);
    commas += votes.commaEvidence;
    dots += votes.dotEvidence;
    // "1,234" in a file whose fields are not divided by commas leans to a decimal comma, but weakly.
    if (!delimiter.includes(',')) commas += votes.counts.comma3 * 0.01;
  }
  return commas > dots ? ',' : '.';
}
