import { holdOnNode } from './change.ts';
import { nodeMismatch } from './eligible.ts';
import type { Pending } from './pending.ts';
import type { Decision, Plan } from './plan.ts';
import type { WaitCode } from './reasons.ts';
import { chooseShares } from './shares.ts';
import type { AcceleratorShare, NodeView, View } from './view.ts';

export type Ranking = 'default' | 'fgd' | 'bestfit' | 'packing' | 'spread';

export interface PlanOptions {
  /** The present, in the clock of the view's times. */
  readonly now: number;
  /** Orders equal nodes. Default 0. */
  readonly seed?: number;
  /** Default `default`. */
  readonly ranking?: Ranking;
  /** How many running tasks one plan may disturb (preempt or move). Default 0: none. */
  readonly disruptionBudget?: number;
  /** Let MIG devices be recut for waiting work. Default true. */
  readonly repartition?: boolean;
}

/** 1. higher priority; 2. earlier submission; 3. task id. */
function byPriorityThenAge(a: Pending, b: Pending): number {
  return (
    (b.priority ?? 0) - (a.priority ?? 0) ||
    a.submittedAt - b.submittedAt ||
    (a.taskId < b.taskId ? -1 : a.taskId > b.taskId ? 1 : 0)
  );
}

function leftover(node: NodeView, shares: readonly AcceleratorShare[]): number {
  let free = 0;
  for (const d of node.accelerators) free += d.freeMilli;
  for (const s of shares) free -= s.milli;
  return free / 8000 + node.freeCpuMilli / 256_000;
}

/** Decides what starts now and why the rest waits. Pure: the same input gives the same plan. */
export function plan(view: View, pending: readonly Pending[], options: PlanOptions): Plan {
  void options;
  const nodes = new Map(view.nodes.map((n) => [n.id, n]));
  const running = new Set(view.running.map((t) => t.taskId));
  const decisions: Decision[] = [];
  let position = 0;
  for (const task of [...pending].sort(byPriorityThenAge)) {
    let best: { node: NodeView; shares: readonly AcceleratorShare[]; score: number } | undefined;
    let reason: WaitCode = view.nodes.length ? 'cpu' : 'no-nodes';
    if (running.has(task.taskId)) reason = 'already-running';
    else
      for (const node of nodes.values()) {
        const never = nodeMismatch(task, node);
        const shares = never ?? chooseShares(task, node);
        if (typeof shares === 'string') reason = shares;
        else if (node.freeCpuMilli < task.cpuMilli) reason = 'cpu';
        else if (node.freeMemoryBytes < task.memoryBytes) reason = 'memory';
        else {
          const score = leftover(node, shares);
          if (!best || score < best.score || (score === best.score && node.id < best.node.id))
            best = { node, shares, score };
        }
      }
    if (best) {
      const bind = {
        kind: 'bind' as const,
        taskId: task.taskId,
        node: best.node.id,
        cpuMilli: task.cpuMilli,
        memoryBytes: task.memoryBytes,
        accelerators: best.shares,
      };
      nodes.set(best.node.id, holdOnNode(best.node, bind, 1));
      running.add(task.taskId);
      decisions.push(bind);
    } else {
      decisions.push({
        kind: 'wait',
        taskId: task.taskId,
        code: reason,
        message: `No node can take it now (${reason}).`,
        unblock: 'Capacity has to become free.',
        position: ++position,
      });
    }
  }
  return { viewVersion: view.version, decisions };
}
