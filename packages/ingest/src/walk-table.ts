import { createReadStream } from 'node:fs';
import { Decoder } from './decode.ts';
import type { Layout } from './layout.ts';
import { RecordReader, type RecordSyntax, type TextRecord } from './record-reader.ts';

export interface TextSource {
  path: string;
  encoding: string;
  /** Bytes of the byte order mark to skip. */
  bom: number;
  syntax: RecordSyntax;
}

export interface WalkOptions {
  signal?: AbortSignal | undefined;
  onBytes?: ((bytes: number) => void) | undefined;
}

/** Reads every record of a file with the tolerant reader, chunk by chunk. */
export async function walkRecords(
  source: TextSource,
  expected: number,
  onRecord: (record: TextRecord) => void,
  options: WalkOptions & { afterChunk?: (() => Promise<void>) | undefined } = {},
): Promise<{ strays: number; nuls: number }> {
  const decoder = new Decoder(source.encoding);
  const reader = new RecordReader(source.syntax, expected);
  let bytes = source.bom;
  for await (const chunk of createReadStream(source.path, { start: source.bom, highWaterMark: 1 << 20 })) {
    options.signal?.throwIfAborted();
    reader.push(decoder.push(chunk as Buffer), onRecord);
    bytes += (chunk as Buffer).length;
    options.onBytes?.(bytes);
    await options.afterChunk?.();
  }
  reader.push(decoder.end(), onRecord);
  reader.end(onRecord);
  await options.afterChunk?.();
  return { strays: decoder.strays, nuls: decoder.nuls };
}

export type RowNote = 'padded' | 'trimmed';

export interface TableVisitor {
  /** A record of the table, brought to its width; `note` says when fields were added or cut. */
  kept(fields: string[], record: TextRecord, note: RowNote | null): void;
  /** A malformed row of the table. */
  rejected(record: TextRecord, reason: string): void;
  /** A record that is no row of the table: a title, a note, a repeated header, another table's row. */
  aside(record: TextRecord, why: Aside): void;
  blank(record: TextRecord): void;
}

/** Why a record does not belong to the table's rows: the kind of change it is counted as, and words. */
export interface Aside {
  kind: 'line.preamble' | 'line.footer' | 'line.comment' | 'table.other' | 'header.repeated';
  reason: string;
}

const asides = {
  before: { kind: 'line.preamble', reason: 'stands before the table' },
  after: { kind: 'line.footer', reason: 'stands after the table' },
  comment: { kind: 'line.comment', reason: 'is a comment' },
  other: { kind: 'table.other', reason: 'belongs to another table' },
  header: { kind: 'header.repeated', reason: 'repeats the header' },
} as const satisfies Record<string, Aside>;

/** Why a record that is not blank is no row of the table (as text: a malformed one); null when it is one. */
function refusal(record: TextRecord, layout: Layout): string | Aside | null {
  if (record.line < layout.firstLine || record.line > layout.lastLine) {
    const other = layout.tables.some(
      (one) => !one.chosen && record.line >= one.firstLine && record.line <= one.lastLine,
    );
    if (other) return asides.other;
    return record.line < layout.firstLine ? asides.before : asides.after;
  }
  if (layout.comments && record.fields.length !== layout.width && record.raw.startsWith('#'))
    return asides.comment;
  if (record.overlong) return 'longer than 8 MiB';
  const { width } = layout;
  const { fields } = record;
  if (fields.length === width) {
    const repeats = layout.header.some((row) => row.length === width && sameCells(row, fields));
    return repeats ? asides.header : null;
  }
  if (fields.length > width && fields.slice(width).every((field) => field.trim() === '')) return null;
  // With half of its fields or more, what is missing is taken to be at the end.
  if (fields.length < width && fields.length >= Math.max(width / 2, width > 2 ? 2 : 1)) return null;
  return `has ${fields.length} field${fields.length === 1 ? '' : 's'} where ${width} are expected`;
}

/** Sorts the records of a file into rows of the table, malformed rows and what is no row at all; the one place where records are refused. */
export function sortRecord(record: TextRecord, layout: Layout, visitor: TableVisitor): void {
  const { width } = layout;
  const inside = record.line >= layout.firstLine && record.line <= layout.lastLine;
  if (record.blank && (width > 1 || !inside)) {
    visitor.blank(record);
    return;
  }
  if (record.line >= layout.headerLine && record.line < layout.firstLine) return;
  const reason = refusal(record, layout);
  if (reason !== null) {
    if (typeof reason === 'string') visitor.rejected(record, reason);
    else visitor.aside(record, reason);
    return;
  }
  const { fields } = record;
  if (fields.length === width) visitor.kept(fields, record, null);
  else if (fields.length > width) visitor.kept(fields.slice(0, width), record, 'trimmed');
  else visitor.kept([...fields, ...Array<string>(width - fields.length).fill('')], record, 'padded');
}

const sameCells = (a: readonly string[], b: readonly string[]): boolean => {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
};
