import type { Change } from './result.ts';

type Example = Change['examples'][number];

const mostExamples = 5;
const shorten = (text: string): string => (text.length > 120 ? `${text.slice(0, 117)}…` : text);

/** Counts every kind of change and keeps the first examples of each. */
export class ChangeLog {
  readonly #changes = new Map<string, Change>();

  add(kind: string, column: string | null, example: Example): void {
    this.count(kind, column, 1, example);
  }

  count(kind: string, column: string | null, count: number, example: Example | null): void {
    const key = `${kind}\u0000${column ?? ''}`;
    let change = this.#changes.get(key);
    if (!change) {
      change = column === null ? { kind, count: 0, examples: [] } : { kind, column, count: 0, examples: [] };
      this.#changes.set(key, change);
    }
    change.count += count;
    if (example && change.examples.length < mostExamples)
      change.examples.push({ ...example, before: shorten(example.before), after: shorten(example.after) });
  }

  list(): Change[] {
    return [...this.#changes.values()];
  }
}
