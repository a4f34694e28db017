import { constants, zstdCompressSync } from 'node:zlib';
import { bitsOf, putHybrid, putVarint } from './encode-bits.ts';
import { scratch } from './encode-scratch.ts';
import { thriftBytes } from './encode-thrift.ts';

/** What a Parquet column chunk's metadata say; places are counted from the chunk's first byte. */
export interface ChunkFacts {
  codec: number;
  encodings: number[];
  /** Rows, those without a value among them. */
  rows: number;
  nulls: number;
  uncompressed: number;
  compressed: number;
  /** Bytes of the dictionary page before the data page; 0 where there is none. */
  dictionary: number;
  /** As Parquet writes them plainly; null where there is no value. */
  min: Uint8Array | null;
  max: Uint8Array | null;
}

/** A column's values of one row group, as Parquet has them. */
export interface Chunk {
  parts: Uint8Array[];
  facts: ChunkFacts;
}

export const encodings = { plain: 0, rle: 3, delta: 5, dictionary: 8 } as const;
const codecs = { none: 0, zstd: 6 } as const;
const pages = { data: 0, dictionary: 2 } as const;

/** Pages below this are not worth compressing. */
const leastBytes = 1024;
/** Bytes that show whether a page can be compressed. */
const sampleBytes = 8192;
/** What compression has to leave at most. */
const worthwhile = 0.88;

/** Zstandard at its level 1, by a buffer that is no larger than what comes out at most. */
const zstd = (bytes: Uint8Array): Uint8Array =>
  zstdCompressSync(bytes, {
    params: { [constants.ZSTD_c_compressionLevel]: 1 },
    chunkSize: Math.max(1024, bytes.length + 64),
  });

export const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

interface Page {
  kind: keyof typeof pages;
  encoding: number;
  values: number;
  /** What it holds, in pieces. */
  body: readonly Uint8Array[];
}

const lengthOf = (parts: readonly Uint8Array[]): number => parts.reduce((sum, { length }) => sum + length, 0);

function pageHeader({ kind, encoding, values, body }: Page, compressed: number): Uint8Array {
  const own = { 1: { int: values }, 2: { int: encoding } };
  return thriftBytes({
    1: { int: pages[kind] },
    2: { int: lengthOf(body) },
    3: { int: compressed },
    5: kind === 'data' ? { struct: { ...own, 3: { int: encodings.rle }, 4: { int: encodings.rle } } } : null,
    7: kind === 'dictionary' ? { struct: own } : null,
  });
}

/** A short page compressed, or a look at the middle of a long one's largest piece: null where it is not worth it. */
function compressed({ body }: Page): Uint8Array | null {
  const size = lengthOf(body);
  if (size < leastBytes) return null;
  if (size > 2 * sampleBytes) {
    const largest = body.reduce((most, part) => (part.length > most.length ? part : most));
    const start = Math.max(0, (largest.length - sampleBytes) >> 1);
    const sample = largest.subarray(start, start + sampleBytes);
    if (zstd(sample).length >= sample.length * worthwhile) return null;
  }
  const all = zstd(together(body));
  return all.length < size * worthwhile ? all : null;
}

export function chunkOf(
  list: readonly Page[],
  facts: Pick<ChunkFacts, 'rows' | 'nulls' | 'min' | 'max'>,
): Chunk {
  // One codec is for all pages of a chunk.
  const smaller = list.map(compressed);
  const isSmaller = smaller.some((page) => page !== null);
  const parts: Uint8Array[] = [];
  const found: ChunkFacts = {
    ...facts,
    codec: isSmaller ? codecs.zstd : codecs.none,
    encodings: [...new Set([...list.map(({ encoding }) => encoding), encodings.rle])].sort((a, b) => a - b),
    uncompressed: 0,
    compressed: 0,
    dictionary: 0,
  };
  for (const [i, page] of list.entries()) {
    const body = isSmaller ? [smaller[i] ?? zstd(together(page.body))] : page.body;
    const size = lengthOf(body);
    const header = pageHeader(page, size);
    parts.push(header, ...body);
    found.uncompressed += header.length + lengthOf(page.body);
    found.compressed += header.length + size;
    if (page.kind === 'dictionary') found.dictionary = header.length + size;
  }
  return { parts, facts: found };
}

/** Which rows have a value, as a data page begins with it. */
export function levels(present: Int32Array, rows: number): Uint8Array {
  const to = new Uint8Array(scratch('levels', 16 + Math.ceil(rows / 8)));
  const end = putHybrid(present, rows, 1, to, 4);
  new DataView(to.buffer).setUint32(0, end - 4, true);
  return to.subarray(0, end);
}

/** The same where all rows have one. */
export function allLevels(rows: number): Uint8Array {
  const to = new Uint8Array(16);
  to[putVarint(2 * rows, to, 4)] = 1;
  const end = putVarint(2 * rows, to, 4) + 1;
  to[0] = end - 4;
  return to.subarray(0, end);
}

export const together = (parts: readonly Uint8Array[]): Uint8Array => {
  const all = new Uint8Array(lengthOf(parts));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};

export function dictionaryPages(
  values: Uint8Array,
  distinct: number,
  levelBytes: Uint8Array,
  codes: Int32Array,
  size: number,
  rows: number,
): Page[] {
  const width = Math.max(1, bitsOf(distinct - 1));
  const packed = new Uint8Array(scratch('packed', 16 + Math.ceil(size / 8) * width));
  packed[0] = width;
  const end = putHybrid(codes, size, width, packed, 1);
  return [
    { kind: 'dictionary', encoding: encodings.plain, values: distinct, body: [values] },
    {
      kind: 'data',
      encoding: encodings.dictionary,
      values: rows,
      body: [levelBytes, packed.subarray(0, end)],
    },
  ];
}
