import type { WaitCode } from './reasons.ts';
import type { AcceleratorShare } from './view.ts';

/** Start a task on a node with these shares. */
export interface Bind {
  readonly kind: 'bind';
  readonly taskId: string;
  readonly node: string;
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  /** Empty for CPU-only work. */
  readonly accelerators: readonly AcceleratorShare[];
  /** What it waits for in this plan: tasks to be preempted or moved, devices to be repartitioned, first. */
  readonly after?: readonly string[];
}

/** Stop a running task (checkpoint first where it can) so that `for` can start; it goes back to its queue. */
export interface Preempt {
  readonly kind: 'preempt';
  readonly taskId: string;
  readonly for: string;
  readonly checkpoint: boolean;
  /** Work lost, in milliseconds of run time. */
  readonly lostMs: number;
  readonly reason: string;
}

/** Move a running task. */
export interface Migrate {
  readonly kind: 'migrate';
  readonly taskId: string;
  readonly from: string;
  readonly to: string;
  readonly accelerators: readonly AcceleratorShare[];
  readonly for?: string;
  readonly reason: string;
}

/** Change the MIG instances of one device: destroy and create the named ones; others stay untouched. */
export interface Repartition {
  readonly kind: 'repartition';
  readonly node: string;
  readonly uuid: string;
  readonly destroy: readonly { readonly profile: string; readonly start: number }[];
  readonly create: readonly { readonly profile: string; readonly start: number }[];
  readonly for?: string;
}

/** Not now, with a reason for people and one for programs. */
export interface Wait {
  readonly kind: 'wait';
  readonly taskId: string;
  readonly code: WaitCode;
  /** One sentence: what was short, by how much, on how many nodes. */
  readonly message: string;
  /** What would let it start. */
  readonly unblock: string;
  /** 1 = next in its queue order over the whole cluster. */
  readonly position: number;
  /** Earliest start that the expected ends of running tasks allow; absent when unknown. */
  readonly estimatedStart?: number;
}

export type Decision = Bind | Preempt | Migrate | Repartition | Wait;

export interface Plan {
  /** The version of the view that it was made for; applying it to any other is refused. */
  readonly viewVersion: number;
  readonly decisions: readonly Decision[];
}
