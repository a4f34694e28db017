import type { Store } from '@vgpu/store';
import { backoffMs, type Outcome } from './outcome.ts';
import type { TaskStates } from './task-states.ts';

/**
 * Makes an attempt's outcome the task's state.
 * @returns when the task may be placed again, where it goes back to the queue.
 */
export async function settleOutcome(
  { store, states }: { store: Store; states: TaskStates },
  attempt: string,
  task: string,
  outcome: Outcome,
  teardownMs: number,
): Promise<{ notBefore: number } | undefined> {
  const row = await store.read
    .selectFrom('tasks')
    .select(['retries_used', 'losses', 'started_at'])
    .where('id', '=', task)
    .executeTakeFirst();
  if (!row) return undefined;
  const now = Date.now();
  const timings = {
    start_ms: outcome.startMs,
    run_ms: outcome.runMs,
    teardown_ms: teardownMs,
    exit_code: outcome.exitCode,
    reason: outcome.reason ? JSON.stringify(outcome.reason) : null,
  };
  if (outcome.to !== 'QUEUED') {
    const started_at = row.started_at ?? (outcome.runMs ? Math.round(outcome.endedAt - outcome.runMs) : null);
    await states.move({
      task,
      attempt,
      to: outcome.to,
      at: now,
      set: { ...timings, started_at, ended_at: outcome.endedAt },
      data: { reason: outcome.reason?.code ?? null },
    });
    return undefined;
  }
  const retries = row.retries_used + (outcome.paidBy === 'retries' ? 1 : 0);
  const losses = row.losses + (outcome.paidBy === 'loss' ? 1 : 0);
  const notBefore = outcome.paidBy === 'retries' ? now + backoffMs(retries) : now;
  await states.move({
    task,
    attempt,
    to: 'QUEUED',
    at: now,
    set: {
      ...timings,
      attempt: null,
      worker: null,
      container: null,
      started_at: null,
      queued_at: now,
      not_before: notBefore,
      retries_used: retries,
      losses,
    },
    data: { reason: outcome.reason?.code ?? null, paidBy: outcome.paidBy },
  });
  return { notBefore };
}
