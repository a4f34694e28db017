import { note } from '../output/print.ts';
import { stderrStyle as style } from '../output/style.ts';
import { duration } from '../output/words.ts';

/** What the stages of a demo took, in order. */
export type Stages = { name: string; ms: number }[];

/** Runs one stage, and says in one line what came of it and how long it took. */
export async function stage<T>(
  stages: Stages,
  name: string,
  work: () => Promise<T>,
  outcome: (result: T) => string,
): Promise<T> {
  const startedAt = performance.now();
  const result = await work();
  const ms = performance.now() - startedAt;
  stages.push({ name, ms });
  note(`${style.green('✓')} ${name.padEnd(9)} ${outcome(result)} ${style.dim(duration(ms))}`);
  return result;
}
