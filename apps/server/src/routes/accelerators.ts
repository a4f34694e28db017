import type { routes } from '@vgpu/api';
import { VgpuError } from '@vgpu/core';
import type { Handlers } from '../http/registrar.ts';
import type { Resources } from '../resources.ts';
import { acceleratorViews } from '../systems/accelerator-views.ts';

const NONE =
  'No accelerator was found. Run `vgpu doctor` to see what drivers are missing; tasks that ask for none run on the CPU.';

export function acceleratorRoutes(resources: Resources): Handlers<typeof routes.accelerators> {
  const { devices, pools, execution, scheduling } = resources;
  const known = (uuid: string): string => {
    if (devices.find(uuid)) return uuid;
    throw new VgpuError('NOT_FOUND', { what: 'accelerator', id: uuid, list: 'gpu ls' });
  };
  const view = async (uuid: string) => {
    const all = await acceleratorViews(devices, pools, execution);
    return all.find((one) => one.uuid === uuid)!;
  };
  const poolViews = () => pools.views(devices.inventory.accelerators.map((device) => device.uuid));
  return {
    list: async () => {
      const items = await acceleratorViews(devices, pools, execution);
      return { items, advice: items.length === 0 ? NONE : null };
    },
    history: async ({ params }) => {
      const readings = devices.inventory.history.of(known(params.uuid));
      return {
        uuid: params.uuid,
        time: readings.map((reading) => reading.time),
        utilisation: readings.map((reading) => reading.utilisation),
        memoryUsed: readings.map((reading) => reading.memoryUsed),
        temperature: readings.map((reading) => reading.temperature),
        power: readings.map((reading) => reading.power),
      };
    },
    cordon: async ({ params, body, principal }) => {
      const uuid = known(params.uuid);
      const { drain, grace, reason } = body!;
      const act = drain ? 'drained' : 'cordoned';
      devices.cordon(
        uuid,
        `${act} by ${principal.user}${reason ? `: ${reason}` : ''}`,
        drain ? { graceMs: grace } : undefined,
      );
      return view(uuid);
    },
    uncordon: async ({ params }) => {
      const uuid = known(params.uuid);
      devices.uncordon(uuid);
      return view(uuid);
    },
    pools: async () => ({ items: poolViews() }),
    setPool: async ({ params, body }) => {
      await pools.set(params.pool, body!);
      scheduling.wake();
      return poolViews().find((pool) => pool.name === params.pool)!;
    },
    removePool: async ({ params }) => {
      await pools.remove(params.pool);
      scheduling.wake();
    },
  };
}
