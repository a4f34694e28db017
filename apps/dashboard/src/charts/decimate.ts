/** Points of one series, in order of x. */
export interface Points {
  x: number[];
  y: number[];
}

/**
 * Thins points to at most `limit`, keeping the first, the last, and the lowest and highest of each stretch, so that
 * no spike disappears (the min–max method of downsampling).
 */
export function decimate(points: Points, limit: number): Points {
  const count = points.x.length;
  if (count <= limit || limit < 4) return points;
  const buckets = Math.floor((limit - 2) / 2);
  const x = [points.x[0]!];
  const y = [points.y[0]!];
  const take = (i: number) => {
    x.push(points.x[i]!);
    y.push(points.y[i]!);
  };
  for (let bucket = 0; bucket < buckets; bucket++) {
    const start = 1 + Math.floor((bucket * (count - 2)) / buckets);
    const end = 1 + Math.floor(((bucket + 1) * (count - 2)) / buckets);
    let low = start;
    let high = start;
    for (let i = start + 1; i < end; i++) {
      if (points.y[i]! < points.y[low]!) low = i;
      if (points.y[i]! > points.y[high]!) high = i;
    }
    take(Math.min(low, high));
    if (low !== high) take(Math.max(low, high));
  }
  take(count - 1);
  return { x, y };
}
