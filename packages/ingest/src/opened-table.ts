import type { ChangeLog } from './change-log.ts';
import type { EncodingFound } from './encoding.ts';
import type { Layout } from './layout.ts';
import type { StrictSource } from './load-table.ts';
import type { RecordSyntax } from './record-reader.ts';
import type { Dialect, TableFound } from './result.ts';
import type { SourceFile } from './source-file.ts';
import type { TextSource } from './walk-table.ts';

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

/** How the file is written, as far as its layout and records tell. */
export function dialectOf(
  layout: Layout,
  encoding: EncodingFound,
  syntax: RecordSyntax,
  newline: Dialect['newline'],
): OpenedTable['dialect'] {
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

/** Notes what had to be mended before the bytes were text. */
export function logRepairs(changes: ChangeLog, { strays, nuls }: { strays: number; nuls: number }): void {
  if (strays > 0)
    changes.count('bytes.repaired', null, strays, {
      before: 'bytes that are not UTF-8',
      after: 'read as windows-1252',
    });
  if (nuls > 0) changes.count('nul.removed', null, nuls, { before: '\\0', after: '' });
}
