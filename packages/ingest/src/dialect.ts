import { cellKind } from './cell-kind.ts';
import { RecordReader, type RecordSyntax, type TextRecord } from './record-reader.ts';

/** Delimiters that are tried, with how likely each is before looking; see docs/data-cleaning.md. */
const candidates: readonly { delimiter: string; collapse: boolean; prior: number }[] = [
  { delimiter: ',', collapse: false, prior: 1 },
  { delimiter: ';', collapse: false, prior: 1 },
  { delimiter: '\t', collapse: false, prior: 1 },
  { delimiter: '|', collapse: false, prior: 0.98 },
  { delimiter: '\u0001', collapse: false, prior: 0.98 },
  { delimiter: '\u001f', collapse: false, prior: 0.98 },
  { delimiter: '||', collapse: false, prior: 0.97 },
  { delimiter: '::', collapse: false, prior: 0.95 },
  { delimiter: '^', collapse: false, prior: 0.9 },
  { delimiter: '~', collapse: false, prior: 0.9 },
  { delimiter: '#', collapse: false, prior: 0.7 },
  { delimiter: '&', collapse: false, prior: 0.7 },
  { delimiter: ':', collapse: false, prior: 0.6 },
  { delimiter: ' ', collapse: false, prior: 0.65 },
  { delimiter: ' ', collapse: true, prior: 0.7 },
];

const sampleRecords = 600;

/** Reads a piece of text into records; for samples, since it holds them all. */
export function readSample(
  text: string,
  syntax: RecordSyntax,
  complete: boolean,
  expected = 0,
  limit = Infinity,
): TextRecord[] {
  const records: TextRecord[] = [];
  const reader = new RecordReader(syntax, expected);
  const keep = (record: TextRecord) => {
    if (records.length < limit) records.push(record);
  };
  reader.push(text, keep);
  if (complete || records.length === 0) reader.end(keep);
  return records;
}

/** The most frequent width among records, and how many have it. Wider wins a tie. */
export function modalWidth(widths: readonly number[]): { width: number; count: number } {
  const counts = new Map<number, number>();
  for (const width of widths) counts.set(width, (counts.get(width) ?? 0) + 1);
  let best = { width: 0, count: 0 };
  for (const [width, count] of counts)
    if (count > best.count || (count === best.count && width > best.width)) best = { width, count };
  return best;
}

const stillQuoted = /^\s*(["'])[\s\S]*\1\s*$|^\s*["']|["']\s*$/;

/** How table-like the sample is when read so: 0 to 1. Regular widths count, and cells that look like values. */
function score(records: readonly TextRecord[], prior: number, quote: string): number {
  const rows = records.filter((record) => !record.blank);
  if (rows.length === 0) return 0;
  const { width, count } = modalWidth(rows.map((row) => row.fields.length));
  const consistency = count / rows.length;
  let cells = 0;
  let known = 0;
  for (const row of rows) {
    if (row.fields.length !== width) continue;
    for (const field of row.fields) {
      cells++;
      const kind = cellKind(field);
      if (width === 1) known += kind === 'text' || (kind === 'word' && field.trim().includes(' ')) ? 0.1 : 1;
      else if (stillQuoted.test(field) && !/^\w+'$/.test(field)) known += 0;
      else known += kind === 'text' ? 0.35 : kind === 'empty' ? 0.7 : kind === 'word' ? 0.9 : 1;
    }
  }
  const value = known / Math.max(1, cells);
  // A single column is what remains when nothing splits; it wins only against irregular splits.
  if (width === 1) return Math.max(0.03, value * 0.35) * consistency;
  const columns = (width - 1) / (width - 0.6);
  return consistency ** 1.5 * columns * value * prior * (quote === '' ? 0.999 : quote === "'" ? 0.998 : 1);
}

export interface SyntaxHints {
  delimiter?: string | undefined;
  quote?: string | undefined;
}

/** Characters that could be quotes: those that stand at the edge of some field. */
function quoteCandidates(text: string, delimiter: string, hints: SyntaxHints): string[] {
  if (hints.quote !== undefined) return [hints.quote];
  const found = ['"', "'"].filter((quote) => {
    const starts =
      text.startsWith(quote) ||
      ['\n', '\r', delimiter, `${delimiter} `].some((before) => text.includes(before + quote));
    const ends =
      text.endsWith(quote) || ['\n', '\r', delimiter].some((after) => text.includes(quote + after));
    return starts && ends;
  });
  return [...found, ''];
}

function escapeOf(text: string, quote: string): string {
  if (quote === '' || !text.includes(`\\${quote}`)) return quote;
  // Doubled quotes that are not an empty field decide for doubling when they are more frequent.
  const slashed = text.split(`\\${quote}`).length - 1;
  const doubled = (
    text.match(
      new RegExp(`[^,;\\t|\\s${quote}\\\\]${quote}${quote}|${quote}${quote}[^,;\\t|\\s${quote}]`, 'g'),
    ) ?? []
  ).length;
  return slashed > doubled ? '\\' : quote;
}

/**
 * Finds how a sample of text is delimited and quoted, by reading it in every candidate way and taking
 * the way under which it is most like a table (regular widths, cells that look like values; the idea of
 * consistency measures: van den Burg et al., 2019, "Wrangling messy CSV files").
 * @param complete the sample is the whole file, so its last line is finished.
 */
export function detectSyntax(text: string, complete: boolean, hints: SyntaxHints = {}): RecordSyntax {
  const tried =
    hints.delimiter === undefined
      ? candidates.filter(({ delimiter }) => text.includes(delimiter))
      : [{ delimiter: hints.delimiter, collapse: false, prior: 1 }];
  let best: { syntax: RecordSyntax; score: number } | null = null;
  const consider = (syntax: RecordSyntax, prior: number): void => {
    const value = score(readSample(text, syntax, complete, 0, sampleRecords), prior, syntax.quote);
    if (best === null || value > best.score + 1e-9) best = { syntax, score: value };
  };
  for (const { delimiter, collapse, prior } of tried)
    for (const quote of quoteCandidates(text, delimiter, hints)) {
      const mark = escapeOf(text, quote);
      consider({ delimiter, collapse, quote, escape: mark }, prior);
      // "a\\,b,c": a backslash before delimiters, where that makes the records more alike.
      if (mark !== '\\' && !collapse && text.includes(`\\${delimiter}`))
        consider({ delimiter, collapse, quote, escape: '\\' }, prior);
    }
  if (hints.delimiter === undefined) {
    const [quote] = quoteCandidates(text, '\n', hints);
    consider({ delimiter: '', collapse: false, quote: quote ?? '', escape: escapeOf(text, quote ?? '') }, 1);
  }
  let { syntax } = best! as { syntax: RecordSyntax };
  // Where no cell looks quoted (a lone inch mark does not) the standard quote may still come later in the file.
  const open = syntax.quote === '' && hints.quote === undefined;
  if (open && !quoteCandidates(text, syntax.delimiter || '\n', hints).includes('"'))
    syntax = { ...syntax, quote: '"', escape: syntax.escape || '"' };
  return hints.delimiter === undefined ? widen(text, syntax, complete) : syntax;
}

/** "a, b, c": when every delimiter has the same blanks around it, they belong to the delimiter. */
function widen(text: string, syntax: RecordSyntax, complete: boolean): RecordSyntax {
  const { delimiter } = syntax;
  if (syntax.collapse || delimiter.trim() === '' || !text.includes(`${delimiter} `)) return syntax;
  const narrow = readSample(text, syntax, complete, 0, sampleRecords).filter((row) => !row.blank);
  const { width } = modalWidth(narrow.map((row) => row.fields.length));
  for (const wide of [` ${delimiter} `, `${delimiter} `]) {
    const wider = { ...syntax, delimiter: wide };
    const rows = readSample(text, wider, complete, 0, sampleRecords).filter((row) => !row.blank);
    const found = modalWidth(rows.map((row) => row.fields.length));
    const share = found.count / Math.max(1, rows.length);
    const narrowShare =
      narrow.filter((row) => row.fields.length === width).length / Math.max(1, narrow.length);
    // The narrow reading may be wider or ragged because of delimiters inside texts: the wide one then explains it.
    if (
      found.width > 1 &&
      share >= 0.9 &&
      (found.width === width || narrowShare < 0.9) &&
      share >= narrowShare
    )
      return wider;
  }
  return syntax;
}
