import type { Progress } from '@vgpu/api';
import { useEffect, useSyncExternalStore } from 'react';
import { Batched } from './batched.ts';
import { type Point, SeriesStore } from './series-store.ts';

/** What changes too often for the query cache: progress, the line that a bar redraws, metric points. */
export class TaskLive {
  readonly series: SeriesStore;
  readonly #batched = new Batched();
  progress: Progress | null = null;
  liveLine: string | null = null;

  constructor(task: string) {
    this.series = new SeriesStore(task);
  }

  listen = this.#batched.listen;
  get version(): number {
    return this.#batched.version;
  }

  update(progress: Progress | null, liveLine: string | null, points: readonly Point[]): void {
    if (progress) this.progress = progress;
    this.liveLine = liveLine;
    this.series.append(points);
    this.#batched.changed();
  }
}

const tasks = new Map<string, TaskLive>();
/** More tasks than this are not kept: the oldest go. */
const keepTasks = 200;

/** The live part of a task, made at its first use. */
export function taskLive(task: string): TaskLive {
  let one = tasks.get(task);
  if (!one) {
    one = new TaskLive(task);
    tasks.set(task, one);
    if (tasks.size > keepTasks) tasks.delete(tasks.keys().next().value!);
  }
  return one;
}

/** Progress and redrawn line of a task, as they change. */
export function useTaskLive(task: string): TaskLive {
  const live = taskLive(task);
  useSyncExternalStore(live.listen, () => live.version);
  return live;
}

/** The series of a task, read at first use; re-renders when a new name appears, not at each point. */
export function useSeriesNames(task: string): { store: SeriesStore; names: string[] } {
  const { series: store } = taskLive(task);
  useEffect(() => {
    if (!store.loaded) void store.load();
  }, [store]);
  const key = useSyncExternalStore(store.listen, () => `${store.loaded}\n${store.names().join('\n')}`);
  return { store, names: key.split('\n').slice(1).filter(Boolean) };
}
