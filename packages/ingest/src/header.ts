import { type CellKind, cellKind, isTyped } from './cell-kind.ts';
import { unitInCell } from './units.ts';

export interface HeaderFound {
  /** 0, 1 or 2 rows. */
  rows: number;
  /** The second row names units. */
  unitRow: boolean;
  /** How clearly the cells say so: above 0 for a header, below 0 against one, 0 for nothing to go by. */
  evidence: number;
}

/** The kind that at least 80 % of a column's filled cells have; null without one. */
function columnKind(body: readonly string[][], column: number): CellKind | null {
  const counts = new Map<CellKind, number>();
  let filled = 0;
  for (const row of body) {
    const kind = cellKind(row[column] ?? '');
    if (kind === 'empty') continue;
    filled++;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  for (const [kind, count] of counts) if (count >= filled * 0.8) return kind;
  const typed = [...counts].filter(([kind]) => isTyped(kind)).reduce((sum, [, count]) => sum + count, 0);
  return filled > 0 && typed >= filled * 0.8 ? 'quantity' : null;
}

/** Years or other evenly rising whole numbers as column names ("country, 2019, 2020, 2021"). */
function risingNames(row: readonly string[]): boolean {
  const numbers = row.filter((cell) => /^(1[89]|20)\d\d$/.test(cell.trim())).map(Number);
  if (numbers.length < 2 || numbers.length < row.length - 3) return false;
  const step = numbers[1]! - numbers[0]!;
  return step !== 0 && numbers.every((value, i) => i === 0 || value - numbers[i - 1]! === step);
}

/** How much a row reads like names over the body below it. */
function nameScore(
  row: readonly string[],
  body: readonly string[][],
  kinds: readonly (CellKind | null)[],
): { score: number; typed: number } {
  let score = 0;
  let typed = 0;
  const rising = risingNames(row);
  row.forEach((cell, column) => {
    const kind = kinds[column];
    const own = cellKind(cell);
    if (own === 'empty') return;
    if (kind && isTyped(kind)) {
      if (isTyped(own)) score -= rising && own === 'number' ? -0.2 : 1;
      else {
        score += 1;
        typed++;
      }
    } else if (body.some((other) => other[column] === cell)) score -= 0.6;
    else if (isTyped(own)) score -= rising ? 0 : 0.6;
    else if (body.length >= 3) {
      // Codes all of one length under a name of another length.
      const lengths = new Set(body.map((other) => (other[column] ?? '').length));
      if (lengths.size === 1 && !lengths.has(cell.length) && !lengths.has(0)) score += 0.5;
    }
  });
  return { score, typed };
}

/**
 * Decides whether the first rows of a table are names. With nothing to go by (all columns are text and
 * the first row's texts never come back below), a first row of filled, distinct cells is taken for names.
 */
export function detectHeader(all: readonly string[][]): HeaderFound {
  const first = all[0];
  if (!first) return { rows: 0, unitRow: false, evidence: 0 };
  // A header that comes again where files were joined says nothing against itself.
  const rows = all.filter((row, i) => i === 0 || row.some((cell, column) => cell !== first[column]));
  const width = first.length;
  const kindsFrom = (from: number): (CellKind | null)[] =>
    Array.from({ length: width }, (_, column) => columnKind(rows.slice(from), column));
  const body = rows.slice(1);
  if (body.length === 0) {
    const names = first.every((cell) => !isTyped(cellKind(cell)) && cell.trim() !== '');
    return { rows: names ? 1 : 0, unitRow: false, evidence: 0 };
  }
  // Kinds of the rows below a possible second header row, so that it does not blur them.
  const below = rows.length > 3 ? kindsFrom(2) : kindsFrom(1);
  const top = nameScore(first, body, below);
  if (top.score < -0.5) return { rows: 0, unitRow: false, evidence: top.score };
  if (top.score <= 0) {
    const filled = first.filter((cell) => cell.trim() !== '');
    const distinct = new Set(filled.map((cell) => cell.trim())).size === filled.length;
    const names = distinct && filled.length >= width * 0.5 && first.every((cell) => !isTyped(cellKind(cell)));
    return { rows: names ? 1 : 0, unitRow: false, evidence: 0 };
  }
  const second = rows[1]!;
  const typedColumns = below.filter((kind) => kind !== null && isTyped(kind)).length;
  if (rows.length > 3) {
    const filled = second.filter((cell) => cell.trim() !== '');
    const unitCells = filled.filter((cell) => unitInCell(cell) !== null).length;
    if (
      unitCells > 0 &&
      unitCells >= filled.length * 0.6 &&
      !second.some((cell) => cellKind(cell) === 'number')
    )
      return { rows: 2, unitRow: true, evidence: top.score };
    const under = nameScore(second, rows.slice(2), below);
    if (typedColumns > 0 && under.typed >= Math.max(1, typedColumns * 0.6) && under.score > 0)
      return { rows: 2, unitRow: false, evidence: top.score };
  }
  return { rows: 1, unitRow: false, evidence: top.score };
}
