import { join } from 'node:path';
import type { CleanOptions } from '@vgpu/core';
import { ChangeLog } from './change-log.ts';
import { csvLine, TextWriter } from './csv-text.ts';
import { Decoder } from './decode.ts';
import { detectSyntax, modalWidth, readSample } from './dialect.ts';
import {
  EncodingEvidence,
  type EncodingFound,
  encodingFromStart,
  knownEncoding,
  looksBinary,
} from './encoding.ts';
import { findLayout, isTotal, type Layout } from './layout.ts';
import type { StrictSource } from './load-table.ts';
import { Outline, separatorLine } from './outline.ts';
import type { RecordSyntax } from './record-reader.ts';
import { RegularityCheck } from './regularity.ts';
import type { Dialect, OnProgress } from './result.ts';
import { scanSource } from './scan-source.ts';
import { badDataset, openSource, type SourceFile } from './source-file.ts';
import { sortRecord, type TextSource, walkRecords } from './walk-table.ts';

/** A file understood: where its table is, and a form of it that DuckDB reads strictly. */
export interface OpenedTable {
  source: SourceFile;
  sha256: string;
  text: TextSource;
  layout: Layout;
  strict: StrictSource;
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

export interface OpenOptions {
  clean: CleanOptions;
  /** Folder for temporary files. */
  work: string;
  /** Where the original is copied while it is read; null for no copy. */
  copyTo: string | null;
  signal?: AbortSignal | undefined;
  onProgress?: OnProgress | undefined;
  /** Let DuckDB read the file itself where that is safe; default true. */
  direct?: boolean | undefined;
  /** Name for messages; default the file's. */
  name?: string | undefined;
  /** Called when the hash is known; true ends the work early, since the answer is there already. */
  known?: ((sha256: string) => Promise<boolean>) | undefined;
}

interface Sampled {
  syntax: RecordSyntax;
  width: number;
  outline: Outline;
  rows: { line: number; raw: string; fields: string[] }[];
}

const headerRows = (clean: CleanOptions): number | undefined =>
  clean.header === undefined ? undefined : Number(clean.header);

function sample(
  head: Buffer,
  bom: number,
  encoding: string,
  complete: boolean,
  clean: CleanOptions,
): Sampled {
  const decoder = new Decoder(encoding);
  const text = decoder.push(head.subarray(bom)) + (complete ? decoder.end() : '');
  const named = separatorLine.exec(text.slice(0, text.search(/[\r\n]|$/)))?.[1];
  const syntax = detectSyntax(text, complete, { delimiter: clean.delimiter ?? named, quote: clean.quote });
  // The first reading gives the width; the second uses it to see through stray quotes.
  const width = modalWidth(
    readSample(text, syntax, complete, 0, 5000)
      .filter((row) => !row.blank)
      .map((row) => row.fields.length),
  ).width;
  const rows = readSample(text, syntax, complete, width);
  const outline = new Outline();
  for (const row of rows) outline.add(row);
  return { syntax, width, outline, rows };
}

/** DuckDB can read the file itself when nothing in it needs a second thought. */
function directCheck(found: Sampled, layout: Layout | null, encoding: string): RegularityCheck | null {
  const { syntax } = found;
  const simple =
    encoding === 'utf-8' &&
    syntax.delimiter.length === 1 &&
    !syntax.collapse &&
    syntax.quote !== "'" &&
    syntax.escape === syntax.quote;
  if (!simple || !layout?.regular || layout.tables.length !== 1 || layout.footer > 0) return null;
  const headerAt = found.rows.findLastIndex((row) => row.line < layout.firstLine);
  return new RegularityCheck(
    syntax.delimiter,
    syntax.quote,
    layout.width,
    layout.firstLine - 1,
    found.rows[headerAt]?.raw ?? '',
  );
}

/** Whether the file ends with a row that sums up: such a row is no data, so DuckDB may not read it as such. */
function endsInTotal(tail: Buffer, found: Sampled, bytes: number): boolean {
  const from = tail.length < bytes ? tail.indexOf(10) + 1 : 0;
  const records = readSample(tail.subarray(from).toString(), found.syntax, true, found.width);
  const last = records.findLast((record) => !record.blank);
  return last !== undefined && isTotal(last.fields, found.rows.map((row) => row.fields).slice(0, 200));
}

const noTable = (name: string, outline: Outline) =>
  badDataset(
    name,
    outline.records === 0 ? 'holds nothing but blank lines' : 'holds no table that could be recognised',
  );

/** Brings a file into a form that DuckDB reads without guessing; see docs/data-cleaning.md for the steps. */
export async function openTable(path: string, options: OpenOptions): Promise<OpenedTable | 'known'> {
  const { clean, onProgress } = options;
  const source = await openSource(path, options.name);
  const complete = source.head.length >= source.bytes;
  const marked = encodingFromStart(source.head);
  if (marked?.name === 'utf-32') throw badDataset(source.name, 'is UTF-32 text; save it as UTF-8');
  if (!marked?.name.startsWith('utf-16') && !clean.encoding && looksBinary(source.head))
    throw badDataset(source.name, 'is binary data, not text');
  const asked = clean.encoding === undefined ? null : knownEncoding(clean.encoding);
  const headEvidence = new EncodingEvidence();
  headEvidence.push(source.head);
  const settled: EncodingFound | null = asked ? { name: asked, bom: marked?.bom ?? 0, doubt: null } : marked;
  const guess = settled ?? headEvidence.verdict();
  let found = sample(source.head, guess.bom, guess.name, complete, clean);
  const wanted = headerRows(clean);
  let layout = findLayout(found.outline, wanted);
  const check = options.direct === false ? null : directCheck(found, layout, guess.name);
  const scan = await scanSource(source.path, guess.bom, check, options.copyTo, {
    signal: options.signal,
    onBytes: (bytes) => onProgress?.({ stage: 'scan', done: bytes / source.bytes }),
  });
  if (scan.bytes !== source.bytes) throw badDataset(source.name, 'changed while it was read');
  if (await options.known?.(scan.sha256)) return 'known';
  const encoding = settled ?? scan.evidence.verdict();
  const warnings = encoding.doubt ? [encoding.doubt] : [];
  const changes = new ChangeLog();
  const dialectOf = (at: Layout, newline: Dialect['newline']): OpenedTable['dialect'] => ({
    delimiter: found.syntax.delimiter,
    collapse: found.syntax.collapse,
    quote: found.syntax.quote,
    escape: found.syntax.escape,
    encoding: encoding.name,
    bom: encoding.bom > 0,
    newline,
    header: at.header.length,
    preamble: at.preamble,
    footer: at.footer,
  });
  const from = options.copyTo ?? source.path;
  const strays = encoding.name === 'utf-8' ? scan.evidence.strays : 0;
  if (encoding.name !== 'utf-8')
    changes.add('encoding.converted', null, { before: encoding.name, after: 'utf-8' });
  if (
    check?.regular &&
    layout &&
    encoding.name === 'utf-8' &&
    strays === 0 &&
    scan.evidence.nuls === 0 &&
    check.records > 0 &&
    (complete || !endsInTotal(scan.tail, found, source.bytes))
  ) {
    const strict: StrictSource = {
      path: from,
      delimiter: found.syntax.delimiter,
      quote: found.syntax.quote,
      newline: check.newline === 'crlf' ? 'crlf' : 'lf',
      skipLines: layout.firstLine - 1,
      width: layout.width,
      longest: check.longest,
      multiline: check.multiline,
      records: check.records,
      bytes: source.bytes,
      underscores: check.underscores,
    };
    for (const row of found.rows) {
      if (row.line >= layout.firstLine) break;
      if (row.line < layout.headerLine && row.raw.trim() !== '')
        changes.add('line.preamble', null, { before: row.raw, after: '' });
    }
    const aside = changes.list().find(({ kind }) => kind === 'line.preamble')?.count ?? 0;
    const table = { ...layout.tables[0]!, records: check.records + layout.header.length, lastLine: 0 };
    table.lastLine = check.multiline ? layout.lastLine : layout.firstLine + check.records - 1;
    const firstRows = found.rows
      .filter((row) => row.line >= layout!.firstLine && row.raw.trim() !== '')
      .slice(0, 500)
      .map((row) => row.fields);
    return {
      source,
      sha256: scan.sha256,
      text: { path: from, encoding: 'utf-8', bom: encoding.bom, syntax: found.syntax },
      layout: { ...layout, tables: [table], lastLine: Number.MAX_SAFE_INTEGER },
      strict,
      reader: 'direct',
      dialect: dialectOf(layout, check.newline === 'none' ? 'lf' : check.newline),
      refused: 0,
      aside,
      firstRows,
      changes,
      warnings: [...warnings, ...layout.warnings],
    };
  }
  // Anything else goes through the tolerant reader: once for the outline, once to write regular rows.
  if (guess.name !== encoding.name) found = sample(source.head, encoding.bom, encoding.name, complete, clean);
  const text: TextSource = { path: from, encoding: encoding.name, bom: encoding.bom, syntax: found.syntax };
  const outline = new Outline();
  const repairs = await walkRecords(text, found.width, (record) => outline.add(record), {
    signal: options.signal,
    onBytes: (bytes) => onProgress?.({ stage: 'read', done: bytes / source.bytes / 2 }),
  });
  layout = findLayout(outline, wanted);
  if (!layout) throw noTable(source.name, outline);
  if (repairs.strays > 0)
    changes.count('bytes.repaired', null, repairs.strays, {
      before: 'bytes that are not UTF-8',
      after: 'read as windows-1252',
    });
  if (repairs.nuls > 0) changes.count('nul.removed', null, repairs.nuls, { before: '\\0', after: '' });
  const normal = await normalise(text, layout, options, changes, source.bytes);
  return {
    source,
    sha256: scan.sha256,
    text,
    layout,
    strict: {
      path: normal.path,
      delimiter: ',',
      quote: '"',
      newline: 'lf',
      skipLines: 0,
      width: layout.width,
      longest: normal.longest,
      multiline: normal.multiline,
      records: normal.rows,
      bytes: source.bytes,
      underscores: normal.underscores,
    },
    reader: 'tolerant',
    dialect: dialectOf(layout, newlineOf(source.head, encoding.name)),
    refused: normal.refused,
    aside: normal.aside,
    firstRows: normal.firstRows,
    changes,
    warnings: [...warnings, ...layout.warnings],
  };
}

function newlineOf(head: Buffer, encoding: string): Dialect['newline'] {
  const text = new TextDecoder(encoding).decode(head.subarray(0, 65_536));
  const crlf = text.split('\r\n').length - 1;
  const lf = text.split('\n').length - 1 - crlf;
  const cr = text.split('\r').length - 1 - crlf;
  const kinds = [crlf, lf, cr].filter((count) => count > 0).length;
  if (kinds > 1) return 'mixed';
  return crlf > 0 ? 'crlf' : cr > 0 ? 'cr' : 'lf';
}

/** Writes the table's rows as plain regular CSV, and counts what it took to make them so. */
async function normalise(
  text: TextSource,
  layout: Layout,
  options: OpenOptions,
  changes: ChangeLog,
  total: number,
) {
  const path = join(options.work, 'rows.csv');
  const writer = new TextWriter(path);
  const firstRows: string[][] = [];
  let refused = 0;
  let aside = 0;
  let longest = 0;
  let multiline = false;
  let underscores = false;
  let rows = 0;
  await walkRecords(
    text,
    layout.width,
    (record) =>
      sortRecord(record, layout, {
        kept(fields, { raw }, note) {
          rows++;
          if (note)
            changes.add(`row.${note}`, null, { row: rows, before: raw, after: `${layout.width} fields` });
          const line = csvLine(fields);
          if (line.length * 4 > longest) longest = Math.max(longest, Buffer.byteLength(line));
          if (!underscores && line.includes('_')) underscores = true;
          if (!multiline && line.indexOf('\n') !== line.length - 1) multiline = true;
          if (firstRows.length < 500) firstRows.push(fields);
          writer.add(line);
        },
        rejected() {
          refused++;
        },
        aside({ raw }, { kind }) {
          aside++;
          changes.add(kind, null, { before: raw, after: '' });
        },
        blank() {
          changes.count('line.blank', null, 1, null);
        },
      }),
    {
      signal: options.signal,
      onBytes: (bytes) => options.onProgress?.({ stage: 'read', done: 0.5 + bytes / total / 2 }),
      afterChunk: () => writer.flush(),
    },
  );
  await writer.end();
  return { path, refused, aside, longest, multiline, underscores, firstRows, rows };
}
