import { totalmem } from 'node:os';
import type { Accelerator } from './accelerator.ts';
import { type Pool, poolOf } from './pool.ts';

/**
 * Bytes of this host's memory that may stand behind over-committed slices: four fifths, as the arbiters count it too
 * (`--host-memory-mib`). What does not fit on a device lies in the host's memory, and all of a slice's may at once.
 */
export const hostBacking = (): number => Math.floor((totalmem() / 5) * 4);

/** Whether slices of this device are over-committed: OpenCL has no memory that moves by itself. */
export const overcommitted = (device: Pick<Accelerator, 'provider'>, pool: Pool): boolean =>
  device.provider === 'nvidia' && pool.deviceMemoryScaling > 1;

/** Bytes of these shares that may lie in the host's memory. */
export function backedBytes(
  shares: readonly { readonly uuid: string; readonly bytes: number }[],
  devices: readonly Pick<Accelerator, 'uuid' | 'provider'>[],
  pools: readonly Pool[],
): number {
  return shares.reduce((sum, { uuid, bytes }) => {
    const device = devices.find((one) => one.uuid === uuid);
    return device && overcommitted(device, poolOf(uuid, pools)) ? sum + bytes : sum;
  }, 0);
}
