import { hostname } from 'node:os';
import type { Accelerator as View } from '@vgpu/api';
import { poolOf } from '@vgpu/devices';
import { type Devices, enforcementOf } from './devices.ts';
import type { Execution } from './execution.ts';
import type { Pools } from './pools.ts';

/** The accelerators with their slices and live readings, as the API shows them. */
export async function acceleratorViews(
  devices: Devices,
  pools: Pools,
  execution: Execution,
): Promise<View[]> {
  const active = new Map(execution.active().map((one) => [one.attempt, one]));
  return Promise.all(
    devices.inventory.accelerators.map(async (device, index): Promise<View> => {
      const slices = devices.slices.filter((slice) => slice.uuid === device.uuid);
      const use = slices.length > 0 ? devices.usage(device.uuid) : null;
      const usage = use?.slices ?? [];
      const pool = poolOf(device.uuid, pools.all());
      const mps = devices.mps(device, pool);
      const reading = devices.inventory.reading(device.uuid);
      const { health, reason } = devices.inventory.health(device.uuid);
      return {
        uuid: device.uuid,
        index: device.index ?? index,
        vendor: device.vendor,
        model: device.model,
        kind: device.kind,
        host: hostname(),
        provider: device.provider,
        mode: 'shared',
        pool: pool.name,
        health,
        healthReason: reason,
        memory: device.memory,
        computeUnits: device.computeUnits ?? null,
        utilisation: reading?.utilisation ?? null,
        memoryUsed: reading?.memoryUsed ?? null,
        temperature: reading?.temperature ?? null,
        power: reading?.power ?? null,
        allocatedMilli: slices.reduce((sum, slice) => sum + slice.milli, 0),
        allocatedBytes: slices.reduce((sum, slice) => sum + slice.bytes, 0),
        mps: pool.mps === 'off' ? null : { use: mps.use, why: mps.use ? null : mps.why },
        slices: slices.map((slice) => {
          const owner = active.get(slice.attempt);
          const used = usage.find((one) => one.id === slice.id);
          return {
            id: slice.id,
            accelerator: slice.uuid,
            task: slice.task,
            job: owner?.job.id ?? null,
            worker: owner?.task.worker ?? null,
            mode: slice.mode,
            milli: slice.milli,
            bytes: slice.bytes,
            isolation: slice.isolation,
            enforcement: enforcementOf(slice, use),
            usedMilli: used?.milli ?? null,
            usedBytes: used?.bytes ?? null,
            paging: used?.paging
              ? {
                  workingSetBytes: used.paging.workingSet,
                  residentBytes: used.paging.resident,
                  pagedInBytes: used.paging.pagedIn,
                  pagedOutBytes: used.paging.pagedOut,
                  quantumMs: used.paging.quantumNs / 1e6,
                }
              : null,
          };
        }),
      };
    }),
  );
}
