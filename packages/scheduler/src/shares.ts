import { type Offer, offerOf } from './offers.ts';
import type { Pending } from './pending.ts';
import type { WaitCode } from './reasons.ts';
import type { AcceleratorView, NodeView } from './view.ts';

export interface ChooseOptions {
  /** Whether MIG devices may be recut. Default true. */
  readonly recut?: boolean;
  /** Higher is better; decides between devices of one node before fullness does. Default: none. */
  readonly score?: (offer: Offer) => number;
}

/** Offers that would go well together: as wide as the topology asked for. */
function groupKey(device: AcceleratorView, topology: Pending['topology']): string | undefined {
  switch (topology) {
    case 'nvlink':
      return device.nvlinkGroup;
    case 'pcie':
      return device.pcieGroup;
    case 'numa':
      return device.numaNode === undefined ? undefined : String(device.numaNode);
    case undefined:
      return 'any';
  }
}

/**
 * Devices in the order in which they are taken:
 * 1. healthy before degraded; 2. no recutting before recutting; 3. higher score; 4. the fullest in compute, so
 * that whole devices stay whole; 5. the fullest in memory; 6. uuid.
 */
function compareOffers(a: Offer, b: Offer, score: ChooseOptions['score']): number {
  return (
    Number(a.device.health === 'degraded') - Number(b.device.health === 'degraded') ||
    Number(a.recut !== undefined) - Number(b.recut !== undefined) ||
    (score ? score(b) - score(a) : 0) ||
    a.device.freeMilli - b.device.freeMilli ||
    a.device.freeVramBytes - b.device.freeVramBytes ||
    (a.device.uuid < b.device.uuid ? -1 : a.device.uuid > b.device.uuid ? 1 : 0)
  );
}

/**
 * Chooses devices of one node for the task, the topology kept where one is asked for; without one, devices
 * that share an NVLink domain are preferred where several are wanted.
 * @returns one offer per device wanted, or the first reason met
 */
export function chooseShares(
  task: Pending,
  node: NodeView,
  options: ChooseOptions = {},
): readonly Offer[] | WaitCode {
  if (task.gpuCount === 0) return [];
  const offers: Offer[] = [];
  let reason: WaitCode | undefined;
  for (const device of node.accelerators) {
    const offer = offerOf(task, device, options.recut ?? true);
    if (typeof offer === 'string') reason ??= offer;
    else offers.push(offer);
  }
  if (offers.length < task.gpuCount) {
    if (node.accelerators.length < task.gpuCount)
      return node.accelerators.length === 0 ? 'no-model' : 'too-large';
    return reason ?? 'gpu';
  }
  offers.sort((a, b) => compareOffers(a, b, options.score));
  if (task.gpuCount === 1) return offers.slice(0, 1);
  const grouped = tightestGroup(task, offers, task.topology);
  if (task.topology) return grouped ?? 'topology';
  return tightestGroup(task, offers, 'nvlink') ?? offers.slice(0, task.gpuCount);
}

/** The group with the fewest offers that still has enough, so that large groups stay whole. */
function tightestGroup(
  task: Pending,
  offers: readonly Offer[],
  topology: Pending['topology'],
): readonly Offer[] | undefined {
  const groups = new Map<string, Offer[]>();
  for (const offer of offers) {
    const key = groupKey(offer.device, topology);
    if (key === undefined) continue;
    const group = groups.get(key);
    if (group) group.push(offer);
    else groups.set(key, [offer]);
  }
  const enough = [...groups].filter(([, g]) => g.length >= task.gpuCount);
  enough.sort(([ka, a], [kb, b]) => a.length - b.length || (ka < kb ? -1 : 1));
  return enough[0]?.[1].slice(0, task.gpuCount);
}
