import { plain } from './plain.ts';
import { style } from './style.ts';
import { displayWidth } from './width.ts';

export interface Column {
  title: string;
  /** Numbers stand right. */
  align?: 'left' | 'right';
  /** Takes the cut when the terminal is too narrow; the last such column first. */
  shrinks?: boolean;
  /** Paints a cell's text after it was measured. */
  paint?: (text: string) => string;
}

export type Cell = string | number | null | undefined;

/** Columns of the terminal; without one, lines are not cut. */
export function terminalWidth(stream: NodeJS.WriteStream = process.stdout): number {
  if (!stream.isTTY) return Number.POSITIVE_INFINITY;
  return stream.columns || 80;
}

/** Cuts text to a width, with an ellipsis where something is left out. */
export function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  if (width <= 1) return '…'.slice(0, Math.max(0, width));
  let kept = '';
  let used = 0;
  for (const character of text) {
    used += displayWidth(character);
    if (used > width - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

const smallestWidth = 6;

/** Lowers the widths of the columns that may shrink until the table fits. */
function fit(widths: number[], columns: readonly Column[], available: number): number[] {
  let excess = widths.reduce((sum, width) => sum + width, 0) + 2 * (widths.length - 1) - available;
  const shrinking = columns.map((column, i) => (column.shrinks ? i : -1)).filter((i) => i >= 0);
  for (const i of shrinking.reverse()) {
    if (excess <= 0) break;
    const floor = Math.max(smallestWidth, displayWidth(columns[i]!.title));
    const taken = Math.min(excess, Math.max(0, widths[i]! - floor));
    widths[i]! -= taken;
    excess -= taken;
  }
  return widths;
}

/**
 * Writes an aligned table. Cells are cleaned of control characters; what does not fit is cut with an ellipsis.
 * @param width columns of the terminal.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width: number = terminalWidth(),
): string {
  const texts = rows.map((row) => columns.map((_, i) => plain(String(row[i] ?? '–'))));
  const natural = columns.map((column, i) =>
    Math.max(displayWidth(column.title), ...texts.map((row) => displayWidth(row[i]!))),
  );
  const widths = fit(natural, columns, width);
  const line = (cells: readonly string[], paint: (text: string, column: Column) => string) =>
    cells
      .map((cell, i) => {
        const column = columns[i]!;
        const text = cut(cell, widths[i]!);
        const pad = ' '.repeat(Math.max(0, widths[i]! - displayWidth(text)));
        const painted = paint(text, column);
        if (column.align === 'right') return pad + painted;
        return i === columns.length - 1 ? painted : painted + pad;
      })
      .join('  ')
      .trimEnd();
  const titles = columns.map((column) => column.title);
  return [
    line(titles, (text) => style.dim(text)),
    ...texts.map((row) => line(row, (text, column) => column.paint?.(text) ?? text)),
  ].join('\n');
}
