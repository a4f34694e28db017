import { bitsOf, deltaRoom, eachPart, putDeltas } from './encode-bits.ts';
import {
  allLevels,
  bytesOf,
  type Chunk,
  chunkOf,
  dictionaryPages,
  encodings,
  levels,
  together,
} from './encode-page.ts';
import { scratch } from './encode-scratch.ts';

/** Distinct numbers of a dictionary at most, and how many rows each has to stand for at least, on average. */
const mostNumbers = 32_768;
const leastRepeats = 3;
/** Rows after which a column of mostly distinct numbers is recognised. */
const trialRows = 16_384;
/** Bytes of a text that may be told as a row group's smallest or largest. */
const longestBound = 1024;

/** The numbers' distinct ones in the order of their first rows, and the place of each; null where they are too many. */
function numberDictionary(
  values: Float64Array,
  size: number,
): { distinct: Float64Array; codes: Int32Array } | null {
  const most = Math.min(mostNumbers, Math.floor(size / leastRepeats));
  if (most < 2) return null;
  const slots = 2 ** bitsOf(2 * most);
  const table = new Uint16Array(scratch('slots', 2 * slots), 0, slots).fill(0);
  const distinct = new Float64Array(scratch('distinct', 8 * most), 0, most);
  const codes = new Int32Array(scratch('codes', 4 * size), 0, size);
  const numbers = { values, words: new Uint32Array(values.buffer, values.byteOffset, 2 * size) };
  const found = { table, distinct, words: new Uint32Array(distinct.buffer, 0, 2 * most), codes };
  let count = 0;
  for (let from = 0; from < size && count >= 0; from += trialRows) {
    if (from === trialRows && count > trialRows / 2) return null;
    count = addNumbers(numbers, from, Math.min(size, from + trialRows), found, count);
  }
  return count < 0 ? null : { distinct: distinct.subarray(0, count), codes };
}

/** Adds some numbers to a dictionary; how many it has then, or -1 where there is no room. */
function addNumbers(
  { values, words }: { values: Float64Array; words: Uint32Array },
  from: number,
  end: number,
  found: { table: Uint16Array; distinct: Float64Array; words: Uint32Array; codes: Int32Array },
  before: number,
): number {
  const { table, distinct, words: seen, codes } = found;
  const mask = table.length - 1;
  const most = distinct.length;
  let count = before;
  for (let i = from; i < end; i++) {
    const low = words[2 * i]!;
    const high = words[2 * i + 1]!;
    let hash = Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b);
    hash ^= hash >>> 15;
    let at = (Math.imul(hash, 0xc2b2ae35) >>> 8) & mask;
    // Places are counted from 1; bits are compared, since 0 and -0 are two.
    let code = table[at]!;
    while (code !== 0 && (seen[2 * code - 2] !== low || seen[2 * code - 1] !== high)) {
      at = (at + 1) & mask;
      code = table[at]!;
    }
    if (code === 0) {
      if (count === most) return -1;
      distinct[count] = values[i]!;
      code = ++count;
      table[at] = code;
    }
    codes[i] = code - 1;
  }
  return count;
}

function plainInts(values: Float64Array, size: number): Uint8Array {
  const words = new Uint32Array(scratch('ints', 8 * size), 0, 2 * size);
  eachPart(size, (from, end) => putInts(values, from, end, words));
  return bytesOf(words);
}

function putInts(values: Float64Array, from: number, end: number, words: Uint32Array): void {
  for (let i = from; i < end; i++) {
    const x = values[i]!;
    const high = Math.floor(x / 2 ** 32);
    words[2 * i] = x - high * 2 ** 32;
    words[2 * i + 1] = high;
  }
}

interface Ends {
  size: number;
  min: number;
  max: number;
}

function findEnds(values: Float64Array, from: number, end: number, ends: Ends): void {
  let { size, min, max } = ends;
  for (let i = from; i < end; i++) {
    const x = values[i]!;
    if (x < min) min = x;
    if (x > max) max = x;
    if (!Number.isNaN(x)) size++;
  }
  ends.size = size;
  ends.min = min;
  ends.max = max;
}

/** The values alone, and which rows have one. */
function without(values: Float64Array, count: number): { held: Float64Array; levelBytes: Uint8Array } {
  const rows = values.length;
  const present = new Int32Array(scratch('present', 4 * rows), 0, rows);
  const held = new Float64Array(scratch('held', 8 * rows), 0, rows);
  let size = 0;
  eachPart(rows, (from, end) => {
    size = keepValues(values, from, end, present, held, size);
  });
  return { held: held.subarray(0, count), levelBytes: levels(present, rows) };
}

function keepValues(
  values: Float64Array,
  from: number,
  end: number,
  present: Int32Array,
  held: Float64Array,
  before: number,
): number {
  let size = before;
  for (let i = from; i < end; i++) {
    const x = values[i]!;
    const isValue = Number.isNaN(x) ? 0 : 1;
    present[i] = isValue;
    held[size] = x;
    size += isValue;
  }
  return size;
}

/**
 * Numbers of a row group: doubles plain or by a dictionary, integers by their differences.
 * @param values one for each row, NaN where there is none.
 */
export function numberChunk(values: Float64Array, type: 'integer' | 'number'): Chunk {
  const rows = values.length;
  const found: Ends = { size: 0, min: Infinity, max: -Infinity };
  eachPart(rows, (from, end) => findEnds(values, from, end, found));
  const { size, min, max } = found;
  const { held, levelBytes } =
    size === rows ? { held: values, levelBytes: allLevels(rows) } : without(values, size);
  const isDouble = type === 'number';
  const plain = (list: Float64Array): Uint8Array => (isDouble ? bytesOf(list) : plainInts(list, list.length));
  // Readers compare -0 and 0 as they like: bounds that hold for both orders.
  const ends = (isDouble ? [min === 0 ? -0 : min, max === 0 ? 0 : max] : [min, max]).map((one) =>
    plain(Float64Array.of(one)).slice(),
  );
  const facts = {
    ...{ rows, nulls: rows - size },
    ...(size === 0 ? { min: null, max: null } : { min: ends[0]!, max: ends[1]! }),
  };
  const data = (encoding: number, ...body: Uint8Array[]): Chunk =>
    chunkOf([{ kind: 'data', encoding, values: rows, body: [levelBytes, ...body] }], facts);
  if (!isDouble) {
    const to = new Uint8Array(scratch('deltas', deltaRoom(size)));
    const end = putDeltas(held, size, max - min, to, 0);
    if (end !== -1) return data(encodings.delta, to.subarray(0, end));
  }
  const dictionary = numberDictionary(held, size);
  if (!dictionary) return data(encodings.plain, plain(held));
  const { distinct, codes } = dictionary;
  return chunkOf(dictionaryPages(plain(distinct), distinct.length, levelBytes, codes, size, rows), facts);
}

/** The values that the codes of a column stand for: written plainly, with their order. */
export interface CodedValues {
  /** For each code its value's place in `plain`; -1 where it stands for none. */
  places: Int32Array;
  plain: readonly Uint8Array[];
  /** Bytes before each value: the length of texts. */
  isText: boolean;
  compare(a: number, b: number): number;
}

/** Gives the values of some rows places in a list of those that stand there, in the order in which they come. */
function placeCodes(
  codes: Uint16Array,
  from: number,
  end: number,
  places: Int32Array,
  into: { used: Int32Array; list: number[]; present: Int32Array; held: Int32Array },
  before: number,
): number {
  const { used, list, present, held } = into;
  let size = before;
  for (let i = from; i < end; i++) {
    const place = places[codes[i]!]!;
    present[i] = place < 0 ? 0 : 1;
    if (place < 0) continue;
    let own = used[place]!;
    if (own < 0) {
      own = list.length;
      used[place] = own;
      list.push(place);
    }
    held[size++] = own;
  }
  return size;
}

/** Values of a row group that have codes, by a dictionary of those that stand there. */
export function codedChunk(codes: Uint16Array, values: CodedValues): Chunk {
  const rows = codes.length;
  const present = new Int32Array(scratch('present', 4 * rows), 0, rows);
  const held = new Int32Array(scratch('held', 4 * rows), 0, rows);
  const used = new Int32Array(values.plain.length).fill(-1);
  const list: number[] = [];
  let size = 0;
  eachPart(rows, (from, end) => {
    size = placeCodes(codes, from, end, values.places, { used, list, present, held }, size);
  });
  const levelBytes = levels(present, rows);
  const ends = list.reduce<[number, number] | null>(
    (found, place) =>
      found === null
        ? [place, place]
        : [
            values.compare(place, found[0]) < 0 ? place : found[0],
            values.compare(place, found[1]) > 0 ? place : found[1],
          ],
    null,
  );
  const facts = {
    ...{ rows, nulls: rows - size },
    ...{ min: ends && values.plain[ends[0]]!, max: ends && values.plain[ends[1]]! },
  };
  if (Math.max(facts.min?.length ?? 0, facts.max?.length ?? 0) > longestBound)
    Object.assign(facts, { min: null, max: null });
  const plainly = (places: Iterable<number>): Uint8Array =>
    together(
      Array.from(places, (place) => values.plain[place]!).flatMap((bytes) =>
        values.isText ? [bytesOf(Uint32Array.of(bytes.length)), bytes] : [bytes],
      ),
    );
  // Mostly distinct values are shorter without places; very long lists of them are no dictionary for readers.
  if (size === 0 || list.length > size / 2) {
    const body = [levelBytes, plainly(held.subarray(0, size).map((own) => list[own]!))];
    return chunkOf([{ kind: 'data', encoding: encodings.plain, values: rows, body }], facts);
  }
  return chunkOf(dictionaryPages(plainly(list), list.length, levelBytes, held, size, rows), facts);
}

/** Truth values of a row group: 1, 0, or -1 where there is none. */
export function booleanChunk(codes: Uint16Array, truths: Int8Array): Chunk {
  const rows = codes.length;
  const present = new Int32Array(rows);
  const held = new Uint8Array(rows);
  let size = 0;
  let trues = 0;
  for (let i = 0; i < rows; i++) {
    const truth = truths[codes[i]!]!;
    if (truth < 0) continue;
    present[i] = 1;
    held[size++] = truth;
    trues += truth;
  }
  const to = new Uint8Array(Math.ceil(rows / 8));
  let at = 0;
  for (let i = 0; i < size; i++) if (held[i] === 1) to[i >> 3]! |= 1 << (i & 7);
  at = Math.ceil(size / 8);
  const body = [levels(present, rows), to.subarray(0, at)];
  return chunkOf([{ kind: 'data', encoding: encodings.plain, values: rows, body }], {
    ...{ rows, nulls: rows - size },
    min: size === 0 ? null : Uint8Array.of(trues === size ? 1 : 0),
    max: size === 0 ? null : Uint8Array.of(trues > 0 ? 1 : 0),
  });
}
