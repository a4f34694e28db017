import { isTerminal, type TaskState } from './task-state.ts';

export const jobStates = ['QUEUED', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED'] as const;
export type JobState = (typeof jobStates)[number];

/**
 * A job's state follows from its tasks': QUEUED while none has started; RUNNING while any is not terminal;
 * then FAILED if any failed, else CANCELLED if any was cancelled, else COMPLETED.
 */
export function jobStateOf(tasks: readonly TaskState[]): JobState {
  if (tasks.some((state) => !isTerminal(state))) {
    return tasks.every((state) => state === 'QUEUED') ? 'QUEUED' : 'RUNNING';
  }
  if (tasks.includes('FAILED')) return 'FAILED';
  if (tasks.includes('CANCELLED')) return 'CANCELLED';
  return 'COMPLETED';
}

export const isJobTerminal = (state: JobState): boolean => state !== 'QUEUED' && state !== 'RUNNING';
