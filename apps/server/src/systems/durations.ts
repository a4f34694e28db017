import type { Store } from '@vgpu/store';

/** Runs of one script that are remembered, and how many tasks are read at the start. */
const REMEMBERED = 15;
const READ_AT_START = 2000;

const keyOf = (project: string, script: string, name: string): string =>
  JSON.stringify([project, script, name]);

/** Two significant digits, rounded up: a median that moves a little does not make a new kind of task. */
function coarse(ms: number): number {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, ms))) - 1);
  return Math.ceil(ms / step) * step;
}

/** How long scripts run, by what they did before: the median of the last runs of the same script and job name. */
export class Durations {
  readonly #runs = new Map<string, number[]>();

  /** Reads the latest completed tasks. */
  static async open(store: Store): Promise<Durations> {
    const durations = new Durations();
    const rows = await store.read
      .selectFrom('tasks')
      .innerJoin('jobs', 'jobs.id', 'tasks.job')
      .select(['jobs.project', 'jobs.script', 'jobs.name', 'tasks.run_ms'])
      .where('tasks.state', '=', 'COMPLETED')
      .orderBy('tasks.id', 'desc')
      .limit(READ_AT_START)
      .execute();
    for (const row of rows.reverse()) {
      if (row.run_ms !== null) durations.note(row, row.run_ms);
    }
    return durations;
  }

  /** Remembers a run that completed. @param ms its run time */
  note(job: { project: string; script: string; name: string }, ms: number): void {
    const key = keyOf(job.project, job.script, job.name);
    const runs = this.#runs.get(key) ?? [];
    this.#runs.delete(key); // the latest used stand last
    this.#runs.set(key, [...runs, ms].slice(-REMEMBERED));
    if (this.#runs.size > READ_AT_START) this.#runs.delete(this.#runs.keys().next().value!);
  }

  /** Expected run time in milliseconds, never above the limit; the limit itself where nothing is known. */
  expected(job: { project: string; script: string; name: string }, limitMs: number): number {
    const runs = this.#runs.get(keyOf(job.project, job.script, job.name));
    if (!runs) return limitMs;
    const sorted = [...runs].sort((a, b) => a - b);
    return Math.min(limitMs, coarse(sorted[Math.floor(sorted.length / 2)]!));
  }
}
