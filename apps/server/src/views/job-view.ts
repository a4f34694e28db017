import type { Job, JobSummary, Task } from '@vgpu/api';
import { isTerminal, type JobSpec, taskStates } from '@vgpu/core';
import type { JobTable } from '@vgpu/store';
import { bestOf, primaryMetric } from '../systems/primary-metric.ts';

type Counts = JobSummary['counts'];

export const emptyCounts = (): Counts => Object.fromEntries(taskStates.map((state) => [state, 0])) as Counts;

/** What a summary needs of a task. */
export type TaskBrief = Pick<Task, 'id' | 'name' | 'state' | 'metrics'> & { fraction: number };

export const brief = (task: Task): TaskBrief => ({
  id: task.id,
  name: task.name,
  state: task.state,
  metrics: task.metrics,
  fraction: fractionOf(task),
});

/** How far a task is, 0 to 1: what has ended counts as done, however it ended. */
export function fractionOf(task: Pick<Task, 'state' | 'progress'>): number {
  if (isTerminal(task.state)) return 1;
  return Math.min(1, Math.max(0, task.progress?.fraction ?? 0));
}

/** A job in the words of the API, without its tasks. */
export function jobSummary(row: JobTable, tasks: readonly TaskBrief[]): JobSummary {
  const spec = JSON.parse(row.spec) as JobSpec;
  const counts = emptyCounts();
  let fraction = 0;
  for (const task of tasks) {
    counts[task.state]++;
    fraction += task.fraction;
  }
  const primary = primaryMetric(
    { primary: row.primary_metric, goal: row.goal },
    tasks.map((t) => t.metrics),
  );
  const best = bestOf(tasks, primary);
  const { gpu, vram, cpu, memory, isolation, qos, models } = spec.resources;
  return {
    id: row.id,
    name: row.name,
    project: row.project,
    user: row.user,
    state: row.state,
    script: row.script,
    image: row.image,
    priority: row.priority,
    counts,
    tasksTotal: row.tasks_total,
    fraction: tasks.length === 0 ? 0 : fraction / tasks.length,
    primary: primary?.name ?? null,
    goal: primary?.goal ?? null,
    best: best ? { task: best.item.id, name: best.item.name, value: best.value } : null,
    resources: { gpu, vram, cpu, memory, isolation, qos, models },
    submittedAt: row.submitted_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
  };
}

export function jobView(row: JobTable, tasks: readonly Task[]): Job {
  return {
    ...jobSummary(row, tasks.map(brief)),
    tasks: [...tasks],
    spec: JSON.parse(row.spec) as Record<string, unknown>,
    bundle: row.bundle,
  };
}
