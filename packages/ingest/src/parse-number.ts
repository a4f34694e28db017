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

/** A double's upper half of digits, as Veltkamp splits it: products of halves are exact. */
const upperHalf = (x: number): number => {
  const big = 134_217_729 * x;
  return big - (big - x);
};

/** What the product of two numbers, rounded as `product`, has lost (Dekker, "A floating-point technique", 1971). */
function lostIn(product: number, a: number, b: number): number {
  const [a1, b1] = [upperHalf(a), upperHalf(b)];
  const [a2, b2] = [a - a1, b - b1];
  return a2 * b2 - (product - a1 * b1 - a2 * b1 - a1 * b2);
}

/**
 * (high * 10^more + low) / 10^power, correctly rounded, for numbers of up to 18 digits, `more` of them in
 * `low`, and powers up to 22. NaN where the quotient is too near the middle of two doubles to tell.
 */
function longQuotient(high: number, low: number, more: number, power: number): number {
  // The digits as a sum of two doubles.
  const scale = powersOfTen[more]!;
  const product = high * scale;
  const digits = product + low;
  const rest = low - (digits - product) + lostIn(product, high, scale);
  const divisor = powersOfTen[power]!;
  const quotient = digits / divisor;
  const back = quotient * divisor;
  const correction = (digits - back - lostIn(back, quotient, divisor) + rest) / divisor;
  // The correction is right to some 2^-104 of the quotient.
  const doubt = quotient * 2 ** -98;
  const value = quotient + (correction - doubt);
  return value === quotient + (correction + doubt) ? value : Number.NaN;
}

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
    // Digits without their marks and zeros in front: the first nine, and the nine that follow them.
    let high = 0;
    let low = 0;
    let used = 0;
    let size = 0;
    let grouped = false;
    let whole = 0;
    let mark = -1;
    // Runs of digits: the first, one behind each mark of thousands, and the decimals.
    for (let run = at; ; run = at) {
      for (let byte = bytes[at]!; byte >= zero && byte <= 57; byte = bytes[++at]!) {
        if (used < 9) high = (Math.imul(high, 10) + byte - zero) | 0;
        else if (used < 18) low = (Math.imul(low, 10) + byte - zero) | 0;
        size++;
        if (high > 0) used++;
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
      this.value = used > 9 ? high * powersOfTen[used - 9]! + low : high;
      if (negative) this.value = -this.value;
      this.verbatim = plain;
      return true;
    }
    const power = exponent - fraction;
    let value = Number.NaN;
    if (used <= 15 && power >= -22 && power <= 22) {
      // Both are exact, so that one operation rounds once (Clinger, "How to read floating point numbers accurately", 1990).
      const digits = used > 9 ? high * powersOfTen[used - 9]! + low : high;
      value = power < 0 ? digits / powersOfTen[-power]! : digits * powersOfTen[power]!;
    } else if (format.compared) return false;
    else if (used <= 18 && power >= -22 && power < 0) value = longQuotient(high, low, used - 9, -power);
    if (Number.isNaN(value)) {
      let text = bytes.toString('latin1', start, stop);
      if (grouped) text = text.replaceAll(String.fromCharCode(format.thousands), '');
      if (mark !== -1 && mark !== point) text = text.replace(String.fromCharCode(mark), '.');
      value = Number(text);
      // What is about to leave the range of doubles is read by the engine's own rules.
      if (value > 1e300 || (value < 1e-300 && used > 0) || Number.isNaN(value)) return false;
    }
    const digitsEnd = bytes[stop - 1] !== zero || fraction === 1;
    const usual = value === 0 || (value >= 1e-4 && value < 1e15);
    this.verbatim = plain && mark === point && !padded && digitsEnd && usual;
    this.value = negative ? -value : value;
    return true;
  }
}
