import type { Job, Task } from '@vgpu/api';
import type { JobSpec } from '@vgpu/core';

/** One task with the settings of its job: a line of the comparison. */
export interface Trial {
  key: string;
  job: Job;
  task: Task;
  title: string;
  /** Place of its job among those compared: its colour. */
  index: number;
  /** Settings that are numbers. */
  settings: Record<string, number>;
}

/** Numbers among the arguments and resources of a job, by the name that a person gave them. */
export function settingsOf(job: Job): Record<string, number> {
  const spec = job.spec as unknown as Partial<JobSpec>;
  const found: Record<string, number> = {};
  if (spec.args && !Array.isArray(spec.args)) {
    for (const [name, value] of Object.entries(spec.args)) {
      const number = typeof value === 'boolean' ? Number(value) : Number(value);
      if (value !== '' && Number.isFinite(number)) found[name] = number;
    }
  }
  if (spec.resources) {
    found['CPU cores'] = spec.resources.cpu / 1000;
    if (spec.resources.gpu) found.GPU = spec.resources.gpu / 1000;
  }
  return found;
}

export function trialsOf(jobs: readonly Job[]): Trial[] {
  const doubled = new Set(jobs.map((job) => job.name)).size < jobs.length;
  return jobs.flatMap((job, index) => {
    const settings = settingsOf(job);
    const name = doubled ? `${job.name} ${job.id.slice(-4)}` : job.name;
    return job.tasks.map((task) => ({
      key: task.id,
      job,
      task,
      index,
      settings,
      title: `${name} · ${task.name}`,
    }));
  });
}

/** Axes worth drawing: settings that differ between trials, then the metrics that most of them have. */
export function axesOf(trials: readonly Trial[], most = 8): string[] {
  const settings = new Map<string, Set<number>>();
  const metrics = new Map<string, number>();
  for (const trial of trials) {
    for (const [name, value] of Object.entries(trial.settings)) {
      settings.set(name, (settings.get(name) ?? new Set()).add(value));
    }
    for (const name of Object.keys(trial.task.metrics)) metrics.set(name, (metrics.get(name) ?? 0) + 1);
  }
  const differing = [...settings].filter(([, values]) => values.size > 1).map(([name]) => name);
  const common = [...metrics].sort((a, b) => b[1] - a[1]).map(([name]) => name);
  return [...differing, ...common.filter((name) => !differing.includes(name))].slice(0, most);
}

export const valueAt = (trial: Trial, axis: string): number | undefined =>
  trial.task.metrics[axis] ?? trial.settings[axis];
