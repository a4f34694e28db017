/** One value of a series; `step` where the script told one. */
export type SeriesPoint = { step?: number; time: number; value: number };

/**
 * At most `max` points (at least 4) that keep the first, the last, and the lowest and highest value of
 * each of (max - 2) / 2 equal stretches, in their order: peaks survive, unlike with averaging.
 */
export function decimate(points: readonly SeriesPoint[], max: number): SeriesPoint[] {
  const limit = Math.max(4, Math.floor(max));
  if (points.length <= limit) return [...points];
  const buckets = Math.floor((limit - 2) / 2);
  const inner = points.length - 2;
  const kept = [points[0]!];
  for (let bucket = 0; bucket < buckets; bucket += 1) {
    const from = 1 + Math.floor((bucket * inner) / buckets);
    const to = 1 + Math.floor(((bucket + 1) * inner) / buckets);
    let low = from;
    let high = from;
    for (let i = from + 1; i < to; i += 1) {
      if (points[i]!.value < points[low]!.value) low = i;
      if (points[i]!.value > points[high]!.value) high = i;
    }
    kept.push(points[Math.min(low, high)]!);
    if (low !== high) kept.push(points[Math.max(low, high)]!);
  }
  kept.push(points.at(-1)!);
  return kept;
}
