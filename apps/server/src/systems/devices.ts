import type { Task } from '@vgpu/api';
import {
  type Accelerator,
  devicesForScheduling,
  Inventory,
  type Qos,
  type Slice,
  SliceManager,
} from '@vgpu/devices';
import type { LaunchGrant } from '@vgpu/drivers';
import type { AcceleratorShare, AcceleratorView } from '@vgpu/scheduler';
import type { Logger } from 'pino';
import type { Pools } from './pools.ts';

export interface DevicesParts {
  home: string;
  pools: Pools;
  log: Logger;
  /** Whether the engine takes CDI names. */
  cdi: () => boolean;
  /** Shares that tasks hold now, by the scheduler's books. */
  held: () => readonly AcceleratorShare[];
  /** Something changed that may let waiting tasks start. */
  onChange: () => void;
}

/** The accelerators of this machine: what there is, what is free, and slices for attempts. */
export class Devices {
  readonly inventory: Inventory;
  readonly #parts: DevicesParts;
  readonly #slices: SliceManager;

  constructor(parts: DevicesParts) {
    this.#parts = parts;
    this.inventory = new Inventory({
      onHealth: (reports) => {
        parts.log.warn({ reports }, 'the health of accelerators changed');
        parts.onChange();
      },
    });
    this.#slices = new SliceManager(parts.home, this.inventory);
  }

  /** Finds the devices. A driver that does not work is a finding of the health check, not a failure here. */
  async start(): Promise<void> {
    await this.inventory.start().catch((error) => {
      this.#parts.log.warn({ err: error }, 'accelerators could not be looked for');
    });
    this.#parts.onChange();
  }

  stop(): void {
    this.inventory.stop();
  }

  /** The devices as the scheduler sees them. */
  view(): readonly AcceleratorView[] {
    if (this.inventory.accelerators.length === 0) return [];
    const held = this.#parts.held().map(({ uuid, milli, vramBytes }) => ({ uuid, milli, bytes: vramBytes }));
    return devicesForScheduling(this.inventory, this.#parts.pools.all(), held);
  }

  /** Makes the shares of an attempt real; undefined where it has none. @throws VgpuError */
  async grant(
    attempt: string,
    task: string,
    shares: readonly AcceleratorShare[],
    qos: Qos,
  ): Promise<{ grant: LaunchGrant; slices: Slice[] } | undefined> {
    if (shares.length === 0) return undefined;
    const wanted = shares.map(({ uuid, milli, vramBytes }) => ({ uuid, milli, bytes: vramBytes }));
    const options = { pools: this.#parts.pools.all(), cdi: this.#parts.cdi() };
    return this.#slices.grant({ attempt, task, shares: wanted, qos }, options);
  }

  /** Takes back what an attempt holds; a failure is logged, and `adopt` clears it at the next start. */
  async release(attempt: string): Promise<void> {
    await this.#slices.release(attempt).catch((error) => {
      this.#parts.log.error({ err: error, attempt }, 'a slice was not given back');
    });
  }

  /** After a restart: the slices of attempts that still run, and none besides. */
  async adopt(slices: readonly Slice[]): Promise<void> {
    const { removed } = await this.#slices.adopt(slices);
    if (removed.length > 0) this.#parts.log.info({ removed }, 'took back slices that nobody holds');
  }

  get slices(): readonly Slice[] {
    return this.#slices.slices;
  }

  usage(uuid: string) {
    return this.#slices.usage(uuid);
  }

  find(uuid: string): Accelerator | undefined {
    return this.inventory.accelerators.find((device) => device.uuid === uuid);
  }
}

/** What an attempt's row keeps of its slices: as the API shows them, and as a restart adopts them. */
export function slicesOf(
  devices: Devices,
  slices: readonly Slice[],
): { slices: Task['slices']; held: readonly Slice[] } {
  return {
    held: slices,
    slices: slices.map((slice) => ({
      accelerator: slice.uuid,
      model: devices.find(slice.uuid)?.model ?? '',
      mode: slice.mode,
      milli: slice.milli,
      bytes: slice.bytes,
      isolation: slice.isolation,
    })),
  };
}
