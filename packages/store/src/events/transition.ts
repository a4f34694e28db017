import { assertTransition, isJobTerminal, jobStateOf, type TaskState, VgpuError } from '@vgpu/core';
import type { Updateable } from 'kysely';
import type { DialectName, Transaction } from '../backend.ts';
import type { TaskTable } from '../schema/tables.ts';
import { appendEvent } from './append-event.ts';

export interface TransitionRequest {
  task: string;
  to: TaskState;
  at: number;
  /** Only if this is still the task's attempt: what an earlier one says no longer counts. */
  attempt?: string;
  /** Other columns that change along with the state. */
  set?: Updateable<TaskTable>;
  /** Kept with the event. */
  data?: unknown;
}

export interface TransitionResult {
  task: TaskTable;
  from: TaskState;
  seq: number;
}

/**
 * The one way in which a task changes state: checked against core's table, written together with its event and
 * with the job's state that follows from it.
 * @throws VgpuError `NOT_FOUND`; `BAD_TRANSITION`; `CONFLICT` where another attempt has taken over.
 */
export async function transition(
  trx: Transaction,
  dialect: DialectName,
  request: TransitionRequest,
): Promise<TransitionResult> {
  let query = trx.selectFrom('tasks').selectAll().where('id', '=', request.task);
  if (dialect === 'postgres') query = query.forUpdate();
  const before = await query.executeTakeFirst();
  if (!before) throw new VgpuError('NOT_FOUND', { what: 'task', id: request.task, list: 'ps' });
  if (request.attempt !== undefined && before.attempt !== request.attempt) {
    throw new VgpuError('CONFLICT', {
      problem: `attempt ${request.attempt} of task ${request.task} is over`,
      advice: 'Another attempt has taken over.',
    });
  }
  assertTransition(before.state, request.to);
  const set = { ...request.set, state: request.to };
  await trx.updateTable('tasks').set(set).where('id', '=', request.task).execute();
  const seq = await appendEvent(trx, dialect, {
    project: before.project,
    at: request.at,
    kind: 'task',
    job: before.job,
    task: before.id,
    attempt: request.set?.attempt ?? before.attempt,
    from: before.state,
    to: request.to,
    data: request.data,
  });
  await refreshJob(trx, before.job, request.at);
  return { task: { ...before, ...(set as Partial<TaskTable>) }, from: before.state, seq };
}

/** Sets a job's state and times to what its tasks say. */
async function refreshJob(trx: Transaction, job: string, at: number): Promise<void> {
  const rows = await trx.selectFrom('tasks').select('state').distinct().where('job', '=', job).execute();
  const state = jobStateOf(rows.map((row) => row.state));
  const known = await trx
    .selectFrom('jobs')
    .select(['state', 'started_at', 'ended_at'])
    .where('id', '=', job)
    .executeTakeFirstOrThrow();
  const started = known.started_at ?? (state === 'QUEUED' ? null : at);
  const ended = isJobTerminal(state) ? (known.ended_at ?? at) : null;
  if (known.state === state && known.started_at === started && known.ended_at === ended) return;
  await trx
    .updateTable('jobs')
    .set({ state, started_at: started, ended_at: ended })
    .where('id', '=', job)
    .execute();
}
