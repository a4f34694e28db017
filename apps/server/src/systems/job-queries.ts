import type { Job, JobSummary, Task } from '@vgpu/api';
import { isId, type JobSpec, type JobState, VgpuError } from '@vgpu/core';
import type { JobTable, Store, TaskTable } from '@vgpu/store';
import { sql } from 'kysely';
import { fractionOf, jobSummary, jobView, type TaskBrief } from '../views/job-view.ts';
import { taskView } from '../views/task-view.ts';
import { decodeCursor, encodeCursor } from './page-cursor.ts';
import type { Placement } from './placement.ts';
import type { Scheduling } from './scheduling.ts';
import type { Telemetry } from './telemetry.ts';

export interface JobListQuery {
  limit: number;
  cursor?: string | undefined;
  state?: JobState | undefined;
  search?: string | undefined;
  sort: 'submittedAt' | 'name' | 'state' | 'endedAt' | 'priority';
  order: 'asc' | 'desc';
}

const sortColumns = {
  submittedAt: sql<number>`submitted_at`,
  name: sql<string>`name`,
  state: sql<string>`state`,
  endedAt: sql<number>`coalesce(ended_at, 0)`,
  priority: sql<number>`priority`,
} as const;

const missing = (what: string, id: string) => new VgpuError('NOT_FOUND', { what, id, list: 'ps' });

/** Reads jobs and tasks as the API shows them: rows, and over them what runs right now. */
export class JobQueries {
  readonly #store: Store;
  readonly #telemetry: Telemetry;
  readonly #scheduling: Scheduling;
  /** Briefs of the tasks of ended jobs; those never change while their `ended_at` stays. */
  readonly #ended = new Map<string, { endedAt: number; tasks: TaskBrief[] }>();

  constructor(parts: { store: Store; telemetry: Telemetry; scheduling: Scheduling }) {
    this.#store = parts.store;
    this.#telemetry = parts.telemetry;
    this.#scheduling = parts.scheduling;
  }

  /**
   * Finds a job by id, a unique start of one, a name (its newest job) or `latest`.
   * @throws VgpuError `NOT_FOUND`, `AMBIGUOUS`.
   */
  async find(project: string, ref: string): Promise<JobTable> {
    const jobs = this.#store.read.selectFrom('jobs').selectAll().where('project', '=', project);
    const newest = jobs.orderBy('submitted_at', 'desc').orderBy('id', 'desc').limit(1);
    if (ref === 'latest') {
      const row = await newest.executeTakeFirst();
      if (!row) throw missing('job', ref);
      return row;
    }
    if (isId('job', ref)) {
      const row = await jobs.where('id', '=', ref).executeTakeFirst();
      if (row) return row;
    }
    const named = await newest.where('name', '=', ref).executeTakeFirst();
    if (named) return named;
    const start = ref.startsWith('job_') ? ref : `job_${ref}`;
    const rows = await jobs.where('id', '>=', start).where('id', '<', `${start}~`).limit(2).execute();
    if (rows.length > 1) throw new VgpuError('AMBIGUOUS', { id: ref, count: rows.length, what: 'job' });
    if (!rows[0]) throw missing('job', ref);
    return rows[0];
  }

  /** @throws VgpuError `NOT_FOUND`. */
  async findTask(project: string, id: string): Promise<TaskTable> {
    const row = await this.#store.read
      .selectFrom('tasks')
      .selectAll()
      .where('project', '=', project)
      .where('id', '=', id)
      .executeTakeFirst();
    if (!row) throw missing('task', id);
    return row;
  }

  async task(project: string, id: string): Promise<Task> {
    const row = await this.findTask(project, id);
    const job = await this.#store.read
      .selectFrom('jobs')
      .select('spec')
      .where('id', '=', row.job)
      .executeTakeFirstOrThrow();
    return (await this.#views([row], JSON.parse(job.spec) as JobSpec))[0]!;
  }

  async tasksOf(job: JobTable): Promise<Task[]> {
    const rows = await this.#store.read
      .selectFrom('tasks')
      .selectAll()
      .where('job', '=', job.id)
      .orderBy('idx')
      .execute();
    return this.#views(rows, JSON.parse(job.spec) as JobSpec);
  }

  async job(project: string, ref: string): Promise<Job> {
    const row = await this.find(project, ref);
    return jobView(row, await this.tasksOf(row));
  }

  async list(project: string, query: JobListQuery) {
    let rows = this.#store.read.selectFrom('jobs').selectAll().where('project', '=', project);
    if (query.state) rows = rows.where('state', '=', query.state);
    if (query.search) {
      const like = `%${query.search.toLowerCase()}%`;
      rows = rows.where((e) =>
        e.or([
          e(e.fn<string>('lower', ['name']), 'like', like),
          e('id', 'like', like),
          e(e.fn<string>('lower', ['script']), 'like', like),
        ]),
      );
    }
    const { total } = await rows
      .clearSelect()
      .select((e) => e.fn.countAll<number>().as('total'))
      .executeTakeFirstOrThrow();
    const column = sortColumns[query.sort];
    if (query.cursor) {
      const { value, id } = decodeCursor(query.cursor);
      const beyond = query.order === 'asc' ? sql`>` : sql`<`;
      rows = rows.where(sql<boolean>`(${column}, id) ${beyond} (${value}, ${id})`);
    }
    const found = await rows
      .orderBy(column, query.order)
      .orderBy('id', query.order)
      .limit(query.limit + 1)
      .execute();
    const page = found.slice(0, query.limit);
    const items = await this.#summaries(page);
    const last = page.at(-1);
    const value =
      last &&
      {
        submittedAt: last.submitted_at,
        endedAt: last.ended_at ?? 0,
        name: last.name,
        state: last.state,
        priority: last.priority,
      }[query.sort];
    return {
      items,
      next:
        last && value !== undefined && found.length > query.limit
          ? encodeCursor({ value, id: last.id })
          : null,
      total: Number(total),
    };
  }

  async #summaries(rows: readonly JobTable[]): Promise<JobSummary[]> {
    const summaries: JobSummary[] = [];
    for (const row of rows) {
      const known = this.#ended.get(row.id);
      if (known && known.endedAt === row.ended_at) {
        summaries.push(jobSummary(row, known.tasks));
        continue;
      }
      const tasks = await this.#briefs(row.id);
      if (row.ended_at !== null) {
        if (this.#ended.size > 2000) this.#ended.clear();
        this.#ended.set(row.id, { endedAt: row.ended_at, tasks });
      }
      summaries.push(jobSummary(row, tasks));
    }
    return summaries;
  }

  async #briefs(job: string): Promise<TaskBrief[]> {
    const rows = await this.#store.read
      .selectFrom('tasks')
      .select(['id', 'name', 'state', 'metrics', 'progress'])
      .where('job', '=', job)
      .orderBy('idx')
      .execute();
    return rows.map((row) => {
      const live = this.#telemetry.snapshot(row.id)?.progress;
      const progress = live
        ? { fraction: live.fraction ?? null }
        : (JSON.parse(row.progress ?? 'null') as Task['progress']);
      return {
        id: row.id,
        name: row.name,
        state: row.state,
        metrics: JSON.parse(row.metrics) as Record<string, number>,
        fraction: fractionOf({ state: row.state, progress: progress as Task['progress'] }),
      };
    });
  }

  async #views(rows: readonly TaskTable[], spec: JobSpec): Promise<Task[]> {
    const attempts = rows.flatMap((row) => row.attempt ?? []);
    const slices = spec.resources.gpu > 0 ? await this.#slices(attempts) : new Map<string, Task['slices']>();
    return rows.map((row) =>
      taskView(row, {
        snapshot: this.#telemetry.snapshot(row.id),
        waiting: this.#scheduling.waiting(row.id),
        slices: (row.attempt && slices.get(row.attempt)) || [],
        ports: spec.ports,
      }),
    );
  }

  async #slices(attempts: readonly string[]): Promise<Map<string, Task['slices']>> {
    if (attempts.length === 0) return new Map();
    const rows = await this.#store.read
      .selectFrom('attempts')
      .select(['id', 'placement'])
      .where('id', 'in', attempts)
      .execute();
    return new Map(
      rows.map((row) => [row.id, (JSON.parse(row.placement) as Placement).slices ?? []] as const),
    );
  }
}
