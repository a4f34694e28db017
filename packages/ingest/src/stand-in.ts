import { outerFences } from './distribution.ts';
import type { LoadedRows } from './loaded-rows.ts';
import type { NumericSummary } from './result.ts';

/** Numbers that are often written where there is no value. */
const isUsual = (value: number): boolean => /^-?9{2,6}$/.test(String(value));

/**
 * A sentence where a column's smallest or largest number looks as if it stood for a missing value: -999 and
 * its like, more than once, with nothing near it. It is a question to a person; no data changes by it.
 */
export async function standInWarning(
  rows: LoadedRows,
  column: number,
  name: string,
  summary: NumericSummary,
): Promise<string | null> {
  const fences = outerFences(summary);
  const { min, max, median } = summary;
  const suspects = [min < fences.min ? min : null, max > fences.max ? max : null];
  for (const suspect of suspects) {
    if (suspect === null || !isUsual(suspect)) continue;
    const { times, next } = await rows.near(column, suspect, suspect === min ? 'above' : 'below');
    const gap = Math.abs(next - suspect);
    // Tails of a distribution come near their end step by step.
    if (times < 2 || gap < Math.abs(median - suspect) / 2) continue;
    return `"${name}" holds ${suspect} ${times} times, far from its other numbers. If it means "no value", set missing: ["${suspect}"].`;
  }
  return null;
}
