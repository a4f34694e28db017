import { type PutNumber, putDecimal, putInteger, putShortest, shortestText } from './number-text.ts';
import { quotedText, type WrittenColumn } from './written-column.ts';

/** Rows that are made into text at once, at most. */
export const stripRows = 256;
/** Bytes of any number's text. */
const numberBytes = 32;
const zero = 48;
const minus = 45;
const point = 46;
const tens = Uint8Array.from({ length: 100 }, (_, i) => zero + Math.floor(i / 10));
const ones = Uint8Array.from({ length: 100 }, (_, i) => zero + (i % 10));

/** Makes the texts of one column, a strip of rows at a time: first how long they are, then they themselves. */
export interface Cells {
  /** Adds the bytes of each row's cell to `lengths`. */
  measure(from: number, rows: number, lengths: Int32Array): void;
  /** Puts the cells that were measured last, each where its row ends so far, with a separator behind. */
  put(to: Uint8Array, ends: Int32Array, rows: number, separator: number): void;
}

const encoder = new TextEncoder();

function sizeOf(value: number): number {
  if (value < 10_000) return value < 100 ? (value < 10 ? 1 : 2) : value < 1000 ? 3 : 4;
  if (value < 1_000_000) return value < 100_000 ? 5 : 6;
  if (value < 100_000_000) return value < 10_000_000 ? 7 : 8;
  return value < 1_000_000_000 ? 9 : 10;
}

/** Writes the decimal digits of a whole number below 2^31 so that they end at a place. */
function putBack(value: number, to: Uint8Array, end: number): void {
  let rest = value;
  let place = end;
  while (rest >= 100) {
    const left = (rest / 100) | 0;
    const pair = rest - left * 100;
    to[--place] = ones[pair]!;
    to[--place] = tens[pair]!;
    rest = left;
  }
  if (rest >= 10) {
    to[--place] = ones[rest]!;
    to[--place] = tens[rest]!;
  } else to[--place] = zero + rest;
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
  readonly #digits = new Int32Array(stripRows);
  readonly #sizes = new Int32Array(stripRows);
  /** Where the text of a cell stands in `#texts`; -1 where its digits say all. */
  readonly #places = new Int32Array(stripRows);
  readonly #texts: Uint8Array;
  readonly #fixed: { at: number; size: number }[] = [];
  readonly #put: PutNumber;

  constructor({ type, limits, fill, decimals }: WrittenColumn, none: string) {
    this.#min = limits.min;
    this.#max = limits.max;
    const text = (value: number): string =>
      type === 'integer' || !Number.isFinite(value) ? String(value) : shortestText(value);
    this.#decimals = type === 'integer' ? 0 : (decimals ?? -1);
    const fixed = [text(limits.min), text(limits.max), fill === null ? none : text(Number(fill))].map((one) =>
      encoder.encode(one),
    );
    const room = stripRows * numberBytes;
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
    const least = decimals + 1;
    for (let row = 0; row < rows; row++) {
      const value = values[from + row]!;
      let size: number;
      if (value >= min && value <= max) {
        const whole = decimals < 0 ? Number.NaN : Math.round(value * power);
        if (whole < 2_147_483_648 && whole > -2_147_483_648) {
          const length = sizeOf(whole < 0 ? -whole : whole);
          size = (length < least ? least : length) + extra + (whole < 0 ? 1 : 0);
          digits[row] = whole;
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

  put(to: Uint8Array, ends: Int32Array, rows: number, separator: number): void {
    const digits = this.#digits;
    const sizes = this.#sizes;
    const places = this.#places;
    const texts = this.#texts;
    const decimals = this.#decimals;
    for (let row = 0; row < rows; row++) {
      const at = ends[row]!;
      const end = at + sizes[row]!;
      const from = places[row]!;
      if (from < 0) {
        let rest = digits[row]!;
        if (rest < 0) {
          to[at] = minus;
          rest = -rest;
        }
        let place = end;
        if (decimals > 0) {
          let left = decimals;
          for (; left > 1; left -= 2) {
            const whole = (rest / 100) | 0;
            const pair = rest - whole * 100;
            to[--place] = ones[pair]!;
            to[--place] = tens[pair]!;
            rest = whole;
          }
          if (left === 1) {
            const whole = (rest / 10) | 0;
            to[--place] = zero + rest - whole * 10;
            rest = whole;
          }
          to[--place] = point;
        }
        putBack(rest, to, place);
      } else for (let i = 0; i < end - at; i++) to[at + i] = texts[from + i]!;
      to[end] = separator;
      ends[row] = end + 1;
    }
  }
}

/** Words of a column, by their codes; a missing one is the column's filler. */
export class WordCells implements Cells {
  codes: Uint16Array = new Uint16Array(0);
  readonly #bytes: Uint8Array;
  readonly #starts: Uint32Array;
  #from = 0;

  constructor(words: readonly (string | null)[], fill: string | null, none: string) {
    const missing = fill === null ? none : quotedText(fill);
    const parts = words.map((word) => encoder.encode(word === null ? missing : quotedText(word)));
    this.#starts = new Uint32Array(parts.length + 1);
    parts.forEach((part, code) => {
      this.#starts[code + 1] = this.#starts[code]! + part.length;
    });
    this.#bytes = new Uint8Array(this.#starts.at(-1)!);
    parts.forEach((part, code) => {
      this.#bytes.set(part, this.#starts[code]);
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

  put(to: Uint8Array, ends: Int32Array, rows: number, separator: number): void {
    const { codes } = this;
    const starts = this.#starts;
    const bytes = this.#bytes;
    const from = this.#from;
    for (let row = 0; row < rows; row++) {
      const code = codes[from + row]!;
      let at = ends[row]!;
      const end = starts[code + 1]!;
      for (let place = starts[code]!; place < end; place++) to[at++] = bytes[place]!;
      to[at] = separator;
      ends[row] = at + 1;
    }
  }
}
