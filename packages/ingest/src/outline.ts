import type { TextRecord } from './record-reader.ts';

/** Consecutive records of one width, with no blank line between them. */
export interface Run {
  /** First and last line, from 1. */
  line: number;
  lastLine: number;
  count: number;
  width: number;
  /** A blank line stands before it. */
  blankBefore: boolean;
  /** Fields of its first records, for judging headers. */
  first: string[][];
  /** Lines of those records. */
  lines: number[];
}

const keptPerRun = 60;
const keptCells = 200_000;
const mostRuns = 20_000;

/** The shape of a file in bounded memory: how wide its records are, and where that changes. */
export class Outline {
  runs: Run[] = [];
  blankLines = 0;
  /** So ragged that later runs were joined into one. */
  coarse = false;
  records = 0;
  #blank = false;
  #cells = 0;

  add(record: TextRecord): void {
    if (record.blank) {
      this.#blank = true;
      this.blankLines++;
      return;
    }
    this.records++;
    const last = this.runs.at(-1);
    const width = record.fields.length;
    const full = this.runs.length >= mostRuns;
    if (full) this.coarse = true;
    if (last && (full || (last.width === width && !this.#blank))) {
      last.count++;
      last.lastLine = record.line;
      if (last.first.length < keptPerRun && this.#cells < keptCells) this.#keep(last, record);
    } else {
      const run: Run = {
        line: record.line,
        lastLine: record.line,
        count: 1,
        width,
        blankBefore: this.#blank,
        first: [],
        lines: [],
      };
      if (this.#cells < keptCells) this.#keep(run, record);
      this.runs.push(run);
    }
    this.#blank = false;
  }

  #keep(run: Run, { fields, line }: TextRecord): void {
    run.first.push(fields.map((field) => (field.length > 200 ? field.slice(0, 200) : field)));
    run.lines.push(line);
    this.#cells += fields.length;
  }
}
