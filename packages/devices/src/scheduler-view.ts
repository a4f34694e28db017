import type { Accelerator } from './accelerator.ts';
import { backedBytes, hostBacking, overcommitted } from './host-backing.ts';
import type { Inventory } from './inventory.ts';
import { offered, type Pool, poolOf } from './pool.ts';
import type { Share } from './slices/slice.ts';

/** A device as the scheduler sees it (the scheduler room's AcceleratorView has this shape). */
export interface DeviceForScheduling {
  readonly uuid: string;
  readonly model: string;
  readonly mode: 'shared';
  readonly health: 'healthy' | 'degraded' | 'unhealthy' | 'draining';
  readonly milli: number;
  readonly freeMilli: number;
  readonly vramBytes: number;
  readonly freeVramBytes: number;
  readonly freeSlots: number;
  /** Even all of the device is only softly isolated: OpenCL has no way to give a device to one container alone. */
  readonly alwaysSoft: boolean;
  /** Under MPS: whose tasks it runs, null while anybody's may; absent: everybody's. */
  readonly oneProject?: string | null;
  readonly numaNode?: number;
}

/** Above this a device counts as degraded: it takes work only when no cooler one can (typical slowdown: 85–90 °C). */
const HOT_CELSIUS = 85;

/**
 * The devices with what is free on each, from what is given out and from live readings: memory that programs
 * outside vgpu hold is not free, and a hot device ranks last. Memory beyond a device's own is only there as far as the
 * host can back it.
 * @param held shares that are given out now, by project.
 * @param hostBytes of the host's memory that may stand behind over-committed slices.
 * @param mps whether slices of the device run under MPS.
 */
export function devicesForScheduling(
  inventory: Inventory,
  pools: readonly Pool[],
  held: readonly (Share & { readonly project?: string })[],
  hostBytes: number = hostBacking(),
  mps: (device: Accelerator, pool: Pool) => boolean = () => false,
): DeviceForScheduling[] {
  const backed = backedBytes(held, inventory.accelerators, pools);
  return inventory.accelerators
    .filter((device) => device.migEnabled !== true)
    .map((device) => {
      const pool = poolOf(device.uuid, pools);
      const offer = offered(device, pool);
      const [most, left] = overcommitted(device, pool)
        ? [hostBytes, hostBytes - backed]
        : [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
      const mine = held.filter((share) => share.uuid === device.uuid);
      const milli = mine.reduce((sum, share) => sum + share.milli, 0);
      const bytes = mine.reduce((sum, share) => sum + share.bytes, 0);
      const reading = inventory.reading(device.uuid);
      // what is used beyond our slices' caps is somebody else's
      const foreign = Math.max(0, (reading?.memoryUsed ?? 0) - bytes);
      const { health } = inventory.health(device.uuid);
      const hot = (reading?.temperature ?? 0) >= HOT_CELSIUS;
      return {
        uuid: device.uuid,
        model: device.model,
        mode: 'shared',
        health: health === 'healthy' && hot ? 'degraded' : health,
        milli: offer.milli,
        freeMilli: Math.max(0, offer.milli - milli),
        vramBytes: Math.min(offer.bytes, most),
        freeVramBytes: Math.max(0, Math.min(offer.bytes - bytes - foreign, left)),
        freeSlots: Math.max(0, offer.slots - mine.length),
        alwaysSoft: device.provider !== 'nvidia',
        ...(!pool.mpsAcrossProjects && mps(device, pool)
          ? { oneProject: mine.find((share) => share.project !== undefined)?.project ?? null }
          : {}),
        ...(device.numaNode === null ? {} : { numaNode: device.numaNode }),
      };
    });
}
