import { hostname } from 'node:os';
import {
  type AcceleratorShare,
  type AcceleratorView,
  type Bind,
  changeView,
  makeView,
  type Pending,
  type QueueView,
  RefusedChange,
  type RunningTask,
  runningFrom,
  type View,
} from '@vgpu/scheduler';

/** Room that is being made for a task: it starts when those it waits for have ended. */
export interface Claim {
  readonly task: Pending;
  readonly bind: Bind;
}

export interface Capacity {
  cpuMilli: number;
  memoryBytes: number;
  /** The accelerators with what is free on them now. */
  accelerators: () => readonly AcceleratorView[];
  /** Projects with their quotas. */
  queues: () => readonly QueueView[];
}

/** What this machine has, what running tasks hold of it, and what is kept for those that room is made for. */
export class HeldRoom {
  readonly node = hostname();
  readonly claims = new Map<string, Claim>();
  readonly #capacity: Capacity;
  readonly #held = new Map<string, RunningTask>();
  #version = 1;

  constructor(capacity: Capacity) {
    this.#capacity = capacity;
  }

  hold(task: RunningTask): void {
    this.#held.set(task.taskId, task);
    this.#version++;
  }

  release(taskId: string): void {
    if (this.#held.delete(taskId)) this.#version++;
  }

  running(): readonly RunningTask[] {
    return [...this.#held.values()];
  }

  #holders(): readonly ((RunningTask | Bind) & { project: string })[] {
    const claims = [...this.claims.values()].map(({ task, bind }) => ({ ...bind, project: task.project }));
    return [...this.#held.values(), ...claims];
  }

  /** Shares of accelerators that are held or kept, and for which project. */
  shares(): readonly (AcceleratorShare & { project: string })[] {
    return this.#holders().flatMap(({ project, accelerators }) =>
      accelerators.map((share) => ({ ...share, project })),
    );
  }

  /**
   * What there is and what is free, as the scheduler sees it. Room that is kept for a task counts beside what those
   * who make it hold until they are gone, so for that while less looks free than is: never the other way round.
   */
  view(preemptible: (task: RunningTask) => boolean): View {
    let { cpuMilli: cpu, memoryBytes: memory } = this.#capacity;
    for (const holder of this.#holders()) {
      cpu -= holder.cpuMilli;
      memory -= holder.memoryBytes;
    }
    return makeView({
      version: this.#version,
      nodes: [
        {
          id: this.node,
          cpuMilli: this.#capacity.cpuMilli,
          freeCpuMilli: Math.max(0, cpu),
          memoryBytes: this.#capacity.memoryBytes,
          freeMemoryBytes: Math.max(0, memory),
          accelerators: this.#capacity.accelerators(),
        },
      ],
      running: [
        ...this.running().map((task) => ({ ...task, preemptible: preemptible(task) })),
        // They count against their project's bounds from now on.
        ...[...this.claims.values()].map(({ task, bind }) => ({
          ...runningFrom(task, bind, Date.now()),
          preemptible: false,
        })),
      ],
      queues: this.#capacity.queues(),
    });
  }
}

/** The view with the task running; undefined where there is no room for it now. */
export function roomAfter(view: View, task: RunningTask): View | undefined {
  try {
    return changeView(view, [{ kind: 'start', task }]);
  } catch (error) {
    if (error instanceof RefusedChange) return undefined;
    throw error;
  }
}
