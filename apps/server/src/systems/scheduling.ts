import { hostname } from 'node:os';
import {
  type AcceleratorView,
  type Bind,
  isHopeless,
  makeView,
  type Pending,
  plan,
  type RunningTask,
  type View,
  type Wait,
} from '@vgpu/scheduler';
import type { Logger } from 'pino';
import { acceleratorShortage } from './accelerator-shortage.ts';

export interface SchedulingOptions {
  cpuMilli: number;
  memoryBytes: number;
  log: Logger;
  /** The accelerators with what is free on them now. */
  accelerators: () => readonly AcceleratorView[];
  /** Why nothing can start at all at present; undefined when the engine is well. */
  blocked: () => { code: string; message: string; hint: string } | undefined;
  /** Carries a placement out. The task's amounts are held until `release`. */
  start: (bind: Bind) => void;
}

export interface Waiting {
  position: number;
  code: string;
  message: string;
  hint: string | null;
  estimatedStart: number | null;
}

/**
 * Decides which waiting tasks start, whenever something changed: a submission, an end, a stop. It keeps the
 * waiting tasks and what the running ones hold in memory; the store can rebuild both at any time.
 */
export class Scheduling {
  readonly node = hostname();
  readonly #options: SchedulingOptions;
  readonly #pending = new Map<string, Pending>();
  readonly #held = new Map<string, RunningTask>();
  readonly #waits = new Map<string, Waiting>();
  readonly #delays = new Map<string, NodeJS.Timeout>();
  #version = 1;
  #scheduled = false;
  #running = false;

  constructor(options: SchedulingOptions) {
    this.#options = options;
  }

  /** Starts deciding; until then tasks only gather. */
  open(): void {
    this.#running = true;
    this.wake();
  }

  close(): void {
    this.#running = false;
    for (const timer of this.#delays.values()) clearTimeout(timer);
    this.#delays.clear();
  }

  /** Adds waiting tasks. @param notBefore epoch ms before which it is not placed (back-off). */
  add(task: Pending, notBefore = 0): void {
    const wait = notBefore - Date.now();
    if (wait > 0) {
      this.#forgetDelay(task.taskId);
      const timer = setTimeout(() => this.add(task), Math.min(wait, 2 ** 31 - 1));
      timer.unref();
      this.#delays.set(task.taskId, timer);
      this.#waits.set(task.taskId, {
        position: 0,
        code: 'backoff',
        message: 'It failed and is tried again shortly.',
        hint: null,
        estimatedStart: notBefore,
      });
      return;
    }
    this.#forgetDelay(task.taskId);
    this.#pending.set(task.taskId, task);
    this.wake();
  }

  /** Takes a task out of the queue, as when it is cancelled. */
  remove(taskId: string): void {
    this.#forgetDelay(taskId);
    this.#pending.delete(taskId);
    this.#waits.delete(taskId);
    this.wake();
  }

  /** Counts a task that runs already, as after a restart. */
  hold(task: RunningTask): void {
    this.#held.set(task.taskId, task);
    this.#version++;
  }

  /** Gives back what a task held. */
  release(taskId: string): void {
    if (this.#held.delete(taskId)) this.#version++;
    this.wake();
  }

  /** Why a task waits; undefined when it does not, or was not looked at yet. */
  waiting(taskId: string): Waiting | undefined {
    return this.#waits.get(taskId);
  }

  /** Waiting tasks in their order. */
  queue(): { task: Pending; waiting: Waiting }[] {
    return [...this.#waits]
      .flatMap(([id, waiting]) => {
        const task = this.#pending.get(id);
        return task ? [{ task, waiting }] : [];
      })
      .sort((a, b) => a.waiting.position - b.waiting.position);
  }

  held(): readonly RunningTask[] {
    return [...this.#held.values()];
  }

  /** What there is and what is free, as the scheduler sees it. */
  view(): View {
    let cpu = this.#options.cpuMilli;
    let memory = this.#options.memoryBytes;
    for (const task of this.#held.values()) {
      cpu -= task.cpuMilli;
      memory -= task.memoryBytes;
    }
    return makeView({
      version: this.#version,
      nodes: [
        {
          id: this.node,
          cpuMilli: this.#options.cpuMilli,
          freeCpuMilli: Math.max(0, cpu),
          memoryBytes: this.#options.memoryBytes,
          freeMemoryBytes: Math.max(0, memory),
          accelerators: this.#options.accelerators(),
        },
      ],
      running: this.held(),
    });
  }

  /** Why a task could never run here; undefined when time can help. Looks at the task alone, so it is cheap. */
  hopeless(task: Pending): string | undefined {
    const [decision] = plan(this.view(), [task], { now: Date.now() }).decisions;
    if (decision?.kind !== 'wait' || !isHopeless(decision.code)) return undefined;
    return acceleratorShortage(task, this.#options.accelerators()) ?? decision.message;
  }

  /** What would happen to these tasks if they were submitted now. Changes nothing. */
  preview(tasks: readonly Pending[]): Map<string, Bind | Wait> {
    const { decisions } = plan(this.view(), [...this.#pending.values(), ...tasks], { now: Date.now() });
    const mine = new Set(tasks.map((task) => task.taskId));
    const found = new Map<string, Bind | Wait>();
    for (const decision of decisions) {
      if ((decision.kind === 'bind' || decision.kind === 'wait') && mine.has(decision.taskId)) {
        found.set(decision.taskId, decision);
      }
    }
    return found;
  }

  /** Looks again, once, after whatever is being done now. */
  wake(): void {
    if (this.#scheduled || !this.#running) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#running) this.#decide();
    });
  }

  #decide(): void {
    if (this.#pending.size === 0) return;
    const blocked = this.#options.blocked();
    if (blocked) {
      let position = 0;
      for (const id of this.#pending.keys()) {
        const wait = { ...blocked, position: ++position, estimatedStart: null };
        this.#waits.set(id, wait);
      }
      return;
    }
    const { decisions } = plan(this.view(), [...this.#pending.values()], { now: Date.now() });
    for (const decision of decisions) {
      switch (decision.kind) {
        case 'bind':
          this.#bind(decision);
          break;
        case 'wait':
          this.#waits.set(decision.taskId, {
            position: decision.position,
            code: decision.code,
            message: decision.message,
            hint: decision.unblock || null,
            estimatedStart: decision.estimatedStart ?? null,
          });
          break;
        case 'preempt':
        case 'migrate':
        case 'repartition':
          // One machine without checkpoints: plans are asked for without disruption, so these do not occur.
          this.#options.log.warn({ decision }, 'ignored a decision that this server cannot carry out');
          break;
      }
    }
  }

  #bind(bind: Bind): void {
    const task = this.#pending.get(bind.taskId)!;
    this.#pending.delete(bind.taskId);
    this.#waits.delete(bind.taskId);
    this.hold({
      taskId: task.taskId,
      jobId: task.jobId,
      project: task.project,
      priority: task.priority ?? 0,
      qos: task.qos ?? 'burstable',
      node: bind.node,
      cpuMilli: bind.cpuMilli,
      memoryBytes: bind.memoryBytes,
      accelerators: bind.accelerators,
      startedAt: Date.now(),
    });
    this.#options.start(bind);
  }

  #forgetDelay(taskId: string): void {
    clearTimeout(this.#delays.get(taskId));
    this.#delays.delete(taskId);
  }
}
