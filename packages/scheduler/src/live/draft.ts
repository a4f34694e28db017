import type { Pending } from '../pending.ts';
import type { Bind, Decision } from '../plan.ts';
import { type Amounts, clusterAmounts, FairShare } from '../queues/fair-share.ts';
import { queueOf } from '../queues/order.ts';
import type { PlanOptions } from '../schedule.ts';
import type { RunningTask, View } from '../view.ts';
import { type Found, type Guard, LiveFleet, type LiveOptions } from './live-fleet.ts';
import { Reservations } from './reservations.ts';
import { holdingOf, withoutTask } from './working-node.ts';

const NO_WEIGHTS = {};

export function amountsOf(task: Pending): Amounts {
  return { gpuMilli: task.gpuCount * task.gpuMilli, cpuMilli: task.cpuMilli, memoryBytes: task.memoryBytes };
}

export function amountsHeld(task: RunningTask): Amounts {
  let gpuMilli = 0;
  for (const s of task.accelerators) gpuMilli += s.milli;
  return { gpuMilli, cpuMilli: task.cpuMilli, memoryBytes: task.memoryBytes };
}

/** A plan while it is made: the fleet as it would be, and the decisions so far. Every step can be taken back. */
export class Draft {
  readonly fair: FairShare;
  readonly fleet: LiveFleet;
  readonly decisions: Decision[] = [];
  readonly reservations = new Reservations();
  readonly now: number;
  readonly recut: boolean;
  /** How many running tasks may still be disturbed. */
  budget: number;
  readonly #runningOn = new Map<number, readonly RunningTask[]>();
  readonly #undo: (() => void)[] = [];

  constructor(view: View, pending: readonly Pending[], options: PlanOptions) {
    this.now = options.now;
    this.recut = options.repartition ?? true;
    this.budget = options.disruptionBudget ?? 0;
    this.fair = new FairShare(view.queues ?? [], clusterAmounts(view.nodes));
    for (const task of view.running) this.fair.charge(queueOf(task), amountsHeld(task), 1);
    const live: LiveOptions = {
      ranking: options.ranking ?? 'default',
      seed: options.seed ?? 0,
      expected: options.expected,
      waste: options.waste,
      weights: options.weights ?? NO_WEIGHTS,
      repartition: this.recut,
    };
    const kept = options.memo?.fleet;
    if (kept?.serves(view, live)) {
      kept.follow(view);
      this.fleet = kept;
    } else {
      this.fleet = new LiveFleet(view, pending, live);
      if (options.memo) options.memo.fleet = this.fleet;
    }
    const byNode = new Map<number, RunningTask[]>();
    for (const task of view.running) {
      const i = this.fleet.index.get(task.node);
      if (i === undefined) continue;
      const list = byNode.get(i);
      if (list) list.push(task);
      else byNode.set(i, [task]);
    }
    this.#runningOn = byNode;
  }

  /** Running tasks by node, less those that the plan takes away. */
  get running(): ReadonlyMap<number, readonly RunningTask[]> {
    return this.#runningOn;
  }

  runningOn(node: number): readonly RunningTask[] {
    return this.#runningOn.get(node) ?? [];
  }

  /** Says no to places that are kept for others; undefined while none is. */
  get guard(): Guard | undefined {
    if (this.reservations.empty) return undefined;
    return (task, node, offers) =>
      this.reservations.allows(task, node, this.fleet.nodes[node]!, offers, this.now);
  }

  /** A point to roll back to. */
  mark(): number {
    return this.#undo.length;
  }

  rollback(mark: number): void {
    while (this.#undo.length > mark) this.#undo.pop()!();
  }

  push(decision: Decision): void {
    this.decisions.push(decision);
    this.#undo.push(() => this.decisions.pop());
  }

  /** Charges a queue (1) or relieves it (−1). */
  charge(queue: string, amounts: Amounts, sign: 1 | -1): void {
    this.fair.charge(queue, amounts, sign);
    this.#undo.push(() => this.fair.charge(queue, amounts, sign === 1 ? -1 : 1));
  }

  /** Takes what was found for a task, without a decision about it. */
  hold(task: Pending, found: Found): void {
    const before = this.fleet.hold(task, found);
    this.#undo.push(() => this.fleet.replace(found.node, before));
  }

  /** Places the task where the ranking likes it best. False where there is no room. */
  bindBest(task: Pending): boolean {
    const found = this.fleet.find(task, this.guard);
    if (!found) return false;
    this.bind(task, found);
    return true;
  }

  /** Takes the place: recutting first where needed. @param after who has to go first */
  bind(task: Pending, found: Found, after: readonly string[] = []): void {
    const node = this.fleet.nodes[found.node]!;
    for (const offer of found.offers) {
      if (!offer.recut) continue;
      this.push({
        kind: 'repartition',
        node: node.id,
        uuid: offer.device.uuid,
        destroy: offer.recut.destroy,
        create: offer.recut.create,
        for: task.taskId,
      });
    }
    this.hold(task, found);
    this.charge(queueOf(task), amountsOf(task), 1);
    const { cpuMilli, memoryBytes, accelerators } = holdingOf(task, found.offers);
    const bind: Bind = {
      kind: 'bind',
      taskId: task.taskId,
      node: node.id,
      cpuMilli,
      memoryBytes,
      accelerators,
    };
    this.push(after.length ? { ...bind, after } : bind);
  }

  /** Takes a running task off its node and out of the budget. */
  leave(victim: RunningTask, node: number): void {
    const before = this.fleet.nodes[node]!;
    const list = this.runningOn(node);
    this.fleet.replace(node, withoutTask(before, victim));
    this.#runningOn.set(
      node,
      list.filter((t) => t !== victim),
    );
    this.budget--;
    this.#undo.push(() => {
      this.fleet.replace(node, before);
      this.#runningOn.set(node, list);
      this.budget++;
    });
  }
}
