import { createContext, Script } from 'node:vm';
import type { LogLine, StreamName } from '../types.ts';

export type LogQuery = {
  /** A substring, or a regular expression (at most 500 characters) with `regex`. */
  text: string;
  regex?: boolean;
  /** Default true. */
  caseSensitive?: boolean;
  stream?: StreamName;
  /** First line to look at; default the first. */
  from?: number;
  /** Matches wanted; default 100, at most 1000. */
  limit?: number;
};

/** `next`: where to go on, if the search stopped before the end (enough matches or time used up). */
export type LogMatches = { lines: LogLine[]; next?: number };

/** A pattern that cannot be searched for: it is no regular expression, or takes for ever. */
export class BadPattern extends Error {
  override readonly name = 'BadPattern';
}

const MAX_PATTERN = 500;
/** An expression that takes longer on one chunk of lines backtracks without end. */
const CHUNK_TIMEOUT_MS = 500;
const FIND = new Script('for (let i = 0; i < lines.length; i++) if (pattern.test(lines[i])) found.push(i)');

/** Makes a function that tells which lines of a chunk match. @throws BadPattern */
export function matcher(query: LogQuery): (lines: readonly LogLine[]) => LogLine[] {
  const { text, regex = false, caseSensitive = true, stream } = query;
  if (text.length > MAX_PATTERN) throw new BadPattern(`pattern longer than ${MAX_PATTERN} characters`);
  const wanted = (lines: readonly LogLine[]): readonly LogLine[] =>
    stream === undefined ? lines : lines.filter((line) => line.stream === stream);
  if (!regex) {
    const needle = caseSensitive ? text : text.toLowerCase();
    return (lines) =>
      wanted(lines).filter((line) => (caseSensitive ? line.text : line.text.toLowerCase()).includes(needle));
  }
  let pattern: RegExp;
  try {
    pattern = new RegExp(text, caseSensitive ? 'u' : 'iu');
  } catch (error) {
    throw new BadPattern((error as Error).message);
  }
  const context = createContext({ pattern, lines: [] as string[], found: [] as number[] });
  return (lines) => {
    const from = wanted(lines);
    const found: number[] = [];
    Object.assign(context, { lines: from.map((line) => line.text), found });
    try {
      FIND.runInContext(context, { timeout: CHUNK_TIMEOUT_MS });
    } catch {
      throw new BadPattern('the expression takes too long; make it simpler');
    }
    return found.map((i) => from[i]!);
  };
}
