import type { Task } from '@vgpu/api';
import {
  type Accelerator,
  buildNative,
  Cordons,
  type DeviceUse,
  devicesForScheduling,
  type HealthReport,
  Inventory,
  type MpsPlan,
  mpsHost,
  mpsPlan,
  type Pool,
  poolOf,
  type Qos,
  type Share,
  type Slice,
  SliceManager,
  stopIdleArbiters,
} from '@vgpu/devices';
import type { LaunchGrant } from '@vgpu/drivers';
import type { AcceleratorShare, AcceleratorView } from '@vgpu/scheduler';
import type { Logger } from 'pino';
import { acceleratorLost } from './accelerator-blame.ts';
import { type Reason, reasonOf } from './outcome.ts';
import type { Pools } from './pools.ts';

export interface DevicesParts {
  home: string;
  pools: Pools;
  log: Logger;
  /** Whether the engine takes CDI names. */
  cdi: () => boolean;
  /** Shares that tasks hold now, by the scheduler's books. */
  held: () => readonly (AcceleratorShare & { readonly project: string })[];
  /** Something changed that may let waiting tasks start. */
  onChange: () => void;
  /** A device broke: what runs on it has to leave. */
  onLeave: (uuid: string, reason: Reason) => void;
  /** A device is drained: what runs on it is asked to end, and made to after `graceMs`. */
  onDrain: (uuid: string, reason: Reason, graceMs: number) => void;
  /** Where accelerators are found; default: every provider. */
  inventory?:
    | ((events: ConstructorParameters<typeof Inventory>[0], cordons: Cordons) => Inventory)
    | undefined;
}

/** An attempt and what it was given of the accelerators. */
export interface Holding {
  attempt: string;
  task: string;
  project: string;
  shares: readonly AcceleratorShare[];
  qos: Qos;
}

const requestOf = ({ attempt, task, project, shares, qos }: Holding) => ({
  attempt,
  task,
  project,
  qos,
  shares: shares.map(({ uuid, milli, vramBytes }) => ({ uuid, milli, bytes: vramBytes })),
});

/** The accelerators of this machine: what there is, what is free, and slices for attempts. */
export class Devices {
  readonly inventory: Inventory;
  readonly #parts: DevicesParts;
  readonly #slices: SliceManager;
  /** What programs under `vgpu exec` hold, as of the last round. */
  #foreign: readonly Share[] = [];
  /** Looked for at the start: MPS is not installed while the server runs. */
  readonly #mpsHost = mpsHost();

  constructor(parts: DevicesParts) {
    this.#parts = parts;
    const events = {
      onHealth: (reports: readonly HealthReport[]) => {
        parts.log.warn({ reports }, 'the health of accelerators changed');
        for (const { uuid, health, reason } of reports) {
          if (health === 'unhealthy') parts.onLeave(uuid, acceleratorLost(uuid, reason));
        }
        parts.onChange();
      },
    };
    const cordons = new Cordons(parts.home);
    this.inventory = parts.inventory?.(events, cordons) ?? new Inventory(events, undefined, cordons);
    this.#slices = new SliceManager(parts.home, this.inventory, () => this.#mpsHost);
  }

  /** Finds the devices. A driver that does not work is a finding of the health check, not a failure here. */
  async start(): Promise<void> {
    await this.inventory.start().catch((error) => {
      this.#parts.log.warn({ err: error }, 'accelerators could not be looked for');
    });
    this.#parts.onChange();
    if (this.inventory.accelerators.length > 0) void this.#build();
  }

  /** The limiter is built once where it is missing; whole NVIDIA devices are handed out without it. */
  async #build(): Promise<void> {
    const { state, problem } = await buildNative();
    if (state === 'built') this.#parts.log.info('built the limiter');
    if (state === 'impossible')
      this.#parts.log.warn({ problem }, 'no limiter: accelerators cannot be shared');
  }

  /** Takes a device out, over restarts too. `drain`: what runs on it goes back to the queue and starts elsewhere. */
  cordon(uuid: string, why: string, drain?: { graceMs: number }): void {
    this.inventory.cordon(uuid, why);
    if (drain) this.#parts.onDrain(uuid, reasonOf('ACCELERATOR_DRAINED', { uuid, why }), drain.graceMs);
  }

  /** Takes a device back in, after a fault too. */
  uncordon(uuid: string): void {
    this.inventory.uncordon(uuid);
  }

  /** Stops looking. Slices of workers that run on stay, and so do their arbiters. */
  async stop(): Promise<void> {
    this.inventory.stop();
    await stopIdleArbiters(this.#parts.home).catch((error) => {
      this.#parts.log.warn({ err: error }, 'idle arbiters stay');
    });
  }

  /** One round: arbiters that died are started again, and figures of devices that tell none are taken. */
  async keep(): Promise<void> {
    for (const { uuid, provider } of this.inventory.accelerators) {
      if (provider !== 'opencl') continue; // NVIDIA's driver tells them itself
      const use = this.#slices.usage(uuid);
      this.inventory.note({
        uuid,
        time: Date.now(),
        utilisation: use ? Math.min(100, (use.milli ?? 0) / 10) : 0,
        memoryUsed: use?.bytes ?? 0,
        temperature: null,
        power: null,
        processes: [],
      });
    }
    const foreign = this.#slices.foreignShares();
    const freed = foreign.length < this.#foreign.length;
    this.#foreign = foreign;
    if (freed) this.#parts.onChange();
    await this.#slices.keepArbiters();
  }

  /** The devices as the scheduler sees them. */
  view(): readonly AcceleratorView[] {
    if (this.inventory.accelerators.length === 0) return [];
    const held = this.#parts
      .held()
      .map(({ uuid, milli, vramBytes, project }) => ({ uuid, milli, bytes: vramBytes, project }));
    return devicesForScheduling(
      this.inventory,
      this.#parts.pools.all(),
      [...held, ...this.#foreign],
      undefined,
      (device, pool) => this.#slices.underMps(device.uuid) ?? mpsPlan(device, pool, this.#mpsHost).use,
    );
  }

  /** Makes the shares of an attempt real; undefined where it has none. @throws VgpuError */
  async grant(holding: Holding): Promise<{ grant: LaunchGrant; slices: Slice[] } | undefined> {
    if (holding.shares.length === 0) return undefined;
    const options = { pools: this.#parts.pools.all(), cdi: this.#parts.cdi() };
    return this.#slices.grant(requestOf(holding), options);
  }

  /** Once an attempt's worker is there: what the driver or the kernel can hold of its memory, they do. */
  async confine(attempt: string, firstProcess: () => Promise<number | undefined>): Promise<void> {
    await this.#slices.confine(attempt, firstProcess).catch((error) => {
      this.#parts.log.warn({ err: error, attempt }, 'the memory of a slice is bounded by the limiter alone');
    });
  }

  /** Takes back what an attempt holds; a failure is logged, and `adopt` clears it at the next start. */
  async release(attempt: string): Promise<void> {
    await this.#slices.release(attempt).catch((error) => {
      this.#parts.log.error({ err: error, attempt }, 'a slice was not given back');
    });
  }

  /** After a restart: the slices of attempts that still run, and none besides. */
  async adopt(running: readonly Holding[]): Promise<void> {
    const slices = running.flatMap((holding) => {
      try {
        return this.#slices.describe(requestOf(holding), this.#parts.pools.all());
      } catch (error) {
        this.#parts.log.error({ err: error, attempt: holding.attempt }, 'a task holds a device that is gone');
        return [];
      }
    });
    const { removed } = await this.#slices.adopt(slices);
    if (removed.length > 0) this.#parts.log.info({ removed }, 'took back slices that nobody holds');
  }

  /** Whether new slices of the device run under MPS, and why not. */
  mps(device: Accelerator, pool: Pool): MpsPlan {
    return mpsPlan(device, pool, this.#mpsHost);
  }

  /** Devices whose pool asks for MPS that cannot be had: why, and whether tasks fail for it. */
  withoutMps(): { device: Accelerator; why: string; required: boolean }[] {
    return this.inventory.accelerators.flatMap((device) => {
      const pool = poolOf(device.uuid, this.#parts.pools.all());
      const plan = this.mps(device, pool);
      // beside NVIDIA's devices nobody expects it of a pool that takes what there is
      if (plan.use || pool.mps === 'off' || (pool.mps === 'auto' && device.provider !== 'nvidia')) return [];
      return [{ device, why: plan.why, required: pool.mps === 'required' }];
    });
  }

  get slices(): readonly Slice[] {
    return this.#slices.slices;
  }

  /** What the slices of a device use now; null where it never had any. */
  usage(uuid: string): DeviceUse | null {
    return this.#slices.usage(uuid);
  }

  find(uuid: string): Accelerator | undefined {
    return this.inventory.accelerators.find((device) => device.uuid === uuid);
  }
}

/** What keeps a slice within its bounds; `driver` and `kernel` hold its memory, whatever its processes do. */
export function enforcementOf(
  slice: Slice,
  use: DeviceUse | null,
): `limiter${'' | ' + MPS'}${'' | ' + driver' | ' + kernel'}` | 'whole device' {
  if (slice.mode === 'passthrough') return 'whole device';
  const found = use?.slices.find((one) => one.id === slice.id);
  const compute = (found?.mpsMilli ?? 0) > 0 ? 'limiter + MPS' : 'limiter';
  return found?.fence ? `${compute} + ${found.fence}` : compute;
}

/** What an attempt's row keeps of its slices, as the API shows them. */
export function slicesOf(devices: Devices, slices: readonly Slice[]): { slices: Task['slices'] } {
  return {
    slices: slices.map((slice) => ({
      accelerator: slice.uuid,
      model: devices.find(slice.uuid)?.model ?? '',
      mode: slice.mode,
      milli: slice.milli,
      bytes: slice.bytes,
      isolation: slice.isolation,
      enforcement: enforcementOf(slice, devices.usage(slice.uuid)),
    })),
  };
}
