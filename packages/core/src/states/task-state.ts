import { VgpuError } from '../errors/vgpu-error.ts';

export const taskStates = [
  'QUEUED',
  'SCHEDULED',
  'STARTING',
  'RUNNING',
  'CHECKPOINTED',
  'MIGRATING',
  'COMPLETED',
  'FAILED',
  'CANCELLED',
] as const;

export type TaskState = (typeof taskStates)[number];

/** The one table of transitions: from each state, the states that may follow. */
export const taskTransitions: Readonly<Record<TaskState, readonly TaskState[]>> = {
  QUEUED: ['SCHEDULED', 'FAILED', 'CANCELLED'],
  SCHEDULED: ['STARTING', 'QUEUED', 'FAILED', 'CANCELLED'],
  STARTING: ['RUNNING', 'QUEUED', 'COMPLETED', 'FAILED', 'CANCELLED'],
  RUNNING: ['COMPLETED', 'FAILED', 'CANCELLED', 'CHECKPOINTED', 'MIGRATING', 'QUEUED'],
  CHECKPOINTED: ['RUNNING', 'QUEUED', 'FAILED', 'CANCELLED'],
  MIGRATING: ['RUNNING', 'QUEUED', 'FAILED', 'CANCELLED'],
  COMPLETED: [],
  FAILED: ['QUEUED'],
  CANCELLED: ['QUEUED'],
};

/** COMPLETED, FAILED or CANCELLED: nothing more happens unless somebody asks for a retry. */
export const isTerminal = (state: TaskState): boolean =>
  state === 'COMPLETED' || state === 'FAILED' || state === 'CANCELLED';

/** Whether the task holds capacity (a worker, a grant) at present. */
export const holdsCapacity = (state: TaskState): boolean =>
  state === 'SCHEDULED' || state === 'STARTING' || state === 'RUNNING' || state === 'MIGRATING';

export const canTransition = (from: TaskState, to: TaskState): boolean => taskTransitions[from].includes(to);

/** @throws VgpuError `BAD_TRANSITION` where the table has no such step. */
export function assertTransition(from: TaskState, to: TaskState): void {
  if (!canTransition(from, to)) throw new VgpuError('BAD_TRANSITION', { from, to });
}
