import { newId } from '@vgpu/core';
import type { Store } from '../store.ts';

/** Adds a queued job with its tasks straight to the tables. */
export async function addJob(
  store: Store,
  { tasks = 1, at = 1 }: { tasks?: number; at?: number },
): Promise<{ job: string; tasks: string[] }> {
  const job = newId('job');
  const ids = Array.from({ length: tasks }, () => newId('task'));
  await store.write(async (trx) => {
    await trx
      .insertInto('jobs')
      .values({
        id: job,
        project: 'default',
        user: 'admin',
        name: 'test',
        state: 'QUEUED',
        spec: '{}',
        script: 'a.py',
        image: 'sklearn',
        bundle: 'none',
        priority: 0,
        primary_metric: null,
        goal: null,
        tasks_total: tasks,
        workers: 0,
        submitted_at: at,
        started_at: null,
        ended_at: null,
      })
      .execute();
    for (const [idx, id] of ids.entries()) {
      await trx
        .insertInto('tasks')
        .values({
          id,
          project: 'default',
          job,
          idx,
          name: `task-${idx + 1}`,
          state: 'QUEUED',
          attempts: 0,
          retries_used: 0,
          losses: 0,
          not_before: 0,
          metrics: '{}',
          lines: 0,
          dropped_bytes: 0,
          files: 0,
          submitted_at: at,
          queued_at: at,
        })
        .execute();
    }
  });
  return { job, tasks: ids };
}
