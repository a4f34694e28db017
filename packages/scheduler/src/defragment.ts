import { LiveFleet } from './live/live-fleet.ts';
import { asPending, movable } from './live/make-room.ts';
import { withoutTask } from './live/working-node.ts';
import type { Migrate, Plan } from './plan.ts';
import type { Ranking } from './schedule.ts';
import type { RunningTask, View } from './view.ts';

export interface DefragmentOptions {
  readonly seed?: number;
  /** Default `default`. */
  readonly ranking?: Ranking;
  /** Most moves in one plan. Default 8. */
  readonly maxMoves?: number;
}

/**
 * Empties whole devices: tasks that can be checkpointed leave devices that they use in part for others that
 * are in use already, so that every device that is emptied is a whole one gained. Devices with least on them
 * go first; a device is emptied altogether or left alone.
 * @returns a plan of moves only; it may be empty
 */
export function defragment(view: View, options: DefragmentOptions = {}): Plan {
  let budget = options.maxMoves ?? 8;
  const fleet = new LiveFleet(view, [], {
    ranking: options.ranking ?? 'default',
    seed: options.seed ?? 0,
    weights: {},
    repartition: false,
  });
  const decisions: Migrate[] = [];
  /** Devices that were emptied, or that took work in: neither is touched again in this plan. */
  const emptied = new Set<string>();
  const filled = new Set<string>();
  for (const { tasks, uuid } of partlyUsed(view)) {
    if (tasks.length > budget || filled.has(uuid)) continue;
    const moves: Migrate[] = [];
    const undo: (() => void)[] = [];
    for (const task of tasks) {
      const from = fleet.index.get(task.node)!;
      const source = fleet.nodes[from]!;
      const waiting = asPending(task, source);
      const found = fleet.find(waiting, (_t, _n, offers) =>
        offers.every((o) => !o.recut && o.device.freeMilli < o.device.milli && !emptied.has(o.device.uuid)),
      );
      if (!found) break;
      fleet.replace(from, withoutTask(source, task));
      const target = fleet.hold(waiting, found);
      undo.push(() => {
        fleet.replace(found.node, target);
        fleet.replace(from, source);
      });
      moves.push({
        kind: 'migrate',
        taskId: task.taskId,
        from: source.id,
        to: target.id,
        accelerators: found.offers.map((o) => o.share),
        reason: `empties device ${uuid}`,
      });
    }
    if (moves.length === tasks.length) {
      decisions.push(...moves);
      emptied.add(uuid);
      for (const move of moves) for (const share of move.accelerators) filled.add(share.uuid);
      budget -= moves.length;
    } else for (const back of undo.reverse()) back();
  }
  return { viewVersion: view.version, decisions: decisions };
}

/** Devices that are used in part, and only by tasks that can move and use no other; least used first. */
function partlyUsed(view: View): { uuid: string; tasks: readonly RunningTask[] }[] {
  const on = new Map<string, RunningTask[]>();
  for (const task of view.running)
    for (const share of task.accelerators) {
      const list = on.get(share.uuid);
      if (list) list.push(task);
      else on.set(share.uuid, [task]);
    }
  const found: { uuid: string; tasks: RunningTask[]; used: number }[] = [];
  for (const node of view.nodes) {
    if (node.schedulable === false) continue;
    for (const device of node.accelerators) {
      const tasks = on.get(device.uuid);
      if (!tasks || device.freeMilli <= 0) continue;
      if (!tasks.every((t) => movable(t) && t.accelerators.length === 1)) continue;
      found.push({ uuid: device.uuid, tasks, used: device.milli - device.freeMilli });
    }
  }
  return found.sort((a, b) => a.used - b.used || (a.uuid < b.uuid ? -1 : 1));
}
