import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type JobSpec, VgpuError } from '@vgpu/core';
import type { CollectedOutputs, LaunchGrant, TaskLaunch } from '@vgpu/drivers';
import type { Pending } from '@vgpu/scheduler';
import type { JobTable, Store, TaskTable } from '@vgpu/store';
import type { Active } from './active-attempt.ts';
import type { Bundles } from './bundles.ts';
import type { Datasets } from './datasets.ts';
import type { Images } from './images.ts';
import type { RunHistory } from './run-history.ts';
import type { Secrets } from './secrets.ts';
import { pendingOf } from './shares.ts';

export interface LoadedTask {
  task: TaskTable;
  job: JobTable;
  spec: JobSpec;
}

/** Beside the collected files of an attempt: what was refused, and why. */
export const refusedFile = (dir: string): string => `${dir}.refused.json`;

/** `{lr: 0.01, fast: true}` → `--lr 0.01 --fast`; a list stays as it is. */
export function argv(args: JobSpec['args']): string[] {
  if (Array.isArray(args)) return args.map(String);
  return Object.entries(args).flatMap(([name, value]) => {
    const flag = name.startsWith('-') ? name : `--${name}`;
    if (value === true) return [flag];
    if (value === false) return [];
    return [flag, String(value)];
  });
}

/** Turns stored tasks into what the scheduler and the driver take. */
export class TaskLaunches {
  readonly #store: Store;
  readonly #bundles: Bundles;
  readonly #datasets: Datasets;
  readonly #images: Images;
  readonly #secrets: Secrets;
  readonly #history: RunHistory;

  constructor(parts: {
    store: Store;
    bundles: Bundles;
    datasets: Datasets;
    images: Images;
    secrets: Secrets;
    history: RunHistory;
  }) {
    this.#store = parts.store;
    this.#bundles = parts.bundles;
    this.#datasets = parts.datasets;
    this.#images = parts.images;
    this.#secrets = parts.secrets;
    this.#history = parts.history;
  }

  /** @throws VgpuError `NOT_FOUND`. */
  async load(taskId: string): Promise<LoadedTask> {
    const task = await this.#store.read
      .selectFrom('tasks')
      .selectAll()
      .where('id', '=', taskId)
      .executeTakeFirst();
    if (!task) throw new VgpuError('NOT_FOUND', { what: 'task', id: taskId, list: 'ps' });
    const job = await this.#store.read
      .selectFrom('jobs')
      .selectAll()
      .where('id', '=', task.job)
      .executeTakeFirstOrThrow();
    return { task, job, spec: JSON.parse(job.spec) as JobSpec };
  }

  async pending(taskId: string): Promise<Pending> {
    const { task, job, spec } = await this.load(taskId);
    await this.#history.knowSizes([task.dataset_version]);
    return pendingOf(task, job, spec, this.#history);
  }

  async launchOf(active: Active, grant: LaunchGrant | undefined): Promise<TaskLaunch> {
    const { task, job, spec } = active;
    const args = argv(spec.args);
    const script = spec.script;
    const dataset = task.dataset_version ? await this.#datasets.cleanFile(task.dataset_version) : undefined;
    return {
      attemptId: active.attempt,
      taskId: task.id,
      jobId: job.id,
      project: job.project,
      workerName: task.worker!,
      image: await this.#images.resolve(spec.image),
      command: script.endsWith('.py')
        ? { kind: 'python', script, args }
        : { kind: 'exec', argv: [script.includes('/') ? script : `./${script}`, ...args] },
      bundleDir: this.#bundles.folder(job.bundle),
      ...(dataset ? { datasetPath: dataset, datasetName: `${task.dataset ?? 'data'}.csv` } : {}),
      ...(task.target ? { target: task.target } : {}),
      env: spec.env,
      secrets: await this.#secrets.forLaunch(job.project, spec.secrets),
      cpuMilli: spec.resources.cpu,
      // what an over-committed slice lets go of lies in the worker's own memory
      memoryBytes: spec.resources.memory + (grant?.hostBytes ?? 0),
      timeLimitMs: spec.limits.time,
      outputLimits: { bytes: spec.limits.output, files: spec.limits.files },
      network: spec.network,
      ports: spec.ports,
      ...(grant ? { grant } : {}),
    };
  }

  /** Keeps the list of what was left behind, for people to see. */
  async noteOutputs(dir: string, collected: CollectedOutputs): Promise<void> {
    if (collected.skippedTotal === 0) return;
    await writeFile(refusedFile(dir), JSON.stringify(collected.skipped));
  }
}

/** Folder of the files that an attempt kept. */
export const outputDir = (filesDir: string, task: string, attempt: string): string =>
  join(filesDir, task, attempt);
