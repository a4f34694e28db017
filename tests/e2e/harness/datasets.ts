/** Numbers that look random and are the same on every run (Lehmer's generator, Park and Miller 1988). */
export function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** A table for classification: two columns that decide the label, with some noise. */
export function classification(rows: number, seed = 7): string {
  const next = numbers(seed);
  const lines = ['a,b,noise,label'];
  for (let i = 0; i < rows; i++) {
    const a = next();
    const b = next();
    lines.push(`${a.toFixed(4)},${b.toFixed(4)},${next().toFixed(4)},${a + b > 1 ? 'yes' : 'no'}`);
  }
  return `${lines.join('\n')}\n`;
}

/** A table for regression: y = 3a − 2b + 1 with a little noise. */
export function regression(rows: number, seed = 11): string {
  const next = numbers(seed);
  const lines = ['a;b;y'];
  for (let i = 0; i < rows; i++) {
    const a = next();
    const b = next();
    const y = 3 * a - 2 * b + 1 + (next() - 0.5) / 50;
    lines.push([a, b, y].map((value) => value.toFixed(4).replace('.', ',')).join(';'));
  }
  return `${lines.join('\n')}\n`;
}
