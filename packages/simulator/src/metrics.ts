/** Mean and quantiles of waits and completion times, in seconds. */
export interface Spread {
  readonly mean: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** @param values milliseconds */
export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) return { mean: 0, p50: 0, p99: 0, max: 0 };
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]! / 1000;
  return {
    mean: sorted.reduce((a, b) => a + b, 0) / sorted.length / 1000,
    p50: at(0.5),
    p99: at(0.99),
    max: at(1),
  };
}

/** Jain's fairness index: 1 when all get the same, 1/n when one gets all (Jain, Chiu and Hawe, 1984). */
export function jain(values: readonly number[]): number {
  const sum = values.reduce((a, b) => a + b, 0);
  const squares = values.reduce((a, b) => a + b * b, 0);
  return squares === 0 ? 1 : (sum * sum) / (values.length * squares);
}
