import type { WorkerHandle } from '@vgpu/drivers';
import type { JobTable, Store, TaskTable } from '@vgpu/store';
import type { Outcome, Reason } from './outcome.ts';
import { type Placement, workerName } from './placement.ts';
import type { TaskStates } from './task-states.ts';
import type { TelemetryColumns } from './telemetry-summary.ts';

/** What of an attempt is on disk: where it runs, how it ended, why it was stopped. */
export class AttemptRows {
  readonly #store: Store;
  readonly #states: TaskStates;

  constructor(store: Store, states: TaskStates) {
    this.#store = store;
    this.#states = states;
  }

  /**
   * Writes a new attempt in one commit with its task's steps to STARTING, and names its worker.
   * @throws VgpuError `BAD_TRANSITION` where the task does not wait any more.
   */
  async place(attempt: string, task: TaskTable, job: JobTable, placement: Placement): Promise<TaskTable> {
    const now = Date.now();
    let worker = '';
    const placed = await this.#states.moveWith(
      async (trx, { task: moved }) => {
        const row = await trx
          .updateTable('jobs')
          .set((e) => ({ workers: e('workers', '+', 1) }))
          .where('id', '=', job.id)
          .returning('workers')
          .executeTakeFirstOrThrow();
        worker = workerName(Number(row.workers));
        await trx.updateTable('tasks').set({ worker }).where('id', '=', task.id).execute();
        await trx
          .insertInto('attempts')
          .values({
            id: attempt,
            project: job.project,
            task: task.id,
            job: job.id,
            number: moved.attempts,
            worker,
            placement: JSON.stringify(placement),
            created_at: now,
          })
          .execute();
      },
      {
        task: task.id,
        to: 'SCHEDULED',
        at: now,
        set: { attempt, attempts: task.attempts + 1, queued_ms: now - task.queued_at, reason: null },
      },
      { task: task.id, to: 'STARTING', at: now },
    );
    return { ...placed.task, worker };
  }

  /** Its worker is there. */
  async hasWorker(attempt: string, handle: WorkerHandle, placement: Placement): Promise<void> {
    const values = { handle: JSON.stringify(handle), placement: JSON.stringify(placement) };
    await this.#store.write((trx) =>
      trx.updateTable('attempts').set(values).where('id', '=', attempt).execute(),
    );
  }

  /** Its program runs since `at`. */
  async runs(attempt: string, task: string, container: string, at: number): Promise<void> {
    await this.#states.moveWith(
      async (trx) => {
        await trx.updateTable('attempts').set({ started_at: at }).where('id', '=', attempt).execute();
      },
      { task, to: 'RUNNING', at, attempt, set: { started_at: at, container } },
    );
  }

  /** It is told to end to make room; undefined takes that back. */
  async preempted(attempt: string, reason: Reason | undefined): Promise<void> {
    const preempted = reason ? JSON.stringify(reason) : null;
    await this.#store.write((trx) =>
      trx.updateTable('attempts').set({ preempted }).where('id', '=', attempt).execute(),
    );
  }

  /** How it ended, with what was seen of it; the first word counts. */
  async ended(
    attempt: string,
    task: string,
    outcome: Outcome,
    seen: Partial<TelemetryColumns> & { files: number },
  ): Promise<void> {
    await this.#store.write(async (trx) => {
      await trx
        .updateTable('attempts')
        .set({ outcome: JSON.stringify(outcome), ended_at: outcome.endedAt })
        .where('id', '=', attempt)
        .where('outcome', 'is', null)
        .execute();
      await trx
        .updateTable('tasks')
        .set(seen)
        .where('id', '=', task)
        .where('attempt', '=', attempt)
        .execute();
    });
  }

  /** What the task may still spend on attempts, and who asked for its stop. */
  allowance(task: string): Promise<Pick<TaskTable, 'retries_used' | 'losses' | 'stop_by'> | undefined> {
    return this.#store.read
      .selectFrom('tasks')
      .select(['retries_used', 'losses', 'stop_by'])
      .where('id', '=', task)
      .executeTakeFirst();
  }
}
