import {
  describeError,
  type ErrorCode,
  type ErrorDetails,
  formatBytes,
  formatDuration,
  type JobSpec,
} from '@vgpu/core';
import type { WorkerExit } from '@vgpu/drivers';

export interface Reason {
  code: ErrorCode;
  message: string;
  hint: string;
}

/** How an attempt ended, as it is kept in the store before anything is given back. */
export interface Outcome {
  to: 'COMPLETED' | 'FAILED' | 'CANCELLED' | 'QUEUED';
  reason: Reason | null;
  exitCode: number | null;
  startMs: number | null;
  runMs: number | null;
  endedAt: number;
  /** Which allowance pays for another attempt, where there is one. */
  paidBy?: 'retries' | 'loss' | 'preemption';
}

export const reasonOf = (code: ErrorCode, details: ErrorDetails = {}): Reason => ({
  code,
  ...describeError(code, details),
});

/** Workers that a task may lose to crashes of the server or the engine before that counts as its failure. */
export const FREE_LOSSES = 5;

/** Wait before the n-th retry (1 is the first): 0.5 s, doubling, at most 30 s. */
export const backoffMs = (retry: number): number => Math.min(30_000, 500 * 2 ** (retry - 1));

const SIGNAL_BASE = 128;

/** What an exit means for people, most specific first; null for a success. */
export function reasonOfExit(exit: WorkerExit, spec: JobSpec): Reason | null {
  switch (exit.reason) {
    case 'completed':
      return null;
    case 'oom':
      return reasonOf('OUT_OF_MEMORY', { limit: formatBytes(spec.resources.memory) });
    case 'timeout':
      return reasonOf('TIMED_OUT', { limit: formatDuration(spec.limits.time) });
    case 'output-limit':
      return reasonOf('OUTPUT_LIMIT', { limit: formatBytes(spec.limits.output) });
    case 'stopped':
      return reasonOf('STOPPED', { who: 'vgpu' });
    case 'signal':
      return reasonOf('KILLED', { signal: exit.signal ?? exit.exitCode - SIGNAL_BASE });
    case 'lost':
      return reasonOf('WORKER_LOST');
    case 'failed': {
      const { exception } = exit;
      if (!exception) return reasonOf('SCRIPT_FAILED', { exitCode: exit.exitCode });
      const details = { type: exception.type, text: exception.message };
      return reasonOf('SCRIPT_EXCEPTION', details);
    }
  }
}

export interface TaskAllowance {
  retries_used: number;
  losses: number;
  /** Who asked for it to stop. */
  stop_by: string | null;
}

/**
 * Decides what becomes of a task when an attempt ended.
 * @param ourFault the worker was lost to a crash of the server or the engine, not to the script.
 * @param preempted why it was told to end to make room: whatever end that brought, it queues again for free.
 */
export function decideOutcome(
  exit: WorkerExit,
  spec: JobSpec,
  task: TaskAllowance,
  options: { at: number; ourFault: boolean; preempted?: Reason | undefined },
): Outcome {
  const base = {
    exitCode: exit.reason === 'lost' ? null : exit.exitCode,
    startMs: exit.timings.start,
    runMs: exit.timings.run,
    endedAt: options.at,
  };
  if (exit.reason === 'completed') return { ...base, to: 'COMPLETED', reason: null };
  if (task.stop_by !== null) {
    return { ...base, to: 'CANCELLED', reason: reasonOf('STOPPED', { who: task.stop_by }) };
  }
  if (options.preempted) return { ...base, to: 'QUEUED', reason: options.preempted, paidBy: 'preemption' };
  const reason = reasonOfExit(exit, spec);
  if (exit.reason === 'lost' && options.ourFault && task.losses < FREE_LOSSES) {
    return { ...base, to: 'QUEUED', reason, paidBy: 'loss' };
  }
  if (task.retries_used < spec.limits.retries) return { ...base, to: 'QUEUED', reason, paidBy: 'retries' };
  return { ...base, to: 'FAILED', reason };
}
