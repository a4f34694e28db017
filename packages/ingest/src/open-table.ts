import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CleanOptions } from '@vgpu/core';
import {
  holds,
  readableEncodings,
  regularityOf,
  type Shape,
  shapeOfHead,
  wholeTable,
} from './direct-reading.ts';
import { directTable } from './direct-table.ts';
import {
  EncodingEvidence,
  type EncodingFound,
  encodingFromStart,
  knownEncoding,
  looksBinary,
} from './encoding.ts';
import { endsInTotal, type HeadSample, sampleHead } from './head-sample.ts';
import { ReadersDisagree } from './load-table.ts';
import { logRepairs, type OpenedTable, type TableFacts } from './opened-table.ts';
import type { RegularityCheck } from './regularity.ts';
import type { OnProgress } from './result.ts';
import { type Scan, scanSource } from './scan-source.ts';
import { badDataset, openSource, type SourceFile } from './source-file.ts';
import { tolerantTable } from './tolerant-table.ts';
import { transcode } from './transcode.ts';

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
    return directTable(
      this.#source,
      this.#guess,
      this.#found,
      shape,
      this.#source,
      facts,
      this.#look.resolve,
    );
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
      return directTable(
        source,
        encoding,
        found,
        this.#check,
        source,
        factsOf(scan, found, this.#check),
        () => {},
      );
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
        const facts = factsOf(scan, found, check);
        const opened = directTable(source, encoding, found, check, copy, facts, () => {});
        logRepairs(opened.changes, text);
        return opened;
      }
      await rm(text.path);
    }
    return tolerantTable(
      source,
      found.width,
      encoding,
      scan,
      { ...from, syntax: found.syntax },
      this.#options,
    );
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
