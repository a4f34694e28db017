/** Run time grows at most with this power of the data's size. */
const MAX_POWER = 2;
/** Sizes (in logarithms) that differ by less tell nothing about how time grows: what runs differ by is noise. */
const ALIKE = Math.log(1.25);

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
};

/** Two significant digits, rounded up: a median that moves a little does not make a new kind of task. */
export function coarse(ms: number): number {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, ms))) - 1);
  return Math.ceil(ms / step) * step;
}

/**
 * Run time to expect for a dataset of `bytes`, from runs over others: ms = c · bytes^p. p is the median of the slopes
 * between all pairs of runs over different sizes, in logarithms (Theil, 1950; Sen, 1968), within 0 and 2, and c the
 * median of what then is left: a few odd runs move neither. Where all runs had one size, larger data is expected to
 * take longer in proportion, and smaller as long: nothing was seen of the part that does not depend on the data.
 * @param runs at least one
 */
export function runTimeAt(runs: readonly { bytes: number; ms: number }[], bytes: number): number {
  const points = runs.map((run) => ({ size: Math.log(run.bytes + 1), time: Math.log(Math.max(1, run.ms)) }));
  const slopes: number[] = [];
  for (const [i, a] of points.entries())
    for (const b of points.slice(i + 1))
      if (Math.abs(b.size - a.size) > ALIKE) slopes.push((b.time - a.time) / (b.size - a.size));
  const size = Math.log(bytes + 1);
  const at = (power: number) => median(points.map((point) => point.time - power * point.size)) + power * size;
  if (slopes.length > 0) return Math.exp(at(Math.min(MAX_POWER, Math.max(0, median(slopes)))));
  const sized = points.every((point) => point.size > 0);
  return Math.exp(sized ? Math.max(at(0), at(1)) : at(0));
}
