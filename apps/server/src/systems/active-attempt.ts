import type { JobSpec } from '@vgpu/core';
import type { WorkerHandle } from '@vgpu/drivers';
import type { JobTable, TaskTable } from '@vgpu/store';
import type { Reason } from './outcome.ts';

/** An attempt in progress. Its steps run one after the other along `steps`. */
export interface Active {
  readonly attempt: string;
  readonly task: TaskTable;
  readonly job: JobTable;
  readonly spec: JobSpec;
  readonly abort: AbortController;
  handle: WorkerHandle | undefined;
  steps: Promise<void>;
  /** Set once its end is being dealt with; a second end is ignored. */
  ended: boolean;
  /** Taken over from an earlier process, and not yet matched with the engine's workers. */
  restored: boolean;
  /** The engine was away while it ran, or the server was: losing it is not the script's fault. */
  shaken: boolean;
  /** Why it was taken off its accelerator, where that broke. */
  evicted?: Reason;
  /** Why it was told to end, where another task needs its room. */
  preempted?: Reason;
}
