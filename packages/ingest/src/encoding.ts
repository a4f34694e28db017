import { isAscii, isUtf8 } from 'node:buffer';

export interface EncodingFound {
  /** WHATWG name. */
  name: string;
  /** Length of the byte order mark in bytes, 0 without one. */
  bom: number;
  /** A sentence when the choice was a guess among several that fit. */
  doubt: string | null;
}

/** Encodings that a byte order mark or a pattern of NULs gives away; null when neither does. */
export function encodingFromStart(head: Buffer): EncodingFound | null {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return { name: 'utf-8', bom: 3, doubt: null };
  const utf32 =
    (head[0] === 0xff && head[1] === 0xfe && head[2] === 0 && head[3] === 0) ||
    (head[0] === 0 && head[1] === 0 && head[2] === 0xfe && head[3] === 0xff);
  if (utf32) return { name: 'utf-32', bom: 4, doubt: null };
  if (head[0] === 0xff && head[1] === 0xfe) return { name: 'utf-16le', bom: 2, doubt: null };
  if (head[0] === 0xfe && head[1] === 0xff) return { name: 'utf-16be', bom: 2, doubt: null };
  const probe = head.subarray(0, 8192);
  let even = 0;
  let odd = 0;
  for (let i = 0; i < probe.length; i++) if (probe[i] === 0) i % 2 === 0 ? even++ : odd++;
  const half = probe.length / 2;
  if (half >= 4 && odd > half * 0.6 && even < half * 0.05) return { name: 'utf-16le', bom: 0, doubt: null };
  if (half >= 4 && even > half * 0.6 && odd < half * 0.05) return { name: 'utf-16be', bom: 0, doubt: null };
  return null;
}

/** True when control characters are so frequent that the bytes cannot be a table of text. */
export function looksBinary(head: Buffer): boolean {
  let control = 0;
  for (const byte of head) if (byte < 9 || (byte > 13 && byte < 27) || byte === 127) control++;
  return control > head.length * 0.05 + 8;
}

/** Length of the UTF-8 sequence at `i`: 1 for ASCII, 2 to 4, or 0 when the bytes there are not UTF-8. */
export function utf8SequenceLength(bytes: Uint8Array, i: number): number {
  const first = bytes[i]!;
  if (first < 0x80) return 1;
  const length =
    first >= 0xc2 && first < 0xe0
      ? 2
      : first >= 0xe0 && first < 0xf0
        ? 3
        : first >= 0xf0 && first < 0xf5
          ? 4
          : 0;
  if (length === 0 || i + length > bytes.length) return 0;
  for (let k = 1; k < length; k++) if ((bytes[i + k]! & 0xc0) !== 0x80) return 0;
  const second = bytes[i + 1]!;
  const badSecond =
    (first === 0xe0 && second < 0xa0) ||
    (first === 0xed && second > 0x9f) ||
    (first === 0xf0 && second < 0x90) ||
    (first === 0xf4 && second > 0x8f);
  return badSecond ? 0 : length;
}

/** Bytes at the end of a chunk that start a UTF-8 sequence which the next chunk may finish. */
export function unfinishedTail(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    const need = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return need > back ? back : 0;
  }
  return 0;
}

/** Bytes of text that is not UTF-8 which are looked at closely. */
const enough = 2 << 20;

/** Gathers, chunk by chunk, what tells UTF-8 from the single-byte and East Asian encodings. */
export class EncodingEvidence {
  #carry: Buffer = Buffer.alloc(0);
  /** Well-formed multi-byte sequences seen (chunks that are wholly valid count as one). */
  sequences = 0;
  /** Bytes that fit no UTF-8 sequence. */
  strays = 0;
  nuls = 0;
  /** Some byte may be one of those that windows-1252 and Latin-1 (ISO 8859-1) read differently. */
  beyondLatin = false;
  #high = 0;
  #highRuns = 0;
  #cyrillic = 0;
  #sample: Buffer[] = [];
  #sampled = 0;

  push(chunk: Buffer): void {
    if (chunk.includes(0)) for (const byte of chunk) if (byte === 0) this.nuls++;
    const bytes = this.#carry.length > 0 ? Buffer.concat([this.#carry, chunk]) : chunk;
    const tail = unfinishedTail(bytes);
    this.#carry = Buffer.from(bytes.subarray(bytes.length - tail));
    this.#weigh(bytes.subarray(0, bytes.length - tail));
  }

  end(): void {
    this.#weigh(this.#carry);
    this.#carry = Buffer.alloc(0);
  }

  #weigh(bytes: Buffer): void {
    if (isAscii(bytes)) return;
    const settled = this.#sampled >= enough && this.strays > 20 * this.sequences;
    if (!settled && isUtf8(bytes)) {
      this.sequences++;
      // Not looked at closely: a file of western text hardly holds such pieces.
      this.beyondLatin = true;
      return;
    }
    for (let byte = 0x80; byte < 0xa0 && !this.beyondLatin; byte++)
      if (bytes.includes(byte)) this.beyondLatin = true;
    // Megabytes of another encoding have settled the matter.
    if (settled) return;
    if (this.#sampled < enough) {
      this.#sample.push(Buffer.from(bytes));
      this.#sampled += bytes.length;
    }
    let inRun = false;
    for (let i = 0; i < bytes.length; ) {
      const length = utf8SequenceLength(bytes, i);
      const byte = bytes[i]!;
      if (byte >= 0x80) {
        this.#high++;
        if (!inRun) this.#highRuns++;
        if (byte >= 0xc0 || byte === 0xa8 || byte === 0xb8) this.#cyrillic++;
      }
      inRun = byte >= 0x80;
      if (length === 0) this.strays++;
      else if (length > 1) this.sequences++;
      i += Math.max(1, length);
    }
  }

  /** The encoding that fits best, for text without a byte order mark. */
  verdict(): EncodingFound {
    if (this.strays === 0) return { name: 'utf-8', bom: 0, doubt: null };
    if (this.sequences >= this.strays) return { name: 'utf-8', bom: 0, doubt: null };
    const guess = (name: string): EncodingFound => ({
      name,
      bom: 0,
      doubt: `the encoding is not marked; ${name} fits best. Set "encoding" if letters look wrong.`,
    });
    // Western text has lone accented letters; Cyrillic and East Asian text has runs of high bytes.
    if (this.#high / Math.max(1, this.#highRuns) >= 2.5) {
      if (this.#cyrillic > this.#high * 0.9) return guess('windows-1251');
      const sample = Buffer.concat(this.#sample);
      for (const name of ['shift_jis', 'gb18030', 'euc-kr', 'big5'])
        if (decodes(sample, name)) return guess(name);
    }
    return guess('windows-1252');
  }
}

function decodes(bytes: Buffer, name: string): boolean {
  const text = new TextDecoder(name).decode(bytes);
  // A cut at a chunk's edge may break one character; a wrong encoding breaks many.
  return text.split('\ufffd').length - 1 <= bytes.length / 10_000 + 2;
}

/** Whether this platform can decode the named encoding. */
export function knownEncoding(name: string): string | null {
  const alias = name
    .toLowerCase()
    .replace(/^cp-?125(\d)$/, 'windows-125$1')
    .replace(/^utf-?8-sig$/, 'utf-8');
  try {
    return new TextDecoder(alias === 'latin-1' ? 'latin1' : alias).encoding;
  } catch {
    return null;
  }
}
