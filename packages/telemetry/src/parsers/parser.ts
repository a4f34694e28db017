import type { Parsed } from '../types.ts';

/** Understands one family of output. A new one is a new file of this shape, named in registry.ts. */
export type ParserKind = {
  name: string;
  /**
   * Makes a parser for one task; it may remember lines (tables, epochs). The function gets a line of
   * plain text of at most 2048 characters, returns undefined for what is not its own, and never throws.
   */
  create: () => (line: string) => Parsed | undefined;
};

/** A number as programs print it. Bounded, so that a line of nothing but digits is not tried from each of them. */
export const NUMBER = String.raw`[-+]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][-+]?\d{1,5})?`;

/** The metrics of `pairs` that are finite numbers; undefined if none is. */
export function finiteMetrics(
  pairs: Iterable<readonly [string, number]>,
): Record<string, number> | undefined {
  let metrics: Record<string, number> | undefined;
  for (const [name, value] of pairs) {
    if (!Number.isFinite(value)) continue;
    metrics ??= Object.create(null) as Record<string, number>;
    metrics[name] = value;
  }
  return metrics;
}
