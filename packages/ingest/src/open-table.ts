import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CleanOptions } from '@vgpu/core';
import { ChangeLog } from './change-log.ts';
import {
  firstRowsOf,
  holds,
  readableEncodings,
  regularityOf,
  type Shape,
  shapeOfHead,
  strictSource,
  wholeTable,
} from './direct-reading.ts';
import {
  EncodingEvidence,
  type EncodingFound,
  encodingFromStart,
  knownEncoding,
  looksBinary,
} from './encoding.ts';
import { endsInTotal, type HeadSample, headerRows, sampleHead } from './head-sample.ts';
import { findLayout, type Layout } from './layout.ts';
import { ReadersDisagree, type StrictSource } from './load-table.ts';
import { normalise } from './normalise.ts';
import { Outline } from './outline.ts';
import type { RecordSyntax } from './record-reader.ts';
import type { RegularityCheck } from './regularity.ts';
import type { Dialect, OnProgress, TableFound } from './result.ts';
import { type Scan, scanSource } from './scan-source.ts';
import { badDataset, openSource, type SourceFile } from './source-file.ts';
import { transcode } from './transcode.ts';
import { type TextSource, walkRecords } from './walk-table.ts';

/** What is certain of a file when all of it was looked at. */
export interface TableFacts {
  sha256: string;
  /** Records that DuckDB has to find. */
  records: number;
  /** Some cell holds an underscore, which DuckDB reads over in numbers. */
  underscores: boolean;
  tables: TableFound[];
}

/** A file understood: where its table is, and a form of it that DuckDB reads strictly. */
export interface OpenedTable {
  source: SourceFile;
  text: TextSource;
  layout: Layout;
  strict: StrictSource;
  /**
   * Pending while the file is still looked at, which DuckDB need not wait for. Rejects with
   * ReadersDisagree when it is not what its head lets expect, and with KnownVersion.
   */
  facts: Promise<TableFacts>;
  /** Begins the look at the file, where it waits so that the engine can begin first. */
  look: () => void;
  reader: 'direct' | 'tolerant';
  dialect: Omit<Dialect, 'decimal' | 'thousands'>;
  /** Malformed rows of the table. */
  refused: number;
  /** Records that are no rows of it: titles, notes, repeated headers, rows of other tables. */
  aside: number;
  /** First rows as the tolerant reader sees them, to compare with DuckDB's. */
  firstRows: string[][];
  changes: ChangeLog;
  warnings: string[];
}

/** The answer is there already: a version of the same bytes and options. */
export class KnownVersion extends Error {}

export interface OpenOptions {
  clean: CleanOptions;
  /** Folder for temporary files. */
  work: string;
  /** Where the original is copied while it is read; null for no copy. */
  copyTo: string | null;
  signal?: AbortSignal | undefined;
  onProgress?: OnProgress | undefined;
  /** Name for messages; default the file's. */
  name?: string | undefined;
  /** Called when the hash is known; true ends the work early, since the answer is there already. */
  known?: ((sha256: string) => Promise<boolean>) | undefined;
}

/** A file that is being opened: its head is sampled, and the look at all of its bytes has begun. */
export class OpeningTable {
  readonly #options: OpenOptions;
  readonly #source: SourceFile;
  readonly #complete: boolean;
  /** The encoding, where the file or the user names it. */
  readonly #settled: EncodingFound | null;
  readonly #guess: EncodingFound;
  readonly #found: HeadSample;
  readonly #check: RegularityCheck | null;
  readonly #scan: Promise<Scan>;
  readonly #stop = new AbortController();
  readonly #look = Promise.withResolvers<void>();
  #known: Promise<boolean> | null = null;

  /** @throws VgpuError where the file cannot be a table. */
  static async start(path: string, options: OpenOptions): Promise<OpeningTable> {
    return new OpeningTable(await openSource(path, options.name), options);
  }

  private constructor(source: SourceFile, options: OpenOptions) {
    const { clean } = options;
    this.#options = options;
    this.#source = source;
    this.#complete = source.head.length >= source.bytes;
    const marked = encodingFromStart(source.head);
    if (marked?.name === 'utf-32') throw badDataset(source.name, 'is UTF-32 text; save it as UTF-8');
    if (!marked?.name.startsWith('utf-16') && !clean.encoding && looksBinary(source.head))
      throw badDataset(source.name, 'is binary data, not text');
    const asked = clean.encoding === undefined ? null : knownEncoding(clean.encoding);
    const evidence = new EncodingEvidence();
    evidence.push(source.head);
    this.#settled = asked ? { name: asked, bom: marked?.bom ?? 0, doubt: null } : marked;
    this.#guess = this.#settled ?? evidence.verdict();
    this.#found = sampleHead(source.head, this.#guess.bom, this.#guess.name, this.#complete, clean);
    this.#check = readableEncodings.includes(this.#guess.name)
      ? regularityOf(this.#found, this.#guess.name)
      : null;
    this.#scan = scanSource(source.path, this.#guess.bom, this.#check, options.copyTo, {
      signal: options.signal ? AbortSignal.any([options.signal, this.#stop.signal]) : this.#stop.signal,
      onBytes: (bytes) => options.onProgress?.({ stage: 'scan', done: bytes / source.bytes }),
      after: this.#look.promise,
    });
    this.#scan.catch(() => {});
  }

  /** Ends the look at the file's bytes, if it still goes on. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#look.resolve();
    await this.#scan.catch(() => {});
  }

  /** The table as the head lets expect it, for DuckDB to begin with; null where that would be rash. */
  supposed(): OpenedTable | null {
    // A file of one piece is looked at in no time.
    if (!this.#check || this.#complete) return null;
    const shape = shapeOfHead(this.#found, this.#source.head);
    const facts = this.#confirm(this.#check, shape);
    facts.catch(() => {});
    return this.#direct(this.#guess, this.#found, shape, this.#source, facts);
  }

  /**
   * The table in the form that the whole file needs.
   * @param direct let DuckDB read the file as it is, where nothing speaks against it.
   * @throws KnownVersion, or VgpuError where there is no table.
   */
  async opened(direct: boolean): Promise<OpenedTable> {
    const { clean, work, signal, onProgress } = this.#options;
    const source = this.#source;
    this.#look.resolve();
    const scan = await this.#scanned();
    const encoding = this.#settled ?? scan.evidence.verdict();
    const same = encoding.name === this.#guess.name;
    const found = same
      ? this.#found
      : sampleHead(source.head, encoding.bom, encoding.name, this.#complete, clean);
    if (direct && this.#check && this.#suits(scan, encoding, this.#check))
      return this.#direct(encoding, found, this.#check, source, factsOf(scan, found, this.#check));
    const from = { path: source.path, encoding: encoding.name, bom: encoding.bom };
    const check = direct && !isReadable(scan, encoding) ? regularityOf(found, 'utf-8') : null;
    if (check) {
      const text = await transcode(from, join(work, 'text.csv'), check, {
        signal,
        onBytes: (bytes) => onProgress?.({ stage: 'read', done: bytes / source.bytes }),
      });
      const whole = text.bytes <= source.head.length;
      if (check.regular && check.records > 0 && (whole || !endsInTotal(text.tail, found))) {
        const copy = { ...source, path: text.path, bytes: text.bytes, head: text.head };
        const opened = this.#direct(encoding, found, check, copy, factsOf(scan, found, check));
        logRepairs(opened.changes, text);
        return opened;
      }
      await rm(text.path);
    }
    return this.#tolerant(found.width, encoding, scan, { ...from, syntax: found.syntax });
  }

  async #scanned(): Promise<Scan> {
    const { source, options } = { source: this.#source, options: this.#options };
    const scan = await this.#scan;
    if (scan.bytes !== source.bytes) throw badDataset(source.name, 'changed while it was read');
    this.#known ??= options.known?.(scan.sha256) ?? Promise.resolve(false);
    if (await this.#known) throw new KnownVersion();
    return scan;
  }

  async #confirm(check: RegularityCheck, supposed: Shape): Promise<TableFacts> {
    const scan = await this.#scanned();
    const encoding = this.#settled ?? scan.evidence.verdict();
    if (encoding.name !== this.#guess.name || !this.#suits(scan, encoding, check) || !holds(supposed, check))
      throw new ReadersDisagree('the file goes on in another way than it begins');
    return factsOf(scan, this.#found, check);
  }

  /** Whether DuckDB can read the file itself: nothing in it needs a second thought. */
  #suits(scan: Scan, encoding: EncodingFound, check: RegularityCheck): boolean {
    if (!isReadable(scan, encoding) || !check.regular || check.records === 0) return false;
    if (this.#complete) return true;
    const from = scan.tail.indexOf(10) + 1;
    const tail = scan.tail.subarray(from).toString(encoding.name === 'utf-8' ? 'utf8' : 'latin1');
    return !endsInTotal(tail, this.#found);
  }

  #dialect(layout: Layout, encoding: EncodingFound, syntax: RecordSyntax, newline: Dialect['newline']) {
    return {
      delimiter: syntax.delimiter,
      collapse: syntax.collapse,
      quote: syntax.quote,
      escape: syntax.escape,
      encoding: encoding.name,
      bom: encoding.bom > 0,
      newline,
      header: layout.header.length,
      preamble: layout.preamble,
      footer: layout.footer,
    };
  }

  /** @param file what DuckDB reads: the source, or a copy of its text. */
  #direct(
    encoding: EncodingFound,
    found: HeadSample,
    shape: Shape,
    file: SourceFile,
    facts: TableFacts | Promise<TableFacts>,
  ): OpenedTable {
    const layout = found.layout!;
    const own = file.path === this.#source.path;
    const changes = new ChangeLog();
    if (encoding.name !== 'utf-8')
      changes.add('encoding.converted', null, { before: encoding.name, after: 'utf-8' });
    for (const row of found.rows) {
      if (row.line >= layout.firstLine) break;
      if (row.line < layout.headerLine && row.raw.trim() !== '')
        changes.add('line.preamble', null, { before: row.raw, after: '' });
    }
    return {
      source: this.#source,
      text: { path: this.#source.path, encoding: encoding.name, bom: encoding.bom, syntax: found.syntax },
      layout: { ...layout, lastLine: Number.MAX_SAFE_INTEGER },
      strict: strictSource(
        { ...file, bom: own ? encoding.bom : 0, encoding: own ? encoding.name : 'utf-8' },
        found,
        layout,
        shape,
      ),
      facts: Promise.resolve(facts),
      look: this.#look.resolve,
      reader: 'direct',
      dialect: this.#dialect(layout, encoding, found.syntax, shape.newline === 'none' ? 'lf' : shape.newline),
      refused: 0,
      aside: changes.list().find(({ kind }) => kind === 'line.preamble')?.count ?? 0,
      firstRows: firstRowsOf(found),
      changes,
      warnings: [...(encoding.doubt ? [encoding.doubt] : []), ...layout.warnings],
    };
  }

  /** Through the tolerant reader: once for the outline, once to write regular rows. */
  async #tolerant(
    width: number,
    encoding: EncodingFound,
    scan: Scan,
    text: TextSource,
  ): Promise<OpenedTable> {
    const { clean, work, signal, onProgress } = this.#options;
    const source = this.#source;
    const changes = new ChangeLog();
    if (encoding.name !== 'utf-8')
      changes.add('encoding.converted', null, { before: encoding.name, after: 'utf-8' });
    const watch = (from: number) => ({
      signal,
      onBytes: (bytes: number) => onProgress?.({ stage: 'read', done: from + bytes / source.bytes / 2 }),
    });
    const outline = new Outline();
    const repairs = await walkRecords(text, width, (record) => outline.add(record), watch(0));
    const layout = findLayout(outline, headerRows(clean));
    if (!layout) throw noTable(source.name, outline);
    logRepairs(changes, repairs);
    const normal = await normalise(text, layout, work, changes, watch(0.5));
    return {
      source,
      text,
      layout,
      strict: {
        path: normal.path,
        encoding: 'utf-8',
        delimiter: ',',
        quote: '"',
        newline: 'lf',
        skipLines: 0,
        offset: 0,
        width: layout.width,
        longest: normal.longest,
        multiline: normal.multiline,
        bytes: source.bytes,
        underscores: normal.underscores,
      },
      facts: Promise.resolve({
        sha256: scan.sha256,
        records: normal.rows,
        underscores: normal.underscores,
        tables: layout.tables,
      }),
      look: () => {},
      reader: 'tolerant',
      dialect: this.#dialect(layout, encoding, text.syntax, newlineOf(source.head, encoding.name)),
      refused: normal.refused,
      aside: normal.aside,
      firstRows: normal.firstRows,
      changes,
      warnings: [...(encoding.doubt ? [encoding.doubt] : []), ...layout.warnings],
    };
  }
}

/** DuckDB understands the file's bytes as the tolerant reader does. */
const isReadable = ({ evidence }: Scan, { name }: EncodingFound): boolean =>
  evidence.nuls === 0 &&
  (name === 'utf-8' ? evidence.strays === 0 : name === 'windows-1252' && !evidence.beyondLatin);

const factsOf = (scan: Scan, { layout }: HeadSample, check: RegularityCheck): TableFacts => ({
  sha256: scan.sha256,
  records: check.records,
  underscores: check.underscores,
  tables: [wholeTable(layout!, check)],
});

function logRepairs(changes: ChangeLog, { strays, nuls }: { strays: number; nuls: number }): void {
  if (strays > 0)
    changes.count('bytes.repaired', null, strays, {
      before: 'bytes that are not UTF-8',
      after: 'read as windows-1252',
    });
  if (nuls > 0) changes.count('nul.removed', null, nuls, { before: '\\0', after: '' });
}

const noTable = (name: string, outline: Outline) =>
  badDataset(
    name,
    outline.records === 0 ? 'holds nothing but blank lines' : 'holds no table that could be recognised',
  );

function newlineOf(head: Buffer, encoding: string): Dialect['newline'] {
  const text = new TextDecoder(encoding).decode(head.subarray(0, 65_536));
  const crlf = text.split('\r\n').length - 1;
  const lf = text.split('\n').length - 1 - crlf;
  const cr = text.split('\r').length - 1 - crlf;
  const kinds = [crlf, lf, cr].filter((count) => count > 0).length;
  if (kinds > 1) return 'mixed';
  return crlf > 0 ? 'crlf' : cr > 0 ? 'cr' : 'lf';
}
