import type { Pending } from '../pending.ts';
import type { NodeView } from '../view.ts';

export interface Weights {
  /**
   * How much watts count, 0 (default) to 1: a node whose devices idle, or draw more for the same work, ranks
   * lower. At 1 waking an idle device costs as much as wasting a whole one.
   */
  readonly energy?: number;
  /**
   * How much speed counts, 0 to 1 (default 0.5): where a task's `throughputByModel` is known, a model that is
   * half as fast as its best one costs half of this, of a whole device.
   */
  readonly throughput?: number;
}

/** A soft taint or a degraded device costs as much as half a device wasted. */
const RELUCTANCE = 0.5;
/** Watts of a device that tells none: only differences matter. */
const UNKNOWN_POWER = { idleWatts: 60, maxWatts: 300 };

/** Watts that the task would add on the node: devices that wake up, and the work itself. */
function addedWatts(task: Pending, node: NodeView): number {
  const devices = node.accelerators
    .filter((d) => !task.models?.length || task.models.includes(d.model))
    .sort((a, b) => a.freeMilli - b.freeMilli);
  let watts = 0;
  for (const device of devices.filter((d) => d.freeMilli >= task.gpuMilli).slice(0, task.gpuCount)) {
    const { idleWatts, maxWatts } = device.power ?? UNKNOWN_POWER;
    const speed = task.throughputByModel?.[device.model] ?? 1;
    // A sleeping device costs its idle draw from now on; the work itself takes less time on a fast one.
    if (device.freeMilli >= device.milli) watts += idleWatts;
    watts += ((maxWatts - idleWatts) * Math.min(task.gpuMilli, 1000)) / 1000 / Math.max(speed, 0.01);
  }
  return watts;
}

/**
 * What speaks for or against a node beside its room, in wasted devices (−1: as bad as wasting a whole one).
 * Throughput follows Gavel (Narayanan et al., OSDI'20): rates are normalised by the task's best model.
 */
export function preference(task: Pending, node: NodeView, weights: Weights): number {
  let value = 0;
  if (
    node.taints?.some(
      (t) => t.effect === 'prefer-no-schedule' && !task.tolerations?.some((x) => x.key === t.key),
    )
  )
    value -= RELUCTANCE;
  if (task.gpuCount > 0 && node.accelerators.some((d) => d.health === 'degraded')) value -= RELUCTANCE;
  const known = task.throughputByModel;
  const throughput = weights.throughput ?? 0.5;
  if (known && throughput > 0 && task.gpuCount > 0) {
    const best = Math.max(...Object.values(known), 1e-9);
    const here = Math.max(
      ...node.accelerators
        .filter((d) => !task.models?.length || task.models.includes(d.model))
        .map((d) => known[d.model] ?? 0),
      0,
    );
    value -= throughput * task.gpuCount * (1 - here / best);
  }
  if (weights.energy && task.gpuCount > 0)
    value -= (weights.energy * addedWatts(task, node)) / (UNKNOWN_POWER.maxWatts + UNKNOWN_POWER.idleWatts);
  return value;
}
