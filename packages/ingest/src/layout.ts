import { cellKind, isTyped } from './cell-kind.ts';
import { modalWidth } from './dialect.ts';
import { detectHeader } from './header.ts';
import type { Outline, Run } from './outline.ts';
import type { TableFound } from './result.ts';

/** Where the table is in a file and what its header says. */
export interface Layout {
  width: number;
  /** Header rows as written: none, one or two. */
  header: string[][];
  /** The second header row, where it names units. */
  unitRow: string[] | null;
  /** The header has one name less than the rows have fields: the first is a row name (as R writes). */
  rowNames: boolean;
  /** First line of the header, or of the data without one; from 1. */
  headerLine: number;
  /** Lines of the first and last data record, from 1. */
  firstLine: number;
  lastLine: number;
  preamble: number;
  footer: number;
  tables: TableFound[];
  /** Lines that start with "#" and are not as wide as the table are comments. */
  comments: boolean;
  /** Every record of the table is as wide as its header, with no blank line inside. */
  regular: boolean;
  warnings: string[];
}

interface Found {
  runs: Run[];
  width: number;
  records: number;
}

const same = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((cell, i) => cell.trim() === b[i]!.trim());

/**
 * Runs before the first long one that belong to it: a header above a ragged first row, with no blank line
 * between; or a header as wide as the table, which a blank line divides from it.
 */
function contiguous(pending: readonly Run[], run: Run): Run[] {
  if (run.blankBefore) {
    const last = pending.at(-1);
    const heads =
      last?.count === 1 &&
      last.width === run.width &&
      detectHeader(run.first).evidence <= 0 &&
      detectHeader([...last.first, ...run.first]).evidence > 0;
    return heads ? [last] : [];
  }
  const from = pending.findLastIndex((one) => one.blankBefore);
  const near = pending.slice(Math.max(0, from));
  const start = near.findIndex((one) => one.width === run.width);
  return start === -1 ? [] : near.slice(start);
}

/** Leading rows with next to nothing in them, above a full one: a title that was saved with its delimiters. */
function titleRows(rows: readonly string[][], width: number): number {
  if (width < 4) return 0;
  const filled = rows.slice(0, 20).map((row) => row.filter((cell) => cell.trim() !== '').length);
  const full = filled.findIndex((count) => count > width * 0.34);
  return full > 0 && filled[full]! >= width * 0.7 ? full : 0;
}

/** Splits a file's runs into tables; odd runs between rows of one table belong to it. */
function findTables(runs: readonly Run[]): Found[] {
  const tables: Found[] = [];
  const main = modalWidth(runs.flatMap((run) => Array<number>(Math.min(run.count, 50)).fill(run.width)));
  const narrow = main.width === 1;
  let current: Found | null = null;
  let pending: Run[] = [];
  for (const run of runs) {
    const starts: boolean = (() => {
      if (run.width < 2 && !narrow) return false;
      if (!current) return run.count >= 2;
      if (run.width === current.width) {
        if (!run.blankBefore || same(run.first[0] ?? [], current.runs[0]!.first[0] ?? [])) return false;
        return run.count >= 2 && detectHeader(run.first).evidence > 0;
      }
      if (run.count < 2) return false;
      return (
        run.blankBefore ||
        (run.count >= 3 && (detectHeader(run.first).evidence > 0 || run.count > 3 * current.records))
      );
    })();
    if (starts) {
      const before = contiguous(pending, run);
      current = { runs: [...before, run], width: run.width, records: run.count };
      for (const one of before) current.records += one.count;
      tables.push(current);
      pending = [];
    } else if (current && run.width === current.width) {
      current.runs.push(...pending, run);
      current.records += run.count;
      for (const odd of pending) current.records += odd.count;
      pending = [];
    } else pending.push(run);
  }
  if (tables.length === 0 && runs.length > 0) {
    const { width } = modalWidth(runs.map((run) => run.width));
    const from = runs.findIndex((run) => run.width === width);
    const to = runs.findLastIndex((run) => run.width === width);
    tables.push({ runs: runs.slice(from, to + 1), width, records: to - from + 1 });
  }
  return tables;
}

/** A header just above the table whose width differs: one name less (R), or a trailing delimiter. */
function looseHeader(above: Run | undefined, table: Found): Run | null {
  if (above?.count !== 1 || table.runs[0]!.blankBefore) return null;
  const row = above.first[0];
  if (!row || row.some((cell) => isTyped(cellKind(cell)))) return null;
  if (table.width > 2 || row.length > 1) {
    if (row.length === table.width - 1 && row.every((cell) => cell.trim() !== '')) return above;
  }
  const trimmed = row.findLastIndex((cell) => cell.trim() !== '') + 1;
  return row.length > table.width && trimmed <= table.width ? above : null;
}

/** A file with blank lines between most of its records: they divide nothing. */
function doubleSpaced({ runs, records, blankLines }: Outline): boolean {
  const [first] = runs;
  return (
    first !== undefined &&
    runs.length >= 3 &&
    blankLines >= records / 3 &&
    runs.every((run) => run.width === first.width)
  );
}

const totals = /^(grand |sub)?-?totals?:?$|^(sum|summe|gesamt|average|mean):?$/i;
/** Labels of a last row that sums up, when it is as wide as the others. */
const totalLabel =
  /^(grand[ -]|sub-?)?totals?:?$|^(sum|summe|gesamt|insgesamt|total général|totale|suma):?$/i;

/** Whether a record sums up the rows above it: its first filled cell says so, as no other row's does. */
export function isTotal(fields: readonly string[], above: readonly (readonly string[])[]): boolean {
  const at = fields.findIndex((cell) => cell.trim() !== '');
  const label = fields[at]?.trim() ?? '';
  if (fields.length < 2 || !totalLabel.test(label)) return false;
  const rest = fields.filter((_, i) => i !== at);
  const sums = rest.every((cell) => cell.trim() === '' || isTyped(cellKind(cell)));
  return sums && !above.some((row) => row[at]?.trim().toLowerCase() === label.toLowerCase());
}

/** How many records at the end of a table are totals, and the line of the record before them. */
function totalsAtEnd(run: Run, body: readonly string[][]): { count: number; lastLine: number } {
  let count = 0;
  for (let at = run.tail.length - 1; at > 0; at--) {
    if (
      !isTotal(
        run.tail[at]!.fields,
        body.filter((row) => row !== run.tail[at]!.fields && !same(row, run.tail[at]!.fields)),
      )
    )
      break;
    count++;
  }
  return { count, lastLine: run.tail[run.tail.length - 1 - count]!.line };
}

/**
 * Finds the table in an outlined file: the one with most records, the first of equals. What stands above
 * it is preamble, what stands below it is footer.
 * @param wanted number of header rows, when the user says it.
 */
export function findLayout(outline: Outline, wanted: number | undefined): Layout | null {
  const runs = doubleSpaced(outline)
    ? outline.runs.map((run) => ({ ...run, blankBefore: false }))
    : outline.runs;
  const tables = findTables(runs);
  let chosen = tables[0];
  if (!chosen) return null;
  for (const table of tables) if (table.records > chosen.records) chosen = table;
  const warnings: string[] = [];
  const every = chosen.runs.flatMap((run) => (run.width === chosen.width ? run.first : [])).slice(0, 200);
  const titles = titleRows(every, chosen.width);
  const rows = every.slice(titles);
  const firstRun = chosen.runs[0]!;
  const above = runs[runs.indexOf(firstRun) - 1];
  const loose = wanted === 0 || titles > 0 ? null : looseHeader(above, chosen);
  const detected = loose ? { rows: 0, unitRow: false, evidence: 1 } : detectHeader(rows);
  const headerRows = loose ? 1 : (wanted ?? detected.rows);
  const header = loose ? [loose.first[0]!] : rows.slice(0, headerRows);
  const rowNames = loose !== null && loose.width === chosen.width - 1;
  const headerLine = loose ? loose.line : lineOfRecord(chosen, titles);
  // Lines of the header's records: only runs without line breaks inside fields keep this exact.
  const firstLine = lineOfRecord(chosen, loose ? 0 : titles + headerRows);
  const lastRun = chosen.runs.at(-1)!;
  let lastLine = lastRun.lastLine;
  let footer = 0;
  const ending = lastRun.width === chosen.width ? totalsAtEnd(lastRun, rows) : null;
  if (ending && ending.count > 0 && chosen.records - headerRows > ending.count) {
    footer = ending.count;
    lastLine = ending.lastLine;
  }
  const nextTable = tables[tables.indexOf(chosen) + 1];
  for (const run of runs.slice(runs.indexOf(lastRun) + 1)) {
    if (nextTable && run.line >= nextTable.runs[0]!.line) break;
    const row = run.first[0] ?? [];
    const ragged =
      footer === 0 &&
      !run.blankBefore &&
      run.width >= Math.max(2, chosen.width / 2) &&
      !totals.test(row[0]?.trim() ?? '');
    if (ragged) lastLine = run.lastLine;
    else footer += run.count;
  }
  if (tables.length > 1)
    warnings.push(
      `The file holds ${tables.length} tables; the largest (lines ${headerLine} to ${lastLine}) was taken, the others were set aside.`,
    );
  if (headerRows === 1 && !loose && wanted === undefined && detected.evidence === 0)
    warnings.push(
      'Nothing sets the first row apart from the others; it was taken for the header. Set "header: false" if it is data.',
    );
  const regular =
    chosen.runs.length === 1 && footer === 0 && lastLine === lastRun.lastLine && !outline.coarse;
  return {
    width: chosen.width,
    header,
    unitRow: headerRows === 2 && detected.unitRow ? (rows[1] ?? null) : null,
    rowNames,
    headerLine,
    firstLine,
    lastLine,
    preamble: headerLine - 1,
    footer,
    tables: tables.map((table) => ({
      firstLine: table === chosen ? headerLine : table.runs[0]!.line,
      lastLine: table === chosen ? lastLine : table.runs.at(-1)!.lastLine,
      columns: table.width,
      records: table.records,
      chosen: table === chosen,
    })),
    comments: outline.hashed > 0 && outline.hashed < outline.records / 2 && !header[0]?.[0]?.startsWith('#'),
    regular,
    warnings,
  };
}

/** Line of the n-th record of a table; records past the first run are looked up by their runs. */
function lineOfRecord(table: Found, index: number): number {
  let left = index;
  for (const run of table.runs) {
    if (left < run.count) return run.lines[left] ?? run.line + left;
    left -= run.count;
  }
  return table.runs.at(-1)!.lastLine + 1;
}
