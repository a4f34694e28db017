import { nodeMismatch } from '../eligible.ts';
import type { Pending } from '../pending.ts';
import type { NodeView, RunningTask } from '../view.ts';
import { fits } from './fit.ts';
import { withoutTask } from './working-node.ts';

/**
 * The least that has to leave a node for the task to fit: candidates go in their order until it fits, then
 * those that turn out not to be needed come back, the dearest first.
 * @param candidates in order of preference, cheapest first
 */
export function leastToLeave(
  task: Pending,
  node: NodeView,
  candidates: readonly RunningTask[],
): readonly RunningTask[] | undefined {
  if (nodeMismatch(task, node)) return undefined;
  let state = node;
  const gone: RunningTask[] = [];
  for (const c of candidates) {
    if (fits(task, state)) break;
    state = withoutTask(state, c);
    gone.push(c);
  }
  if (!fits(task, state)) return undefined;
  for (let i = gone.length - 1; i >= 0; i--) {
    let without = node;
    for (const [j, g] of gone.entries()) if (j !== i) without = withoutTask(without, g);
    if (fits(task, without)) gone.splice(i, 1);
  }
  return gone;
}

/** Node labels that name the machine itself: another machine need not have them. */
const OWN_LABEL = /hostname|instance-id/;

/**
 * A running task as if it waited for a place elsewhere that is just as good: the same models and modes, the
 * same labels, not the node that it is on.
 */
export function asPending(task: RunningTask, node: NodeView): Pending {
  const devices = task.accelerators.map((s) => node.accelerators.find((d) => d.uuid === s.uuid));
  const first = task.accelerators[0];
  const whole = devices[0]?.mode === 'passthrough';
  return {
    taskId: task.taskId,
    jobId: task.jobId,
    project: task.project,
    queue: task.queue,
    priority: task.priority,
    submittedAt: task.startedAt,
    cpuMilli: task.cpuMilli,
    memoryBytes: task.memoryBytes,
    gpuCount: task.accelerators.length,
    gpuMilli: whole ? 1000 : (first?.milli ?? 0),
    vramBytes: whole ? 0 : Math.max(0, ...task.accelerators.map((s) => s.vramBytes)),
    models: [...new Set(devices.map((d) => d?.model ?? ''))].filter(Boolean).sort(),
    mode: devices[0]?.mode,
    profile: first?.profile,
    qos: task.qos,
    avoidNodes: [node.id],
    nodeSelector: Object.entries(node.labels ?? {})
      .filter(([key]) => !OWN_LABEL.test(key))
      .map(([key, value]) => ({ key, in: [value] })),
  };
}

/** Whether a task may be moved at all. */
export function movable(task: RunningTask): boolean {
  return task.checkpointable === true && task.preemptible !== false && task.gang === undefined;
}
