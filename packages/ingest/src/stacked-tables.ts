import { cellKind, isTyped } from './cell-kind.ts';
import type { ColumnReading } from './column-reading.ts';
import type { Unread } from './load-table.ts';

/** Share of the columns with a type that a row has to contradict to look like another table's header. */
const contradicted = 0.6;

/**
 * Rows, from 1, that read like the header of another table: names stand in most columns that hold numbers
 * or dates elsewhere. Two tables of equal width without a gap between them leave no other trace.
 */
export function headerLikeRows(
  readings: readonly ColumnReading[],
  unread: readonly Unread[],
): { row: number; cells: string[] }[] {
  const typed = readings.filter(({ type }) => type !== 'text').length;
  const rows = new Map<number, string[]>();
  for (const { examples } of unread)
    for (const { row, text } of examples)
      if (text.trim() !== '' && !isTyped(cellKind(text)))
        rows.set(row, [...(rows.get(row) ?? []), text.trim()]);
  return [...rows]
    .filter(
      ([, cells]) =>
        cells.length >= Math.max(2, typed * contradicted) && new Set(cells).size === cells.length,
    )
    .map(([row, cells]) => ({ row, cells }))
    .sort((a, b) => a.row - b.row);
}
