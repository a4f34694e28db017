import { closeSync, openSync, readSync } from 'node:fs';
import { columnPlaces, type StoredColumn } from './column-store.ts';
import { hashOf, ParseDictionary } from './parse-dictionary.ts';
import { type NumberBytes, NumberReader, powersOfTen } from './parse-number.ts';
import type { Answer } from './serve-tasks.ts';

/** How one column is parsed; `number` where it holds numbers. */
export interface ParsedColumn {
  number: NumberBytes | null;
  /** Which of the cells that give a value are told as examples of a change, if any. */
  told: 'none' | 'rewritten' | 'all';
}

/** Bytes of a regular file to be parsed: the lines that begin in them. */
export interface ParseTask {
  path: string;
  from: number;
  to: number;
  /** They begin with a line, not within one. */
  first: boolean;
  encoding: 'utf8' | 'latin1';
  delimiter: number;
  /** -1 where nothing is quoted. */
  quote: number;
  crlf: boolean;
  columns: ParsedColumn[];
  /** Memory that may be written over; null where the piece's is to be new. */
  spare: SharedArrayBuffer | null;
}

/** Cells of a column of numbers that the engine's expressions have to look at. */
export interface OddCells {
  rows: Uint32Array;
  /** Places in `texts`. */
  codes: Uint16Array;
  texts: string[];
}

/** What is told of a column whose values are written in another way than its cells. */
export interface ToldCells {
  /** For each row a bit: its cell is rewritten. Null where all are that have a value. */
  rewritten: Uint8Array | null;
  /** The first rows of them, with their texts. */
  examples: { row: number; text: string }[];
}

export interface ParsedPiece {
  rows: number;
  /** Rows that the columns are laid out for. */
  capacity: number;
  /** The columns as `columnPlaces` has them. */
  buffer: SharedArrayBuffer;
  /** Per column: the texts of words by their codes, and how often each stands there. */
  words: ({ texts: string[]; counts: Uint32Array } | null)[];
  odd: (OddCells | null)[];
  told: (ToldCells | null)[];
}

/** Why a piece cannot be parsed here: its lines are not those of a regular file, a cell goes over many lines, or texts hardly repeat. */
export type ParseRefusal = 'irregular' | 'multiline' | 'distinct';

const LF = 10;
const CR = 13;
const minus = 45;
/** Bytes behind a piece that its last line may take. */
const overhang = 1 << 16;
const mostExamples = 5;

/** Rows that are odd, in a list that grows. */
class OddList {
  rows = new Uint32Array(64);
  codes = new Uint16Array(64);
  size = 0;
  readonly dictionary = new ParseDictionary();

  clear(): void {
    this.size = 0;
    this.dictionary.clear();
  }

  add(row: number, code: number): void {
    if (this.size === this.rows.length) {
      const [rows, codes] = [new Uint32Array(this.size * 2), new Uint16Array(this.size * 2)];
      rows.set(this.rows);
      codes.set(this.codes);
      this.rows = rows;
      this.codes = codes;
    }
    this.rows[this.size] = row;
    this.codes[this.size++] = code;
  }
}

/** Buffers and dictionaries that stay with the thread from piece to piece. */
let room: Buffer = Buffer.alloc(0);
const dictionaries: ParseDictionary[] = [];
const oddLists: OddList[] = [];

/** The piece's bytes, with one line end or more behind its last line; from which byte its first line begins, and where its lines end. */
function readPiece(task: ParseTask): { bytes: Buffer; start: number; stop: number } {
  const file = openSync(task.path, 'r');
  try {
    // The byte before tells whether a line begins with the first.
    const from = task.first ? task.from : task.from - 1;
    let wanted = task.to - from + overhang;
    let read = 0;
    for (;;) {
      if (room.length < wanted + 2) {
        const more = Buffer.allocUnsafeSlow(wanted + 2);
        room.copy(more, 0, 0, read);
        room = more;
      }
      let ended = false;
      while (read < wanted && !ended) {
        const count = readSync(file, room, read, wanted - read, from + read);
        ended = count === 0;
        read += count;
      }
      const start = task.first ? 0 : room.subarray(0, read).indexOf(LF) + 1;
      const inside = task.to - from;
      // A line that begins before `to` belongs to the piece: it ends with the first line feed from the byte before on.
      const lf = room.subarray(0, read).indexOf(LF, inside - 1);
      let stop = lf + 1;
      if (lf === -1) {
        if (!ended) {
          wanted *= 2;
          continue;
        }
        stop = read;
        if (read > 0 && room[read - 1] !== LF) {
          if (task.crlf) room[stop++] = CR;
          room[stop++] = LF;
        }
      }
      const none = !task.first && (start === 0 || start >= inside);
      return { bytes: room, start: none ? stop : start, stop };
    }
  } finally {
    closeSync(file);
  }
}

/** Rows that a piece of so many bytes will have at most, by its first lines. */
function expectedRows(bytes: Buffer, start: number, stop: number): number {
  let lines = 0;
  let at = start;
  for (; lines < 500 && at < stop; lines++) {
    const lf = bytes.indexOf(LF, at);
    if (lf === -1) break;
    at = lf + 1;
  }
  return lines === 0 ? 1 : Math.ceil(((stop - start) / (at - start)) * lines * 1.1) + 16;
}

/** For cells that stand in quotes: where the quotes end, or -1; whether quotes stand in them. */
function closingQuote(bytes: Buffer, from: number, quote: number): { at: number; doubled: boolean } {
  let doubled = false;
  for (let at = from; ; at++) {
    const byte = bytes[at]!;
    if (byte === LF) return { at: -1, doubled };
    if (byte !== quote) continue;
    if (bytes[at + 1] !== quote) return { at, doubled };
    doubled = true;
    at++;
  }
}

/** Parses a piece into columns; a word where it cannot. */
export function parsePiece(task: ParseTask): Answer<ParsedPiece | ParseRefusal> {
  const { bytes, start, stop } = readPiece(task);
  for (let capacity = expectedRows(bytes, start, stop); ; capacity = Math.ceil(capacity * 1.5)) {
    const found = parseRows(task, bytes, start, stop, capacity);
    if (found !== null) return { answer: found };
  }
}

/** The same with room for so many rows; null where there are more. */
function parseRows(
  task: ParseTask,
  bytes: Buffer,
  start: number,
  stop: number,
  capacity: number,
): ParsedPiece | ParseRefusal | null {
  const { columns, delimiter, quote, crlf } = task;
  const width = columns.length;
  const kinds = columns.map(({ number }): { kind: StoredColumn['kind'] } => ({
    kind: number ? 'numbers' : 'words',
  }));
  const places = columnPlaces(kinds, capacity);
  const bytesNeeded = places.at(-1)!;
  const buffer =
    task.spare && task.spare.byteLength >= bytesNeeded ? task.spare : new SharedArrayBuffer(bytesNeeded);
  // All columns of numbers are in one array, and all of codes in another: places of their first rows.
  const numbers = new Float64Array(buffer, 0, bytesNeeded / 8);
  const codes = new Uint16Array(buffer, 0, bytesNeeded / 2);
  const firstPlaces = Int32Array.from(columns, ({ number }, i) => places[i]! / (number ? 8 : 2));
  const isNumbers = Uint8Array.from(columns, ({ number }) => (number ? 1 : 0));
  // Marks and units that hold the delimiter can only stand in quoted cells.
  const readers = columns.map(({ number }) => number && new NumberReader(without(number, delimiter)));
  const quotedReaders = columns.map(({ number }) => number && new NumberReader(number));
  const marks = Int16Array.from(columns, ({ number }) =>
    number && number.decimal !== delimiter ? number.decimal : -1,
  );
  const integers = Uint8Array.from(columns, ({ number }) => (number?.integer ? 1 : 0));
  // Columns whose first cells are told of, whatever they say.
  const careful = Uint8Array.from(columns, ({ told }) => (told === 'all' ? 1 : 0));
  // The short way through digits cannot tell how a value would be written.
  const short = Uint8Array.from(columns, ({ number, told }) =>
    told !== 'rewritten' || number?.integer ? 1 : 0,
  );
  const told = columns.map((column): ToldCells | null =>
    column.told === 'none' || !column.number
      ? null
      : {
          rewritten: column.told === 'rewritten' ? new Uint8Array(Math.ceil(capacity / 8)) : null,
          examples: [],
        },
  );
  for (let i = 0; i < width; i++) {
    dictionaries[i] ??= new ParseDictionary();
    oddLists[i] ??= new OddList();
    dictionaries[i]!.clear();
    oddLists[i]!.clear();
  }
  const plain = new Uint8Array(256).fill(1);
  for (const byte of [delimiter, quote, LF, CR]) if (byte >= 0) plain[byte] = 0;
  const seed = hashOf(bytes, 0, 0);
  const prime = 0x01000193;
  const last = width - 1;
  const lineEnd = crlf ? CR : LF;
  const tells = Uint8Array.from(told, (own) => (own?.rewritten ? 1 : 0));

  /** A cell that is not read at once, up to the byte `end`; where that is, or -1 with a reason. */
  let refusal: ParseRefusal = 'irregular';
  const otherCell = (i: number, row: number, from: number, end: number): number => {
    let text: Buffer = bytes;
    let first = from;
    let close: number;
    let at: number;
    const isQuoted = bytes[from] === quote;
    if (isQuoted) {
      first = from + 1;
      const closing = closingQuote(bytes, first, quote);
      close = closing.at;
      if (close === -1) {
        refusal = 'multiline';
        return -1;
      }
      if (bytes[close + 1] !== end) return -1;
      at = close + 1;
      if (closing.doubled) {
        const mark = String.fromCharCode(quote);
        text = Buffer.from(
          bytes
            .toString('latin1', first, close)
            .replaceAll(mark + mark, mark)
            .concat('\n'),
          'latin1',
        );
        first = 0;
        close = text.length - 1;
      }
    } else {
      close = from;
      while (plain[bytes[close]!] === 1) close++;
      if (bytes[close] !== end) return -1;
      at = close;
    }
    if (isNumbers[i] === 0) {
      const code = dictionaries[i]!.add(text, first, close, hashOf(text, first, close));
      if (code < 0) refusal = 'distinct';
      codes[firstPlaces[i]! + row] = code;
      return code < 0 ? -1 : at;
    }
    if (first === close) {
      numbers[firstPlaces[i]! + row] = Number.NaN;
      return at;
    }
    const reader = (isQuoted ? quotedReaders[i] : readers[i])!;
    if (reader.read(text, first) && reader.end === close) {
      numbers[firstPlaces[i]! + row] = reader.value;
      const tell = told[i];
      if (tell?.rewritten && !reader.verbatim) tellRewritten(i, row, text, first, close);
      else if (tell?.rewritten === null) {
        if (tell.examples.length < mostExamples)
          tell.examples.push({ row, text: decode(text.subarray(first, close)) });
        else careful[i] = 0;
      }
      return at;
    }
    numbers[firstPlaces[i]! + row] = Number.NaN;
    const odd = oddLists[i]!;
    const code = odd.dictionary.add(text, first, close, hashOf(text, first, close));
    if (code < 0) {
      refusal = 'distinct';
      return -1;
    }
    odd.add(row, code);
    return at;
  };
  const decode = (some: Uint8Array): string =>
    Buffer.from(some.buffer, some.byteOffset, some.length).toString(task.encoding);
  const tellRewritten = (i: number, row: number, text: Buffer, from: number, to: number): void => {
    const { rewritten, examples } = told[i]!;
    rewritten![row >> 3]! |= 1 << (row & 7);
    if (examples.length < mostExamples) examples.push({ row, text: decode(text.subarray(from, to)) });
  };

  // Not seen by the functions above, so that they stay in registers.
  let at = start;
  let row = 0;
  while (at < stop) {
    if (bytes[at] === lineEnd) {
      // Blank lines at the very end are nothing.
      for (let rest = at; rest < stop; rest++)
        if (bytes[rest] !== LF && bytes[rest] !== CR) return 'irregular';
      break;
    }
    if (row === capacity) return null;
    for (let i = 0; i < width; i++) {
      const end = i === last ? lineEnd : delimiter;
      if (isNumbers[i] === 1) {
        let next = at;
        let byte = bytes[next]!;
        if (byte === end) {
          numbers[firstPlaces[i]! + row] = Number.NaN;
          at = next + 1;
          continue;
        }
        const negative = byte === minus;
        if (negative) byte = bytes[++next]!;
        const digits = next;
        let whole = 0;
        while (byte >= 48 && byte <= 57) {
          whole = (Math.imul(whole, 10) + byte - 48) | 0;
          byte = bytes[++next]!;
        }
        let size = next - digits;
        let fraction = 0;
        if (byte === marks[i]) {
          const mark = next;
          byte = bytes[++next]!;
          while (byte >= 48 && byte <= 57) {
            whole = (Math.imul(whole, 10) + byte - 48) | 0;
            byte = bytes[++next]!;
          }
          fraction = next - mark - 1;
          // A mark without digits behind it is looked at again.
          size = fraction === 0 ? 99 : size === 0 ? 99 : size + fraction;
        }
        const padded = integers[i] === 1 && bytes[digits] === 48 && (size > 1 || negative);
        if (byte === end && size <= 9 && size > 0 && !padded && short[i] === 1 && careful[i] === 0) {
          const value = fraction === 0 ? whole : whole / powersOfTen[fraction]!;
          numbers[firstPlaces[i]! + row] = negative ? -value : value;
          at = next + 1;
          continue;
        }
        const reader = readers[i]!;
        if (careful[i] === 0 && reader.read(bytes, at) && bytes[reader.end] === end) {
          numbers[firstPlaces[i]! + row] = reader.value;
          if (tells[i] === 1 && !reader.verbatim) tellRewritten(i, row, bytes, at, reader.end);
          at = reader.end + 1;
          continue;
        }
      } else {
        let next = at;
        let hash = seed;
        let byte = bytes[next]!;
        while (plain[byte] === 1) {
          hash = Math.imul(hash ^ byte, prime);
          byte = bytes[++next]!;
        }
        if (byte === end) {
          const code = dictionaries[i]!.add(bytes, at, next, hash);
          if (code < 0) return 'distinct';
          codes[firstPlaces[i]! + row] = code;
          at = next + 1;
          continue;
        }
      }
      const behind = otherCell(i, row, at, end);
      if (behind < 0) return refusal;
      at = behind + 1;
    }
    if (crlf && bytes[at++] !== LF) return 'irregular';
    row++;
  }
  return {
    rows: row,
    capacity,
    buffer,
    words: columns.map(({ number }, i) => {
      if (number) return null;
      const dictionary = dictionaries[i]!;
      return { texts: dictionary.texts(decode), counts: dictionary.counts.slice(0, dictionary.size) };
    }),
    odd: columns.map((_, i) => {
      const odd = oddLists[i]!;
      if (odd.size === 0) return null;
      return {
        rows: odd.rows.slice(0, odd.size),
        codes: odd.codes.slice(0, odd.size),
        texts: odd.dictionary.texts(decode),
      };
    }),
    told,
  };
}

/** The same marks and units but for those that a bare cell cannot hold. */
function without(number: NumberBytes, delimiter: number): NumberBytes {
  const mark = (byte: number): number => (byte === delimiter ? -1 : byte);
  const bare = (texts: Uint8Array[]): Uint8Array[] => texts.filter((text) => !text.includes(delimiter));
  return {
    ...number,
    decimal: mark(number.decimal),
    otherDecimal: mark(number.otherDecimal),
    thousands: mark(number.thousands),
    suffixes: bare(number.suffixes),
    prefixes: bare(number.prefixes),
  };
}
