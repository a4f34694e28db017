import { describe, expect, it } from 'vitest';
import type { Accelerator } from './accelerator.ts';
import { Inventory } from './inventory.ts';
import { defaultPool, poolOf } from './pool.ts';
import type { Provider } from './provider.ts';
import { devicesForScheduling } from './scheduler-view.ts';

const device: Accelerator = {
  uuid: 'GPU-1',
  index: 0,
  provider: 'nvidia',
  vendor: 'nvidia',
  model: 'NVIDIA A100',
  kind: 'gpu',
  host: 'h',
  memory: 40 * 2 ** 30,
  computeUnits: 108,
  driverVersion: '1',
  pciBusId: null,
  numaNode: 0,
  migEnabled: null,
  minor: 0,
};

/** A provider with fixed devices: inventory and scheduling are pure of drivers. */
const fixed = (accelerators: Accelerator[]): Provider => ({
  name: 'nvidia',
  discover: async () => ({ accelerators, problem: null }),
  watch: () => ({ stop: () => {} }),
});

async function inventoryOf(accelerators: Accelerator[]): Promise<Inventory> {
  const inventory = new Inventory({}, [fixed(accelerators)]);
  await inventory.start();
  return inventory;
}

const reading = {
  uuid: 'GPU-1',
  time: 1,
  utilisation: 0,
  power: 0,
  temperature: 40,
  memoryUsed: 0,
  processes: [],
};

describe('pools', () => {
  it('put a device that no pool names into the default one', () => {
    const lab = { ...defaultPool, name: 'lab', accelerators: ['GPU-2'], deviceSplitCount: 4 };
    expect(poolOf('GPU-2', [lab]).name).toBe('lab');
    expect(poolOf('GPU-1', [lab]).name).toBe('default');
  });

  it('offer no more than the host can back, over all devices together', async () => {
    const inventory = await inventoryOf([device, { ...device, uuid: 'GPU-2', index: 1 }]);
    const pool = { ...defaultPool, deviceMemoryScaling: 2 };
    const held = [{ uuid: 'GPU-2', milli: 500, bytes: 30 * 2 ** 30 }];
    const views = devicesForScheduling(inventory, [pool], held, 70 * 2 ** 30);
    expect(views.map((view) => view.vramBytes / 2 ** 30)).toEqual([70, 70]);
    expect(views.map((view) => view.freeVramBytes / 2 ** 30)).toEqual([40, 40]);
    // without over-commitment the host has no part in it
    const plain = devicesForScheduling(inventory, [defaultPool], held, 0);
    expect(plain.map((view) => view.freeVramBytes / 2 ** 30)).toEqual([40, 10]);
  });

  it('scale what a device offers, and take off what is held', async () => {
    const inventory = await inventoryOf([device]);
    const pool = { ...defaultPool, deviceCoreScaling: 2, deviceMemoryScaling: 1.5, deviceSplitCount: 3 };
    const [view] = devicesForScheduling(
      inventory,
      [pool],
      [{ uuid: 'GPU-1', milli: 500, bytes: 2 ** 30 }],
      2 ** 40,
    );
    expect(view).toMatchObject({ milli: 2000, freeMilli: 1500, vramBytes: 60 * 2 ** 30, freeSlots: 2 });
    expect(view!.freeVramBytes).toBe(59 * 2 ** 30);
  });
});

describe('live readings', () => {
  it('keep memory that other programs hold from being given out', async () => {
    const inventory = await inventoryOf([device]);
    inventory.note({ ...reading, memoryUsed: 10 * 2 ** 30 });
    const [view] = devicesForScheduling(inventory, [], [{ uuid: 'GPU-1', milli: 100, bytes: 4 * 2 ** 30 }]);
    expect(view!.freeVramBytes).toBe(30 * 2 ** 30);
  });

  it('rank a hot device last and tell of a lost one once', async () => {
    const told: string[] = [];
    const inventory = new Inventory({ onHealth: (r) => told.push(...r.map((x) => x.uuid)) }, [
      fixed([device]),
    ]);
    await inventory.start();
    inventory.note({ ...reading, temperature: 91 });
    expect(devicesForScheduling(inventory, [], [])[0]!.health).toBe('degraded');
    const lost = { uuid: 'GPU-1', health: 'unhealthy', reason: 'the device is lost' } as const;
    inventory.report([lost]);
    inventory.report([lost]);
    expect(told).toEqual(['GPU-1']);
    expect(devicesForScheduling(inventory, [], [])[0]!.health).toBe('unhealthy');
  });

  it('count an NVIDIA GPU that OpenCL lists again once', async () => {
    const again: Accelerator = { ...device, uuid: 'OCL-1', provider: 'opencl' };
    expect((await inventoryOf([device, again])).accelerators.map((a) => a.uuid)).toEqual(['GPU-1']);
  });
});
