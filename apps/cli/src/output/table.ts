import { plain } from './plain.ts';
import { style } from './style.ts';
import { displayWidth } from './width.ts';

export interface Column {
  title: string;
  /** Numbers stand right. */
  align?: 'left' | 'right';
  /** Takes the cut when the terminal is too narrow; the last such column first. */
  shrinks?: boolean;
  /** Tells the rows apart where the table is too wide and goes on below; default: the first column. */
  key?: boolean;
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

/** What is left of a column that was cut: below that nobody knows what it said. */
const smallestWidth = 12;
/** What is left of it in a table that is folded anyway. */
const smallestFolded = 24;
const gap = 2;

const total = (widths: readonly number[]): number =>
  widths.reduce((sum, width) => sum + width, 0) + gap * Math.max(0, widths.length - 1);

/** Widths with those of the columns that may shrink lowered until the table fits, or down to a floor. */
function shrink(
  widths: readonly number[],
  columns: readonly Column[],
  available: number,
  floor: number,
): number[] {
  const lowered = [...widths];
  let excess = total(widths) - available;
  for (let i = columns.length - 1; i >= 0 && excess > 0; i--) {
    if (!columns[i]!.shrinks) continue;
    const least = Math.max(floor, displayWidth(columns[i]!.title));
    const taken = Math.min(excess, Math.max(0, lowered[i]! - least));
    lowered[i]! -= taken;
    excess -= taken;
  }
  return lowered;
}

/** Columns in blocks that fit, each after the first led by the column that tells the rows apart. */
function fold(widths: readonly number[], columns: readonly Column[], available: number): number[][] {
  const key = Math.max(
    0,
    columns.findIndex((column) => column.key),
  );
  const blocks: number[][] = [[]];
  for (let i = 0; i < columns.length; i++) {
    const block = blocks.at(-1)!;
    const fits = total([...block, i].map((at) => widths[at]!)) <= available;
    if (fits || block.length === 0 || (block.length === 1 && block[0] === key)) block.push(i);
    else blocks.push(i === key ? [i] : [key, i]);
  }
  return blocks;
}

/**
 * Writes an aligned table. Cells are cleaned of control characters; what does not fit is cut with an ellipsis where
 * that leaves enough to read, else the columns that are left over follow below.
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
  let widths = shrink(natural, columns, width, smallestWidth);
  let blocks = [columns.map((_, i) => i)];
  if (total(widths) > width) {
    // Every column that may shrink is as narrow as the floor: there is no telling which block it will be in.
    widths = shrink(natural, columns, 0, smallestFolded);
    blocks = fold(widths, columns, width);
  }
  const line = (
    cells: readonly string[],
    block: readonly number[],
    paint: (text: string, column: Column) => string,
  ) =>
    block
      .map((i, at) => {
        const column = columns[i]!;
        const text = cut(cells[i]!, widths[i]!);
        const pad = ' '.repeat(Math.max(0, widths[i]! - displayWidth(text)));
        const painted = paint(text, column);
        if (column.align === 'right') return pad + painted;
        return at === block.length - 1 ? painted : painted + pad;
      })
      .join(' '.repeat(gap))
      .trimEnd();
  const titles = columns.map((column) => column.title);
  return blocks
    .map((block) =>
      [
        line(titles, block, (text) => style.dim(text)),
        ...texts.map((row) => line(row, block, (text, column) => column.paint?.(text) ?? text)),
      ].join('\n'),
    )
    .join('\n\n');
}
