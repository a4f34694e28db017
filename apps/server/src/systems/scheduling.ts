import { hostname } from 'node:os';
import {
  type AcceleratorShare,
  type AcceleratorView,
  type Bind,
  changeView,
  isHopeless,
  makeView,
  type Pending,
  type Preempt,
  plan,
  type QueueView,
  RefusedChange,
  type RunningTask,
  type View,
  type Wait,
} from '@vgpu/scheduler';
import type { Logger } from 'pino';
import { acceleratorShortage } from './accelerator-shortage.ts';
import { WaitingLine } from './waiting-line.ts';

export interface SchedulingOptions {
  cpuMilli: number;
  memoryBytes: number;
  log: Logger;
  /** How many running tasks may be stopped at once to make room; 0: none is ever stopped. */
  preemption: number;
  /** The accelerators with what is free on them now. */
  accelerators: () => readonly AcceleratorView[];
  /** Projects with their quotas. */
  queues: () => readonly QueueView[];
  /** Why nothing can start at all at present; undefined when the engine is well. */
  blocked: () => { code: string; message: string; hint: string } | undefined;
  /** Carries a placement out. The task's amounts are held until `release`. */
  start: (bind: Bind) => void;
  /** Whether a running task's worker can be told to end; one that is still starting cannot. */
  stoppable: (taskId: string) => boolean;
  /** Ends a task so that another can start. It is `release`d when it has ended, or `stays` when it could not be. */
  preempt: (preempt: Preempt) => void;
}

export interface Waiting {
  position: number;
  code: string;
  message: string;
  hint: string | null;
  estimatedStart: number | null;
}

type Reason = Omit<Waiting, 'position'>;

/** Room that is being made for a task: it starts when those it waits for have ended. */
interface Claim {
  readonly task: Pending;
  readonly bind: Bind;
}

/** Tasks of one kind that a plan looks at; when all of them start, the next plan looks at more. */
const LOOK_AT = 64;

/** How long a task that could not be stopped is left alone. */
const STUBBORN_MS = 30_000;

const NOT_LOOKED_AT: Reason = {
  code: 'new',
  message: 'It came to the queue a moment ago.',
  hint: null,
  estimatedStart: null,
};

/**
 * Decides which waiting tasks start, whenever something changed: a submission, an end, a stop. It keeps the
 * waiting tasks and what the running ones hold in memory; the store can rebuild both at any time.
 */
export class Scheduling {
  readonly node = hostname();
  readonly #options: SchedulingOptions;
  readonly #line = new WaitingLine();
  readonly #held = new Map<string, RunningTask>();
  /** Tasks that could not be stopped, and until when nobody tries again. */
  readonly #stubborn = new Map<string, number>();
  /** Tasks that were told to end to make room. They hold what they held until they are gone. */
  readonly #leaving = new Set<string>();
  readonly #claims = new Map<string, Claim>();
  /** Why tasks wait, by kind, and when those that the last plan looked at may start. */
  readonly #reasons = new Map<string, Reason>();
  readonly #estimates = new Map<string, { position: number; start: number | null }>();
  readonly #delays = new Map<string, { task: Pending; timer: NodeJS.Timeout; until: number }>();
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
    for (const { timer } of this.#delays.values()) clearTimeout(timer);
    this.#delays.clear();
  }

  /** Adds a waiting task. @param notBefore epoch ms before which it is not placed (back-off). */
  add(task: Pending, notBefore = 0): void {
    this.#forget(task.taskId);
    const wait = notBefore - Date.now();
    if (wait > 0) {
      const timer = setTimeout(() => this.add(task), Math.min(wait, 2 ** 31 - 1));
      timer.unref();
      this.#delays.set(task.taskId, { task, timer, until: notBefore });
      return;
    }
    this.#line.add(task);
    this.wake();
  }

  /** Takes a task out of the queue, as when it is cancelled. */
  remove(taskId: string): void {
    this.#forget(taskId);
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
    this.#stubborn.delete(taskId);
    this.#left(taskId);
    this.wake();
  }

  /** A task that was to make room could not be stopped: whoever waits for its room queues again. */
  stays(taskId: string): void {
    this.#stubborn.set(taskId, Date.now() + STUBBORN_MS);
    for (const { task, bind } of this.#claims.values()) {
      if (!bind.after?.includes(taskId)) continue;
      this.#claims.delete(task.taskId);
      this.#line.add(task);
    }
    this.#left(taskId);
    this.wake();
  }

  /** Why a task waits; undefined when it does not. */
  waiting(taskId: string): Waiting | undefined {
    const delayed = this.#delays.get(taskId);
    if (delayed) {
      const message = 'It failed and is tried again shortly.';
      return { position: 0, code: 'backoff', message, hint: null, estimatedStart: delayed.until };
    }
    if (this.#claims.has(taskId)) {
      const message = 'Running tasks are being stopped to make room for it.';
      return { position: 1, code: 'preempting', message, hint: null, estimatedStart: null };
    }
    const kind = this.#line.kindOf(taskId);
    if (kind === undefined) return undefined;
    const reason = this.#blocked() ?? this.#reasons.get(kind) ?? NOT_LOOKED_AT;
    const known = this.#estimates.get(taskId);
    const turn = this.#claims.size + (this.#line.turn(taskId) ?? 0);
    // The plan knows the order across projects as well; it counts only where it looked at every task.
    const position =
      known && this.#estimates.size === this.#line.size ? this.#claims.size + known.position : turn;
    return { ...reason, position, estimatedStart: known?.start ?? null };
  }

  /** Waiting tasks in their order; those that are held back after a failure come last. */
  queue(): { task: Pending; waiting: Waiting }[] {
    const claimed = [...this.#claims.values()].map(({ task }) => task);
    const delayed = [...this.#delays.values()].map(({ task }) => task);
    return [...claimed, ...this.#line.all(), ...delayed]
      .flatMap((task) => {
        const waiting = this.waiting(task.taskId);
        return waiting ? [{ task, waiting }] : [];
      })
      .sort((a, b) => (a.waiting.position || Infinity) - (b.waiting.position || Infinity) || 0);
  }

  /** How many tasks of a project wait. */
  waitingOf(project: string): number {
    let count = 0;
    for (const task of this.#line.all()) if (task.project === project) count++;
    for (const { task } of [...this.#claims.values(), ...this.#delays.values()]) {
      if (task.project === project) count++;
    }
    return count;
  }

  held(): readonly RunningTask[] {
    return [...this.#held.values()];
  }

  /** Shares of accelerators that are held or kept. */
  shares(): readonly (AcceleratorShare & { project: string })[] {
    const claims = [...this.#claims.values()].map(({ task, bind }) => ({ ...bind, project: task.project }));
    return [...this.#held.values(), ...claims].flatMap(({ project, accelerators }) =>
      accelerators.map((share) => ({ ...share, project })),
    );
  }

  /**
   * What there is and what is free, as the scheduler sees it. Room that is kept for a task counts beside what those
   * who make it hold until they are gone, so for that while less looks free than is: never the other way round.
   */
  view(): View {
    let cpu = this.#options.cpuMilli;
    let memory = this.#options.memoryBytes;
    for (const holder of [...this.#held.values(), ...[...this.#claims.values()].map(({ bind }) => bind)]) {
      cpu -= holder.cpuMilli;
      memory -= holder.memoryBytes;
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
      running: this.held().map((task) => ({ ...task, preemptible: this.#preemptible(task) })),
      queues: this.#options.queues(),
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
    const mine = new Set(tasks.map((task) => task.taskId));
    const found = new Map<string, Bind | Wait>();
    for (const decision of this.#plan([...this.#line.front(LOOK_AT), ...tasks])) {
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

  #blocked(): Reason | undefined {
    const blocked = this.#options.blocked();
    return blocked && { ...blocked, estimatedStart: null };
  }

  #preemptible(task: RunningTask): boolean {
    const { taskId, qos } = task;
    if (qos === 'guaranteed' || this.#leaving.has(taskId)) return false;
    return (this.#stubborn.get(taskId) ?? 0) <= Date.now() && this.#options.stoppable(taskId);
  }

  /**
   * One plan. Tasks are never moved (none is marked as checkpointable) and devices never cut anew; who makes room is
   * asked only once those asked before are gone, so that nobody is stopped for room that is on its way.
   */
  #plan(tasks: readonly Pending[]) {
    const disruptionBudget = this.#leaving.size > 0 ? 0 : this.#options.preemption;
    return plan(this.view(), tasks, { now: Date.now(), disruptionBudget, repartition: false }).decisions;
  }

  #decide(): void {
    if (this.#leaving.size === 0) this.#startClaims();
    if (this.#line.size === 0 || this.#options.blocked()) return;
    const looked = this.#line.front(LOOK_AT);
    const decisions = this.#plan(looked);
    this.#reasons.clear();
    this.#estimates.clear();
    const stopping = new Set<string>();
    let room = this.view();
    let started = 0;
    for (const decision of decisions) {
      switch (decision.kind) {
        case 'preempt':
          stopping.add(decision.taskId);
          break;
        case 'bind': {
          const task = this.#line.get(decision.taskId)!;
          if (decision.after?.some((id) => stopping.has(id))) {
            this.#line.remove(task.taskId);
            this.#claims.set(task.taskId, { task, bind: decision });
            break;
          }
          // Beside a preemption a plan may also hand out what the victims leave over: that waits for the next plan.
          const next = roomAfter(room, runningOf(task, decision));
          if (!next) break;
          room = next;
          started++;
          this.#bind(task, decision);
          break;
        }
        case 'wait': {
          const { taskId, code, message, unblock, position, estimatedStart } = decision;
          this.#estimates.set(taskId, { position, start: estimatedStart ?? null });
          const kind = this.#line.kindOf(taskId)!;
          if (!this.#reasons.has(kind)) {
            this.#reasons.set(kind, { code, message, hint: unblock || null, estimatedStart: null });
          }
          break;
        }
        case 'migrate':
        case 'repartition':
          this.#options.log.error({ decision }, 'a plan held what it was asked not to hold');
          break;
      }
    }
    for (const decision of decisions) {
      if (decision.kind !== 'preempt') continue;
      this.#leaving.add(decision.taskId);
      this.#options.preempt(decision);
    }
    // More of the same kind may fit, and the rest can now be told when it starts.
    if (started > 0 && this.#line.size > 0) this.wake();
  }

  /** Those who made room are gone: whoever it was made for starts. */
  #startClaims(): void {
    for (const { task, bind } of [...this.#claims.values()]) {
      this.#claims.delete(task.taskId);
      if (roomAfter(this.view(), runningOf(task, bind))) this.#bind(task, bind);
      // A device broke or was taken by others in between.
      else this.#line.add(task);
    }
  }

  #left(taskId: string): void {
    this.#leaving.delete(taskId);
    if (this.#leaving.size === 0 && this.#running && !this.#options.blocked()) this.#startClaims();
  }

  #bind(task: Pending, bind: Bind): void {
    this.#line.remove(task.taskId);
    this.hold(runningOf(task, bind));
    this.#options.start(bind);
  }

  #forget(taskId: string): void {
    clearTimeout(this.#delays.get(taskId)?.timer);
    this.#delays.delete(taskId);
    this.#claims.delete(taskId);
    this.#line.remove(taskId);
  }
}

function runningOf(task: Pending, bind: Bind): RunningTask {
  const now = Date.now();
  return {
    taskId: task.taskId,
    jobId: task.jobId,
    project: task.project,
    priority: task.priority ?? 0,
    qos: task.qos ?? 'burstable',
    node: bind.node,
    cpuMilli: bind.cpuMilli,
    memoryBytes: bind.memoryBytes,
    accelerators: bind.accelerators,
    startedAt: now,
    ...(task.expectedDurationMs === undefined ? {} : { expectedEndAt: now + task.expectedDurationMs }),
  };
}

/** The view with the task running; undefined where there is no room for it now. */
function roomAfter(view: View, task: RunningTask): View | undefined {
  try {
    return changeView(view, [{ kind: 'start', task }]);
  } catch (error) {
    if (error instanceof RefusedChange) return undefined;
    throw error;
  }
}
