import type { Accelerator } from './accelerator.ts';

export type MpsMode = 'off' | 'auto' | 'required';

/** A named set of accelerators with its sharing settings. */
export interface Pool {
  readonly name: string;
  /** UUIDs. The pool `default` also holds every accelerator that no other pool names. */
  readonly accelerators: readonly string[];
  /** Most tasks on one device at a time. Default 10. */
  readonly deviceSplitCount: number;
  /** Compute handed out per device, as a multiple of what it has. Default 1. */
  readonly deviceCoreScaling: number;
  /** Memory handed out per device, as a multiple of what it has; above 1 it is over-committed. Default 1. */
  readonly deviceMemoryScaling: number;
  /**
   * Whether slices run under NVIDIA's MPS: `off`; `auto`, where it can be had; `required`, where a task that it cannot
   * be had for fails. Default `off`: a fatal fault of one MPS client ends all of its server's.
   */
  readonly mps: MpsMode;
  /** Whether tasks of different projects may be clients of one MPS server. Default false. */
  readonly mpsAcrossProjects: boolean;
}

export const defaultPool: Pool = {
  name: 'default',
  accelerators: [],
  deviceSplitCount: 10,
  deviceCoreScaling: 1,
  deviceMemoryScaling: 1,
  mps: 'off',
  mpsAcrossProjects: false,
};

/** The pool that an accelerator belongs to: the first that names it, else `default`. */
export function poolOf(uuid: string, pools: readonly Pool[]): Pool {
  return (
    pools.find((pool) => pool.accelerators.includes(uuid)) ??
    pools.find((pool) => pool.name === defaultPool.name) ??
    defaultPool
  );
}

/** What a device offers under its pool: milli-GPU, bytes, tasks at a time. */
export function offered(device: Accelerator, pool: Pool): { milli: number; bytes: number; slots: number } {
  return {
    milli: Math.round(1000 * pool.deviceCoreScaling),
    bytes: Math.floor(device.memory * pool.deviceMemoryScaling),
    slots: pool.deviceSplitCount,
  };
}
