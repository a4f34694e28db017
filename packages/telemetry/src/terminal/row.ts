/** Characters kept of one line; the rest is counted and cut. */
export const MAX_LINE = 16_384;

/** One line on the emulated screen. Cells are UTF-16 units: exact for what progress bars use. */
export class Row {
  text = '';
  /** Characters that did not fit. */
  cut = 0;
  /** Redrawn in place (return, backspace, cursor movement): a progress line. */
  redrawn = false;
  /** Left by a newline. */
  ended = false;
  /** Changed since it was last given out as a log line. */
  dirty = true;
  /** When the cursor last moved away downwards, and the count of cursor-ups at that moment. */
  leftAt = 0;
  visit = 0;

  write(column: number, text: string): number {
    const room = MAX_LINE - column;
    const piece = text.length > room ? text.slice(0, Math.max(0, room)) : text;
    this.cut += text.length - piece.length;
    if (piece === '') return column;
    this.dirty = true;
    if (column === this.text.length) this.text += piece;
    else {
      const before = column > this.text.length ? this.text.padEnd(column) : this.text.slice(0, column);
      this.text = before + piece + this.text.slice(column + piece.length);
    }
    return column + piece.length;
  }

  erase(from: number, to: number): void {
    if (from >= this.text.length && this.cut === 0) return;
    this.dirty = true;
    const tail = to >= this.text.length ? '' : this.text.slice(to);
    this.text = tail === '' ? this.text.slice(0, from) : this.text.slice(0, from).padEnd(to) + tail;
    if (from === 0 && tail === '') this.cut = 0;
  }

  remove(column: number, count: number): void {
    this.dirty = true;
    this.text = this.text.slice(0, column) + this.text.slice(column + count);
  }

  /** The line as it is shown, without trailing blanks, with a marker where it was cut. */
  shown(): string {
    const text = this.text.trimEnd();
    return this.cut > 0 ? `${text}… [${this.cut} more characters cut]` : text;
  }
}
