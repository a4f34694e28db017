import { prefixSpellings, unitSpellings } from './units.ts';

/** How the numbers of one column are written. */
export interface NumberFormat {
  /** Decimal mark; 'either' where both occur and none can be a thousands separator. */
  decimal: '.' | ',' | 'either';
  /** Thousands separator; '' without. */
  thousands: '' | '.' | ',' | ' ' | "'" | '\u00a0' | '\u202f' | '_' | '’';
  /** Spellings of the units or currencies that stand at the numbers. */
  units: string[];
  /** The unit of the column once read: its most frequent spelling; '' without. */
  unit: string;
  /** Some are in accounting brackets: (12) is -12. */
  brackets: boolean;
  /** Nothing but what a plain number parser reads. */
  plain: boolean;
}

export const escapeRegex = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');

const unitPattern = unitSpellings.map(escapeRegex).join('|');
const prefixPattern = prefixSpellings.map(escapeRegex).join('|');
const shape = new RegExp(
  `^(\\()?\\s*([-+−]?)\\s*(${prefixPattern})?\\s*([-+−]?)((?:\\d[\\d.,'’_\\u0020\\u00a0\\u202f]*|[.,]\\d+)(?:[eE][-+]?\\d+)?)\\s*(${unitPattern})?\\s*(\\))?$`,
);

export interface NumberShape {
  /** Sign and digits with their separators, without units. */
  core: string;
  unit: string;
  brackets: boolean;
  separators:
    | 'none'
    | 'dot'
    | 'comma'
    | 'dot3'
    | 'comma3'
    | 'dots'
    | 'commas'
    | 'dot-comma'
    | 'comma-dot'
    | 'other';
  /** Thousands separator that is neither point nor comma. */
  group: string;
}

const grouped = (digits: string, mark: string): boolean => {
  const parts = digits.split(mark);
  return (
    parts[0]!.length >= 1 && parts[0]!.length <= 3 && parts.slice(1).every((part) => /^\d{3}$/.test(part))
  );
};

const bare = /^([+-]?\d+)(\.\d+)?$/;

/** Takes a cell apart as a number; null when it is none however leniently read. */
export function numberShape(cell: string): NumberShape | null {
  // Most cells are bare digits: they need no look for units.
  const quick = bare.exec(cell);
  if (quick) {
    const separators =
      quick[2] === undefined ? 'none' : ambiguous(cell.replace(/^[+-]/, ''), '.') ? 'dot3' : 'dot';
    return { core: cell, unit: '', brackets: false, separators, group: '' };
  }
  const found = /\d/.test(cell) ? shape.exec(cell.trim()) : null;
  if (!found) return null;
  const [, open, sign, before, sign2, body, behind, close] = found;
  if ((open === undefined) !== (close === undefined) || (before && behind) || (sign && sign2)) return null;
  let digits = body!.trim().replace(/[eE][-+]?\d+$/, '');
  let group = '';
  const mark = /[ \u00a0\u202f'’_]/.exec(digits)?.[0];
  if (mark !== undefined) {
    const whole = digits.replace(/[.,]\d*$/, '');
    if (!grouped(whole, mark)) return null;
    group = mark;
    digits = digits.replaceAll(mark, '');
  }
  const dots = digits.split('.').length - 1;
  const commas = digits.split(',').length - 1;
  let separators: NumberShape['separators'] = 'none';
  if (dots > 0 && commas > 0) {
    const lastDot = digits.lastIndexOf('.');
    const lastComma = digits.lastIndexOf(',');
    if (lastDot > lastComma && dots === 1 && grouped(digits.slice(0, lastDot), ',')) separators = 'comma-dot';
    else if (lastComma > lastDot && commas === 1 && grouped(digits.slice(0, lastComma), '.'))
      separators = 'dot-comma';
    else return null;
  } else if (dots > 1 || commas > 1) {
    if (!grouped(digits, dots > 1 ? '.' : ',')) return null;
    separators = dots > 1 ? 'dots' : 'commas';
  } else if (dots === 1) separators = ambiguous(digits, '.') && !group ? 'dot3' : 'dot';
  else if (commas === 1) separators = ambiguous(digits, ',') && !group ? 'comma3' : 'comma';
  const signed = (sign || sign2 || '').replace('−', '-');
  return {
    core: (open ? '-' : signed) + body!.trim(),
    unit: before ?? behind ?? '',
    brackets: open !== undefined,
    separators,
    group,
  };
}

/** One to three digits (not a lone zero), a mark, exactly three digits: thousands or decimals. */
const ambiguous = (digits: string, mark: '.' | ','): boolean =>
  (mark === '.' ? /^[1-9]\d{0,2}\.\d{3}$/ : /^[1-9]\d{0,2},\d{3}$/).test(digits);

/** Votes over many cells for how numbers are written. */
export class NumberVotes {
  cells = 0;
  counts: Record<NumberShape['separators'], number> = {
    none: 0,
    dot: 0,
    comma: 0,
    dot3: 0,
    comma3: 0,
    dots: 0,
    commas: 0,
    'dot-comma': 0,
    'comma-dot': 0,
    other: 0,
  };
  groups = new Map<string, number>();
  units = new Map<string, number>();
  brackets = 0;

  add(found: NumberShape): void {
    this.cells++;
    this.counts[found.separators]++;
    if (found.group) this.groups.set(found.group, (this.groups.get(found.group) ?? 0) + 1);
    if (found.unit) this.units.set(found.unit, (this.units.get(found.unit) ?? 0) + 1);
    if (found.brackets) this.brackets++;
  }

  /** Cells that can only be read with a decimal comma, or only with a decimal point. */
  get commaEvidence(): number {
    return this.counts.comma + this.counts['dot-comma'] + this.counts.dots;
  }
  get dotEvidence(): number {
    return this.counts.dot + this.counts['comma-dot'] + this.counts.commas;
  }

  /** The column's format. `fallback` is the file's decimal mark, for cells like 1,234 that alone say nothing. */
  format(fallback: '.' | ','): NumberFormat {
    const { counts } = this;
    const commas = this.commaEvidence;
    const dots = this.dotEvidence;
    // Bare digits need no decimal mark; should one come later in the file, the column is planned again.
    let decimal: NumberFormat['decimal'] = counts.none === this.cells ? '.' : fallback;
    if (commas > 0 || dots > 0) decimal = commas > dots ? ',' : '.';
    const anyGroup = counts.dots + counts.commas + counts['dot-comma'] + counts['comma-dot'] > 0;
    if (counts.comma > 0 && counts.dot > 0 && !anyGroup) decimal = 'either';
    let thousands: NumberFormat['thousands'] = '';
    const [group] = [...this.groups].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    if (group) thousands = group[0] as NumberFormat['thousands'];
    else if (decimal === ',' && counts.dots + counts['dot-comma'] + counts.dot3 > 0) thousands = '.';
    else if (decimal === '.' && counts.commas + counts['comma-dot'] + counts.comma3 > 0) thousands = ',';
    const spelled = [...this.units]
      .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
      .map(([unit]) => unit);
    return {
      decimal,
      thousands,
      units: spelled,
      unit: spelled[0] ?? '',
      brackets: this.brackets > 0,
      plain: decimal === '.' && thousands === '' && spelled.length === 0 && this.brackets === 0,
    };
  }
}

/** Reads one cell in a column's format, before unit conversion; null when it does not fit. */
export function readNumber(cell: string, format: NumberFormat): number | null {
  const found = numberShape(cell);
  if (!found || (found.unit && !format.units.includes(found.unit))) return null;
  if (found.group && found.group !== format.thousands) return null;
  let text = found.group ? found.core.replaceAll(found.group, '') : found.core;
  const kind = found.separators;
  if (format.decimal === 'either') {
    if (kind !== 'none' && kind !== 'dot' && kind !== 'comma' && kind !== 'dot3' && kind !== 'comma3')
      return null;
    text = text.replace(',', '.');
  } else if (format.decimal === ',') {
    if (kind === 'commas' || kind === 'comma-dot' || kind === 'dot') return null;
    if (text.includes('.') && format.thousands !== '.') return null;
    text = text.replaceAll('.', '').replace(',', '.');
  } else {
    if (kind === 'dots' || kind === 'dot-comma' || kind === 'comma') return null;
    if (text.includes(',') && format.thousands !== ',') return null;
    text = text.replaceAll(',', '');
  }
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}
