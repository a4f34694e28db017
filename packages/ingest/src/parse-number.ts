/** How the numbers of a column are written, as bytes; -1 stands for a mark that there is none of. */
export interface NumberBytes {
  integer: boolean;
  /** Decimal marks; the second where two are allowed. -1 in columns of integers. */
  decimal: number;
  otherDecimal: number;
  thousands: number;
  /** Spellings that may stand behind the digits and before them; all of them mean the same unit. */
  suffixes: Uint8Array[];
  prefixes: Uint8Array[];
  /** Blanks around a number change nothing, and nobody has to be told of them. */
  blanks: boolean;
  /** Whether a value is written as its cell has to be known. */
  compared: boolean;
}

/** Powers of ten that a double holds exactly. */
export const powersOfTen = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));

const zero = 48;
const minus = 45;
const blank = 32;
const point = 46;

const startsWith = (bytes: Uint8Array, at: number, text: Uint8Array): boolean => {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false;
  return true;
};

const isDigit = (byte: number): boolean => byte >= zero && byte <= 57;

/**
 * Reads numbers that say surely what they mean; all others are for the engine's expressions. What was read
 * stands in the fields until the next call.
 */
export class NumberReader {
  value = Number.NaN;
  /** The byte behind the number, its unit and blanks. */
  end = 0;
  /** The value is written just as it stands in the cell. */
  verbatim = false;
  readonly #format: NumberBytes;

  constructor(format: NumberBytes) {
    this.#format = format;
  }

  /**
   * Reads the number that begins at `from`; false where there is none beyond doubt. Behind the cell there is
   * a byte that belongs to no number.
   */
  read(bytes: Buffer, from: number): boolean {
    const format = this.#format;
    let at = from;
    if (format.blanks) while (bytes[at] === blank) at++;
    const negative = bytes[at] === minus;
    if (negative) at++;
    const before = at;
    for (const prefix of format.prefixes)
      if (startsWith(bytes, at, prefix)) {
        at += prefix.length;
        while (bytes[at] === blank) at++;
        break;
      }
    const prefixed = at > before;
    const start = at;
    // Digits without their marks: the first nine, and the nine that follow them.
    let high = 0;
    let low = 0;
    let size = 0;
    let grouped = false;
    let whole = 0;
    let mark = -1;
    // Runs of digits: the first, one behind each mark of thousands, and the decimals.
    for (let run = at; ; run = at) {
      for (let byte = bytes[at]!; byte >= zero && byte <= 57; byte = bytes[++at]!) {
        if (size < 9) high = (Math.imul(high, 10) + byte - zero) | 0;
        else if (size < 18) low = (Math.imul(low, 10) + byte - zero) | 0;
        size++;
      }
      const byte = bytes[at]!;
      if (mark !== -1) {
        if (size === whole) return false;
        break;
      }
      if (size === 0 || (grouped && at - run !== 3)) return false;
      whole = size;
      if (byte === format.thousands && (grouped || size <= 3) && isDigit(bytes[at + 1]!)) grouped = true;
      else if (byte === format.decimal || byte === format.otherDecimal) mark = byte;
      else break;
      at++;
    }
    const padded = bytes[start] === zero && whole > 1;
    const fraction = size - whole;
    let exponent = 0;
    let scientific = false;
    if (!format.integer && (bytes[at] === 101 || bytes[at] === 69)) {
      let digits = at + 1;
      const sign = bytes[digits];
      if (sign === minus || sign === 43) digits++;
      const first = digits;
      while (isDigit(bytes[digits]!)) exponent = exponent * 10 + bytes[digits++]! - zero;
      if (digits - first > 3) return false;
      scientific = digits > first;
      // The engine itself writes some numbers so.
      if (scientific && format.compared) return false;
      if (scientific) at = digits;
      if (sign === minus) exponent = -exponent;
    }
    const stop = at;
    let suffixed = false;
    if (format.suffixes.length > 0 && !prefixed) {
      let unit = at;
      while (bytes[unit] === blank) unit++;
      for (const suffix of format.suffixes)
        if (startsWith(bytes, unit, suffix)) {
          at = unit + suffix.length;
          suffixed = true;
          break;
        }
    }
    if (format.blanks) while (bytes[at] === blank) at++;
    this.end = at;
    const plain = !grouped && !prefixed && !suffixed;
    if (format.integer) {
      // Zeros in front may mean a text, and digits beyond 2^53 are no double.
      if (padded || size > 15 || (negative && size === 1 && high === 0)) return false;
      this.value = size > 9 ? high * powersOfTen[size - 9]! + low : high;
      if (negative) this.value = -this.value;
      this.verbatim = plain;
      return true;
    }
    const power = exponent - fraction;
    if (size <= 15 && power >= -22 && power <= 22) {
      // Both are exact, so that one operation rounds once (Clinger, "How to read floating point numbers accurately", 1990).
      const digits = size > 9 ? high * powersOfTen[size - 9]! + low : high;
      this.value = power < 0 ? digits / powersOfTen[-power]! : digits * powersOfTen[power]!;
    } else {
      let text = bytes.toString('latin1', start, stop);
      if (grouped) text = text.replaceAll(String.fromCharCode(format.thousands), '');
      if (mark !== -1 && mark !== point) text = text.replace(String.fromCharCode(mark), '.');
      this.value = Number(text);
      const far = this.value > 1e300 || (this.value < 1e-300 && (high > 0 || low > 0 || size > 18));
      // What is about to leave the range of doubles is read by the engine's own rules.
      if (far || Number.isNaN(this.value)) return false;
      if (format.compared) return false;
    }
    const digitsEnd = bytes[stop - 1] !== zero || fraction === 1;
    const size0 = this.value === 0 || this.value >= 1e-4;
    this.verbatim = plain && mark === point && !padded && digitsEnd && size0 && this.value < 1e15;
    if (negative) this.value = -this.value;
    return true;
  }
}
