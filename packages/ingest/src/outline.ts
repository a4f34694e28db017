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
  /** Its last records, for judging totals at the end of a table. */
  tail: Pick<TextRecord, 'fields' | 'line'>[];
}

/** Records that are kept of a run's end. */
export const keptTail = 3;

const keptPerRun = 60;
const keptCells = 200_000;
const mostRuns = 20_000;

/** The first line that Excel reads for its delimiter ("sep=;"); the delimiter is in the first group. */
export const separatorLine = /^"?sep=(.)"?\s*$/i;

/** A text of its own, that does not keep the piece of the file alive which it was cut from. */
const detached = (text: string): string => Buffer.from(text.slice(0, 200)).toString();

/** The shape of a file in bounded memory: how wide its records are, and where that changes. */
export class Outline {
  runs: Run[] = [];
  blankLines = 0;
  /** So ragged that later runs were joined into one. */
  coarse = false;
  records = 0;
  /** Records that start with "#". */
  hashed = 0;
  #blank = false;
  #cells = 0;

  add(record: TextRecord): void {
    if (record.blank) {
      this.#blank = true;
      this.blankLines++;
      return;
    }
    if (record.line === 1 && separatorLine.test(record.raw)) {
      this.#blank = true;
      return;
    }
    this.records++;
    if (record.raw.startsWith('#')) this.hashed++;
    const last = this.runs.at(-1);
    const width = record.fields.length;
    const full = this.runs.length >= mostRuns;
    if (full) this.coarse = true;
    if (last && (full || (last.width === width && !this.#blank))) {
      last.count++;
      last.lastLine = record.line;
      this.#keepTail(last, record);
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
        tail: [],
      };
      if (last) last.tail = last.tail.map(({ fields, line }) => ({ fields: fields.map(detached), line }));
      this.#keepTail(run, record);
      if (this.#cells < keptCells) this.#keep(run, record);
      this.runs.push(run);
    }
    this.#blank = false;
  }

  #keepTail(run: Run, record: TextRecord): void {
    if (run.tail.length === keptTail) run.tail.shift();
    run.tail.push(record);
  }

  #keep(run: Run, { fields, line }: TextRecord): void {
    run.first.push(fields.map((field) => (field.length > 200 ? field.slice(0, 200) : field)));
    run.lines.push(line);
    this.#cells += fields.length;
  }
}
