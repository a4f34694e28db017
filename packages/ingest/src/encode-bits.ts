/** Bits that a whole number from 0 to 2^31 takes. */
export const bitsOf = (value: number): number => 32 - Math.clz32(value);

// Loops are short functions that are called for a part of a column's rows at a time: the compiler is done with
// them soon, and does not begin anew with each column.

/** Rows of such a part; a multiple of eight, so that bits end with a byte. */
export const partRows = 4096;

/** Calls for each part of so many rows. */
export function eachPart(rows: number, use: (from: number, end: number) => void): void {
  for (let from = 0; from < rows; from += partRows) use(from, Math.min(rows, from + partRows));
}

/**
 * Packs values of up to 24 bits, the first into the lowest bits.
 * @returns where they end in `to`.
 */
function packBits(
  values: Int32Array,
  from: number,
  size: number,
  width: number,
  to: Uint8Array,
  at: number,
): number {
  let place = at;
  let held = 0;
  let bits = 0;
  for (let i = from; i < size; i++) {
    held |= values[i]! << bits;
    bits += width;
    while (bits >= 8) {
      to[place++] = held;
      held >>>= 8;
      bits -= 8;
    }
  }
  if (bits > 0) to[place++] = held;
  return place;
}

/** How many values from one on are equal to the first of all. */
function countSame(values: Int32Array, from: number, end: number): number {
  let i = from;
  while (i < end && values[i] === values[0]) i++;
  return i - from;
}

export function putVarint(value: number, to: Uint8Array, at: number): number {
  let place = at;
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) to[place++] = (rest % 128) | 128;
  to[place++] = rest;
  return place;
}

/** A signed number of at most 2^53 in size. */
function putSigned(value: number, to: Uint8Array, at: number): number {
  if (Math.abs(value) <= 2 ** 51) return putVarint(value < 0 ? -2 * value - 1 : 2 * value, to, at);
  let rest = value < 0 ? -2n * BigInt(value) - 1n : 2n * BigInt(value);
  let place = at;
  for (; rest >= 128n; rest >>= 7n) to[place++] = Number(rest & 127n) | 128;
  to[place++] = Number(rest);
  return place;
}

/**
 * Parquet's hybrid of runs and packed bits, for places in a dictionary or levels: one run where all are equal,
 * else all packed.
 * @param width of each value in bits, at least 1 and at most 24.
 */
export function putHybrid(
  values: Int32Array,
  size: number,
  width: number,
  to: Uint8Array,
  at: number,
): number {
  let same = 0;
  while (same < size) {
    const part = Math.min(size, same + partRows);
    const count = countSame(values, same, part);
    same += count;
    if (same < part) break;
  }
  if (same >= size) {
    let place = putVarint(size * 2, to, at);
    for (let byte = 0; byte < Math.ceil(width / 8); byte++) to[place++] = (values[0] ?? 0) >>> (8 * byte);
    return place;
  }
  const groups = Math.ceil(size / 8);
  const start = putVarint(groups * 2 + 1, to, at);
  let place = start;
  eachPart(size, (from, end) => {
    place = packBits(values, from, end, width, to, place);
  });
  const end = start + groups * width;
  to.fill(0, place, end);
  return end;
}

const blockSize = 128;
const miniSize = 32;
const minis = blockSize / miniSize;
/** Neither differences nor their differences leave what doubles hold exactly. */
const mostRange = 2 ** 51;

/** Bytes that delta encoding may take at most. */
export const deltaRoom = (size: number): number => 64 + Math.ceil(size / blockSize) * (16 + blockSize * 7);

const deltas = new Float64Array(blockSize);
const parts = new Int32Array(miniSize);

/**
 * Parquet's DELTA_BINARY_PACKED of whole numbers: differences between neighbours, less the smallest of each 128.
 * @param range between the smallest and the largest of them.
 * @returns where they end in `to`; -1 where the numbers are too far apart to be told exactly.
 */
export function putDeltas(
  values: Float64Array,
  size: number,
  range: number,
  to: Uint8Array,
  at: number,
): number {
  if (range > mostRange) return -1;
  let place = putVarint(blockSize, to, at);
  place = putVarint(minis, to, place);
  place = putVarint(size, to, place);
  place = putSigned(size === 0 ? 0 : values[0]!, to, place);
  for (let first = 1; first < size; first += blockSize)
    place = putDeltaBlock(values, first, Math.min(blockSize, size - first), to, place);
  return place;
}

/** The differences of some values to their neighbours, into `deltas`; the smallest of them. */
function findDeltas(values: Float64Array, first: number, count: number): number {
  let least = Infinity;
  for (let i = 0; i < count; i++) {
    const delta = values[first + i]! - values[first + i - 1]!;
    deltas[i] = delta;
    if (delta < least) least = delta;
  }
  return least;
}

/** Takes a number from some of the differences; the largest that is left. */
function lessen(least: number, start: number, end: number): number {
  let most = 0;
  for (let i = start; i < end; i++) {
    const rest = deltas[i]! - least;
    deltas[i] = rest;
    if (rest > most) most = rest;
  }
  return most;
}

function putDeltaBlock(
  values: Float64Array,
  first: number,
  count: number,
  to: Uint8Array,
  at: number,
): number {
  const least = findDeltas(values, first, count);
  const widths = putSigned(least, to, at);
  let place = widths + minis;
  for (let mini = 0; mini < minis; mini++) {
    const start = mini * miniSize;
    const end = Math.min(count, start + miniSize);
    const most = lessen(least, start, end);
    const width = most < 2 ** 31 ? bitsOf(most) : Math.floor(Math.log2(most)) + 1;
    to[widths + mini] = width;
    if (start >= count || width === 0) continue;
    if (width > 24) place = packWide(start, end, width, to, place);
    else {
      for (let i = 0; i < miniSize; i++) parts[i] = start + i < end ? deltas[start + i]! : 0;
      place = packBits(parts, 0, miniSize, width, to, place);
    }
  }
  return place;
}

/** The same as `packBits` for 32 differences of up to 53 bits. */
function packWide(from: number, end: number, width: number, to: Uint8Array, at: number): number {
  let place = at;
  let held = 0;
  let bits = 0;
  for (let i = from; i < from + miniSize; i++) {
    let rest = i < end ? deltas[i]! : 0;
    for (let left = width; left > 0; left -= 24) {
      const part = Math.min(24, left);
      const high = Math.floor(rest / 2 ** part);
      held |= (rest - high * 2 ** part) << bits;
      rest = high;
      bits += part;
      while (bits >= 8) {
        to[place++] = held;
        held >>>= 8;
        bits -= 8;
      }
    }
  }
  return place;
}
