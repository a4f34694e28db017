import { createHash } from 'node:crypto';
import { type JobSpec, newId, parseJobSpec, VgpuError } from '@vgpu/core';
import type { Pending } from '@vgpu/scheduler';
import { appendEvent, type JobTable, type Store, type TaskTable } from '@vgpu/store';
import type { Insertable } from 'kysely';
import type { Bundles } from './bundles.ts';
import { resolveDataset } from './dataset-ref.ts';
import type { Principal } from './principal.ts';
import type { Projects } from './projects.ts';
import type { RunHistory } from './run-history.ts';
import type { Scheduling } from './scheduling.ts';
import type { Secrets } from './secrets.ts';
import { pendingOf } from './shares.ts';

export interface SubmissionRequest {
  spec: Record<string, unknown>;
  bundle?: string | undefined;
}

/** A submission that was checked and whose datasets were found; nothing is stored yet. */
export interface PreparedJob {
  job: Insertable<JobTable> & JobTable;
  spec: JobSpec;
  tasks: (Insertable<TaskTable> & TaskTable)[];
  pending: Pending[];
}

interface TaskInput {
  name: string;
  dataset: string | null;
  version: string | null;
  target: string | null;
}

/** Rows that one INSERT takes: 24 columns each stay far below SQLite's 32,766 parameters. */
const INSERT_CHUNK = 500;

/** `churn`, `churn-2`, `churn-3` …: unique names, in order. */
export function uniqueNames(names: readonly string[]): string[] {
  const used = new Set<string>();
  return names.map((name) => {
    let unique = name;
    for (let n = 2; used.has(unique); n++) unique = `${name}-${n}`;
    used.add(unique);
    return unique;
  });
}

/** Most that a task keeps where its spec names no bound: it lies in the worker's memory until collected. */
const DEFAULT_OUTPUT_BYTES = 256 * 2 ** 20;

/**
 * Where the user set no bound on output files: a quarter of the memory, at most 256 MiB. Those fit into a folder in
 * memory, which a warm worker has ready; more takes a folder on disk and a cold start.
 */
function withOutputDefault(spec: JobSpec, asked: Record<string, unknown>): JobSpec {
  const limits = (asked.limits ?? {}) as { output?: unknown };
  if (limits.output !== undefined) return spec;
  const output = Math.min(DEFAULT_OUTPUT_BYTES, Math.floor(spec.resources.memory / 4));
  return { ...spec, limits: { ...spec.limits, output } };
}

const scriptName = (script: string): string =>
  script
    .split('/')
    .pop()!
    .replace(/\.[^.]+$/, '')
    .replace(/[^a-zA-Z0-9._-]+/g, '-')
    .replace(/^[^a-zA-Z0-9]+/, '')
    .slice(0, 63) || 'job';

/** Turns what users submit into rows; checks everything that can be checked before anything is stored. */
export class Submissions {
  readonly #store: Store;
  readonly #bundles: Bundles;
  readonly #scheduling: Scheduling;
  readonly #projects: Projects;
  readonly #secrets: Secrets;
  readonly #history: RunHistory;

  constructor(parts: {
    store: Store;
    bundles: Bundles;
    scheduling: Scheduling;
    projects: Projects;
    secrets: Secrets;
    history: RunHistory;
  }) {
    this.#store = parts.store;
    this.#bundles = parts.bundles;
    this.#scheduling = parts.scheduling;
    this.#projects = parts.projects;
    this.#secrets = parts.secrets;
    this.#history = parts.history;
  }

  /** @throws VgpuError for everything in the spec that cannot work. */
  async prepare(principal: Principal, request: SubmissionRequest, at = Date.now()): Promise<PreparedJob> {
    const spec = withOutputDefault(parseJobSpec(request.spec), request.spec);
    await this.#check(principal, spec, request.bundle);
    this.#projects.checkRequest(principal.project, spec);
    const inputs = await this.#inputs(principal.project, spec);
    const job: PreparedJob['job'] = {
      id: newId('job', at),
      project: principal.project,
      user: principal.user,
      name: spec.name ?? scriptName(spec.script),
      state: 'QUEUED',
      spec: JSON.stringify(spec),
      script: spec.script,
      image: spec.image,
      bundle: request.bundle ?? '',
      priority: spec.priority,
      primary_metric: spec.metrics.primary ?? null,
      goal: spec.metrics.goal ?? null,
      tasks_total: inputs.length,
      workers: 0,
      submitted_at: at,
      started_at: null,
      ended_at: null,
    };
    const tasks = inputs.map((input, idx) => taskRow(job, input, idx, at));
    await this.#history.knowSizes(tasks.map((task) => task.dataset_version));
    const pending = tasks.map((task) => pendingOf(task, job, spec, this.#history));
    this.#refuseHopeless(pending);
    return { job, spec, tasks, pending };
  }

  /**
   * Stores a job with its tasks in one commit. With an idempotency key the same request is stored once.
   * @returns the job's id, and whether it was there before.
   * @throws VgpuError `IDEMPOTENCY_MISMATCH`.
   */
  async store(
    prepared: PreparedJob,
    request: SubmissionRequest,
    key: string | undefined,
  ): Promise<{ job: string; existed: boolean; seq: number }> {
    const { job, tasks } = prepared;
    const fingerprint = createHash('sha256').update(JSON.stringify(request)).digest('hex');
    return this.#store.write(async (trx) => {
      if (key !== undefined) {
        const known = await trx
          .insertInto('idempotency')
          .values({ project: job.project, key, fingerprint, result: job.id, created_at: job.submitted_at })
          .onConflict((c) => c.columns(['project', 'key']).doUpdateSet({ key }))
          .returning(['fingerprint', 'result'])
          .executeTakeFirstOrThrow();
        if (known.fingerprint !== fingerprint) throw new VgpuError('IDEMPOTENCY_MISMATCH', { key });
        if (known.result !== job.id) return { job: known.result, existed: true, seq: 0 };
      }
      await trx.insertInto('jobs').values(job).execute();
      for (let at = 0; at < tasks.length; at += INSERT_CHUNK) {
        await trx
          .insertInto('tasks')
          .values(tasks.slice(at, at + INSERT_CHUNK))
          .execute();
      }
      const seq = await appendEvent(trx, this.#store.dialect, {
        project: job.project,
        at: job.submitted_at,
        kind: 'submitted',
        job: job.id,
        data: { user: job.user, tasks: tasks.length },
      });
      return { job: job.id, existed: false, seq };
    });
  }

  async #check(principal: Principal, spec: JobSpec, bundle: string | undefined): Promise<void> {
    if (bundle !== undefined) {
      await this.#bundles.get(principal.project, bundle);
      await this.#bundles.checkScript(bundle, spec.script);
    }
    await this.#secrets.check(principal.project, spec.secrets);
    if (spec.network === 'egress') {
      const project = await this.#store.read
        .selectFrom('projects')
        .select('allow_egress')
        .where('project', '=', principal.project)
        .executeTakeFirst();
      if (!project?.allow_egress) throw new VgpuError('EGRESS_DENIED', { project: principal.project });
    }
  }

  async #inputs(project: string, spec: JobSpec): Promise<TaskInput[]> {
    if (spec.data.length === 0) return [{ name: 'task-01', dataset: null, version: null, target: null }];
    const found: TaskInput[] = [];
    for (const [i, input] of spec.data.entries()) {
      if (input.dataset === undefined) {
        const problem = 'the file has to be imported first; name it as `dataset`';
        throw new VgpuError('BAD_SPEC', { path: `data[${i}].path`, problem });
      }
      const { dataset, version } = await resolveDataset(this.#store, project, input.dataset);
      found.push({
        name: input.name ?? dataset.name,
        dataset: dataset.name,
        version: version.version,
        target: input.target ?? version.target,
      });
    }
    const names = uniqueNames(found.map((input) => input.name));
    return found.map((input, i) => ({ ...input, name: names[i]! }));
  }

  /** Refuses what no machine here can ever run, rather than letting it wait for ever. */
  #refuseHopeless(pending: readonly Pending[]): void {
    const first = pending[0];
    if (!first) return;
    const problem = this.#scheduling.hopeless(first);
    if (problem) throw new VgpuError('UNSATISFIABLE', { problem });
  }
}

function taskRow(job: JobTable, input: TaskInput, idx: number, at: number): PreparedJob['tasks'][number] {
  return {
    id: newId('task', at),
    project: job.project,
    job: job.id,
    idx,
    name: input.name,
    dataset: input.dataset,
    dataset_version: input.version,
    target: input.target,
    state: 'QUEUED',
    reason: null,
    exit_code: null,
    attempt: null,
    attempts: 0,
    retries_used: 0,
    losses: 0,
    stop_by: null,
    not_before: 0,
    worker: null,
    container: null,
    metrics: '{}',
    confusion: null,
    progress: null,
    last_line: null,
    lines: 0,
    dropped_bytes: 0,
    files: 0,
    queued_ms: null,
    start_ms: null,
    run_ms: null,
    teardown_ms: null,
    submitted_at: at,
    queued_at: at,
    started_at: null,
    ended_at: null,
  };
}
