import { type Control, EscapeParser, SPECIAL } from './escapes.ts';
import { MAX_LINE, Row } from './row.ts';

/** Lines that may still be redrawn; more than any progress display has. */
const MAX_ROWS = 64;
/** Lines already given out that cursor-up can still reach. */
const MAX_GHOSTS = 24;
/** A redrawn line that the cursor left by a newline may be returned to; after so many ms it is final. */
const GRACE_MS = 100;
/** While cursor-up is in use (within the last so many ms), lines stay open until ... */
const UP_RECENT_MS = 3000;
/** ... the cursor has gone up so many times without coming by. */
const MAX_MISSED_UPS = 32;

/** Columns that cursor movement reaches on a shorter line. */
const MAX_MOVE_COLUMN = 512;

export type Finished = { text: string; redrawn: boolean };

/**
 * The bottom of a terminal without width: text goes in, finished lines come out. Plain lines come
 * out at their newline; redrawn lines (progress bars) stay live and come out once, in their last
 * state. Memory is bounded whatever the input.
 */
export class Screen {
  readonly #emit: (line: Finished) => void;
  readonly #escapes = new EscapeParser();
  readonly #rows: Row[] = [new Row()];
  #ghosts: string[] = [];
  #row = 0;
  #column = 0;
  #return = false;
  #ups = 0;
  #upAt = Number.NEGATIVE_INFINITY;
  #time = 0;

  constructor(emit: (line: Finished) => void) {
    this.#emit = emit;
  }

  /** Feeds decoded text that was printed at `time` (ms). */
  write(text: string, time: number): void {
    this.#time = time;
    this.settle(time);
    if (this.#rows.length === 1 && !this.#return && !this.#escapes.waiting && this.#plain(text)) return;
    this.#escapes.parse(text, this.#apply);
  }

  /** Gives out redrawn lines that nobody came back to; call now and then when no output comes. */
  settle(time: number): void {
    while (this.#row > 0) {
      const top = this.#rows[0]!;
      const missed = this.#ups - top.visit > MAX_MISSED_UPS;
      const left = time - top.leftAt > GRACE_MS && time - this.#upAt > UP_RECENT_MS;
      if (!missed && !left) return;
      this.#finishTop();
    }
  }

  /** The lines still open, top to bottom, as plain text; '' when there are none. */
  live(): string {
    const rows: string[] = [];
    for (const row of this.#rows) {
      const shown = row.dirty || row.redrawn ? row.shown() : '';
      if (shown !== '') rows.push(shown);
    }
    return rows.join('\n');
  }

  /** End of output: everything open is given out. */
  end(): void {
    while (this.#rows.length > 0) this.#finishTop();
    this.#rows.push(new Row());
    this.#row = this.#column = 0;
    this.#return = false;
  }

  /** The common case, lines without any control but newlines, without a row or an object per piece. */
  #plain(text: string): boolean {
    const row = this.#rows[0]!;
    if (row.redrawn || this.#column !== row.text.length || row.cut > 0) return false;
    SPECIAL.lastIndex = 0;
    let from = 0;
    for (let match = SPECIAL.exec(text); match !== null; match = SPECIAL.exec(text)) {
      const at = match.index;
      if (text.charCodeAt(at) !== 0x0a || row.text.length + at - from > MAX_LINE) {
        this.#escapes.parse(text.slice(from), this.#apply);
        return true;
      }
      const line = row.text + text.slice(from, at);
      row.text = '';
      this.#column = 0;
      this.#give(line.trimEnd(), false);
      from = at + 1;
    }
    this.#column = row.write(row.text.length, text.slice(from));
    return true;
  }

  readonly #apply = (control: Control): void => {
    if (this.#return && control.type !== 'return') {
      this.#return = false;
      // A return before a newline is only a DOS line end; before anything else it starts a redraw.
      if (control.type !== 'newline') {
        this.#rows[this.#row]!.redrawn = true;
        this.#column = 0;
      }
    }
    const row = this.#rows[this.#row]!;
    switch (control.type) {
      case 'text':
        if (this.#column < row.text.length) row.redrawn = true;
        this.#column = row.write(this.#column, control.text);
        return;
      case 'newline':
        this.#newline(row);
        return;
      case 'return':
        this.#return = true;
        return;
      case 'backspace':
        this.#column = Math.max(0, this.#column - 1);
        return;
      case 'column':
        this.#column = Math.min(this.#reach(row), control.column);
        return;
      case 'move':
        this.#column = Math.min(this.#reach(row), Math.max(0, this.#column + control.columns));
        if (control.rows < 0) this.#up(-control.rows);
        else this.#down(control.rows);
        return;
      case 'erase-line':
        row.redrawn = true;
        if (control.part === 'before') row.erase(0, this.#column);
        else row.erase(control.part === 'all' ? 0 : this.#column, Number.POSITIVE_INFINITY);
        return;
      case 'erase-screen':
        if (control.part === 'all') return; // a log is not cleared
        row.erase(this.#column, Number.POSITIVE_INFINITY);
        this.#rows.length = this.#row + 1;
        return;
      case 'delete':
        row.redrawn = true;
        row.remove(this.#column, control.count);
        return;
    }
  };

  /** How far right the cursor can be moved: a few bytes must not make a line of kilobytes. */
  #reach(row: Row): number {
    return Math.max(row.text.length, MAX_MOVE_COLUMN);
  }

  #newline(row: Row): void {
    this.#column = 0;
    row.ended = true;
    if (this.#row < this.#rows.length - 1) {
      this.#down(1);
      return;
    }
    if (row.redrawn) {
      row.leftAt = this.#time;
      row.visit = this.#ups;
      this.#rows.push(new Row());
      this.#row += 1;
      if (this.#rows.length > MAX_ROWS) this.#finishTop();
      return;
    }
    // A plain line below open ones: they had their time.
    while (this.#rows.length > 0) this.#finishTop();
    this.#rows.push(new Row());
    this.#row = 0;
  }

  #up(count: number): void {
    this.#ups += 1;
    this.#upAt = this.#time;
    const missing = Math.min(count - this.#row, this.#ghosts.length);
    for (let i = 0; i < missing; i += 1) {
      const row = new Row();
      row.text = this.#ghosts.pop()!;
      row.dirty = false;
      this.#rows.unshift(row);
      this.#row += 1;
    }
    const to = Math.max(0, this.#row - count);
    for (; this.#row > to; this.#row -= 1) this.#rows[this.#row]!.visit = this.#ups;
    this.#rows[this.#row]!.visit = this.#ups;
    while (this.#rows.length > MAX_ROWS && this.#row > 0) this.#finishTop();
  }

  #down(count: number): void {
    for (let i = 0; i < Math.min(count, MAX_ROWS); i += 1) {
      this.#rows[this.#row]!.leftAt = this.#time;
      if (this.#row === this.#rows.length - 1) return; // the cursor stops at the bottom
      this.#row += 1;
      this.#rows[this.#row]!.visit = this.#ups;
    }
  }

  #finishTop(): void {
    const row = this.#rows.shift()!;
    this.#row = Math.max(0, this.#row - 1);
    const text = row.shown();
    // Blank lines are kept where they were printed as such, not where a bar was wiped.
    if (row.dirty && (text !== '' || (row.ended && !row.redrawn))) this.#give(text, row.redrawn);
  }

  #give(text: string, redrawn: boolean): void {
    this.#ghosts.push(text);
    if (this.#ghosts.length > MAX_GHOSTS * 2) this.#ghosts = this.#ghosts.slice(-MAX_GHOSTS);
    this.#emit({ text, redrawn });
  }
}
