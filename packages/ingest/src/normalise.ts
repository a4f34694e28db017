import { join } from 'node:path';
import type { ChangeLog } from './change-log.ts';
import { csvLine, TextWriter } from './csv-text.ts';
import type { Layout } from './layout.ts';
import { sortRecord, type TextSource, type WalkOptions, walkRecords } from './walk-table.ts';

/** A table's rows as plain regular CSV, and what it took to make them so. */
export interface NormalRows {
  path: string;
  rows: number;
  /** Malformed rows of the table. */
  refused: number;
  /** Records that are no rows of it. */
  aside: number;
  /** Bytes of the longest row. */
  longest: number;
  multiline: boolean;
  underscores: boolean;
  firstRows: string[][];
}

/** Writes the table's rows into `folder`, as the tolerant reader sees them; every repair is logged. */
export async function normalise(
  text: TextSource,
  layout: Layout,
  folder: string,
  changes: ChangeLog,
  options: WalkOptions,
): Promise<NormalRows> {
  const path = join(folder, 'rows.csv');
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
    { ...options, afterChunk: () => writer.flush() },
  );
  await writer.end();
  return { path, refused, aside, longest, multiline, underscores, firstRows, rows };
}
