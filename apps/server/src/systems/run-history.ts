import { type Observation, Throughput } from '@vgpu/scheduler';
import type { JobTable, Store, TaskTable } from '@vgpu/store';
import type { Placement } from './placement.ts';
import { coarse, runTimeAt } from './run-time-fit.ts';

/** Runs of one script that are remembered, and how many tasks are read at the start. */
const REMEMBERED = 15;
const READ_AT_START = 2000;
/** Observations of speed that are kept. */
const MAX_SPEEDS = 2000;

/** What makes runs comparable. */
export interface Work {
  project: string;
  script: string;
  /** The job's name. */
  name: string;
  /** Content hash of the dataset's version; null without one. */
  dataset: string | null;
}

interface Run {
  /** Size of its dataset in bytes; 0 without one. */
  bytes: number;
  ms: number;
}

const keyOf = ({ project, script, name }: Omit<Work, 'dataset'>): string =>
  JSON.stringify([project, script, name]);
const speedKeyOf = (work: Work): string => JSON.stringify([keyOf(work), work.dataset]);

export const workOf = (
  job: Pick<JobTable, 'project' | 'script' | 'name'>,
  task: Pick<TaskTable, 'dataset_version'>,
): Work => ({ project: job.project, script: job.script, name: job.name, dataset: task.dataset_version });

/**
 * How long work runs and which accelerator suits it, by what was seen before: run times of the same script and job name
 * against the sizes of their datasets, and rates on each model. Feeds the scheduler's estimates, backfilling and choice
 * of devices.
 */
export class RunHistory {
  readonly #store: Store;
  readonly #models: () => readonly string[];
  readonly #runs = new Map<string, readonly Run[]>();
  readonly #sizes = new Map<string, number>();
  #speeds: Observation[] = [];
  #throughput: Throughput | undefined;

  private constructor(store: Store, models: () => readonly string[]) {
    this.#store = store;
    this.#models = models;
  }

  /** Reads the latest completed tasks. @param models models of the accelerators that are there now */
  static async open(store: Store, models: () => readonly string[] = () => []): Promise<RunHistory> {
    const history = new RunHistory(store, models);
    const rows = await store.read
      .selectFrom('tasks')
      .innerJoin('jobs', 'jobs.id', 'tasks.job')
      .leftJoin('attempts', 'attempts.id', 'tasks.attempt')
      .select([
        'jobs.project',
        'jobs.script',
        'jobs.name',
        'tasks.dataset_version as dataset',
        'tasks.run_ms',
      ])
      .select('attempts.placement')
      .where('tasks.state', '=', 'COMPLETED')
      .orderBy('tasks.id', 'desc')
      .limit(READ_AT_START)
      .execute();
    await history.knowSizes(rows.map((row) => row.dataset));
    for (const row of rows.reverse()) {
      const slices = row.placement ? (JSON.parse(row.placement) as Placement).slices : undefined;
      if (row.run_ms !== null)
        history.note(
          row,
          row.run_ms,
          slices?.map((slice) => slice.model),
        );
    }
    return history;
  }

  /** Looks up how large these versions of datasets are; until then they count as empty. */
  async knowSizes(versions: readonly (string | null)[]): Promise<void> {
    const unknown = [...new Set(versions)].filter((one) => one !== null && !this.#sizes.has(one)) as string[];
    for (let at = 0; at < unknown.length; at += 500) {
      const rows = await this.#store.read
        .selectFrom('dataset_versions')
        .select(['version', 'bytes'])
        .where('version', 'in', unknown.slice(at, at + 500))
        .execute();
      for (const { version, bytes } of rows) this.#sizes.set(version, bytes);
    }
  }

  /** Remembers a run that completed. @param ms its run time @param models of the accelerators that it had */
  note(work: Work, ms: number, models: readonly string[] = []): void {
    const key = keyOf(work);
    const runs = this.#runs.get(key) ?? [];
    this.#runs.delete(key); // the latest used stand last
    this.#runs.set(key, [...runs, { bytes: this.#bytesOf(work), ms }].slice(-REMEMBERED));
    if (this.#runs.size > READ_AT_START) this.#runs.delete(this.#runs.keys().next().value!);
    const [model, ...others] = new Set(models);
    if (!model || others.length > 0 || ms <= 0) return; // on several models at once it tells of none
    this.#speeds = [...this.#speeds, { kind: speedKeyOf(work), model, rate: 1 / ms }].slice(-MAX_SPEEDS);
    this.#throughput = undefined;
  }

  /** Expected run time in milliseconds, never above the limit; the limit itself where nothing is known. */
  expected(work: Work, limitMs: number): number {
    const runs = this.#runs.get(keyOf(work));
    return runs ? Math.min(limitMs, coarse(runTimeAt(runs, this.#bytesOf(work)))) : limitMs;
  }

  /** Expected speed on the models that are there, the slowest being 1; undefined where nothing tells them apart. */
  throughput(work: Work): Readonly<Record<string, number>> | undefined {
    const models = [...new Set(this.#models())].sort();
    if (models.length < 2 || this.#speeds.length === 0) return undefined;
    this.#throughput ??= new Throughput(this.#speeds);
    const rates = this.#throughput.expected(speedKeyOf(work), models);
    // Two digits: a rate that moves a little does not make a new kind of task.
    return rates && Object.fromEntries(Object.entries(rates).map(([m, r]) => [m, Number(r.toPrecision(2))]));
  }

  #bytesOf({ dataset }: Work): number {
    return dataset === null ? 0 : (this.#sizes.get(dataset) ?? 0);
  }
}
