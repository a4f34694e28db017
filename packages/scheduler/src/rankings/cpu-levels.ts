/**
 * Free CPU in levels: estimates are kept per level, finer where CPU is scarce. Rounding is down, so an
 * estimate never counts CPU that is not there.
 */
export function cpuLevel(cpuMilli: number): number {
  if (cpuMilli < 16_000) return (cpuMilli / 1000) | 0;
  if (cpuMilli < 32_000) return 16 + (((cpuMilli - 16_000) / 2000) | 0);
  if (cpuMilli < 64_000) return 24 + (((cpuMilli - 32_000) / 4000) | 0);
  return 32 + (((cpuMilli - 64_000) / 8000) | 0);
}

/** The least CPU (milli) of a level. */
export function levelCpu(level: number): number {
  if (level < 16) return level * 1000;
  if (level < 24) return 16_000 + (level - 16) * 2000;
  if (level < 32) return 32_000 + (level - 24) * 4000;
  return 64_000 + (level - 32) * 8000;
}
