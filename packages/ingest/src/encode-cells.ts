import { type PutNumber, putDecimal, putInteger, putShortest, shortestText } from './number-text.ts';
import { quotedText, type WrittenColumn } from './written-column.ts';

/** Rows that are made into text at once, at most. */
const mostStripRows = 256;
/** Cells of such a strip: what it touches should stay in the processor's nearest memory. */
const stripCells = 4096;

/** Rows of a strip, for a table of so many columns. */
export const stripRows = (width: number): number =>
  Math.max(16, Math.min(mostStripRows, Math.floor(stripCells / width)));

/** Bytes of any number's text. */
const numberBytes = 32;
const zero = 48;
const minus = 45;
const point = 46;

/** The four digits of numbers below 10,000, as bytes that are written at once, the first one lowest. */
const fours = Uint32Array.from({ length: 10_000 }, (_, i) => {
  const digit = (power: number): number => zero + (Math.floor(i / power) % 10);
  return digit(1000) | (digit(100) << 8) | (digit(10) << 16) | (digit(1) << 24);
});
/** Bytes to put cells into, and a view of them all for several at once. */
export interface Target {
  to: Uint8Array;
  view: DataView;
}

/** Makes the texts of one column, a strip of rows at a time: first how long they are, then they themselves. */
export interface Cells {
  /** Adds the bytes of each row's cell to `lengths`. */
  measure(from: number, rows: number, lengths: Int32Array): void;
  /**
   * Puts the cells that were measured last, each where its row ends so far, with a separator behind.
   * @param room bytes from a cell's separator on that are still to be put, and may be written over meanwhile.
   */
  put(to: Target, ends: Int32Array, rows: number, separator: number, room: number): void;
}

const encoder = new TextEncoder();

/** Powers of ten, the last one as large as there is room. */
const powers = Int32Array.from({ length: 11 }, (_, i) => Math.min(2 ** 31 - 1, 10 ** i));

/** Digits of a whole number below 2^31: branches of which each is taken at random would cost more than all else. */
function sizeOf(value: number): number {
  // 1233 / 4096 is a little more than the logarithm of 2 to the base 10.
  const guess = ((32 - Math.clz32(value | 1)) * 1233) >> 12;
  return guess + ((powers[guess]! - 1 - value) >>> 31);
}

/** Bytes behind a number's cell that are written over with it: four digits are written at once. */
const spilledBy = (decimals: number): number => (decimals > 0 ? Math.max(0, 4 - decimals) : 3);

/** Writes the last digits of a whole number below 2^31, as many as asked. Where they are less than four, bytes behind them change. */
function putDigits(value: number, size: number, to: DataView, at: number): void {
  if (size <= 4) {
    to.setUint32(at, fours[value]! >>> (32 - 8 * size), true);
    return;
  }
  const high = (value / 10_000) | 0;
  if (size <= 8) to.setUint32(at, fours[high]! >>> (64 - 8 * size), true);
  else {
    const top = (high / 10_000) | 0;
    to.setUint32(at, fours[top]! >>> (96 - 8 * size), true);
    to.setUint32(at + size - 8, fours[high - top * 10_000]!, true);
  }
  to.setUint32(at + size - 4, fours[value - high * 10_000]!, true);
}

/**
 * Numbers: those of at most nine digits or so are put digit by digit; all others are made as text first. Bounds
 * and fillers have one text each.
 */
export class NumberCells implements Cells {
  values: Float64Array = new Float64Array(0);
  readonly #min: number;
  readonly #max: number;
  /** Digits behind the point; 0 for integers, -1 where each number has its shortest text. */
  readonly #decimals: number;
  readonly #digits: Int32Array;
  readonly #sizes: Int32Array;
  /** Where the text of a cell stands in `#texts`; -1 where its digits say all. */
  readonly #places: Int32Array;
  readonly #texts: Uint8Array;
  readonly #fixed: { at: number; size: number }[] = [];
  readonly #put: PutNumber;

  /** @param rows of a strip. */
  constructor({ type, limits, fill, decimals }: WrittenColumn, none: string, rows: number) {
    this.#digits = new Int32Array(rows);
    this.#sizes = new Int32Array(rows);
    this.#places = new Int32Array(rows);
    this.#min = limits.min;
    this.#max = limits.max;
    const text = (value: number): string =>
      type === 'integer' || !Number.isFinite(value) ? String(value) : shortestText(value);
    this.#decimals = type === 'integer' ? 0 : (decimals ?? -1);
    const fixed = [text(limits.min), text(limits.max), fill === null ? none : text(Number(fill))].map((one) =>
      encoder.encode(one),
    );
    const room = rows * numberBytes;
    this.#texts = new Uint8Array(room + fixed.reduce((sum, { length }) => sum + length, 0));
    let at = room;
    for (const one of fixed) {
      this.#texts.set(one, at);
      this.#fixed.push({ at, size: one.length });
      at += one.length;
    }
    this.#put = type === 'integer' ? putInteger : decimals === null ? putShortest() : putDecimal(decimals);
  }

  measure(from: number, rows: number, lengths: Int32Array): void {
    const values = this.values;
    const min = this.#min;
    const max = this.#max;
    const digits = this.#digits;
    const sizes = this.#sizes;
    const places = this.#places;
    const decimals = this.#decimals;
    const power = decimals > 0 ? 10 ** decimals : 1;
    const extra = decimals > 0 ? 1 : 0;
    for (let row = 0; row < rows; row++) {
      const value = values[from + row]!;
      let size: number;
      if (value >= min && value <= max) {
        const whole = decimals < 0 ? Number.NaN : Math.floor(value * power + 0.5);
        if (whole < 2_147_483_648 && whole > -2_147_483_648) {
          const number = whole | 0;
          const sign = number >> 31;
          const short = (number ^ sign) - sign - power;
          // No shorter than the power of ten, which has a digit before the point.
          size = sizeOf(power + (short & ~(short >> 31))) + extra - sign;
          digits[row] = number;
          places[row] = -1;
        } else {
          const at = row * numberBytes;
          size = this.#put(value, this.#texts, at) - at;
          places[row] = at;
        }
      } else {
        const fixed = this.#fixed[value < min ? 0 : value > max ? 1 : 2]!;
        size = fixed.size;
        places[row] = fixed.at;
      }
      sizes[row] = size;
      lengths[row]! += size;
    }
  }

  put(target: Target, ends: Int32Array, rows: number, separator: number, room: number): void {
    const { to } = target;
    const digits = this.#digits;
    const sizes = this.#sizes;
    const places = this.#places;
    const decimals = this.#decimals;
    this.#putTexts(to, ends, rows);
    if (room < spilledBy(decimals)) putAllExactly(digits, sizes, places, decimals, to, ends, rows);
    else if (decimals > 0) putDecimals(digits, sizes, places, decimals, target, ends, rows);
    else putIntegers(digits, sizes, places, target, ends, rows);
    for (let row = 0; row < rows; row++) {
      const end = ends[row]! + sizes[row]!;
      to[end] = separator;
      ends[row] = end + 1;
    }
  }

  /** The cells that are no digits. */
  #putTexts(to: Uint8Array, ends: Int32Array, rows: number): void {
    const places = this.#places;
    const sizes = this.#sizes;
    const texts = this.#texts;
    for (let row = 0; row < rows; row++) {
      const from = places[row]!;
      if (from < 0) continue;
      const at = ends[row]!;
      const size = sizes[row]!;
      for (let i = 0; i < size; i++) to[at + i] = texts[from + i]!;
    }
  }
}

// Each kind is put by a loop of its own: small enough for the compiler to make one piece of it.

function putIntegers(
  digits: Int32Array,
  sizes: Int32Array,
  places: Int32Array,
  { to, view }: Target,
  ends: Int32Array,
  rows: number,
): void {
  for (let row = 0; row < rows; row++) {
    if (places[row]! >= 0) continue;
    const at = ends[row]!;
    const number = digits[row]!;
    const sign = number >> 31;
    // The first digit takes its place where there is no sign.
    to[at] = minus;
    putDigits((number ^ sign) - sign, sizes[row]! + sign, view, at - sign);
  }
}

function putDecimals(
  digits: Int32Array,
  sizes: Int32Array,
  places: Int32Array,
  decimals: number,
  { to, view }: Target,
  ends: Int32Array,
  rows: number,
): void {
  const power = powers[decimals]!;
  // A little more than 1 / power: the product's whole part is the quotient's, for whole numbers below 2^31.
  const inverse = (1 + 2 ** -50) / power;
  for (let row = 0; row < rows; row++) {
    if (places[row]! >= 0) continue;
    const at = ends[row]!;
    const number = digits[row]!;
    const sign = number >> 31;
    const rest = (number ^ sign) - sign;
    const whole = (rest * inverse) | 0;
    const mark = at + sizes[row]! - decimals - 1;
    to[at] = minus;
    putDigits(whole, mark - at + sign, view, at - sign);
    to[mark] = point;
    putDigits(rest - Math.imul(whole, power), decimals, view, mark + 1);
  }
}

/** Where nothing behind a cell may be written over. */
function putAllExactly(
  digits: Int32Array,
  sizes: Int32Array,
  places: Int32Array,
  decimals: number,
  to: Uint8Array,
  ends: Int32Array,
  rows: number,
): void {
  for (let row = 0; row < rows; row++) {
    if (places[row]! >= 0) continue;
    const at = ends[row]!;
    const number = digits[row]!;
    const sign = number >> 31;
    let rest = (number ^ sign) - sign;
    to[at] = minus;
    const mark = decimals > 0 ? at + sizes[row]! - decimals - 1 : -1;
    for (let place = at + sizes[row]!; place > at - sign; ) {
      if (--place === mark) {
        to[place] = point;
        continue;
      }
      const left = (rest / 10) | 0;
      to[place] = zero + rest - left * 10;
      rest = left;
    }
  }
}

const headWords = 4;

/** Words of a column, by their codes; a missing one is the column's filler. */
export class WordCells implements Cells {
  codes: Uint16Array = new Uint16Array(0);
  readonly #bytes: Uint8Array;
  readonly #starts: Uint32Array;
  /** The first bytes of each word, four at a time. */
  readonly #heads: Uint32Array;
  #from = 0;

  constructor(words: readonly (string | null)[], fill: string | null, none: string) {
    const missing = fill === null ? none : quotedText(fill);
    const parts = words.map((word) => encoder.encode(word === null ? missing : quotedText(word)));
    this.#starts = new Uint32Array(parts.length + 1);
    parts.forEach((part, code) => {
      this.#starts[code + 1] = this.#starts[code]! + part.length;
    });
    this.#bytes = new Uint8Array(this.#starts.at(-1)!);
    this.#heads = new Uint32Array(parts.length * headWords);
    const heads = new Uint8Array(this.#heads.buffer);
    parts.forEach((part, code) => {
      this.#bytes.set(part, this.#starts[code]);
      heads.set(part.subarray(0, 4 * headWords), code * 4 * headWords);
    });
  }

  measure(from: number, rows: number, lengths: Int32Array): void {
    const { codes } = this;
    const starts = this.#starts;
    this.#from = from;
    for (let row = 0; row < rows; row++) {
      const code = codes[from + row]!;
      lengths[row]! += starts[code + 1]! - starts[code]!;
    }
  }

  put(target: Target, ends: Int32Array, rows: number, separator: number, room: number): void {
    const { to, view } = target;
    const { codes } = this;
    const starts = this.#starts;
    const bytes = this.#bytes;
    const heads = this.#heads;
    const from = this.#from;
    for (let row = 0; row < rows; row++) {
      const code = codes[from + row]!;
      const at = ends[row]!;
      const start = starts[code]!;
      const size = starts[code + 1]! - start;
      const head = code * headWords;
      if (size <= 8 && 8 - size <= room) {
        view.setUint32(at, heads[head]!, true);
        view.setUint32(at + 4, heads[head + 1]!, true);
      } else if (size <= 16 && 16 - size <= room) {
        view.setUint32(at, heads[head]!, true);
        view.setUint32(at + 4, heads[head + 1]!, true);
        view.setUint32(at + 8, heads[head + 2]!, true);
        view.setUint32(at + 12, heads[head + 3]!, true);
      } else for (let i = 0; i < size; i++) to[at + i] = bytes[start + i]!;
      to[at + size] = separator;
      ends[row] = at + size + 1;
    }
  }
}
