/** How records are written: what the reader needs to know of a dialect. */
export interface RecordSyntax {
  delimiter: string;
  collapse: boolean;
  quote: string;
  escape: string;
}

export interface TextRecord {
  fields: string[];
  /** Line of its first character, from 1. */
  line: number;
  /** The text as it stood, without its line end. */
  raw: string;
  /** A line with nothing but blanks. */
  blank: boolean;
  /** Cut off because it was longer than the bound. */
  overlong: boolean;
}

/** A quoted field that runs further than this was not meant as one: its quote is taken literally. */
const longestQuoted = 1 << 20;
/** A line longer than this is cut: no table has such records, and memory stays bounded. */
const longestLine = 8 << 20;

/**
 * The tolerant reader: never fails, never drops, whatever the text. Any of LF, CRLF and CR ends a
 * record; a quote counts only at a field's edges; a quote that is never closed, or that swallows lines
 * so that the record no longer has the expected width, is read as an ordinary character.
 */
export class RecordReader {
  readonly #syntax: RecordSyntax;
  /** Width that records should have; 0 when unknown. */
  #expected: number;
  #text = '';
  #line = 1;
  #skipping = false;

  constructor(syntax: RecordSyntax, expected = 0) {
    this.#syntax = syntax;
    this.#expected = expected;
  }

  push(text: string, onRecord: (record: TextRecord) => void): void {
    this.#text = this.#text.length > 0 ? this.#text + text : text;
    this.#drain(false, onRecord);
  }

  end(onRecord: (record: TextRecord) => void): void {
    this.#drain(true, onRecord);
    this.#text = '';
  }

  #drain(final: boolean, onRecord: (record: TextRecord) => void): void {
    const text = this.#text;
    const { quote } = this.#syntax;
    let at = 0;
    let lf = -1;
    let cr = -1;
    while (at < text.length) {
      if (lf < at) lf = indexOrEnd(text, '\n', at);
      if (cr < at) cr = indexOrEnd(text, '\r', at);
      let stop = Math.min(lf, cr);
      // A CR at the very end may be half of a CRLF; the next chunk tells.
      const unfinished = stop >= text.length || (stop === text.length - 1 && text[stop] === '\r');
      if (unfinished && !final) {
        if (text.length - at <= longestLine) break;
        if (!this.#skipping) onRecord(this.#record([], text.slice(at, at + 1000), false, true));
        this.#skipping = true;
        this.#text = '';
        return;
      }
      const next =
        text[stop] === '\r' && text[stop + 1] === '\n' ? stop + 2 : Math.min(stop + 1, text.length);
      if (this.#skipping) {
        this.#skipping = false;
        at = next;
        this.#line++;
        continue;
      }
      const line = text.slice(at, stop);
      if (quote !== '' && line.includes(quote)) {
        const parsed = this.#quotedRecord(text, at, stop, final);
        if (parsed === 'more') break;
        if (parsed !== null) {
          stop = parsed.stop;
          const after =
            text[stop] === '\r' && text[stop + 1] === '\n' ? stop + 2 : Math.min(stop + 1, text.length);
          onRecord(this.#record(parsed.fields, text.slice(at, stop), false, false));
          this.#line += parsed.lines;
          at = after;
          continue;
        }
      }
      onRecord(this.#record(this.#splitLine(line), line, line.trim() === '', false));
      this.#line++;
      at = next;
    }
    this.#text = text.slice(at);
  }

  #record(fields: string[], raw: string, blank: boolean, overlong: boolean): TextRecord {
    return { fields, line: this.#line, raw, blank, overlong };
  }

  /** A line by itself: quotes that do not close on it are ordinary characters. */
  #splitLine(line: string): string[] {
    const { delimiter, collapse, quote, escape: mark } = this.#syntax;
    if (delimiter === '') {
      const inner = line.trim();
      const quoted = quote !== '' && inner.length > 1 && inner.startsWith(quote) && inner.endsWith(quote);
      return [quoted ? inner.slice(1, -1).replaceAll(quote + quote, quote) : line];
    }
    const escaped = mark === '\\' && line.includes(mark);
    if (!escaped && (quote === '' || !line.includes(quote))) {
      if (!collapse) return line.split(delimiter);
      return splitCollapsed(line);
    }
    const parsed = parseFields(line, 0, line.length, this.#syntax, true);
    return parsed === null ? line.split(delimiter) : parsed.fields;
  }

  #quotedRecord(
    text: string,
    at: number,
    stop: number,
    final: boolean,
  ): { fields: string[]; stop: number; lines: number } | 'more' | null {
    if (this.#syntax.delimiter === '') return null;
    const parsed = parseFields(text, at, text.length, this.#syntax, false);
    if (parsed === null || (parsed.stop >= text.length && !final)) {
      // The end of the buffer came first: wait for more, up to the bound.
      return !final && text.length - at < longestQuoted ? 'more' : null;
    }
    if (parsed.stop <= stop) return { fields: parsed.fields, stop: parsed.stop, lines: 1 };
    const swallowed = lineBreaks(text, at, parsed.stop);
    if (this.#expected > 0 && parsed.fields.length !== this.#expected) {
      const alone = this.#splitLine(text.slice(at, stop)).length;
      const off = Math.abs(parsed.fields.length - this.#expected);
      if (Math.abs(alone - this.#expected) < off) return null;
    } else if (this.#expected > 0 && parsed.stray) {
      // Of the right width only by swallowing the start of another quote: the line by itself is as wide.
      if (this.#splitLine(text.slice(at, stop)).length === this.#expected) return null;
    }
    return { fields: parsed.fields, stop: parsed.stop, lines: 1 + swallowed };
  }
}

const indexOrEnd = (text: string, char: string, from: number): number => {
  const at = text.indexOf(char, from);
  return at === -1 ? text.length : at;
};

function splitCollapsed(line: string): string[] {
  const inner = line.trim();
  return inner === '' ? [''] : inner.split(/[ \t]+/);
}

function lineBreaks(text: string, from: number, to: number): number {
  let count = 0;
  for (let i = from; i < to; i++) {
    const char = text.charCodeAt(i);
    if (char === 10 || (char === 13 && text.charCodeAt(i + 1) !== 10)) count++;
  }
  return count;
}

/**
 * Reads the fields of one record. `stop` is where its line end (or the end of the text) is.
 * Returns null when a quoted field does not close before `end`; with `literal`, such a quote is an
 * ordinary character instead.
 */
function parseFields(
  text: string,
  start: number,
  end: number,
  syntax: RecordSyntax,
  literal: boolean,
): { fields: string[]; stop: number; stray: boolean } | null {
  const { delimiter, quote, escape: mark, collapse } = syntax;
  const fields: string[] = [];
  let stray = false;
  let at = start;
  const isBreak = (i: number): boolean => i >= end || text[i] === '\n' || text[i] === '\r';
  if (collapse) while (text[at] === ' ' || text[at] === '\t') at++;
  for (;;) {
    let open = at;
    while (text[open] === ' ' && !delimiter.startsWith(' ')) open++;
    let closed: { value: string; after: number; stray: boolean } | null = null;
    if (text[open] === quote && open < end) {
      closed = parseQuoted(text, open + 1, end, delimiter, quote, mark, isBreak);
      if (closed === null && !literal) return null;
    }
    let after: number;
    if (closed) {
      fields.push(closed.value);
      if (closed.stray) stray = true;
      after = closed.after;
    } else {
      after = at;
      let escaped = false;
      while (!isBreak(after) && !text.startsWith(delimiter, after)) {
        if (mark === '\\' && text[after] === mark && !isBreak(after + 1)) {
          escaped = true;
          after++;
        }
        after++;
      }
      const field = text.slice(at, after);
      fields.push(escaped ? withoutMarks(field, delimiter, quote) : field);
    }
    if (isBreak(after)) return { fields, stop: Math.min(after, end), stray };
    at = after + delimiter.length;
    if (collapse) {
      while (text[at] === ' ' || text[at] === '\t') at++;
      if (isBreak(at)) return { fields, stop: Math.min(at, end), stray };
    }
  }
}

/** From behind the opening quote to its close; quotes that nothing closes behind are text. */
function parseQuoted(
  text: string,
  from: number,
  end: number,
  delimiter: string,
  quote: string,
  mark: string,
  isBreak: (i: number) => boolean,
): { value: string; after: number; stray: boolean } | null {
  let value = '';
  let stray = false;
  let at = from;
  for (;;) {
    const close = text.indexOf(quote, at);
    if (close === -1 || close >= end) return null;
    if (mark !== quote) {
      let slashes = 0;
      while (close - 1 - slashes >= at && text[close - 1 - slashes] === mark) slashes++;
      if (slashes % 2 === 1) {
        value += withoutEscapes(text.slice(at, close - 1), mark) + quote;
        at = close + 1;
        continue;
      }
    } else if (text[close + 1] === quote && close + 1 < end) {
      value += text.slice(at, close + 1);
      at = close + 2;
      continue;
    }
    let after = close + 1;
    while (text[after] === ' ' && !text.startsWith(delimiter, after)) after++;
    if (isBreak(after) || text.startsWith(delimiter, after)) {
      const rest = text.slice(at, close);
      return { value: value + (mark === quote ? rest : withoutEscapes(rest, mark)), after, stray };
    }
    value += text.slice(at, close + 1);
    stray = true;
    at = close + 1;
  }
}

/** A bare field whose backslashes stand before delimiters, quotes and backslashes; before others they are text. */
const withoutMarks = (field: string, delimiter: string, quote: string): string =>
  field.replace(/\\([\s\S])/g, (all, next: string) =>
    next === '\\' || next === quote || delimiter.startsWith(next) ? next : all,
  );

const withoutEscapes = (text: string, mark: string): string => text.replaceAll(mark + mark, mark);
