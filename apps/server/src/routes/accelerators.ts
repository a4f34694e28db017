import type { routes } from '@vgpu/api';
import { VgpuError } from '@vgpu/core';
import type { Handlers } from '../http/registrar.ts';
import type { Resources } from '../resources.ts';
import { acceleratorViews } from '../systems/accelerator-views.ts';

const NONE =
  'No accelerator was found. Run `vgpu doctor` to see what drivers are missing; tasks that ask for none run on the CPU.';

export function acceleratorRoutes(resources: Resources): Handlers<typeof routes.accelerators> {
  const { devices, pools, execution, scheduling } = resources;
  return {
    list: async () => {
      const items = await acceleratorViews(devices, pools, execution);
      return { items, advice: items.length === 0 ? NONE : null };
    },
    history: async ({ params }) => {
      if (!devices.find(params.uuid)) {
        throw new VgpuError('NOT_FOUND', { what: 'accelerator', id: params.uuid, list: 'gpu ls' });
      }
      const readings = devices.inventory.history.of(params.uuid);
      return {
        uuid: params.uuid,
        time: readings.map((reading) => reading.time),
        utilisation: readings.map((reading) => reading.utilisation),
        memoryUsed: readings.map((reading) => reading.memoryUsed),
        temperature: readings.map((reading) => reading.temperature),
        power: readings.map((reading) => reading.power),
      };
    },
    pools: async () => ({ items: pools.views() }),
    setPool: async ({ params, body }) => {
      const pool = await pools.set(params.pool, body!);
      scheduling.wake();
      return pool;
    },
    removePool: async ({ params }) => {
      await pools.remove(params.pool);
      scheduling.wake();
    },
  };
}
