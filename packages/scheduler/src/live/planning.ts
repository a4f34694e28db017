import type { Pending } from '../pending.ts';
import type { Bind, Decision, Wait } from '../plan.ts';
import { type Amounts, clusterAmounts, FairShare } from '../queues/fair-share.ts';
import { queueOf, type Unit } from '../queues/order.ts';
import type { PlanOptions } from '../schedule.ts';
import type { NodeView, RunningTask, View } from '../view.ts';
import { type Explanation, explain } from './explain.ts';
import { constraintKey, type Found, type Guard, LiveFleet, type LiveOptions } from './live-fleet.ts';
import { asPending, leastToLeave, movable } from './make-room.ts';
import { Reservations } from './reservations.ts';
import { compareVictims, lostMs, preemptionReason } from './victims.ts';
import { holdingOf, withoutTask } from './working-node.ts';

/** How many blocked units get an estimate, and room kept for them, in one plan. */
const MAX_FORECASTS = 8;

const NO_WEIGHTS = {};

function amountsOf(task: Pending): Amounts {
  return { gpuMilli: task.gpuCount * task.gpuMilli, cpuMilli: task.cpuMilli, memoryBytes: task.memoryBytes };
}

function amountsHeld(task: RunningTask): Amounts {
  let gpuMilli = 0;
  for (const s of task.accelerators) gpuMilli += s.milli;
  return { gpuMilli, cpuMilli: task.cpuMilli, memoryBytes: task.memoryBytes };
}

/** Work on one plan: the working fleet, who holds what, and the decisions made so far. */
export class Planning {
  readonly fair: FairShare;
  readonly decisions: Decision[] = [];
  readonly waits: Wait[] = [];
  readonly #fleet: LiveFleet;
  readonly #options: PlanOptions;
  readonly #recut: boolean;
  readonly #runningOn = new Map<number, RunningTask[]>();
  readonly #reservations = new Reservations();
  readonly #explanations = new Map<string, Explanation>();
  #undo: (() => void)[] = [];
  #budget: number;
  #forecasts = 0;

  constructor(view: View, pending: readonly Pending[], options: PlanOptions) {
    this.#options = options;
    this.#recut = options.repartition ?? true;
    this.#budget = options.disruptionBudget ?? 0;
    this.fair = new FairShare(view.queues ?? [], clusterAmounts(view.nodes));
    for (const task of view.running) this.fair.charge(queueOf(task), amountsHeld(task), 1);
    const live: LiveOptions = {
      ranking: options.ranking ?? 'default',
      seed: options.seed ?? 0,
      expected: options.expected,
      waste: options.waste,
      weights: options.weights ?? NO_WEIGHTS,
      repartition: this.#recut,
    };
    const kept = options.memo?.fleet;
    if (kept?.serves(view, live)) {
      kept.follow(view);
      this.#fleet = kept;
    } else {
      this.#fleet = new LiveFleet(view, pending, live);
      if (options.memo) options.memo.fleet = this.#fleet;
    }
    for (const task of view.running) {
      const i = this.#fleet.index.get(task.node);
      if (i === undefined) continue;
      const list = this.#runningOn.get(i);
      if (list) list.push(task);
      else this.#runningOn.set(i, [task]);
    }
  }

  get #guard(): Guard | undefined {
    if (this.#reservations.empty) return undefined;
    return (task, node, offers) =>
      this.#reservations.allows(task, node, this.#fleet.nodes[node]!, offers, this.#options.now);
  }

  /** Starts the unit, makes room for it, or says why it waits. */
  consider(unit: Unit): void {
    const head = unit.tasks[0]!;
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
        if (this.#startTogether([task]) !== 'started')
          this.#block({ ...unit, tasks: [task], needed: 1 }, task);
      return;
    }
    if (started !== 'no-room') {
      this.#waitAll(unit.tasks, started);
      return;
    }
    this.#block(unit, head);
  }

  /** Binds all of the tasks or none. */
  #startTogether(
    tasks: readonly Pending[],
    find = (t: Pending) => this.#bindBest(t),
  ): 'started' | 'no-room' | Explanation {
    const mark = this.#mark();
    for (const task of tasks) {
      const refused = this.fair.refusal(task.queue ?? task.project, amountsOf(task));
      if (refused) {
        this.#rollback(mark);
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
      if (!find(task)) {
        this.#rollback(mark);
        return 'no-room';
      }
    }
    return 'started';
  }

  #bindBest(task: Pending): boolean {
    const found = this.#fleet.find(task, this.#guard);
    if (!found) return false;
    this.#bind(task, found);
    return true;
  }

  /** Takes the place: recutting first where needed. */
  #bind(task: Pending, found: Found, after: readonly string[] = []): void {
    const node = this.#fleet.nodes[found.node]!;
    for (const offer of found.offers) {
      if (!offer.recut) continue;
      this.#push({
        kind: 'repartition',
        node: node.id,
        uuid: offer.device.uuid,
        destroy: offer.recut.destroy,
        create: offer.recut.create,
        for: task.taskId,
      });
    }
    const before = this.#fleet.hold(task, found);
    this.fair.charge(queueOf(task), amountsOf(task), 1);
    this.#undo.push(() => {
      this.#fleet.replace(found.node, before);
      this.fair.charge(queueOf(task), amountsOf(task), -1);
    });
    const { cpuMilli, memoryBytes, accelerators } = holdingOf(task, found.offers);
    const bind: Bind = {
      kind: 'bind',
      taskId: task.taskId,
      node: node.id,
      cpuMilli,
      memoryBytes,
      accelerators,
    };
    this.#push(after.length ? { ...bind, after } : bind);
  }

  #push(decision: Decision): void {
    this.decisions.push(decision);
    this.#undo.push(() => this.decisions.pop());
  }

  #mark(): number {
    return this.#undo.length;
  }

  #rollback(mark: number): void {
    while (this.#undo.length > mark) this.#undo.pop()!();
  }

  /** No room as things are: move, then preempt within the budget; else keep room and wait. */
  #block(unit: Unit, head: Pending): void {
    const tasks = unit.tasks.slice(0, unit.needed);
    if (this.#budget > 0) {
      const makeRoom = (t: Pending) => this.#bindBest(t) || this.#moveFor(t) || this.#preemptFor(t);
      if (this.#startTogether(tasks, makeRoom) === 'started') {
        for (const task of unit.tasks.slice(unit.needed))
          this.consider({ ...unit, tasks: [task], needed: 1 });
        return;
      }
    }
    const waited = this.#options.now - head.submittedAt;
    const keep = waited >= (this.#options.patienceMs ?? 60_000);
    const estimate = this.#forecasts++ < MAX_FORECASTS ? this.#forecast(tasks, keep) : undefined;
    for (const task of unit.tasks) {
      const why = this.#explain(task);
      const gang = unit.gang !== undefined && unit.needed > 1;
      const message = gang
        ? `Its gang ${unit.gang} needs ${unit.needed} places at once. ${why.message}`
        : why.message;
      this.#wait(task, { ...why, message }, estimate);
    }
  }

  /**
   * When all tasks of a unit can start, where that is known.
   * @param keep whether room is kept for them from now on
   */
  #forecast(tasks: readonly Pending[], keep: boolean): number | undefined {
    let at = this.#options.now;
    for (const task of tasks) {
      const first = this.#reservations.earliest(
        task,
        this.#fleet.nodes,
        (i) => this.#runningOn.get(i) ?? [],
        this.#options.now,
      );
      if (!first) return undefined;
      // It fits but for what is kept for others: its turn comes with theirs, and keeping that room twice
      // would only shut out work that does no harm.
      if (first.after.length === 0 && tasks.length === 1) return undefined;
      at = Math.max(at, first.at);
      if (!keep) continue;
      this.#reservations.keep(first);
    }
    return Number.isFinite(at) ? at : undefined;
  }

  #explain(task: Pending): Explanation {
    const key = constraintKey(task);
    let why = this.#explanations.get(key);
    if (!why) {
      why = explain(task, this.#fleet.nodes, this.#recut);
      this.#explanations.set(key, why);
    }
    return why;
  }

  #waitAll(tasks: readonly Pending[], why: Explanation): void {
    for (const task of tasks) this.#wait(task, why);
  }

  #wait(task: Pending, why: Explanation, estimatedStart?: number): void {
    const position = this.waits.length + 1;
    const wait: Wait = { kind: 'wait', taskId: task.taskId, ...why, position };
    this.waits.push(estimatedStart === undefined ? wait : { ...wait, estimatedStart });
  }

  /** Moves running tasks from one node so that the task fits there; the fewest moves, then fleet order. */
  #moveFor(task: Pending): boolean {
    const options: { node: number; gone: readonly RunningTask[] }[] = [];
    for (const [node, running] of this.#runningOn) {
      const movables = running.filter(movable).sort((a, b) => compareVictims(a, b, this.#options.now));
      if (movables.length === 0) continue;
      const gone = leastToLeave(task, this.#fleet.nodes[node]!, movables);
      if (gone && gone.length > 0 && gone.length <= this.#budget) options.push({ node, gone });
    }
    options.sort((a, b) => a.gone.length - b.gone.length || a.node - b.node);
    // Each try costs a few searches; a handful of the cheapest is enough.
    for (const { node, gone } of options.slice(0, 8)) {
      const mark = this.#mark();
      if (gone.every((victim) => this.#move(victim, node, task)) && this.#bindOn(task, node, gone))
        return true;
      this.#rollback(mark);
    }
    return false;
  }

  #move(victim: RunningTask, from: number, task: Pending): boolean {
    const source = this.#fleet.nodes[from]!;
    const found = this.#fleet.find(asPending(victim, source), this.#guard);
    if (!found || found.offers.some((o) => o.recut)) return false;
    const to = this.#fleet.nodes[found.node]!;
    this.#leave(victim, from);
    const before = this.#fleet.hold(asPending(victim, source), found);
    this.#undo.push(() => this.#fleet.replace(found.node, before));
    this.#push({
      kind: 'migrate',
      taskId: victim.taskId,
      from: source.id,
      to: to.id,
      accelerators: found.offers.map((o) => o.share),
      for: task.taskId,
      reason: `makes room for ${task.taskId}`,
    });
    return true;
  }

  /** Takes a running task off its node and out of the budget. */
  #leave(victim: RunningTask, node: number): void {
    const before = this.#fleet.nodes[node]!;
    const list = this.#runningOn.get(node)!;
    this.#fleet.replace(node, withoutTask(before, victim));
    this.#runningOn.set(
      node,
      list.filter((t) => t !== victim),
    );
    this.#budget--;
    this.#undo.push(() => {
      this.#fleet.replace(node, before);
      this.#runningOn.set(node, list);
      this.#budget++;
    });
  }

  #bindOn(task: Pending, node: number, gone: readonly RunningTask[]): boolean {
    const found = this.#fleet.find({ ...task, node: this.#fleet.nodes[node]!.id }, this.#guard);
    if (!found) return false;
    this.#bind(
      task,
      found,
      gone.map((g) => g.taskId),
    );
    return true;
  }

  /** Stops running tasks so that the task fits on one node: the cheapest way. */
  #preemptFor(task: Pending): boolean {
    const now = this.#options.now;
    const amounts = amountsOf(task);
    const options: { node: number; gone: readonly RunningTask[]; lost: number; priority: number }[] = [];
    for (const [node, running] of this.#runningOn) {
      const victims = this.#victimsAmong(running, task);
      if (victims.length === 0) continue;
      const direct = leastToLeave(task, this.#fleet.nodes[node]!, victims);
      if (!direct || direct.length === 0) continue;
      const gone = this.#withGangs(direct);
      if (gone.length > this.#budget || gone.some((v) => v.preemptible === false)) continue;
      let lost = 0;
      let priority = Number.NEGATIVE_INFINITY;
      for (const v of gone) {
        lost += lostMs(v, now);
        priority = Math.max(priority, v.priority);
      }
      options.push({ node, gone, lost, priority });
    }
    // 1. lower highest priority; 2. fewer tasks; 3. less work lost; 4. fleet order.
    options.sort(
      (a, b) =>
        a.priority - b.priority || a.gone.length - b.gone.length || a.lost - b.lost || a.node - b.node,
    );
    const best = options[0];
    if (!best) return false;
    const mark = this.#mark();
    // Before anything is given back: who borrows changes with it.
    const reasons = best.gone.map((v) => preemptionReason(v, task, amounts, this.fair));
    for (const [i, victim] of best.gone.entries()) {
      const from = this.#fleet.index.get(victim.node)!;
      this.#leave(victim, from);
      this.fair.charge(queueOf(victim), amountsHeld(victim), -1);
      this.#undo.push(() => this.fair.charge(queueOf(victim), amountsHeld(victim), 1));
      this.#push({
        kind: 'preempt',
        taskId: victim.taskId,
        for: task.taskId,
        checkpoint: victim.checkpointable ?? false,
        lostMs: lostMs(victim, now),
        reason: reasons[i] ?? `its gang ${victim.gang} is stopped`,
      });
    }
    if (this.#bindOn(task, best.node, best.gone)) return true;
    this.#rollback(mark);
    return false;
  }

  /** Who may be stopped on a node, cheapest first; no more of a borrowing queue than it borrowed. */
  #victimsAmong(running: readonly RunningTask[], task: Pending): RunningTask[] {
    const amounts = amountsOf(task);
    const victims: RunningTask[] = [];
    for (const v of [...running].sort((a, b) => compareVictims(a, b, this.#options.now))) {
      if (preemptionReason(v, task, amounts, this.fair) === undefined) continue;
      victims.push(v);
      this.fair.charge(queueOf(v), amountsHeld(v), -1);
    }
    for (const v of victims) this.fair.charge(queueOf(v), amountsHeld(v), 1);
    return victims;
  }

  /** A gang that loses one member loses all. */
  #withGangs(victims: readonly RunningTask[]): RunningTask[] {
    const gangs = new Set(victims.map((v) => v.gang).filter((g) => g !== undefined));
    const all = new Map(victims.map((v) => [v.taskId, v]));
    if (gangs.size > 0)
      for (const list of this.#runningOn.values())
        for (const t of list) if (t.gang !== undefined && gangs.has(t.gang)) all.set(t.taskId, t);
    return [...all.values()];
  }

  /** Nodes as they would be after the plan. */
  get nodes(): readonly NodeView[] {
    return this.#fleet.nodes;
  }
}
