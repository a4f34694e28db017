import type { CleanOptions } from '@vgpu/core';
import { Decoder } from './decode.ts';
import { detectSyntax, modalWidth, readSample } from './dialect.ts';
import { findLayout, isTotal, type Layout } from './layout.ts';
import { Outline, separatorLine } from './outline.ts';
import type { RecordSyntax } from './record-reader.ts';

/** What the start of a file says of its records. */
export interface HeadSample {
  syntax: RecordSyntax;
  width: number;
  layout: Layout | null;
  rows: { line: number; raw: string; fields: string[] }[];
}

export const headerRows = ({ header }: CleanOptions): number | undefined =>
  header === undefined ? undefined : Number(header);

/** @param complete the head is the whole file. */
export function sampleHead(
  head: Buffer,
  bom: number,
  encoding: string,
  complete: boolean,
  clean: CleanOptions,
): HeadSample {
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
  return { syntax, width, layout: findLayout(outline, headerRows(clean)), rows };
}

/** Whether the file ends with a row that sums up: such a row is no data, so DuckDB may not read it as such. */
export function endsInTotal(tail: string, found: HeadSample): boolean {
  const records = readSample(tail, found.syntax, true, found.width);
  const last = records.findLast((record) => !record.blank);
  return last !== undefined && isTotal(last.fields, found.rows.map((row) => row.fields).slice(0, 200));
}
