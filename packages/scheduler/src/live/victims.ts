import type { Pending } from '../pending.ts';
import type { Amounts, FairShare } from '../queues/fair-share.ts';
import { queueOf } from '../queues/order.ts';
import type { RunningTask } from '../view.ts';

/** Run time lost when the task is stopped now: since its last checkpoint, or one taken now loses none. */
export function lostMs(task: RunningTask, now: number): number {
  if (task.checkpointable) return 0;
  return Math.max(0, now - (task.lastCheckpointAt ?? task.startedAt));
}

/** Why a running task may be stopped for a waiting one; undefined where it may not. */
export function preemptionReason(
  victim: RunningTask,
  task: Pending,
  amounts: Amounts,
  fair: FairShare,
): string | undefined {
  if (victim.preemptible === false) return undefined;
  const priority = task.priority ?? 0;
  const queue = queueOf(task);
  const victimQueue = queueOf(victim);
  if (queue === victimQueue) {
    if (victim.priority < priority) return `priority ${priority} over ${victim.priority}`;
  } else if (fair.borrows(victimQueue) && fair.deserves(queue, amounts)) {
    return `queue ${queue} takes back what ${victimQueue} borrowed`;
  }
  const qos = task.qos ?? 'burstable';
  if (victim.qos === 'best-effort' && qos !== 'best-effort' && victim.priority <= priority)
    return `${qos} over best-effort`;
  return undefined;
}

/**
 * Whom it hurts least to stop: 1. best-effort, then burstable, then guaranteed; 2. lower priority; 3. can be
 * checkpointed; 4. less work lost; 5. started later; 6. id.
 */
export function compareVictims(a: RunningTask, b: RunningTask, now: number): number {
  const rank = { 'best-effort': 0, burstable: 1, guaranteed: 2 } as const;
  return (
    rank[a.qos] - rank[b.qos] ||
    a.priority - b.priority ||
    Number(b.checkpointable ?? false) - Number(a.checkpointable ?? false) ||
    lostMs(a, now) - lostMs(b, now) ||
    b.startedAt - a.startedAt ||
    (a.taskId < b.taskId ? -1 : 1)
  );
}
