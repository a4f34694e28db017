/** Writes the text of a number into `to` from `at` on, and says where it ends. */
export type PutNumber = (value: number, to: Uint8Array, at: number) => number;

const zero = 48;
const minus = 45;
const point = 46;
const tens = Uint8Array.from({ length: 100 }, (_, i) => zero + Math.floor(i / 10));
const ones = Uint8Array.from({ length: 100 }, (_, i) => zero + (i % 10));
const billion = 1e9;

/** Digits of a whole number below 2^31, with zeros in front up to `size` of them. */
function putSmall(value: number, size: number, to: Uint8Array, at: number): number {
  let rest = value | 0;
  let place = at + size;
  while (place - 2 >= at) {
    const left = (rest / 100) | 0;
    const pair = rest - left * 100;
    to[--place] = ones[pair]!;
    to[--place] = tens[pair]!;
    rest = left;
  }
  if (place > at) to[at] = zero + (rest % 10);
  return at + size;
}

function sizeOf(value: number): number {
  if (value < 10_000) return value < 100 ? (value < 10 ? 1 : 2) : value < 1000 ? 3 : 4;
  if (value < 1_000_000) return value < 100_000 ? 5 : 6;
  return value < 10_000_000 ? 7 : value < 100_000_000 ? 8 : 9;
}

/** Digits of a whole number from 0 to 2^53, at least `least` of them. */
function putDigits(value: number, least: number, to: Uint8Array, at: number): number {
  if (value < billion) return putSmall(value, Math.max(least, sizeOf(value)), to, at);
  const high = Math.floor(value / billion);
  return putSmall(value - high * billion, 9, to, putDigits(high, Math.max(1, least - 9), to, at));
}

/** Whole numbers of at most 2^53 in size. */
export const putInteger: PutNumber = (value, to, at) => {
  if (value >= 0) return putDigits(value, 1, to, at);
  to[at] = minus;
  return putDigits(-value, 1, to, at + 1);
};

/**
 * Numbers with always `decimals` digits behind the point, for those that are such a decimal: `isDecimal`
 * says which are.
 */
export function putDecimal(decimals: number): PutNumber {
  const power = 10 ** decimals;
  return (value, to, at) => {
    let place = at;
    let digits = Math.round(value * power);
    if (digits < 0) {
      to[place++] = minus;
      digits = -digits;
    }
    const whole = Math.floor(digits / power);
    place = putDigits(whole, 1, to, place);
    to[place] = point;
    return putSmall(digits - whole * power, decimals, to, place + 1);
  };
}

/** Whether a number is the double nearest to a decimal of so many digits behind the point, and fewer than 16 in all. */
export function isDecimal(value: number, power: number): boolean {
  const digits = Math.round(value * power);
  return digits / power === value && digits < 1e15 && digits > -1e15;
}

/** The shortest text that reads back as the same double, as DuckDB writes it: 1.0, 0.001, 1e-05, 1e+16. */
export function shortestText(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  if (size >= 1e-4 && size < 1e16) {
    const text = String(value);
    return text.includes('.') ? text : `${text}.0`;
  }
  const [digits, exponent] = value.toExponential().split('e') as [string, string];
  const power = exponent.slice(1);
  return `${digits}e${exponent[0]}${power.length < 2 ? `0${power}` : power}`;
}

/** Any finite number, as `shortestText` says it. */
export function putShortest(): PutNumber {
  // Most columns have decimals of one length or shorter: what fitted the last number is tried first.
  let decimals = 1;
  return (value, to, at) => {
    for (let tries = 0; tries < 4; tries++) {
      const power = 10 ** decimals;
      if (Math.abs(value) < 1e-4) break;
      if (isDecimal(value, power)) {
        const end = putters[decimals]!(value, to, at);
        let last = end;
        while (to[last - 1] === zero && to[last - 2] !== point) last--;
        return last;
      }
      if (decimals >= 9) break;
      decimals++;
    }
    const text = shortestText(value);
    for (let i = 0; i < text.length; i++) to[at + i] = text.charCodeAt(i);
    return at + text.length;
  };
}

const putters = Array.from({ length: 10 }, (_, decimals) =>
  decimals === 0 ? putInteger : putDecimal(decimals),
);
