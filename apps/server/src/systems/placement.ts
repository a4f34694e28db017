import type { Task } from '@vgpu/api';
import type { AcceleratorShare } from '@vgpu/scheduler';

/** What an attempt was given: kept in the store, so that a restart knows what its worker holds. */
export interface Placement {
  node: string;
  cpuMilli: number;
  memoryBytes: number;
  accelerators: readonly AcceleratorShare[];
  /** The slices as the API shows them; absent until they were made. */
  slices?: Task['slices'];
}

/** The name of the n-th worker of a job: `vgpu-worker-01`. */
export const workerName = (n: number): string => `vgpu-worker-${String(n).padStart(2, '0')}`;
