import type { Pending } from '../pending.ts';
import { queueOf } from '../queues/order.ts';
import type { RunningTask } from '../view.ts';
import { amountsHeld, amountsOf, type Draft } from './draft.ts';
import { asPending, leastToLeave, movable } from './make-room.ts';
import { compareVictims, lostMs, preemptionReason } from './victims.ts';

/** Each try to move costs a few searches; a handful of the cheapest is enough. */
const MAX_TRIES = 8;

/** Moves running tasks from one node so that the task fits there; the fewest moves, then fleet order. */
export function moveFor(task: Pending, draft: Draft): boolean {
  const options: { node: number; gone: readonly RunningTask[] }[] = [];
  for (const [node, running] of draft.running) {
    const movables = running.filter(movable).sort((a, b) => compareVictims(a, b, draft.now));
    if (movables.length === 0) continue;
    const gone = leastToLeave(task, draft.fleet.nodes[node]!, movables);
    if (gone && gone.length > 0 && gone.length <= draft.budget) options.push({ node, gone });
  }
  options.sort((a, b) => a.gone.length - b.gone.length || a.node - b.node);
  for (const { node, gone } of options.slice(0, MAX_TRIES)) {
    const mark = draft.mark();
    if (gone.every((victim) => move(victim, node, task, draft)) && bindOn(task, node, gone, draft))
      return true;
    draft.rollback(mark);
  }
  return false;
}

function move(victim: RunningTask, from: number, task: Pending, draft: Draft): boolean {
  const source = draft.fleet.nodes[from]!;
  const moved = asPending(victim, source);
  const found = draft.fleet.find(moved, draft.guard);
  if (!found || found.offers.some((o) => o.recut)) return false;
  const to = draft.fleet.nodes[found.node]!;
  draft.leave(victim, from);
  draft.hold(moved, found);
  draft.push({
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

function bindOn(task: Pending, node: number, gone: readonly RunningTask[], draft: Draft): boolean {
  const found = draft.fleet.find({ ...task, node: draft.fleet.nodes[node]!.id }, draft.guard);
  if (!found) return false;
  draft.bind(
    task,
    found,
    gone.map((g) => g.taskId),
  );
  return true;
}

/** Stops running tasks so that the task fits on one node: the cheapest way. */
export function preemptFor(task: Pending, draft: Draft): boolean {
  const { now } = draft;
  const options: { node: number; gone: readonly RunningTask[]; lost: number; priority: number }[] = [];
  for (const [node, running] of draft.running) {
    const victims = victimsAmong(running, task, draft);
    if (victims.length === 0) continue;
    const direct = leastToLeave(task, draft.fleet.nodes[node]!, victims);
    if (!direct || direct.length === 0) continue;
    const gone = withGangs(direct, draft);
    if (gone.length > draft.budget || gone.some((v) => v.preemptible === false)) continue;
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
    (a, b) => a.priority - b.priority || a.gone.length - b.gone.length || a.lost - b.lost || a.node - b.node,
  );
  const best = options[0];
  if (!best) return false;
  const mark = draft.mark();
  // Before anything is given back: who borrows changes with it.
  const reasons = best.gone.map((v) => preemptionReason(v, task, amountsOf(task), draft.fair));
  for (const [i, victim] of best.gone.entries()) {
    draft.leave(victim, draft.fleet.index.get(victim.node)!);
    draft.charge(queueOf(victim), amountsHeld(victim), -1);
    draft.push({
      kind: 'preempt',
      taskId: victim.taskId,
      for: task.taskId,
      checkpoint: victim.checkpointable ?? false,
      lostMs: lostMs(victim, now),
      reason: reasons[i] ?? `its gang ${victim.gang} is stopped`,
    });
  }
  if (bindOn(task, best.node, best.gone, draft)) return true;
  draft.rollback(mark);
  return false;
}

/** Who may be stopped on a node, cheapest first; no more of a borrowing queue than it borrowed. */
function victimsAmong(
  running: readonly RunningTask[],
  task: Pending,
  { fair, now }: Draft,
): readonly RunningTask[] {
  const amounts = amountsOf(task);
  const victims: RunningTask[] = [];
  for (const v of [...running].sort((a, b) => compareVictims(a, b, now))) {
    if (preemptionReason(v, task, amounts, fair) === undefined) continue;
    victims.push(v);
    fair.charge(queueOf(v), amountsHeld(v), -1);
  }
  for (const v of victims) fair.charge(queueOf(v), amountsHeld(v), 1);
  return victims;
}

/** A gang that loses one member loses all. */
function withGangs(victims: readonly RunningTask[], draft: Draft): readonly RunningTask[] {
  const gangs = new Set(victims.map((v) => v.gang).filter((g) => g !== undefined));
  const all = new Map(victims.map((v) => [v.taskId, v]));
  if (gangs.size > 0)
    for (const list of draft.running.values())
      for (const t of list) if (t.gang !== undefined && gangs.has(t.gang)) all.set(t.taskId, t);
  return [...all.values()];
}
