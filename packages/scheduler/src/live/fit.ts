import { nodeMismatch } from '../eligible.ts';
import type { Offer } from '../offers.ts';
import type { Pending } from '../pending.ts';
import type { WaitCode } from '../reasons.ts';
import { type ChooseOptions, chooseShares } from '../shares.ts';
import type { NodeView } from '../view.ts';

/** Whether a task fits on a node as it is: the offers, or the first reason why not. */
export function fitOn(
  task: Pending,
  node: NodeView,
  options: ChooseOptions = {},
): readonly Offer[] | WaitCode {
  const never = nodeMismatch(task, node);
  if (never) return never;
  const offers = chooseShares(task, node, options);
  if (typeof offers === 'string') return offers;
  if (node.freeCpuMilli < task.cpuMilli) return 'cpu';
  if (node.freeMemoryBytes < task.memoryBytes) return 'memory';
  return offers;
}

export function fits(task: Pending, node: NodeView, options: ChooseOptions = {}): boolean {
  return typeof fitOn(task, node, options) !== 'string';
}
