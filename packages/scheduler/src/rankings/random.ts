/** A small fixed generator (mulberry32, public domain): rankings draw the same streams in every process. */
export function fixedRandom(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = a;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Draws shapes by weight. */
export function weightedDraw<T extends { readonly weight: number }>(
  items: readonly T[],
  random: () => number,
): () => T {
  const cumulative: number[] = [];
  let sum = 0;
  for (const item of items) {
    sum += item.weight;
    cumulative.push(sum);
  }
  return () => {
    const u = random() * sum;
    let low = 0;
    let high = cumulative.length - 1;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (cumulative[mid]! > u) high = mid;
      else low = mid + 1;
    }
    return items[low]!;
  };
}
