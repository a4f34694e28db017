/** How long decisions took. Amounts in microseconds. */
export interface LatencySummary {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** @param times one per decision, in milliseconds; sorted in place */
export function summarizeLatency(times: Float64Array): LatencySummary {
  times.sort();
  const at = (q: number) => 1000 * (times[Math.min(times.length - 1, Math.floor(q * times.length))] ?? 0);
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
