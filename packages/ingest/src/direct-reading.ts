import type { HeadSample } from './head-sample.ts';
import type { Layout } from './layout.ts';
import type { StrictSource } from './load-table.ts';
import { RegularityCheck } from './regularity.ts';
import type { TableFound } from './result.ts';

/** Encodings of files that DuckDB can read as they are; it knows windows-1252 but for 32 of its bytes. */
export const readableEncodings: readonly string[] = ['utf-8', 'windows-1252'];

/** A look at every byte of a file that DuckDB could read itself; null where its head already forbids that. */
export function regularityOf({ syntax, rows, layout }: HeadSample, encoding: string): RegularityCheck | null {
  const simple =
    /^[\x01-\x7f]$/.test(syntax.delimiter) &&
    !syntax.collapse &&
    syntax.quote !== "'" &&
    syntax.escape === syntax.quote;
  if (!simple || !layout?.regular || layout.tables.length !== 1 || layout.footer > 0) return null;
  const headerAt = rows.findLastIndex((row) => row.line < layout.firstLine);
  return new RegularityCheck(
    syntax.delimiter,
    syntax.quote,
    layout.width,
    layout.firstLine - 1,
    Buffer.from(rows[headerAt]?.raw ?? '', encoding === 'windows-1252' ? 'latin1' : 'utf8'),
  );
}

/** What is known of a file's shape: of all of it, or of its head alone, as a supposition about the rest. */
export type Shape = Pick<RegularityCheck, 'records' | 'longest' | 'multiline' | 'underscores' | 'newline'>;

/** The head's shape. Its last record may be cut. */
export function shapeOfHead({ rows, layout }: HeadSample, head: Buffer): Shape {
  const data = rows.filter((row) => row.line >= layout!.firstLine);
  return {
    records: data.length,
    longest: Math.max(0, ...data.map((row) => row.raw.length * 4)),
    multiline: data.some((row) => /[\r\n]/.test(row.raw)),
    underscores: data.some((row) => row.raw.includes('_')),
    newline: head.includes('\r\n') ? 'crlf' : 'lf',
  };
}

/** A file as DuckDB reads it. `head` is its beginning, with a byte order mark of `bom` bytes. */
export function strictSource(
  file: { path: string; bytes: number; head: Buffer; bom: number; encoding: string },
  { syntax }: HeadSample,
  layout: Layout,
  shape: Shape,
): StrictSource {
  let offset = file.bom;
  for (let line = 1; line < layout.firstLine; line++) offset = file.head.indexOf(10, offset) + 1;
  return {
    path: file.path,
    encoding: file.encoding === 'windows-1252' ? 'latin-1' : 'utf-8',
    delimiter: syntax.delimiter,
    quote: syntax.quote,
    newline: shape.newline === 'crlf' ? 'crlf' : 'lf',
    skipLines: layout.firstLine - 1,
    offset,
    width: layout.width,
    longest: shape.longest,
    multiline: shape.multiline,
    bytes: file.bytes,
    underscores: shape.underscores,
  };
}

/** Whether what was supposed from the head holds for the whole file, as far as DuckDB's reader depends on it. */
export const holds = (supposed: Shape, shape: Shape): boolean =>
  supposed.newline === (shape.newline === 'none' ? 'lf' : shape.newline) &&
  supposed.multiline === shape.multiline &&
  shape.longest < 500_000;

/** The only table of a regular file, once its records are counted. */
export function wholeTable(layout: Layout, { records, multiline }: Shape): TableFound {
  return {
    ...layout.tables[0]!,
    records: records + layout.header.length,
    lastLine: multiline ? layout.lastLine : layout.firstLine + records - 1,
  };
}

/** First rows as the tolerant reader sees them, to compare with DuckDB's. */
export const firstRowsOf = ({ rows, layout }: HeadSample): string[][] =>
  rows
    .filter((row) => row.line >= layout!.firstLine && row.raw.trim() !== '')
    .slice(0, 500)
    .map((row) => row.fields);
