import type { Pending } from './pending.ts';
import type { Bind, Plan } from './plan.ts';
import type { AcceleratorShare, AcceleratorView, MigInstance, NodeView, RunningTask, View } from './view.ts';

/** A plan, or a change, that the view cannot take. The view is unharmed. */
export class RefusedChange extends Error {
  readonly code: 'stale' | 'unknown-node' | 'unknown-task' | 'unknown-device' | 'over-commit' | 'duplicate';
  constructor(code: RefusedChange['code'], message: string) {
    super(message);
    this.name = 'RefusedChange';
    this.code = code;
  }
}

export type Change =
  | { readonly kind: 'node'; readonly node: NodeView }
  | { readonly kind: 'node-gone'; readonly id: string }
  | { readonly kind: 'start'; readonly task: RunningTask }
  | { readonly kind: 'end'; readonly taskId: string }
  | { readonly kind: 'update-task'; readonly taskId: string; readonly patch: Partial<RunningTask> };

/** An empty view, or one made from parts. Free amounts of the nodes must already count what runs. */
export function makeView(parts: Partial<View> = {}): View {
  return { version: 1, nodes: [], running: [], queues: [], ...parts };
}

function shareDevice(
  device: AcceleratorView,
  share: AcceleratorShare,
  sign: 1 | -1,
  taskId: string,
  project: string,
): AcceleratorView {
  const freeMilli = device.freeMilli - sign * share.milli;
  const freeVramBytes = device.freeVramBytes - sign * share.vramBytes;
  if (freeMilli < 0 || freeVramBytes < 0)
    throw new RefusedChange('over-commit', `Device ${device.uuid} has not enough left for task ${taskId}.`);
  let mig = device.mig;
  if (share.profile !== undefined && share.start !== undefined && mig) {
    const at = mig.findIndex((i) => i.start === share.start && i.profile === share.profile);
    if (at < 0 && sign === 1)
      throw new RefusedChange(
        'unknown-device',
        `Device ${device.uuid} has no ${share.profile} at ${share.start}.`,
      );
    if (sign === 1 && mig[at]?.taskId !== undefined)
      throw new RefusedChange(
        'over-commit',
        `Instance ${share.profile}@${share.start} of ${device.uuid} is held.`,
      );
    const kept: MigInstance = { profile: share.profile, start: share.start };
    if (at >= 0) mig = mig.with(at, sign === 1 ? { ...kept, taskId } : kept);
  }
  let freeSlots = device.freeSlots;
  if (freeSlots !== undefined) {
    freeSlots -= sign;
    if (freeSlots < 0) throw new RefusedChange('over-commit', `Device ${device.uuid} carries no more tasks.`);
  }
  let vgpuType = device.vgpuType;
  if (device.mode === 'vgpu') {
    if (sign === 1 && share.profile) vgpuType = share.profile;
    if (sign === -1 && freeMilli === device.milli) vgpuType = undefined;
  }
  if (device.oneProject === undefined)
    return { ...device, freeMilli, freeVramBytes, freeSlots, mig, vgpuType };
  const empty = sign === -1 && freeMilli === device.milli && freeVramBytes === device.vramBytes;
  const oneProject = sign === 1 ? project : empty ? null : device.oneProject;
  return { ...device, freeMilli, freeVramBytes, freeSlots, mig, vgpuType, oneProject };
}

/** The node with a task's amounts taken (1) or given back (−1). Throws RefusedChange on over-commitment. */
export function holdOnNode(
  node: NodeView,
  task: Pick<RunningTask, 'taskId' | 'project' | 'cpuMilli' | 'memoryBytes' | 'accelerators'>,
  sign: 1 | -1,
): NodeView {
  const freeCpuMilli = node.freeCpuMilli - sign * task.cpuMilli;
  const freeMemoryBytes = node.freeMemoryBytes - sign * task.memoryBytes;
  if (freeCpuMilli < 0 || freeMemoryBytes < 0)
    throw new RefusedChange('over-commit', `Node ${node.id} has not enough left for task ${task.taskId}.`);
  let accelerators = node.accelerators;
  for (const share of task.accelerators) {
    const at = accelerators.findIndex((d) => d.uuid === share.uuid);
    const device = accelerators[at];
    if (!device) {
      // A device that has gone takes its shares with it; only new work needs it to be there.
      if (sign === -1) continue;
      throw new RefusedChange('unknown-device', `Node ${node.id} has no device ${share.uuid}.`);
    }
    accelerators = accelerators.with(at, shareDevice(device, share, sign, task.taskId, task.project));
  }
  return { ...node, freeCpuMilli, freeMemoryBytes, accelerators };
}

/** The next view. Unchanged nodes keep their identity, so indexes over them stay valid. */
export function changeView(view: View, changes: readonly Change[]): View {
  const nodes = [...view.nodes];
  const at = new Map<string, number>();
  for (const [i, n] of nodes.entries()) at.set(n.id, i);
  const running = new Map<string, RunningTask>();
  for (const t of view.running) running.set(t.taskId, t);
  const gone = new Set<string>();
  for (const change of changes) {
    switch (change.kind) {
      case 'node': {
        const i = at.get(change.node.id);
        gone.delete(change.node.id);
        if (i === undefined) at.set(change.node.id, nodes.push(change.node) - 1);
        else nodes[i] = change.node;
        break;
      }
      case 'node-gone':
        if (!at.has(change.id)) throw new RefusedChange('unknown-node', `There is no node ${change.id}.`);
        gone.add(change.id);
        for (const t of running.values()) if (t.node === change.id) running.delete(t.taskId);
        break;
      case 'start': {
        const { task } = change;
        const i = at.get(task.node);
        if (i === undefined || gone.has(task.node))
          throw new RefusedChange('unknown-node', `There is no node ${task.node} for task ${task.taskId}.`);
        if (running.has(task.taskId))
          throw new RefusedChange('duplicate', `Task ${task.taskId} is running already.`);
        nodes[i] = holdOnNode(nodes[i]!, task, 1);
        running.set(task.taskId, task);
        break;
      }
      case 'end': {
        const task = running.get(change.taskId);
        if (!task) throw new RefusedChange('unknown-task', `Task ${change.taskId} is not running.`);
        const i = at.get(task.node);
        if (i !== undefined && !gone.has(task.node)) nodes[i] = holdOnNode(nodes[i]!, task, -1);
        running.delete(change.taskId);
        break;
      }
      case 'update-task': {
        const task = running.get(change.taskId);
        if (!task) throw new RefusedChange('unknown-task', `Task ${change.taskId} is not running.`);
        running.set(change.taskId, { ...task, ...change.patch, taskId: task.taskId, node: task.node });
        break;
      }
    }
  }
  return {
    ...view,
    version: view.version + 1,
    nodes: gone.size ? nodes.filter((n) => !gone.has(n.id)) : nodes,
    running: [...running.values()],
  };
}

/**
 * The view once the plan has been carried out in full: preempted tasks gone, moved ones moved, devices cut,
 * bound tasks running since `now`.
 * @throws RefusedChange `stale` when the plan was made for another version: the same plan twice is refused.
 */
export function applyPlan(view: View, plan: Plan, pending: readonly Pending[], now: number): View {
  if (plan.viewVersion !== view.version)
    throw new RefusedChange(
      'stale',
      `The plan was made for version ${plan.viewVersion} of the view; it is now ${view.version}.`,
    );
  const tasks = new Map(pending.map((p) => [p.taskId, p]));
  const nodeOf = new Map(view.nodes.map((n) => [n.id, n]));
  const runningOf = new Map(view.running.map((t) => [t.taskId, t]));
  let next = view;
  let batch: Change[] = [];
  const flush = () => {
    if (!batch.length) return;
    next = changeView(next, batch);
    batch = [];
    nodeOf.clear();
    for (const n of next.nodes) nodeOf.set(n.id, n);
  };
  for (const d of plan.decisions) {
    if (d.kind === 'preempt') batch.push({ kind: 'end', taskId: d.taskId });
    if (d.kind === 'migrate') {
      const task = runningOf.get(d.taskId);
      if (!task) throw new RefusedChange('unknown-task', `Task ${d.taskId} is not running.`);
      batch.push({ kind: 'end', taskId: d.taskId });
      batch.push({ kind: 'start', task: { ...task, node: d.to, accelerators: d.accelerators } });
    }
    if (d.kind === 'repartition') {
      flush();
      const node = nodeOf.get(d.node);
      if (!node) throw new RefusedChange('unknown-node', `There is no node ${d.node}.`);
      const accelerators = node.accelerators.map((a) => {
        if (a.uuid !== d.uuid) return a;
        const kept = (a.mig ?? []).filter(
          (m) =>
            !d.destroy.some((x) => x.profile === m.profile && x.start === m.start && m.taskId === undefined),
        );
        return { ...a, mig: [...kept, ...d.create].sort((x, y) => x.start - y.start) };
      });
      batch.push({ kind: 'node', node: { ...node, accelerators } });
    }
    if (d.kind === 'bind') {
      const p = tasks.get(d.taskId);
      if (!p) throw new RefusedChange('unknown-task', `Task ${d.taskId} is not among the pending ones.`);
      batch.push({ kind: 'start', task: runningFrom(p, d, now) });
    }
  }
  flush();
  return { ...next, version: view.version + 1 };
}

/** A task as it runs once it is bound. */
export function runningFrom(
  p: Pending,
  d: Pick<Bind, 'node' | 'cpuMilli' | 'memoryBytes' | 'accelerators'>,
  now: number,
): RunningTask {
  return {
    taskId: p.taskId,
    jobId: p.jobId,
    project: p.project,
    queue: p.queue,
    priority: p.priority ?? 0,
    qos: p.qos ?? 'burstable',
    node: d.node,
    cpuMilli: d.cpuMilli,
    memoryBytes: d.memoryBytes,
    accelerators: d.accelerators,
    startedAt: now,
    expectedEndAt: p.expectedDurationMs === undefined ? undefined : now + p.expectedDurationMs,
    gang: p.gang?.id,
  };
}
