/**
 * Free CPU in steps: estimates are kept per step, finer where CPU is scarce. Rounding is down, so an estimate
 * never counts CPU that is not there.
 */
const FINE = 1000;
const FINE_UNTIL = 32_000;
const COARSE = 4000;

export function cpuLevel(cpuMilli: number): number {
  if (cpuMilli < FINE_UNTIL) return (cpuMilli / FINE) | 0;
  return FINE_UNTIL / FINE + (((cpuMilli - FINE_UNTIL) / COARSE) | 0);
}

/** The least CPU (milli) of a level. */
export function levelCpu(level: number): number {
  const fine = FINE_UNTIL / FINE;
  return level < fine ? level * FINE : FINE_UNTIL + (level - fine) * COARSE;
}
