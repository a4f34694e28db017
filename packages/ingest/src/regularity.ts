/** What a fast look at every byte found out about records that should all be alike. */
export interface Regularity {
  /** All records have the expected width and nothing that two readers could read differently. */
  regular: boolean;
  records: number;
  /** Longest record in bytes. */
  longest: number;
  /** Some quoted field holds a line break. */
  multiline: boolean;
  newline: 'lf' | 'crlf' | 'mixed' | 'none';
  /** Some record holds an underscore. */
  underscores: boolean;
}

const LF = 10;
const CR = 13;
const underscore = 95;

/**
 * Counts records and fields byte by byte, as a second opinion on DuckDB's strict reader that costs a
 * fraction of reading. Stops calling a file regular at the first stray quote, lone carriage return,
 * blank line, repeated header or record of another width: the tolerant reader then decides.
 */
export class RegularityCheck implements Regularity {
  regular = true;
  records = 0;
  longest = 0;
  multiline = false;
  newline: Regularity['newline'] = 'none';
  underscores = false;
  readonly #delimiter: number;
  readonly #quote: number;
  readonly #width: number;
  readonly #header: Buffer;
  /** 1 for bytes that mean nothing to the structure: most of them. */
  readonly #plain = new Uint8Array(256).fill(1);
  #skip: number;
  /** 0 at a field's start, 1 in a bare field, 2 in quotes, 3 behind a closing quote, 4 behind a CR. */
  #state = 0;
  #fields = 1;
  #length = 0;
  #blank = false;

  /**
   * @param skipLines lines before the first data record.
   * @param header the header's line as the file has it, to notice its repetition; empty without one.
   */
  constructor(delimiter: string, quote: string, width: number, skipLines: number, header: Buffer) {
    this.#delimiter = delimiter.charCodeAt(0);
    this.#quote = quote === '' ? -1 : quote.charCodeAt(0);
    this.#width = width;
    this.#skip = skipLines;
    this.#header = header;
    for (const byte of [LF, CR, this.#delimiter, this.#quote]) if (byte >= 0) this.#plain[byte] = 0;
  }

  push(chunk: Buffer): void {
    if (!this.regular) return;
    let at = 0;
    while (this.#skip > 0) {
      const lf = chunk.indexOf(LF, at);
      if (lf === -1) return;
      at = lf + 1;
      this.#skip--;
    }
    if (!this.underscores) this.underscores = chunk.indexOf(underscore, at) !== -1;
    const unquoted = this.#quote < 0 || !chunk.includes(this.#quote);
    if (unquoted && this.#state < 2 && !lonelyReturn(chunk, at)) {
      this.#pushLines(chunk, at);
      return;
    }
    const delimiter = this.#delimiter;
    const quote = this.#quote;
    const plain = this.#plain;
    let state = this.#state;
    let fields = this.#fields;
    let start = at - this.#length;
    for (let i = at; i < chunk.length; i++) {
      const byte = chunk[i]!;
      if (plain[byte] === 1) {
        if (state >= 3) {
          this.regular = false;
          return;
        }
        if (state === 0) state = 1;
        while (i + 1 < chunk.length && plain[chunk[i + 1]!] === 1) i++;
        continue;
      }
      if (state === 2) {
        if (byte === quote) state = 3;
        else if (byte === LF) this.multiline = true;
        continue;
      }
      if (byte === delimiter && state !== 4) {
        fields++;
        state = 0;
      } else if (byte === LF) {
        if (!this.#endRecord(chunk, start, i, fields, state === 4)) return;
        state = 0;
        fields = 1;
        start = i + 1;
      } else if (byte === CR && state !== 4) state = 4;
      else if (byte === quote) {
        if (state === 1 || state === 4) {
          this.regular = false;
          return;
        }
        state = 2;
      } else {
        this.regular = false;
        return;
      }
    }
    this.#state = state;
    this.#fields = fields;
    this.#length = chunk.length - start;
  }

  /**
   * Lines of a piece without quotes. Their fields are not counted: DuckDB's strict reader refuses a
   * record of another width by itself.
   */
  #pushLines(chunk: Buffer, from: number): void {
    let start = this.#isPlain(chunk, from) ? this.#countLines(chunk, from) : from - this.#length;
    for (let lf = chunk.indexOf(LF, Math.max(from, start)); lf !== -1; lf = chunk.indexOf(LF, start)) {
      const crlf = lf > from && chunk[lf - 1] === CR;
      if (!this.#endRecord(chunk, start, lf, this.#width, crlf)) return;
      start = lf + 1;
    }
    this.#endPiece(chunk, start);
  }

  /** Nothing but line feeds ends its records. */
  #isPlain(chunk: Buffer, from: number): boolean {
    return this.newline === 'lf' && !this.#blank && chunk[from] !== LF && chunk.indexOf(CR, from) === -1;
  }

  /** Counts lines up to one that is blank or may be the header again; where that begins, or the piece's last line. */
  #countLines(chunk: Buffer, from: number): number {
    const first = this.#header.length === 0 ? LF : this.#header[0]!;
    let start = from - this.#length;
    let { longest, records } = this;
    for (let lf = chunk.indexOf(LF, from); lf !== -1; lf = chunk.indexOf(LF, start)) {
      const byte = chunk[start];
      if (byte === LF || (byte === first && this.#isHeader(chunk, start, lf))) break;
      if (lf - start > longest) longest = lf - start;
      records++;
      start = lf + 1;
    }
    this.longest = longest;
    this.records = records;
    return start;
  }

  #isHeader(chunk: Buffer, start: number, stop: number): boolean {
    const header = this.#header;
    return stop - start === header.length && chunk.compare(header, 0, header.length, start, stop) === 0;
  }

  #endPiece(chunk: Buffer, start: number): void {
    this.#length = chunk.length - start;
    this.#state = this.#length > 0 && chunk[chunk.length - 1] !== this.#delimiter ? 1 : 0;
    // Where the unfinished record began without its fields being counted, they are not counted further.
    this.#fields = this.#length > 0 ? Number.NaN : 1;
  }

  #endRecord(chunk: Buffer, start: number, stop: number, fields: number, crlf: boolean): boolean {
    const length = stop - start - (crlf ? 1 : 0);
    if (length === 0) {
      // Blank lines at the very end are nothing; a record behind one is a surprise.
      this.#blank = true;
      return true;
    }
    const newline = crlf ? 'crlf' : 'lf';
    if (this.newline === 'none') this.newline = newline;
    const repeated = start >= 0 && this.#isHeader(chunk, start, start + length);
    const width = Number.isNaN(fields) ? this.#width : fields;
    if (width !== this.#width || this.newline !== newline || this.#blank || repeated) this.regular = false;
    this.records++;
    if (length > this.longest) this.longest = length;
    return this.regular;
  }

  end(): void {
    if (!this.regular) return;
    if (this.#state === 2 || this.#state === 4) this.regular = false;
    else if (this.#length > 0) {
      const newline = this.newline;
      this.#endRecord(Buffer.alloc(0), -this.#length, 0, this.#fields, newline === 'crlf');
      if (newline === 'crlf') this.longest = Math.max(this.longest, this.#length);
    }
  }
}

/** Whether a carriage return stands anywhere but before a line feed, or at the very end. */
function lonelyReturn(chunk: Buffer, from: number): boolean {
  for (let cr = chunk.indexOf(CR, from); cr !== -1; cr = chunk.indexOf(CR, cr + 1))
    if (chunk[cr + 1] !== LF) return true;
  return false;
}
