import type { Accelerator } from '../accelerator.ts';
import type { Pool } from '../pool.ts';
import { findMpsControl, mpsFeatures } from './mps-tool.ts';

/** Whether slices of a device run under MPS, and why not. */
export type MpsPlan = { readonly use: true; readonly control: string } | { readonly use: false; why: string };

/** What of the machine counts. */
export interface MpsHost {
  readonly control: string | null;
  /** Whether this process is root, and so may give the daemon a /dev/shm of its own and run servers for workers. */
  readonly root: boolean;
}

export const mpsHost = (): MpsHost => ({ control: findMpsControl(), root: process.getuid?.() === 0 });

/** Whether new slices of the device are to run under MPS. Pure. */
export function mpsPlan(device: Accelerator, pool: Pool, host: MpsHost): MpsPlan {
  const no = (why: string): MpsPlan => ({ use: false, why });
  if (pool.mps === 'off') return no(`MPS is off in the pool ${pool.name}`);
  if (device.provider !== 'nvidia') return no('MPS is there for NVIDIA devices only');
  // pages move at hand-overs, for one holder at a time
  if (pool.deviceMemoryScaling > 1) return no(`memory is over-committed in the pool ${pool.name}`);
  if (device.migEnabled) return no('the device is cut by MIG');
  if (!host.control) return no('nvidia-cuda-mps-control is not installed');
  if (!mpsFeatures(device.driverVersion).percentages)
    return no(`driver ${device.driverVersion ?? 'of unknown version'} has no thread percentages`);
  if (!host.root) return no('MPS for workers needs vgpu to run as root');
  return { use: true, control: host.control };
}
