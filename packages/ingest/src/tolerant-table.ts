import { ChangeLog } from './change-log.ts';
import type { EncodingFound } from './encoding.ts';
import { headerRows } from './head-sample.ts';
import { findLayout } from './layout.ts';
import { normalise } from './normalise.ts';
import type { OpenOptions } from './open-table.ts';
import { dialectOf, logRepairs, type OpenedTable } from './opened-table.ts';
import { Outline } from './outline.ts';
import type { Dialect } from './result.ts';
import type { Scan } from './scan-source.ts';
import { badDataset, type SourceFile } from './source-file.ts';
import { type TextSource, walkRecords } from './walk-table.ts';

/** Through the tolerant reader: once for the outline, once to write regular rows. */
export async function tolerantTable(
  source: SourceFile,
  width: number,
  encoding: EncodingFound,
  scan: Scan,
  text: TextSource,
  { clean, work, signal, onProgress }: OpenOptions,
): Promise<OpenedTable> {
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
    dialect: dialectOf(layout, encoding, text.syntax, newlineOf(source.head, encoding.name)),
    refused: normal.refused,
    aside: normal.aside,
    firstRows: normal.firstRows,
    changes,
    warnings: [...(encoding.doubt ? [encoding.doubt] : []), ...layout.warnings],
  };
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
