import type { CodedValues } from './encode-chunk.ts';

const encoder = new TextEncoder();

function bytesOf(put: (view: DataView) => void, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  put(new DataView(bytes.buffer));
  return bytes;
}

/** Days since 1970 of a text like 2026-01-31. */
const daysOf = (text: string): number => Date.parse(`${text}T00:00:00Z`) / 86_400_000;

/** Microseconds since 1970 of a text like 2026-01-31 10:00:00.5. */
function microsOf(text: string): bigint {
  const milliseconds = Date.parse(`${text.slice(0, 10)}T${text.slice(11, 19)}Z`);
  return BigInt(milliseconds) * 1000n + BigInt(text.slice(20).padEnd(6, '0').slice(0, 6));
}

/**
 * What the words of a column are in Parquet: texts, days as 32-bit integers or microseconds as 64-bit ones.
 * @param words by their codes; null where a code has no value.
 * @param fill what takes the place of a missing value; null where none does.
 */
export function codedValues(
  words: readonly (string | null)[],
  fill: string | null,
  type: 'text' | 'date' | 'datetime',
): CodedValues {
  const found = new Map<string, number>();
  const places = Int32Array.from(words, (word) => {
    const text = word ?? fill;
    if (text === null) return -1;
    let place = found.get(text);
    if (place === undefined) {
      place = found.size;
      found.set(text, place);
    }
    return place;
  });
  const texts = [...found.keys()];
  if (type === 'text') {
    const plain = texts.map((text) => encoder.encode(text));
    return { places, plain, isText: true, compare: (a, b) => Buffer.compare(plain[a]!, plain[b]!) };
  }
  if (type === 'date') {
    const days = texts.map(daysOf);
    const plain = days.map((one) => bytesOf((view) => view.setInt32(0, one, true), 4));
    return { places, plain, isText: false, compare: (a, b) => days[a]! - days[b]! };
  }
  const micros = texts.map(microsOf);
  const plain = micros.map((one) => bytesOf((view) => view.setBigInt64(0, one, true), 8));
  return { places, plain, isText: false, compare: (a, b) => Number(micros[a]! - micros[b]!) };
}

/** 0 and 1 as 32-bit integers. */
export const flagValues: CodedValues = {
  places: Int32Array.of(0, 1),
  plain: [Uint8Array.of(0, 0, 0, 0), Uint8Array.of(1, 0, 0, 0)],
  isText: false,
  compare: (a, b) => a - b,
};
