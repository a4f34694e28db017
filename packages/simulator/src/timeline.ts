import {
  applyPlan,
  type Change,
  changeView,
  makeView,
  type NodeView,
  type Pending,
  type PlanMemo,
  plan,
  type QueueView,
  type RankingName,
  typicalPods,
  type View,
  type Weights,
} from '@vgpu/scheduler';
import { EventQueue } from './event-queue.ts';
import { jain, type Spread, spreadOf } from './metrics.ts';
import type { TraceNode } from './openb.ts';
import { seededRandom } from './random.ts';
import type { Work } from './workload.ts';

export interface TimelineOptions {
  readonly policy?: RankingName;
  readonly seed?: number;
  readonly queues?: readonly QueueView[];
  /** Running tasks that one plan may move or stop. Default 0. */
  readonly disruptionBudget?: number;
  /** Mean time between failures of one node (ms). Default: none fail. */
  readonly mtbfMs?: number;
  /** Mean time to repair (ms). Default one hour. */
  readonly repairMs?: number;
  /** Events within so many ms share one plan. Default 1000. */
  readonly intervalMs?: number;
  readonly weights?: Weights;
  /** Watts of an idle and of a fully used device. Defaults 60 and 300. */
  readonly idleWatts?: number;
  readonly maxWatts?: number;
}

export interface TimelineResult {
  readonly policy: RankingName;
  readonly seed: number;
  readonly tasks: number;
  readonly completed: number;
  /** Still waiting when nothing could happen any more. */
  readonly stranded: number;
  readonly plans: number;
  /** Time-weighted GPU allocation between first submission and last end, percent of what was up. */
  readonly allocation: number;
  /** From submission to first start. */
  readonly wait: Spread;
  /** From submission to completion. */
  readonly completion: Spread;
  /** Jain's index over queues of the inverse of their mean slowdown (time to completion ÷ time alone). */
  readonly fairness: number;
  readonly energyKwh: number;
  readonly preemptions: number;
  readonly migrations: number;
  readonly failures: number;
  /** GPU-hours of work done twice, because of failures or preemptions without a checkpoint. */
  readonly lostGpuHours: number;
  /** [hours, allocated percent] and [hours, waiting tasks], thinned. */
  readonly allocationCurve: readonly (readonly [number, number])[];
  readonly waitingCurve: readonly (readonly [number, number])[];
}

type Event =
  | { readonly kind: 'submit'; readonly work: Work }
  | { readonly kind: 'end'; readonly taskId: string; readonly run: number }
  | { readonly kind: 'fail'; readonly node: string }
  | { readonly kind: 'repair'; readonly node: string };

interface Progress {
  readonly work: Work;
  remainingMs: number;
  firstStart: number | undefined;
  startedAt: number;
  /** Counts runs, so that the end of an earlier one is told apart. */
  run: number;
}

const HOUR = 3_600_000;
/** With nothing running, so many failures and repairs in a row change nothing for what still waits. */
const MAX_IDLE_EVENTS = 1000;

function nodeViews(nodes: readonly TraceNode[]): NodeView[] {
  return nodes.map((n) => ({
    id: n.sn,
    cpuMilli: n.cpuMilli,
    freeCpuMilli: n.cpuMilli,
    memoryBytes: n.memoryBytes,
    freeMemoryBytes: n.memoryBytes,
    accelerators: Array.from({ length: n.gpus }, (_, g) => ({
      uuid: `${n.sn}/${g}`,
      model: n.model,
      mode: 'shared' as const,
      milli: 1000,
      freeMilli: 1000,
      vramBytes: 0,
      freeVramBytes: 0,
    })),
  }));
}

function exponential(mean: number, random: () => number): number {
  return -mean * Math.log(1 - random());
}

/** Replays work over a virtual clock through the live planner: arrivals, ends, failures, repairs. */
class Timeline {
  readonly #options: Required<Pick<TimelineOptions, 'policy' | 'seed' | 'intervalMs' | 'repairMs'>> &
    TimelineOptions;
  readonly #events = new EventQueue<Event>();
  readonly #random: () => number;
  readonly #progress = new Map<string, Progress>();
  readonly #waiting = new Map<string, Pending>();
  readonly #memo: PlanMemo = {};
  readonly #expected: ReturnType<typeof typicalPods>;
  readonly #waits: number[] = [];
  readonly #completions: number[] = [];
  readonly #slowdowns = new Map<string, number[]>();
  readonly #curves: { allocation: [number, number][]; waiting: [number, number][] } = {
    allocation: [],
    waiting: [],
  };
  readonly #totalMilli: number;
  #view: View;
  #now = 0;
  #allocated = 0;
  #up: number;
  #allocatedTime = 0;
  #upTime = 0;
  #joules = 0;
  #tasks: number;
  #submitted = 0;
  /** Events since anything last ran or changed hands. */
  #allWaitFor = 0;
  #counts = { plans: 0, preemptions: 0, migrations: 0, failures: 0, lostMilliMs: 0 };

  constructor(nodes: readonly TraceNode[], work: readonly Work[], options: TimelineOptions = {}) {
    this.#options = {
      ...options,
      policy: options.policy ?? 'default',
      seed: options.seed ?? 0,
      intervalMs: options.intervalMs ?? 1000,
      repairMs: options.repairMs ?? HOUR,
    };
    this.#random = seededRandom(this.#options.seed + 17);
    this.#view = makeView({ nodes: nodeViews(nodes), queues: options.queues });
    this.#totalMilli = nodes.reduce((sum, n) => sum + n.gpus * 1000, 0);
    this.#up = this.#totalMilli;
    this.#expected = typicalPods(work.map((w) => w.task));
    this.#tasks = work.length;
    for (const w of work) this.#events.push(w.submitAt, { kind: 'submit', work: w });
    this.#now = this.#events.nextAt;
    const { mtbfMs } = this.#options;
    if (mtbfMs !== undefined)
      for (const n of nodes)
        this.#events.push(this.#now + exponential(mtbfMs, this.#random), { kind: 'fail', node: n.sn });
  }

  run(): TimelineResult {
    const first = this.#now;
    // Failures go on for ever; the run is over when no work is left.
    while (this.#events.nextAt < Number.POSITIVE_INFINITY && this.#workLeft()) {
      this.#advance(this.#passAt(this.#events.nextAt));
      const changes: Change[] = [];
      do this.#happen(this.#events.pop()!, changes);
      while (this.#events.nextAt <= this.#now);
      if (changes.length > 0) this.#view = changeView(this.#view, changes);
      this.#decide();
      this.#allWaitFor = this.#view.running.length > 0 ? 0 : this.#allWaitFor + 1;
      this.#note(first);
    }
    return this.#result();
  }

  /** False when every task has ended, or only failures are still to come while some can never start. */
  #workLeft(): boolean {
    const done = this.#completions.length;
    if (done === this.#tasks) return false;
    return this.#submitted < this.#tasks || this.#allWaitFor < MAX_IDLE_EVENTS;
  }

  /** Plans happen at whole intervals: what comes within one waits for its end. */
  #passAt(at: number): number {
    const { intervalMs } = this.#options;
    return intervalMs > 0 ? Math.ceil(at / intervalMs) * intervalMs : at;
  }

  #advance(to: number): void {
    const span = to - this.#now;
    this.#allocatedTime += this.#allocated * span;
    this.#upTime += this.#up * span;
    const { idleWatts = 60, maxWatts = 300 } = this.#options;
    this.#joules +=
      ((this.#up * idleWatts + this.#allocated * (maxWatts - idleWatts)) / 1000) * (span / 1000);
    this.#now = to;
  }

  #happen(event: Event, changes: Change[]): void {
    switch (event.kind) {
      case 'submit': {
        const { work } = event;
        this.#submitted++;
        this.#progress.set(work.task.taskId, {
          work,
          remainingMs: work.durationMs,
          firstStart: undefined,
          startedAt: 0,
          run: 0,
        });
        this.#waiting.set(work.task.taskId, work.task);
        break;
      }
      case 'end': {
        const p = this.#progress.get(event.taskId)!;
        if (p.run !== event.run || this.#waiting.has(event.taskId)) break;
        changes.push({ kind: 'end', taskId: event.taskId });
        this.#allocated -= this.#milliOf(event.taskId);
        const took = this.#now - p.work.submitAt;
        this.#completions.push(took);
        const queue = p.work.task.queue ?? p.work.task.project;
        const slowdowns = this.#slowdowns.get(queue) ?? [];
        slowdowns.push(took / p.work.durationMs);
        this.#slowdowns.set(queue, slowdowns);
        break;
      }
      case 'fail':
        this.#fail(event.node, changes);
        break;
      case 'repair': {
        const node = this.#view.nodes.find((n) => n.id === event.node)!;
        changes.push({ kind: 'node', node: { ...node, schedulable: true } });
        this.#up += node.accelerators.length * 1000;
        break;
      }
    }
  }

  #milliOf(taskId: string): number {
    const task = this.#view.running.find((t) => t.taskId === taskId);
    return task?.accelerators.reduce((sum, a) => sum + a.milli, 0) ?? 0;
  }

  #fail(id: string, changes: Change[]): void {
    this.#counts.failures++;
    // The amounts that the lost tasks held come back with the node as it is after those ends.
    let view = this.#view;
    if (changes.length > 0) {
      view = changeView(view, changes);
      changes.length = 0;
    }
    const lost = view.running.filter((t) => t.node === id);
    for (const task of lost) {
      this.#allocated -= task.accelerators.reduce((sum, a) => sum + a.milli, 0);
      this.#requeue(
        task.taskId,
        false,
        task.accelerators.reduce((sum, a) => sum + a.milli, 0),
      );
    }
    view = changeView(
      view,
      lost.map((t) => ({ kind: 'end', taskId: t.taskId })),
    );
    const node = view.nodes.find((n) => n.id === id)!;
    this.#view = changeView(view, [{ kind: 'node', node: { ...node, schedulable: false } }]);
    this.#up -= node.accelerators.length * 1000;
    const back = this.#now + exponential(this.#options.repairMs, this.#random);
    this.#events.push(back, { kind: 'repair', node: id });
    this.#events.push(back + exponential(this.#options.mtbfMs!, this.#random), { kind: 'fail', node: id });
  }

  /** Back to waiting; without a checkpoint the run so far is lost. */
  #requeue(taskId: string, checkpoint: boolean, milli: number): void {
    const p = this.#progress.get(taskId)!;
    const ran = this.#now - p.startedAt;
    if (checkpoint) p.remainingMs = Math.max(1, p.remainingMs - ran);
    else this.#counts.lostMilliMs += ran * milli;
    p.run++;
    this.#waiting.set(taskId, { ...p.work.task, expectedDurationMs: p.remainingMs });
  }

  #decide(): void {
    if (this.#waiting.size === 0) return;
    const waiting = [...this.#waiting.values()];
    const { policy, seed, disruptionBudget, weights } = this.#options;
    const made = plan(this.#view, waiting, {
      now: this.#now,
      ranking: policy,
      seed,
      disruptionBudget,
      weights,
      expected: this.#expected,
      memo: this.#memo,
    });
    this.#counts.plans++;
    if (!made.decisions.some((d) => d.kind !== 'wait')) return;
    for (const d of made.decisions) {
      if (d.kind === 'preempt') {
        const milli = this.#milliOf(d.taskId);
        this.#counts.preemptions++;
        this.#allocated -= milli;
        this.#requeue(d.taskId, d.checkpoint, milli);
      }
      if (d.kind === 'migrate') this.#counts.migrations++;
      if (d.kind === 'bind') {
        const p = this.#progress.get(d.taskId)!;
        this.#waiting.delete(d.taskId);
        this.#allocated += d.accelerators.reduce((sum, a) => sum + a.milli, 0);
        p.startedAt = this.#now;
        if (p.firstStart === undefined) {
          p.firstStart = this.#now;
          this.#waits.push(this.#now - p.work.submitAt);
        }
        this.#events.push(this.#now + p.remainingMs, { kind: 'end', taskId: d.taskId, run: p.run });
      }
    }
    const next = applyPlan(this.#view, made, waiting, this.#now);
    const started = made.decisions.flatMap((d): Change[] => {
      if (d.kind !== 'bind') return [];
      const { checkpointable } = this.#progress.get(d.taskId)!.work;
      return checkpointable ? [{ kind: 'update-task', taskId: d.taskId, patch: { checkpointable } }] : [];
    });
    this.#view = started.length > 0 ? changeView(next, started) : next;
  }

  #note(first: number): void {
    const hours = (this.#now - first) / HOUR;
    this.#curves.allocation.push([hours, (100 * this.#allocated) / Math.max(1, this.#totalMilli)]);
    this.#curves.waiting.push([hours, this.#waiting.size]);
  }

  #result(): TimelineResult {
    const thin = (points: [number, number][]) => {
      const every = Math.max(1, Math.ceil(points.length / 600));
      return points.filter((_, i) => i % every === 0 || i === points.length - 1);
    };
    const mean = (v: readonly number[]) => v.reduce((a, b) => a + b, 0) / v.length;
    return {
      policy: this.#options.policy,
      seed: this.#options.seed,
      tasks: this.#progress.size,
      completed: this.#completions.length,
      stranded: this.#waiting.size,
      plans: this.#counts.plans,
      allocation: this.#upTime > 0 ? (100 * this.#allocatedTime) / this.#upTime : 0,
      wait: spreadOf(this.#waits),
      completion: spreadOf(this.#completions),
      fairness: jain([...this.#slowdowns.values()].map((s) => 1 / mean(s))),
      energyKwh: this.#joules / 3.6e6,
      preemptions: this.#counts.preemptions,
      migrations: this.#counts.migrations,
      failures: this.#counts.failures,
      lostGpuHours: this.#counts.lostMilliMs / 1000 / HOUR,
      allocationCurve: thin(this.#curves.allocation),
      waitingCurve: thin(this.#curves.waiting),
    };
  }
}

/** Replays the work on the nodes. The same input and seed give the same result. */
export function replay(
  nodes: readonly TraceNode[],
  work: readonly Work[],
  options: TimelineOptions = {},
): TimelineResult {
  return new Timeline(nodes, work, options).run();
}
