import type { Pending } from '../pending.ts';
import type { Decision, Wait } from '../plan.ts';
import type { FairShare, Refusal } from '../queues/fair-share.ts';
import type { Unit } from '../queues/order.ts';
import type { PlanOptions } from '../schedule.ts';
import type { RunningTask, View } from '../view.ts';
import { moveFor, preemptFor } from './disruption.ts';
import { amountsOf, Draft } from './draft.ts';
import { type Explanation, explain } from './explain.ts';
import { Forecast } from './forecast.ts';

/** For how many blocked units room is kept in one plan. */
const MAX_KEPT = 8;
/** Blocked units that are told when they start: at least so many, and more where there are few nodes to look at. */
const MIN_FORECASTS = 8;
const MAX_FORECASTS = 64;
const FORECAST_LOOKS = 2000;

/** Work on one plan: each unit starts, makes room, or waits with a reason. */
export class Planning {
  readonly #draft: Draft;
  readonly #options: PlanOptions;
  readonly #pending: readonly Pending[];
  readonly #waits: Wait[] = [];
  readonly #blocked: (readonly Pending[])[] = [];
  readonly #explanations = new Map<string, Explanation>();

  constructor(view: View, pending: readonly Pending[], options: PlanOptions) {
    this.#options = options;
    this.#pending = pending;
    this.#draft = new Draft(view, pending, options);
  }

  get fair(): FairShare {
    return this.#draft.fair;
  }

  /** All decisions, those who wait last and in their turns. */
  finish(): readonly Decision[] {
    const starts = this.#forecast();
    const waits = this.#waits.map((wait): Wait => {
      const estimatedStart = starts.get(wait.taskId);
      return estimatedStart === undefined ? wait : { ...wait, estimatedStart };
    });
    return [...this.#draft.decisions, ...waits];
  }

  /** Starts the unit, makes room for it, or says why it waits. */
  consider(unit: Unit): void {
    if (unit.tasks.length < unit.needed) {
      const have = unit.tasks.length;
      this.#waitAll(unit.tasks, {
        code: 'gang',
        message: `Its gang ${unit.gang} needs ${unit.needed} more members at once; ${have} wait.`,
        unblock: `Submit the other ${unit.needed - have}.`,
      });
      return;
    }
    const started = this.#startTogether(unit.tasks.slice(0, unit.needed));
    if (started === 'started') {
      for (const task of unit.tasks.slice(unit.needed))
        if (this.#startTogether([task]) !== 'started') this.#block({ ...unit, tasks: [task], needed: 1 });
      return;
    }
    if (started !== 'no-room') {
      this.#waitAll(unit.tasks, started);
      return;
    }
    this.#block(unit);
  }

  /** Binds all of the tasks or none. */
  #startTogether(
    tasks: readonly Pending[],
    place = (task: Pending) => this.#draft.bindBest(task),
  ): 'started' | 'no-room' | Explanation {
    const mark = this.#draft.mark();
    for (const task of tasks) {
      const refused = this.fair.refusal(task.queue ?? task.project, amountsOf(task));
      if (refused || !place(task)) {
        this.#draft.rollback(mark);
        return refused ? explainRefusal(refused) : 'no-room';
      }
    }
    return 'started';
  }

  /** No room as things are: move, then preempt within the budget; else keep room and wait. */
  #block(unit: Unit): void {
    const draft = this.#draft;
    const tasks = unit.tasks.slice(0, unit.needed);
    if (draft.budget > 0) {
      const makeRoom = (task: Pending) =>
        draft.bindBest(task) || moveFor(task, draft) || preemptFor(task, draft);
      if (this.#startTogether(tasks, makeRoom) === 'started') {
        for (const task of unit.tasks.slice(unit.needed))
          this.consider({ ...unit, tasks: [task], needed: 1 });
        return;
      }
    }
    const waited = draft.now - unit.tasks[0]!.submittedAt;
    const patient = waited < (this.#options.patienceMs ?? 60_000);
    if (!patient && this.#blocked.length < MAX_KEPT) this.#keepRoom(tasks);
    this.#blocked.push(tasks);
    for (const task of unit.tasks) {
      const why = this.#explain(task);
      const gang = unit.gang !== undefined && unit.needed > 1;
      const message = gang
        ? `Its gang ${unit.gang} needs ${unit.needed} places at once. ${why.message}`
        : why.message;
      this.#wait(task, { ...why, message });
    }
  }

  #keepRoom(tasks: readonly Pending[]): void {
    const { reservations, fleet, now } = this.#draft;
    for (const task of tasks) {
      const first = reservations.earliest(task, fleet.nodes, (i) => this.#draft.runningOn(i), now);
      // One that fits but for what is kept for others has its turn with theirs: keeping that room twice would only
      // shut out work that does no harm.
      if (!first || (first.after.length === 0 && tasks.length === 1)) return;
      reservations.keep(first);
    }
  }

  /** When those that found no room start, as far as that can be told: in their turns, each with those before it. */
  #forecast(): ReadonlyMap<string, number> {
    const starts = new Map<string, number>();
    if (this.#blocked.length === 0) return starts;
    const { fleet, now, recut } = this.#draft;
    const begun = this.#begun();
    const runningOn = (i: number) => [...this.#draft.runningOn(i), ...(begun.get(i) ?? [])];
    const forecast = new Forecast(fleet.nodes, runningOn, { now, recut });
    const most = Math.max(MIN_FORECASTS, Math.min(MAX_FORECASTS, FORECAST_LOOKS / fleet.nodes.length));
    for (const tasks of this.#blocked.slice(0, most)) {
      const at = forecast.start(tasks);
      if (at === undefined) continue;
      for (const task of tasks) starts.set(task.taskId, at);
    }
    return starts;
  }

  /** What this plan starts, as if it ran already. */
  #begun(): ReadonlyMap<number, readonly RunningTask[]> {
    const { decisions, fleet, now } = this.#draft;
    const pending = new Map(this.#pending.map((task) => [task.taskId, task]));
    const begun = new Map<number, RunningTask[]>();
    for (const one of decisions) {
      if (one.kind !== 'bind') continue;
      const {
        jobId,
        project,
        priority = 0,
        qos = 'burstable',
        expectedDurationMs,
      } = pending.get(one.taskId)!;
      const { taskId, node, cpuMilli, memoryBytes, accelerators } = one;
      const held = { taskId, node, cpuMilli, memoryBytes, accelerators };
      const ends = expectedDurationMs === undefined ? {} : { expectedEndAt: now + expectedDurationMs };
      const i = fleet.index.get(node)!;
      const list = begun.get(i) ?? [];
      begun.set(i, [...list, { ...held, ...ends, jobId, project, priority, qos, startedAt: now }]);
    }
    return begun;
  }

  #explain(task: Pending): Explanation {
    const key = this.#draft.fleet.keyOf(task);
    let why = this.#explanations.get(key);
    if (!why) {
      why = explain(task, this.#draft.fleet.nodes, this.#draft.recut);
      this.#explanations.set(key, why);
    }
    return why;
  }

  #waitAll(tasks: readonly Pending[], why: Explanation): void {
    for (const task of tasks) this.#wait(task, why);
  }

  #wait(task: Pending, why: Explanation): void {
    const position = this.#waits.length + 1;
    this.#waits.push({ kind: 'wait', taskId: task.taskId, ...why, position });
  }
}

/** Why a queue may not start more. */
function explainRefusal(refused: Refusal): Explanation {
  const what = { gpuMilli: 'GPU', cpuMilli: 'CPU', memoryBytes: 'memory' }[refused.key];
  const name = refused.queue === '' ? 'the cluster' : `queue ${refused.queue}`;
  return refused.code === 'limit'
    ? {
        code: 'limit',
        message: `It would take ${name} over its ${what} limit.`,
        unblock: `It starts when work of ${name} ends, or its limit is raised.`,
      }
    : {
        code: 'quota',
        message: `It would take ${name} over its ${what} quota, and it may not borrow.`,
        unblock: `It starts when work of ${name} ends, or its quota or over-quota weight is raised.`,
      };
}
