export const GiB: number = 2 ** 30;
export const startedAt: number = Date.now();

/** Pseudo-random numbers that are the same at each start (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
/** The one sequence that all of the world is made with. */
export const random: () => number = randomOf(7);

export const id = (kind: string, n: number): string => `${kind}_${String(n).padStart(18, '0')}`;
