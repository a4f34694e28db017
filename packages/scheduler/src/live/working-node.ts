import { holdOnNode } from '../change.ts';
import type { Offer } from '../offers.ts';
import type { Pending } from '../pending.ts';
import type { AcceleratorShare, NodeView, RunningTask } from '../view.ts';

/** What a task takes of a node. */
export type Holding = Pick<RunningTask, 'taskId' | 'project' | 'cpuMilli' | 'memoryBytes' | 'accelerators'>;

export function holdingOf(task: Pending, offers: readonly Offer[]): Holding {
  return {
    taskId: task.taskId,
    project: task.project,
    cpuMilli: task.cpuMilli,
    memoryBytes: task.memoryBytes,
    accelerators: offers.map((o): AcceleratorShare => o.share),
  };
}

/** The node with the devices cut as the offers need. */
export function recutNode(node: NodeView, offers: readonly Offer[]): NodeView {
  if (!offers.some((o) => o.recut)) return node;
  const accelerators = node.accelerators.map((device) => {
    const recut = offers.find((o) => o.recut && o.device.uuid === device.uuid)?.recut;
    if (!recut) return device;
    const kept = (device.mig ?? []).filter(
      (m) =>
        m.taskId !== undefined || !recut.destroy.some((d) => d.profile === m.profile && d.start === m.start),
    );
    return { ...device, mig: [...kept, ...recut.create].sort((a, b) => a.start - b.start) };
  });
  return { ...node, accelerators };
}

/** The node once the task holds what the offers give. Throws RefusedChange on over-commitment. */
export function withTask(node: NodeView, task: Pending, offers: readonly Offer[]): NodeView {
  return holdOnNode(recutNode(node, offers), holdingOf(task, offers), 1);
}

/** The node without what the task holds. */
export function withoutTask(node: NodeView, task: Holding): NodeView {
  return holdOnNode(node, task, -1);
}
