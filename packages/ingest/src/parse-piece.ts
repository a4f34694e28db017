import { columnPlaces, type StoredColumn } from './column-store.ts';
import { OddList } from './odd-list.ts';
import { hashOf, ParseDictionary } from './parse-dictionary.ts';
import { type NumberBytes, NumberReader, powersOfTen } from './parse-number.ts';
import type { ParsedPiece, ParseRefusal, ParseTask, ToldCells } from './parse-task.ts';
import { closingQuote, expectedRows, readPiece } from './piece-bytes.ts';
import type { Answer } from './serve-tasks.ts';

const LF = 10;
const CR = 13;
const minus = 45;
const mostExamples = 5;

/** They stay with the thread from piece to piece. */
const dictionaries: ParseDictionary[] = [];
const oddLists: OddList[] = [];

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
