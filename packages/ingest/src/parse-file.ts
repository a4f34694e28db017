import { type FileHandle, open } from 'node:fs/promises';
import { columnPlaces, mostCodes, type StoredBlock } from './column-store.ts';
import type { StrictSource } from './load-table.ts';
import type { OddCells, ParsedColumn, ParsedPiece, ParseRefusal, ToldCells } from './parse-task.ts';
import type { TableWorkers } from './table-workers.ts';
import { writeWhole } from './whole.ts';

/** Bytes of a piece, which becomes a block. */
const pieceBytes = 4 << 20;

/** Distinct texts of all columns together, and their characters: they are in memory. */
const mostTexts = 1_000_000;
const mostCharacters = 64 << 20;

/** A column's distinct texts in the order of the file, with the rows of each. */
export interface ParsedWords {
  texts: string[];
  counts: number[];
}

/** A file in columns, as its bytes say it; what its odd cells and its words mean is still to be found out. */
export interface ParsedFile {
  rows: number;
  blocks: StoredBlock[];
  /** File of the blocks; null where they are in memory. */
  path: string | null;
  columns: ParsedColumn[];
  words: (ParsedWords | null)[];
  /** Texts of odd cells by code, and per block the cells themselves. */
  odd: (ParsedWords | null)[];
  oddCells: (OddRows | null)[][];
  /** Per block and column. */
  told: (ToldCells | null)[][];
}

export type OddRows = Omit<OddCells, 'texts'>;

/** Joins the codes of blocks into those of the whole file. */
class JoinedTexts implements ParsedWords {
  readonly texts: string[] = [];
  readonly counts: number[] = [];
  characters = 0;
  readonly #codes = new Map<string, number>();

  /** What each code of a block is in the file; null where all stay the same, undefined where there are too many. */
  join(texts: readonly string[], countOf: (code: number) => number): Uint16Array | null | undefined {
    const codes = new Uint16Array(texts.length);
    let same = true;
    for (let i = 0; i < texts.length; i++) {
      const text = texts[i]!;
      let code = this.#codes.get(text);
      if (code === undefined) {
        code = this.texts.length;
        if (code === mostCodes) return undefined;
        this.#codes.set(text, code);
        this.texts.push(text);
        this.characters += text.length;
        this.counts.push(0);
      }
      this.counts[code]! += countOf(i);
      codes[i] = code;
      if (code !== i) same = false;
    }
    return same ? null : codes;
  }
}

function translate(codes: Uint16Array, to: Uint16Array | null): void {
  if (to) for (let i = 0; i < codes.length; i++) codes[i] = to[codes[i]!]!;
}

/**
 * Parses a regular file in threads, piece by piece, and joins the pieces in the file's order.
 * @param path file for the blocks, which is made; null to keep them in memory.
 * @param goOn throws where there is no use in going on.
 * @returns a word where the file cannot be parsed so.
 */
export async function parseFile(
  workers: TableWorkers,
  source: StrictSource,
  columns: ParsedColumn[],
  path: string | null,
  goOn: () => void,
): Promise<ParsedFile | ParseRefusal> {
  const file = path === null ? null : await open(path, 'wx');
  try {
    return await new Joining(workers, source, columns, path, file, goOn).all();
  } finally {
    await file?.close();
  }
}

class Joining {
  readonly #workers: TableWorkers;
  readonly #source: StrictSource;
  readonly #file: FileHandle | null;
  readonly #goOn: () => void;
  readonly #found: ParsedFile;
  readonly #words: (JoinedTexts | null)[];
  readonly #odd: (JoinedTexts | null)[];
  /** Memory of blocks that were written to the file, for others. */
  readonly #spare: SharedArrayBuffer[] = [];
  #at = 0;

  constructor(
    workers: TableWorkers,
    source: StrictSource,
    columns: ParsedColumn[],
    path: string | null,
    file: FileHandle | null,
    goOn: () => void,
  ) {
    this.#workers = workers;
    this.#source = source;
    this.#file = file;
    this.#goOn = goOn;
    this.#words = columns.map(({ number }) => (number ? null : new JoinedTexts()));
    this.#odd = columns.map(({ number }) => (number ? new JoinedTexts() : null));
    const { words, odd } = { words: this.#words, odd: this.#odd };
    this.#found = { rows: 0, blocks: [], path, columns, words, odd, oddCells: [], told: [] };
  }

  async all(): Promise<ParsedFile | ParseRefusal> {
    const { offset, bytes } = this.#source;
    const pieces = Math.ceil((bytes - offset) / pieceBytes);
    // So many that no thread waits, and that little waits to be joined.
    const ahead = this.#workers.size * 2;
    const running: Promise<ParsedPiece | ParseRefusal>[] = [];
    try {
      for (let next = 0, joined = 0; joined < pieces; joined++) {
        for (; next < pieces && next < joined + ahead; next++) running.push(this.#parse(next));
        const piece = await running.shift()!;
        this.#goOn();
        if (typeof piece === 'string') return piece;
        if (!(await this.#join(piece))) return 'distinct';
      }
      return this.#found;
    } finally {
      await Promise.allSettled(running);
    }
  }

  #parse(piece: number): Promise<ParsedPiece | ParseRefusal> {
    const { path, offset, bytes, encoding, delimiter, quote, newline } = this.#source;
    const from = offset + piece * pieceBytes;
    const asked = this.#workers.run('parse', {
      path,
      from,
      to: Math.min(bytes, from + pieceBytes),
      first: piece === 0,
      encoding: encoding === 'latin-1' ? 'latin1' : 'utf8',
      delimiter: delimiter.charCodeAt(0),
      quote: quote === '' ? -1 : quote.charCodeAt(0),
      crlf: newline === 'crlf',
      columns: this.#found.columns,
      spare: this.#spare.pop() ?? null,
    });
    asked.catch(() => {});
    return asked;
  }

  /** Takes a piece over as the next block; false where its texts are too many. */
  async #join({ rows, capacity, buffer, words, odd, told }: ParsedPiece): Promise<boolean> {
    const found = this.#found;
    const places = columnPlaces(
      found.columns.map(({ number }) => ({ kind: number ? 'numbers' : 'words' })),
      capacity,
    );
    for (const [i, own] of words.entries()) {
      if (!own) continue;
      const to = this.#words[i]!.join(own.texts, (code) => own.counts[code]!);
      if (to === undefined) return false;
      translate(new Uint16Array(buffer, places[i]!, rows), to);
    }
    const oddCells: (OddRows | null)[] = [];
    for (const [i, own] of odd.entries()) {
      if (own) {
        const counts = new Uint32Array(own.texts.length);
        for (const code of own.codes) counts[code]!++;
        const to = this.#odd[i]!.join(own.texts, (code) => counts[code]!);
        if (to === undefined) return false;
        translate(own.codes, to);
      }
      oddCells.push(own && { rows: own.rows, codes: own.codes });
    }
    const all = [...this.#words, ...this.#odd].filter((texts) => texts !== null);
    if (sumOf(all, ({ texts }) => texts.length) > mostTexts) return false;
    if (sumOf(all, ({ characters }) => characters) > mostCharacters) return false;
    found.oddCells.push(oddCells);
    found.told.push(told);
    found.blocks.push({
      first: found.rows,
      rows,
      capacity,
      record: found.rows,
      records: null,
      buffer: this.#file ? null : buffer,
      at: this.#at,
    });
    found.rows += rows;
    if (this.#file) {
      const length = places.at(-1)!;
      await writeWhole(this.#file, new Uint8Array(buffer, 0, length), this.#at);
      this.#at += length;
      this.#spare.push(buffer);
    }
    return true;
  }
}

const sumOf = <T>(list: readonly T[], of: (one: T) => number): number =>
  list.reduce((sum, one) => sum + of(one), 0);
