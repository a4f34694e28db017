import type { Pending } from '../pending.ts';
import type { Qos } from '../view.ts';

const QOS_RANK: Readonly<Record<Qos, number>> = { guaranteed: 0, burstable: 1, 'best-effort': 2 };

/** Time to spare (ms) until the task has to start to meet its deadline; Infinity without one. */
export function slack(task: Pending, now: number): number {
  if (task.deadlineAt === undefined) return Number.POSITIVE_INFINITY;
  return task.deadlineAt - (task.expectedDurationMs ?? 0) - now;
}

/** A deadline counts as pressing when less than its expected duration is to spare, and it can still be met. */
function pressing(task: Pending, now: number): boolean {
  const left = slack(task, now);
  return left >= 0 && left <= (task.expectedDurationMs ?? 0);
}

/** Longest wait (ms) that priority alone can cause: one hour. */
const STARVATION_MS = 3_600_000;

/**
 * Within one queue: 1. whoever waited longer than `starvationMs`, so that priority delays but never starves;
 * 2. higher priority; 3. pressing deadline; 4. guaranteed, then burstable, then best-effort;
 * 5. earlier submission; 6. task id.
 */
export function compareTasks(a: Pending, b: Pending, now: number, starvationMs = STARVATION_MS): number {
  const starved = (t: Pending) => now - t.submittedAt >= starvationMs;
  return (
    Number(starved(b)) - Number(starved(a)) ||
    (b.priority ?? 0) - (a.priority ?? 0) ||
    Number(pressing(b, now)) - Number(pressing(a, now)) ||
    QOS_RANK[a.qos ?? 'burstable'] - QOS_RANK[b.qos ?? 'burstable'] ||
    a.submittedAt - b.submittedAt ||
    (a.taskId < b.taskId ? -1 : a.taskId > b.taskId ? 1 : 0)
  );
}

/** What is placed together: one task, or all waiting members of a gang. */
export interface Unit {
  readonly queue: string;
  /** In their order; the first speaks for the unit. */
  readonly tasks: readonly Pending[];
  /** How many have to start together (less those that run already). */
  readonly needed: number;
  readonly gang?: string;
}

export function queueOf(task: { readonly queue?: string; readonly project: string }): string {
  return task.queue ?? task.project;
}

/** Units by queue, each queue's in order. @param runningGang members of each gang that run already */
export function unitsByQueue(
  pending: readonly Pending[],
  now: number,
  runningGang: ReadonlyMap<string, number>,
  starvationMs?: number,
): Map<string, Unit[]> {
  const sorted = [...pending].sort((a, b) => compareTasks(a, b, now, starvationMs));
  const gangs = new Map<string, Pending[]>();
  for (const task of sorted) {
    if (!task.gang) continue;
    const members = gangs.get(task.gang.id);
    if (members) members.push(task);
    else gangs.set(task.gang.id, [task]);
  }
  const queues = new Map<string, Unit[]>();
  for (const task of sorted) {
    const members = task.gang ? gangs.get(task.gang.id)! : [task];
    if (members[0] !== task) continue;
    const running = task.gang ? (runningGang.get(task.gang.id) ?? 0) : 0;
    const unit: Unit = {
      queue: queueOf(task),
      tasks: members,
      needed: task.gang ? Math.max(1, task.gang.size - running) : 1,
      gang: task.gang?.id,
    };
    const list = queues.get(unit.queue);
    if (list) list.push(unit);
    else queues.set(unit.queue, [unit]);
  }
  return queues;
}
