import { type Cells, stripRows } from './encode-cells.ts';
import type { Output } from './encode-output.ts';

const comma = 44;
const newline = 10;

/** Cells of a strip: what it touches should stay in the processor's nearest memory. */
const stripCells = 4096;

/** Adds rows of cells to an output as lines of CSV. */
export function encodeRows(cells: readonly Cells[], rows: number, output: Output): void {
  const strip = Math.max(16, Math.min(stripRows, Math.floor(stripCells / cells.length)));
  const lengths = new Int32Array(strip);
  for (let from = 0; from < rows; from += strip)
    encodeStrip(cells, from, Math.min(strip, rows - from), lengths, output);
}

function encodeStrip(
  cells: readonly Cells[],
  from: number,
  size: number,
  lengths: Int32Array,
  output: Output,
): void {
  const last = cells.length - 1;
  // Each cell has a separator behind it.
  lengths.fill(cells.length);
  for (let i = 0; i <= last; i++) cells[i]!.measure(from, size, lengths);
  let total = 0;
  for (let row = 0; row < size; row++) total += lengths[row]!;
  const { to, at } = output.room(total);
  let end = at;
  // Lengths become the places where the rows begin.
  for (let row = 0; row < size; row++) {
    const length = lengths[row]!;
    lengths[row] = end;
    end += length;
  }
  // Behind a cell come at least its separator and those of the cells after it.
  for (let i = 0; i < last; i++) cells[i]!.put(to, lengths, size, comma, last - i + 1);
  cells[last]!.put(to, lengths, size, newline, 1);
  output.end(end);
}
