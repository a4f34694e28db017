/** Bits that a whole number from 0 to 2^31 takes. */
export const bitsOf = (value: number): number => 32 - Math.clz32(value);

/**
 * Packs values of up to 24 bits, the first into the lowest bits.
 * @returns where they end in `to`.
 */
export function packBits(
  values: Uint8Array | Uint16Array | Int32Array,
  size: number,
  width: number,
  to: Uint8Array,
  at: number,
): number {
  let place = at;
  let held = 0;
  let bits = 0;
  for (let i = 0; i < size; i++) {
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
  values: Uint8Array | Uint16Array | Int32Array,
  size: number,
  width: number,
  to: Uint8Array,
  at: number,
): number {
  let same = 1;
  while (same < size && values[same] === values[0]) same++;
  if (same >= size) {
    let place = putVarint(size * 2, to, at);
    for (let byte = 0; byte < Math.ceil(width / 8); byte++) to[place++] = (values[0] ?? 0) >>> (8 * byte);
    return place;
  }
  const groups = Math.ceil(size / 8);
  const start = putVarint(groups * 2 + 1, to, at);
  const end = packBits(values, size, width, to, start);
  return to.fill(0, end, start + groups * width) && start + groups * width;
}

const blockSize = 128;
const miniSize = 32;
const minis = blockSize / miniSize;
/** Neither differences nor their differences leave what doubles hold exactly. */
const mostRange = 2 ** 51;

/** Bytes that delta encoding may take at most. */
export const deltaRoom = (size: number): number => 64 + Math.ceil(size / blockSize) * (16 + blockSize * 7);

/**
 * Parquet's DELTA_BINARY_PACKED of whole numbers: differences between neighbours, less the smallest of each 128.
 * @returns where they end in `to`; -1 where the numbers are too far apart to be told exactly.
 */
export function putDeltas(values: Float64Array, size: number, to: Uint8Array, at: number): number {
  let min = Infinity;
  let max = -Infinity;
  for (let i = 0; i < size; i++) {
    const x = values[i]!;
    if (x < min) min = x;
    if (x > max) max = x;
  }
  if (max - min > mostRange) return -1;
  let place = putVarint(blockSize, to, at);
  place = putVarint(minis, to, place);
  place = putVarint(size, to, place);
  place = putSigned(size === 0 ? 0 : values[0]!, to, place);
  const deltas = new Float64Array(blockSize);
  const parts = new Int32Array(miniSize);
  for (let first = 1; first < size; first += blockSize) {
    const count = Math.min(blockSize, size - first);
    let least = Infinity;
    for (let i = 0; i < count; i++) {
      const delta = values[first + i]! - values[first + i - 1]!;
      deltas[i] = delta;
      if (delta < least) least = delta;
    }
    place = putSigned(least, to, place);
    const widths = place;
    place += minis;
    for (let mini = 0; mini < minis; mini++) {
      const start = mini * miniSize;
      const end = Math.min(count, start + miniSize);
      let most = 0;
      for (let i = start; i < end; i++) {
        const rest = deltas[i]! - least;
        deltas[i] = rest;
        if (rest > most) most = rest;
      }
      const width = most < 2 ** 31 ? bitsOf(most) : Math.floor(Math.log2(most)) + 1;
      to[widths + mini] = width;
      if (start >= count || width === 0) continue;
      if (width <= 24) {
        for (let i = 0; i < miniSize; i++) parts[i] = start + i < end ? deltas[start + i]! : 0;
        place = packBits(parts, miniSize, width, to, place);
      } else place = packWide(deltas, start, end, width, to, place);
    }
  }
  return place;
}

/** The same as `packBits` for 32 values of up to 53 bits. */
function packWide(
  values: Float64Array,
  from: number,
  end: number,
  width: number,
  to: Uint8Array,
  at: number,
): number {
  let place = at;
  let held = 0;
  let bits = 0;
  for (let i = from; i < from + miniSize; i++) {
    let rest = i < end ? values[i]! : 0;
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
