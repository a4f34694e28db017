import { ChangeLog } from './change-log.ts';
import { firstRowsOf, type Shape, strictSource } from './direct-reading.ts';
import type { EncodingFound } from './encoding.ts';
import type { HeadSample } from './head-sample.ts';
import { dialectOf, type OpenedTable, type TableFacts } from './opened-table.ts';
import type { SourceFile } from './source-file.ts';

/**
 * A table that is read as its file has it, since nothing in it needs a second thought.
 * @param file what is read: the source, or a copy of its text.
 */
export function directTable(
  source: SourceFile,
  encoding: EncodingFound,
  found: HeadSample,
  shape: Shape,
  file: SourceFile,
  facts: TableFacts | Promise<TableFacts>,
  look: () => void,
): OpenedTable {
  const layout = found.layout!;
  const own = file.path === source.path;
  const changes = new ChangeLog();
  if (encoding.name !== 'utf-8')
    changes.add('encoding.converted', null, { before: encoding.name, after: 'utf-8' });
  for (const row of found.rows) {
    if (row.line >= layout.firstLine) break;
    if (row.line < layout.headerLine && row.raw.trim() !== '')
      changes.add('line.preamble', null, { before: row.raw, after: '' });
  }
  return {
    source,
    text: { path: source.path, encoding: encoding.name, bom: encoding.bom, syntax: found.syntax },
    layout: { ...layout, lastLine: Number.MAX_SAFE_INTEGER },
    strict: strictSource(
      { ...file, bom: own ? encoding.bom : 0, encoding: own ? encoding.name : 'utf-8' },
      found,
      layout,
      shape,
    ),
    facts: Promise.resolve(facts),
    look,
    reader: 'direct',
    dialect: dialectOf(layout, encoding, found.syntax, shape.newline === 'none' ? 'lf' : shape.newline),
    refused: 0,
    aside: changes.list().find(({ kind }) => kind === 'line.preamble')?.count ?? 0,
    firstRows: firstRowsOf(found),
    changes,
    warnings: [...(encoding.doubt ? [encoding.doubt] : []), ...layout.warnings],
  };
}
