import type { LiveFleet } from './live/live-fleet.ts';
import { Planning } from './live/planning.ts';
import type { Weights } from './live/preferences.ts';
import type { Pending } from './pending.ts';
import type { TypicalPod } from './placer/typical.ts';
import type { Plan, Wait } from './plan.ts';
import { unitsByQueue } from './queues/order.ts';
import type { RankingName } from './rankings/catalogue.ts';
import type { WasteTable } from './rankings/learned-waste.ts';
import type { View } from './view.ts';

export type Ranking = RankingName;

export interface PlanOptions {
  /** The present, in the clock of the view's times. */
  readonly now: number;
  /** Orders equal nodes. Default 0. */
  readonly seed?: number;
  /** Default `default`. */
  readonly ranking?: Ranking;
  /** How many running tasks one plan may disturb (preempt or move). Default 0: none. */
  readonly disruptionBudget?: number;
  /** Let MIG devices be recut for waiting work; only free instances are ever destroyed. Default true. */
  readonly repartition?: boolean;
  /** How long a blocked task lets others pass before room is kept for it (ms). Default 60,000. */
  readonly patienceMs?: number;
  /** After so long a wait (ms) a task goes before all priorities of its queue. Default 3,600,000. */
  readonly starvationMs?: number;
  /** The work to expect, for rankings that look ahead. Default: what runs and waits now. */
  readonly expected?: readonly TypicalPod[];
  /** For the default ranking: what `trainWaste` learned from such work. */
  readonly waste?: WasteTable;
  readonly weights?: Weights;
  /**
   * Carries what can be kept from one plan to the next (`{}` to begin with), so that a plan costs what
   * changed and not the size of the cluster. Changes no decision; needs `expected` to be the same object.
   */
  readonly memo?: PlanMemo;
}

/** Opaque; belongs to the caller, who uses it for one cluster. */
export interface PlanMemo {
  fleet?: LiveFleet;
}

/**
 * Decides what starts now, what makes room for it, and why the rest waits. Pure: the same input gives the
 * same plan, in whatever order nodes, tasks and queues are listed.
 *
 * Queues take turns by fair share (`FairShare.compare`), one unit (a task or a gang) at a time; within a
 * queue `compareTasks` decides. Each unit is placed by the ranking; where there is no room, running work is
 * moved or preempted within the budget, or room is kept for the unit and it waits.
 */
export function plan(view: View, pending: readonly Pending[], options: PlanOptions): Plan {
  const held = new Set(view.running.map((t) => t.taskId));
  const gangs = new Map<string, number>();
  for (const t of view.running) if (t.gang !== undefined) gangs.set(t.gang, (gangs.get(t.gang) ?? 0) + 1);
  const unique = new Map<string, Pending>();
  const refused: Wait[] = [];
  for (const task of pending) {
    if (held.has(task.taskId)) refused.push(alreadyRunning(task.taskId));
    else if (!unique.has(task.taskId)) unique.set(task.taskId, task);
  }
  const waiting = [...unique.values()];
  const planning = new Planning(view, waiting, options);
  const queues = unitsByQueue(waiting, options.now, gangs, options.starvationMs);
  while (queues.size > 0) {
    if (queues.size > 1)
      planning.fair.heads(
        new Map([...queues].map(([queue, units]) => [queue, units[0]!.tasks[0]!.submittedAt])),
      );
    let first: string | undefined;
    for (const queue of queues.keys())
      if (first === undefined || planning.fair.compare(queue, first) < 0) first = queue;
    const units = queues.get(first!)!;
    planning.consider(units.shift()!);
    if (units.length === 0) queues.delete(first!);
  }
  refused.sort((a, b) => (a.taskId < b.taskId ? -1 : 1));
  return { viewVersion: view.version, decisions: [...planning.finish(), ...refused] };
}

function alreadyRunning(taskId: string): Wait {
  return {
    kind: 'wait',
    taskId,
    code: 'already-running',
    message: 'It runs already.',
    unblock: 'Nothing to do: it is not started twice.',
    position: 0,
  };
}
