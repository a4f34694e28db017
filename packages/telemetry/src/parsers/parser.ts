import type { Parsed } from '../types.ts';

/** Understands one family of output. A new one is a new file of this shape, named in registry.ts. */
export type ParserKind = {
  name: string;
  /**
   * Makes a parser for one task; it may remember lines (tables, epochs). The function gets a line of
   * plain text of at most 4096 characters, returns undefined for what is not its own, and never throws.
   */
  create: () => (line: string) => Parsed | undefined;
};

/** A number as programs print it. */
export const NUMBER = String.raw`[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?`;

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
