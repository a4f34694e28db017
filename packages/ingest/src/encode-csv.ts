import { type Cells, stripRows } from './encode-cells.ts';
import type { Output } from './encode-output.ts';

const comma = 44;
const newline = 10;

/** Adds rows of cells to an output as lines of CSV. */
export function encodeRows(cells: readonly Cells[], rows: number, output: Output): void {
  const strip = stripRows(cells.length);
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
  const target = { to, view: new DataView(to.buffer, to.byteOffset, to.length) };
  // Behind a cell come at least its separator and those of the cells after it.
  for (let i = 0; i < last; i++) cells[i]!.put(target, lengths, size, comma, last - i + 1);
  cells[last]!.put(target, lengths, size, newline, 1);
  output.end(end);
}
