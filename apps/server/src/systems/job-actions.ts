import { isJobTerminal, isTerminal, VgpuError } from '@vgpu/core';
import { enqueueWithin, type QueueTables } from '@vgpu/queue';
import { appendEvent, type JobTable, type Store, type TaskTable, transition } from '@vgpu/store';
import type { Kysely } from 'kysely';
import type { Changes } from './changes.ts';
import type { Execution } from './execution.ts';
import { reasonOf } from './outcome.ts';
import type { Principal } from './principal.ts';
import type { Scheduling } from './scheduling.ts';
import type { PreparedJob, SubmissionRequest, Submissions } from './submission.ts';
import type { TaskLaunches } from './task-launch.ts';

export interface JobActionParts {
  store: Store;
  changes: Changes;
  submissions: Submissions;
  scheduling: Scheduling;
  execution: Execution;
  launches: TaskLaunches;
}

/** What people do to jobs and tasks: submit, stop, retry, remove. */
export class JobActions {
  readonly #parts: JobActionParts;

  constructor(parts: JobActionParts) {
    this.#parts = parts;
  }

  /** Stores a job and has it scheduled. Durable when it resolves. Returns its id. */
  async submit(principal: Principal, request: SubmissionRequest, key: string | undefined): Promise<string> {
    const { submissions, changes, scheduling } = this.#parts;
    const prepared: PreparedJob = await submissions.prepare(principal, request);
    const stored = await submissions.store(prepared, request, key);
    if (!stored.existed) {
      for (const task of prepared.pending) scheduling.add(task);
      changes.publish({ seq: stored.seq, project: principal.project, job: stored.job });
    }
    return stored.job;
  }

  /** Stops every task of a job that has not ended. */
  async stop(job: JobTable, who: string): Promise<void> {
    const rows = await this.#tasks(job.id);
    await this.#stop(
      rows.filter((row) => !isTerminal(row.state)).map((row) => row.id),
      who,
    );
  }

  /** @throws VgpuError `BAD_TRANSITION` when it has ended already. */
  async stopTask(task: TaskTable, who: string): Promise<void> {
    if (isTerminal(task.state)) throw new VgpuError('BAD_TRANSITION', { from: task.state, to: 'CANCELLED' });
    await this.#stop([task.id], who);
  }

  /** Queues the failed and cancelled tasks of a job again. @throws VgpuError `CONFLICT` when there is none. */
  async retry(job: JobTable): Promise<void> {
    const rows = await this.#tasks(job.id);
    const again = rows.filter((row) => row.state === 'FAILED' || row.state === 'CANCELLED');
    if (again.length === 0) {
      const advice = 'Only failed and cancelled tasks can be tried again.';
      throw new VgpuError('CONFLICT', { problem: `no task of ${job.name} failed or was cancelled`, advice });
    }
    await this.#retry(again.map((row) => row.id));
  }

  /** @throws VgpuError `BAD_TRANSITION` unless it failed or was cancelled. */
  async retryTask(task: TaskTable): Promise<void> {
    if (task.state !== 'FAILED' && task.state !== 'CANCELLED') {
      throw new VgpuError('BAD_TRANSITION', { from: task.state, to: 'QUEUED' });
    }
    await this.#retry([task.id]);
  }

  /** Deletes an ended job; its logs and files follow in the background. @throws VgpuError `CONFLICT`. */
  async remove(job: JobTable): Promise<void> {
    const { store, changes } = this.#parts;
    const seq = await store.write(async (trx) => {
      const now = await trx.selectFrom('jobs').select('state').where('id', '=', job.id).executeTakeFirst();
      if (now && !isJobTerminal(now.state)) {
        const advice = 'Stop it first with `vgpu stop`.';
        throw new VgpuError('CONFLICT', { problem: `job ${job.name} has not ended`, advice });
      }
      const tasks = await trx.selectFrom('tasks').select('id').where('job', '=', job.id).execute();
      await trx.deleteFrom('jobs').where('id', '=', job.id).execute();
      await enqueueWithin(trx as unknown as Kysely<QueueTables>, [
        { topic: 'purge-tasks', project: job.project, payload: { tasks: tasks.map((t) => t.id) } },
      ]);
      return appendEvent(trx, store.dialect, {
        project: job.project,
        at: Date.now(),
        kind: 'removed',
        job: job.id,
      });
    });
    store.queue.notify('purge-tasks');
    changes.publish({ seq, project: job.project, job: job.id });
  }

  #tasks(job: string): Promise<Pick<TaskTable, 'id' | 'state'>[]> {
    return this.#parts.store.read
      .selectFrom('tasks')
      .select(['id', 'state'])
      .where('job', '=', job)
      .orderBy('idx')
      .execute();
  }

  async #stop(ids: readonly string[], who: string): Promise<void> {
    const { store, changes, scheduling, execution } = this.#parts;
    const now = Date.now();
    const reason = JSON.stringify(reasonOf('STOPPED', { who }));
    // A waiting task is cancelled here; a running one is marked, and cancelled when its worker has ended.
    const cancelled = await store.write(async (trx) => {
      const done = [];
      for (const id of ids) {
        const row = await trx.selectFrom('tasks').select('state').where('id', '=', id).executeTakeFirst();
        if (!row || isTerminal(row.state)) continue;
        await trx.updateTable('tasks').set({ stop_by: who }).where('id', '=', id).execute();
        if (row.state !== 'QUEUED') continue;
        const set = { ended_at: now, reason };
        done.push(await transition(trx, store.dialect, { task: id, to: 'CANCELLED', at: now, set }));
      }
      return done;
    });
    for (const { task, seq } of cancelled) {
      scheduling.remove(task.id);
      changes.publish({ seq, project: task.project, job: task.job, task: task.id });
    }
    for (const id of ids) execution.stop(id);
  }

  async #retry(ids: readonly string[]): Promise<void> {
    const { store, changes, scheduling, launches } = this.#parts;
    const now = Date.now();
    const moved = await store.write(async (trx) => {
      const done = [];
      for (const id of ids) {
        const set = {
          attempt: null,
          reason: null,
          exit_code: null,
          stop_by: null,
          retries_used: 0,
          losses: 0,
          not_before: 0,
          worker: null,
          container: null,
          metrics: '{}',
          confusion: null,
          progress: null,
          queued_ms: null,
          start_ms: null,
          run_ms: null,
          teardown_ms: null,
          queued_at: now,
          started_at: null,
          ended_at: null,
        };
        done.push(await transition(trx, store.dialect, { task: id, to: 'QUEUED', at: now, set }));
      }
      return done;
    });
    for (const { task, seq } of moved) {
      scheduling.add(await launches.pending(task.id));
      changes.publish({ seq, project: task.project, job: task.job, task: task.id });
    }
  }
}
