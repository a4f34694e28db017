/** How the dates of one column are written. */
export interface DateFormat {
  /** Some are ISO 8601 (year-month-day, time behind a blank or T). */
  iso: boolean;
  /** strptime formats of the others, most frequent first. */
  formats: string[];
  time: boolean;
  /** Some carry an offset from UTC; all are then written in UTC. */
  zone: boolean;
  /** In words, for the report. */
  words: string;
}

type Order = 'ymd' | 'dmy' | 'mdy';
interface DateShape {
  order: Order | 'slashed';
  mark: string;
  a: number;
  b: number;
  yearDigits: number;
  named: '' | 'b' | 'B';
  /** '' without a time, else its strptime part. */
  time: string;
  zone: boolean;
}

const months = 'jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec';
const fullMonths = 'january|february|march|april|may|june|july|august|september|october|november|december';
const timePart =
  '(?:[T ]+(\\d{1,2}):(\\d{2})(?::(\\d{2})(\\.\\d{1,9})?)?\\s*([AaPp][Mm])?\\s*(Z|[+-]\\d{2}(?::?\\d{2})?)?)?';
const iso = new RegExp(`^(\\d{4})([-/.])(\\d{1,2})\\2(\\d{1,2})${timePart}$`);
const numeric = new RegExp(`^(\\d{1,2})([-/.])(\\d{1,2})\\2(\\d{4}|\\d{2})${timePart}$`);
const dayName = new RegExp(`^(\\d{1,2})([-/ .])(${fullMonths}|${months})\\2(\\d{4}|\\d{2})${timePart}$`, 'i');
const nameDay = new RegExp(`^(${fullMonths}|${months}) (\\d{1,2}), (\\d{4})${timePart}$`, 'i');

function time(parts: (string | undefined)[]): { time: string; zone: boolean } {
  const [hour, , second, fraction, half, zone] = parts;
  if (hour === undefined) return { time: '', zone: false };
  const clock = `${half ? '%I' : '%H'}:%M${second ? ':%S' : ''}${fraction ? '.%f' : ''}${half ? ' %p' : ''}`;
  return { time: clock, zone: zone !== undefined };
}

function dateShape(cell: string): DateShape | null {
  const text = cell.trim();
  if (text.length < 6 || text.length > 40) return null;
  let found = iso.exec(text);
  if (found) {
    const [month, day] = [Number(found[3]), Number(found[4])];
    if (month < 1 || month > 12 || day < 1 || day > 31) return null;
    return { order: 'ymd', mark: found[2]!, a: 0, b: 0, yearDigits: 4, named: '', ...time(found.slice(5)) };
  }
  found = numeric.exec(text);
  if (found) {
    const [a, b] = [Number(found[1]), Number(found[3])];
    if (a < 1 || b < 1 || a > 31 || b > 31 || (a > 12 && b > 12)) return null;
    // 1.50 or 12.5.20 as dotted numbers: a two-digit year needs slashes or dashes, or two-digit parts.
    if (found[4]!.length === 2 && found[2] === '.' && (found[1]!.length < 2 || found[3]!.length < 2))
      return null;
    return {
      order: 'slashed',
      mark: found[2]!,
      a,
      b,
      yearDigits: found[4]!.length,
      named: '',
      ...time(found.slice(5)),
    };
  }
  found = dayName.exec(text);
  if (found)
    return {
      order: 'dmy',
      mark: found[2]!,
      a: 0,
      b: 0,
      yearDigits: found[4]!.length,
      named: found[3]!.length > 3 ? 'B' : 'b',
      ...time(found.slice(5)),
    };
  found = nameDay.exec(text);
  if (found)
    return {
      order: 'mdy',
      mark: ' ',
      a: 0,
      b: 0,
      yearDigits: 4,
      named: found[1]!.length > 3 ? 'B' : 'b',
      ...time(found.slice(4)),
    };
  return null;
}

export const isDate = (cell: string): boolean => dateShape(cell) !== null;

/** Votes over a column's cells for how dates are written. */
export class DateVotes {
  cells = 0;
  #patterns = new Map<string, { count: number; shape: DateShape }>();
  /** Cells whose first number exceeds 12 (a day), and whose second does. */
  dayFirst = 0;
  monthFirst = 0;

  add(cell: string): boolean {
    const shape = dateShape(cell);
    if (!shape) return false;
    this.cells++;
    if (shape.order === 'slashed') {
      if (shape.a > 12) this.dayFirst++;
      else if (shape.b > 12) this.monthFirst++;
    }
    const key = [shape.order, shape.mark, shape.yearDigits, shape.named, shape.time, shape.zone].join('|');
    const known = this.#patterns.get(key);
    if (known) known.count++;
    else this.#patterns.set(key, { count: 1, shape });
    return true;
  }

  /** Whether day/month order matters and nothing in this column tells. */
  get undecided(): boolean {
    return this.#slashed && this.dayFirst === 0 && this.monthFirst === 0;
  }
  get contradictory(): boolean {
    return this.dayFirst > 0 && this.monthFirst > 0;
  }
  get #slashed(): boolean {
    return [...this.#patterns.values()].some(({ shape }) => shape.order === 'slashed');
  }

  /** The format; `order` decides where the cells do not. Null when the dates contradict one another. */
  format(order: 'dmy' | 'mdy' | null): DateFormat | null {
    if (this.contradictory && order === null) return null;
    const way = order ?? (this.dayFirst > 0 ? 'dmy' : this.monthFirst > 0 ? 'mdy' : null);
    if (this.#slashed && way === null) return null;
    const formats = new Set<string>();
    const found: DateFormat = { iso: false, formats: [], time: false, zone: false, words: 'ISO dates' };
    for (const { shape } of [...this.#patterns.values()].sort((a, b) => b.count - a.count)) {
      if (shape.time) found.time = true;
      if (shape.zone) found.zone = true;
      if (shape.order === 'ymd' && shape.mark === '-') found.iso = true;
      else {
        const date = datePart(shape, way);
        if (!shape.time) formats.add(date);
        else for (const gap of [' ', 'T']) formats.add(`${date}${gap}${shape.time}`);
      }
    }
    found.formats = [...formats];
    if (this.#slashed)
      found.words = way === 'dmy' ? 'dates with the day first' : 'dates with the month first';
    else if (found.formats.length > 0) found.words = `dates like ${found.formats[0]}`;
    return found;
  }
}

function datePart(shape: DateShape, way: 'dmy' | 'mdy' | null): string {
  const year = shape.yearDigits === 4 ? '%Y' : '%y';
  const month = shape.named ? `%${shape.named}` : '%m';
  const order = shape.order === 'slashed' ? way! : shape.order;
  if (order === 'ymd') return [year, month, '%d'].join(shape.mark);
  if (order === 'dmy') return ['%d', month, year].join(shape.mark);
  return shape.named ? `${month} %d, ${year}` : [month, '%d', year].join(shape.mark);
}
