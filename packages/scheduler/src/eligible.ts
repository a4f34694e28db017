import type { LabelClause, Pending } from './pending.ts';
import type { WaitCode } from './reasons.ts';
import type { AcceleratorView, Isolation, NodeView } from './view.ts';

/** What a device enforces by itself when it is cut. */
export function deviceIsolation(device: AcceleratorView): Isolation {
  if (device.isolation) return device.isolation;
  return device.mode === 'shared' || device.mode === 'remote' ? 'soft' : 'hard';
}

/** A share that takes all of a local device is hard isolation, whatever the mode. */
export function takesWhole(task: Pending): boolean {
  return task.gpuCount > 0 && task.gpuMilli >= 1000;
}

/**
 * Whether a device could ever carry one share of the task, its present load left aside.
 * @returns undefined when it could, otherwise the first reason why not.
 */
export function deviceMismatch(task: Pending, device: AcceleratorView): WaitCode | undefined {
  if (device.health === 'unhealthy' || device.health === 'draining') return 'unhealthy';
  if (task.models?.length && !task.models.includes(device.model)) return 'no-model';
  if (task.mode && task.mode !== device.mode) return 'no-mode';
  const whole = takesWhole(task);
  switch (device.mode) {
    case 'passthrough':
      if (!whole) return 'no-mode';
      break;
    case 'mig':
    case 'vgpu':
    case 'mig-vgpu':
      break;
    case 'shared':
    case 'remote':
      if (task.profile) return 'no-mode';
      break;
  }
  if (task.isolation === 'hard' && deviceIsolation(device) === 'soft') {
    if (!whole || device.mode === 'remote' || device.alwaysSoft) return 'no-isolation';
  }
  if (task.isolation === 'soft' && deviceIsolation(device) === 'hard' && device.isolation)
    return 'no-isolation';
  if (task.gpuMilli > device.milli || (task.vramBytes ?? 0) > device.vramBytes) return 'too-large';
  return undefined;
}

function clauseHolds(clause: LabelClause, labels: Readonly<Record<string, string>>): boolean {
  const value = labels[clause.key];
  if (clause.in) return value !== undefined && clause.in.includes(value);
  if (clause.notIn) return value === undefined || !clause.notIn.includes(value);
  return value !== undefined;
}

/** Whether a node could ever take the task, its load and devices left aside. */
export function nodeMismatch(task: Pending, node: NodeView): WaitCode | undefined {
  if (node.schedulable === false) return 'unhealthy';
  if (task.node !== undefined && task.node !== node.id) return 'no-labels';
  if (task.avoidNodes?.includes(node.id)) return 'no-labels';
  for (const clause of task.nodeSelector ?? []) {
    if (!clauseHolds(clause, node.labels ?? {})) return 'no-labels';
  }
  for (const taint of node.taints ?? []) {
    if (taint.effect !== 'no-schedule') continue;
    const tolerated = task.tolerations?.some(
      (t) => t.key === taint.key && (t.value === undefined || t.value === taint.value),
    );
    if (!tolerated) return 'no-labels';
  }
  if (task.cpuMilli > node.cpuMilli || task.memoryBytes > node.memoryBytes) return 'too-large';
  return undefined;
}
