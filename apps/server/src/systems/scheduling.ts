import {
  type Bind,
  type Decision,
  isHopeless,
  type Pending,
  type Preempt,
  plan,
  type RunningTask,
  runningFrom,
  type View,
  type Wait,
} from '@vgpu/scheduler';
import type { Logger } from 'pino';
import { acceleratorShortage } from './accelerator-shortage.ts';
import { BackOff } from './back-off.ts';
import { ExpectedWork } from './expected-work.ts';
import { type Capacity, HeldRoom, roomAfter } from './held-room.ts';
import { NOT_LOOKED_AT, type Waiting, type WaitReason, WaitReasons } from './wait-reasons.ts';
import { WaitingLine } from './waiting-line.ts';

export interface SchedulingOptions extends Capacity {
  log: Logger;
  /** How many running tasks may be stopped at once to make room; 0: none is ever stopped. */
  preemption: number;
  /** The mix of work to expect; default: what comes from now on tells. */
  expectedWork?: ExpectedWork;
  /** Why nothing can start at all at present; undefined when the engine is well. */
  blocked: () => { code: string; message: string; hint: string } | undefined;
  /** Carries a placement out. The task's amounts are held until `release`. */
  start: (bind: Bind) => void;
  /** Whether a running task's worker can be told to end; one that is still starting cannot. */
  stoppable: (taskId: string) => boolean;
  /** Ends a task so that another can start. It is `release`d when it has ended, or `stays` when it could not be. */
  preempt: (preempt: Preempt) => void;
}

/** Tasks of one kind that a plan looks at; when all of them start, the next plan looks at more. */
const LOOK_AT = 64;

/** How long a task that could not be stopped is left alone. */
const STUBBORN_MS = 30_000;

/**
 * Decides which waiting tasks start, whenever something changed: a submission, an end, a stop. It keeps the
 * waiting tasks and what the running ones hold in memory; the store can rebuild both at any time.
 */
export class Scheduling {
  readonly #options: SchedulingOptions;
  readonly #line = new WaitingLine();
  readonly #room: HeldRoom;
  readonly #backOff = new BackOff();
  readonly #reasons = new WaitReasons();
  readonly #expectedWork: ExpectedWork;
  /** Tasks that could not be stopped, and until when nobody tries again. */
  readonly #stubborn = new Map<string, number>();
  /** Tasks that were told to end to make room. They hold what they held until they are gone. */
  readonly #leaving = new Set<string>();
  #scheduled = false;
  #running = false;

  constructor(options: SchedulingOptions) {
    this.#options = options;
    this.#room = new HeldRoom(options);
    this.#expectedWork = options.expectedWork ?? new ExpectedWork();
  }

  /** Name of this machine as a node. */
  get node(): string {
    return this.#room.node;
  }

  /** Starts deciding; until then tasks only gather. */
  open(): void {
    this.#running = true;
    this.wake();
  }

  close(): void {
    this.#running = false;
    this.#backOff.clear();
  }

  /** Adds a waiting task. @param notBefore epoch ms before which it is not placed (back-off). */
  add(task: Pending, notBefore = 0): void {
    this.#forget(task.taskId);
    if (this.#backOff.keep(task, notBefore, (again) => this.add(again))) return;
    this.#expectedWork.note(task);
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
    this.#room.hold(task);
  }

  /** Gives back what a task held. */
  release(taskId: string): void {
    this.#room.release(taskId);
    this.#stubborn.delete(taskId);
    this.#left(taskId);
    this.wake();
  }

  /** A task that was to make room could not be stopped: whoever waits for its room queues again. */
  stays(taskId: string): void {
    this.#stubborn.set(taskId, Date.now() + STUBBORN_MS);
    for (const { task, bind } of this.#room.claims.values()) {
      if (!bind.after?.includes(taskId)) continue;
      this.#room.claims.delete(task.taskId);
      this.#line.add(task);
    }
    this.#left(taskId);
    this.wake();
  }

  /** Why a task waits; undefined when it does not. */
  waiting(taskId: string): Waiting | undefined {
    const until = this.#backOff.until(taskId);
    if (until !== undefined) {
      const message = 'It failed and is tried again shortly.';
      return { position: 0, code: 'backoff', message, hint: null, estimatedStart: until };
    }
    if (this.#room.claims.has(taskId)) {
      const message = 'Running tasks are being stopped to make room for it.';
      return { position: 1, code: 'preempting', message, hint: null, estimatedStart: null };
    }
    const kind = this.#line.kindOf(taskId);
    if (kind === undefined) return undefined;
    const reason: WaitReason = this.#options.blocked() ?? this.#reasons.ofKind(kind) ?? NOT_LOOKED_AT;
    // The plan knows the order across projects as well; it counts only where it looked at every task.
    const all = this.#reasons.size === this.#line.size;
    const turn = (all && this.#reasons.position(taskId)) || (this.#line.turn(taskId) ?? 0);
    const position = this.#room.claims.size + turn;
    return { ...reason, position, estimatedStart: this.#reasons.start(taskId) };
  }

  /** Waiting tasks in their order; those that are held back after a failure come last. */
  queue(): { task: Pending; waiting: Waiting }[] {
    const claimed = [...this.#room.claims.values()].map(({ task }) => task);
    return [...claimed, ...this.#line.all(), ...this.#backOff.all()]
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
    for (const { task } of this.#room.claims.values()) if (task.project === project) count++;
    for (const task of this.#backOff.all()) if (task.project === project) count++;
    return count;
  }

  held(): readonly RunningTask[] {
    return this.#room.running();
  }

  /** Shares of accelerators that are held or kept. */
  shares(): ReturnType<HeldRoom['shares']> {
    return this.#room.shares();
  }

  /** What there is and what is free, as the scheduler sees it. */
  view(): View {
    return this.#room.view((task) => this.#preemptible(task));
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

  #preemptible(task: RunningTask): boolean {
    const { taskId, qos } = task;
    if (qos === 'guaranteed' || this.#leaving.has(taskId)) return false;
    return (this.#stubborn.get(taskId) ?? 0) <= Date.now() && this.#options.stoppable(taskId);
  }

  /**
   * One plan. Tasks are never moved (none is marked as checkpointable) and devices never cut anew; who makes room is
   * asked only once those asked before are gone, so that nobody is stopped for room that is on its way.
   */
  #plan(tasks: readonly Pending[]): readonly Decision[] {
    const disruptionBudget = this.#leaving.size > 0 ? 0 : this.#options.preemption;
    const view = this.view();
    const outlook = this.#expectedWork.outlook(view.nodes[0]!);
    return plan(view, tasks, { now: Date.now(), disruptionBudget, repartition: false, ...outlook }).decisions;
  }

  #decide(): void {
    if (this.#leaving.size === 0) this.#startClaims();
    if (this.#line.size === 0 || this.#options.blocked()) return;
    const looked = this.#line.front(LOOK_AT);
    const decisions = this.#plan(looked);
    this.#reasons.clear();
    const stopping = new Set<string>();
    let room = this.view();
    let started = 0;
    let deferred = 0;
    for (const decision of decisions) {
      switch (decision.kind) {
        case 'preempt':
          stopping.add(decision.taskId);
          break;
        case 'bind': {
          const task = this.#line.get(decision.taskId)!;
          if (decision.after?.some((id) => stopping.has(id))) {
            this.#line.remove(task.taskId);
            this.#room.claims.set(task.taskId, { task, bind: decision });
            break;
          }
          // Beside a preemption a plan also hands out what the victims leave, of the machine and of their project's
          // bounds: that waits for the next plan, which counts them until they are gone.
          if (stopping.size > 0) {
            deferred++;
            break;
          }
          const next = roomAfter(room, runningFrom(task, decision, Date.now()));
          if (!next) break;
          room = next;
          started++;
          this.#bind(task, decision);
          break;
        }
        case 'wait':
          this.#reasons.note(decision, this.#line.kindOf(decision.taskId)!);
          break;
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
    if (started + deferred > 0 && this.#line.size > 0) this.wake();
  }

  /** Those who made room are gone: whoever it was made for starts. */
  #startClaims(): void {
    for (const { task, bind } of [...this.#room.claims.values()]) {
      this.#room.claims.delete(task.taskId);
      if (roomAfter(this.view(), runningFrom(task, bind, Date.now()))) this.#bind(task, bind);
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
    this.hold(runningFrom(task, bind, Date.now()));
    this.#options.start(bind);
  }

  #forget(taskId: string): void {
    this.#backOff.forget(taskId);
    this.#room.claims.delete(taskId);
    this.#line.remove(taskId);
  }
}
