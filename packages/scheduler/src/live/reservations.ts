import { nodeMismatch } from '../eligible.ts';
import type { Offer } from '../offers.ts';
import type { Pending } from '../pending.ts';
import type { NodeView, RunningTask } from '../view.ts';
import { fitOn, fits } from './fit.ts';
import { withoutTask, withTask } from './working-node.ts';

/** Room kept on one node for a task that waits. */
export interface Reserved {
  readonly task: Pending;
  readonly node: number;
  /** When it can start; Infinity where the ends that it waits for are unknown. */
  readonly at: number;
  /** Running tasks that have to end first. */
  readonly after: readonly RunningTask[];
}

/** Ends first: 1. earlier expected end, unknown ones last; 2. earlier start; 3. id. */
function compareEnds(a: RunningTask, b: RunningTask): number {
  const endA = a.expectedEndAt ?? Number.POSITIVE_INFINITY;
  const endB = b.expectedEndAt ?? Number.POSITIVE_INFINITY;
  return (endA === endB ? 0 : endA - endB) || a.startedAt - b.startedAt || (a.taskId < b.taskId ? -1 : 1);
}

/** The first moment at which the task fits on the node as its running tasks end, one after the other. */
export function earliestOn(
  task: Pending,
  node: NodeView,
  running: readonly RunningTask[],
  now: number,
): { at: number; after: readonly RunningTask[] } | undefined {
  if (nodeMismatch(task, node)) return undefined;
  let state = node;
  let at = now;
  const after: RunningTask[] = [];
  if (fits(task, state)) return { at, after };
  for (const r of [...running].sort(compareEnds)) {
    state = withoutTask(state, r);
    after.push(r);
    // An end that should have come already is as good as unknown, but soon.
    at = Math.max(at, r.expectedEndAt ?? Number.POSITIVE_INFINITY);
    if (fits(task, state)) return { at, after };
  }
  return undefined;
}

/**
 * Reservations of one plan. A node with reservations takes other work only if every task that it is kept for
 * can still start when it would have: either the other work has ended by then, or there is room for both.
 */
export class Reservations {
  readonly #byNode = new Map<number, Reserved[]>();

  /**
   * Where the task can start first, after what is kept already.
   * Order: 1. known before unknown times; 2. earlier; 3. fewer ends to wait for; 4. fleet order.
   */
  earliest(
    task: Pending,
    nodes: readonly NodeView[],
    runningOn: (node: number) => readonly RunningTask[],
    now: number,
  ): Reserved | undefined {
    let best: Reserved | undefined;
    for (let i = 0; i < nodes.length; i++) {
      const found = earliestOn(task, this.#withKept(i, nodes[i]!), runningOn(i), now);
      if (!found) continue;
      if (best && (found.at > best.at || (found.at === best.at && found.after.length >= best.after.length)))
        continue;
      best = { task, node: i, ...found };
    }
    return best;
  }

  get empty(): boolean {
    return this.#byNode.size === 0;
  }

  keep(reserved: Reserved): void {
    const list = this.#byNode.get(reserved.node);
    if (list) list.push(reserved);
    else this.#byNode.set(reserved.node, [reserved]);
  }

  /** The node with the tasks that it is kept for on it, as far as they fit already. */
  #withKept(i: number, node: NodeView): NodeView {
    let state = node;
    for (const r of this.#byNode.get(i) ?? []) {
      const offers = fitOn(r.task, state);
      if (typeof offers !== 'string') state = withTask(state, r.task, offers);
    }
    return state;
  }

  /** Whether the task may take the offers on the node without delaying those it is kept for. */
  allows(task: Pending, i: number, node: NodeView, offers: readonly Offer[], now: number): boolean {
    const list = this.#byNode.get(i);
    if (!list) return true;
    const end =
      task.expectedDurationMs === undefined ? Number.POSITIVE_INFINITY : now + task.expectedDurationMs;
    let state: NodeView | undefined;
    for (const r of list) {
      if (end <= r.at) continue;
      // What is kept has to fit beside this task, once those it waits for are gone.
      state ??= withTask(node, task, offers);
      let then = state;
      for (const ended of r.after) then = withoutTask(then, ended);
      for (const other of list) {
        if (other === r) break;
        const held = fitOn(other.task, then);
        if (typeof held !== 'string') then = withTask(then, other.task, held);
      }
      if (!fits(r.task, then)) return false;
    }
    return true;
  }
}
