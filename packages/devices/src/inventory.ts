import type { Accelerator, Health, HealthReport, Reading } from './accelerator.ts';
import type { Cordons } from './cordons.ts';
import { ReadingHistory } from './history.ts';
import type { Provider } from './provider.ts';
import { NvidiaProvider } from './providers/nvidia/provider.ts';
import { OpenClProvider } from './providers/opencl/provider.ts';

/** A device that did not answer is well again after it answered for so long. */
const RECOVERY_MS = 60_000;

interface Sick {
  readonly report: HealthReport;
  /** Since when it answers again, in milliseconds since 1970; null: it does not. */
  wellSince: number | null;
}

export interface InventoryEvents {
  /** Devices whose health changed. */
  onHealth?(reports: readonly HealthReport[]): void;
}

/** Every accelerator of this host with its live figures and health. */
export class Inventory {
  readonly history = new ReadingHistory();
  readonly #providers: readonly Provider[];
  readonly #events: InventoryEvents;
  #accelerators: Accelerator[] = [];
  #problems: string[] = [];
  readonly #readings = new Map<string, Reading>();
  readonly #sick = new Map<string, Sick>();
  readonly #cordons: Cordons | undefined;
  #watches: { stop(): void }[] = [];

  constructor(
    events: InventoryEvents = {},
    providers: Provider[] = [new NvidiaProvider(), new OpenClProvider()],
    cordons?: Cordons,
  ) {
    this.#events = events;
    this.#cordons = cordons;
    this.#providers = providers;
  }

  /** Finds the devices and starts watching them. */
  async start(): Promise<void> {
    const found = await Promise.all(this.#providers.map((provider) => provider.discover()));
    this.#accelerators = withoutDoubles(found.flatMap((one) => one.accelerators));
    this.#problems = found.flatMap((one) => (one.problem ? [one.problem] : []));
    this.#watches = this.#providers.map((provider) =>
      provider.watch((update) => {
        for (const reading of update.readings ?? []) this.note(reading);
        this.report(update.health ?? []);
      }),
    );
  }

  stop(): void {
    for (const watch of this.#watches) watch.stop();
    this.#watches = [];
  }

  get accelerators(): readonly Accelerator[] {
    return this.#accelerators;
  }

  /** What is wrong with drivers that are installed but do not work. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  reading(uuid: string): Reading | null {
    return this.#readings.get(uuid) ?? null;
  }

  health(uuid: string): { health: Health; reason: string | null } {
    const sick = this.#sick.get(uuid)?.report;
    if (sick) return { health: sick.health, reason: sick.reason };
    const cordon = this.#cordons?.of(uuid);
    return cordon ? { health: 'draining', reason: cordon } : { health: 'healthy', reason: null };
  }

  /** Takes a device out: it gets no new work until `uncordon`, over restarts too. `reason` is shown. */
  cordon(uuid: string, reason: string): void {
    this.#cordons?.set(uuid, reason);
    this.#events.onHealth?.([{ uuid, ...this.health(uuid) }]);
  }

  /** Takes a device back in, whatever was wrong with it; what still is, its provider reports again. */
  uncordon(uuid: string): void {
    this.#cordons?.set(uuid, null);
    this.#sick.delete(uuid);
    this.#events.onHealth?.([{ uuid, ...this.health(uuid) }]);
  }

  note(reading: Reading): void {
    this.#readings.set(reading.uuid, reading);
    this.history.add(reading);
    const sick = this.#sick.get(reading.uuid);
    if (!sick?.report.recovers) return;
    sick.wellSince ??= reading.time;
    if (reading.time - sick.wellSince >= RECOVERY_MS) {
      this.report([{ uuid: reading.uuid, health: 'healthy', reason: null }]);
    }
  }

  /**
   * Takes health reports in; tells the listener of those that change something. A device whose fault cannot mend by
   * itself stays unhealthy until `uncordon`, whatever else is reported of it meanwhile.
   */
  report(reports: readonly HealthReport[]): void {
    const changed: HealthReport[] = [];
    for (const report of reports) {
      const known = this.#sick.get(report.uuid);
      if (report.health === 'healthy') {
        if (known?.report.recovers === false || !known) continue;
        this.#sick.delete(report.uuid);
        changed.push({ uuid: report.uuid, ...this.health(report.uuid) });
        continue;
      }
      const stays = known !== undefined && !known.report.recovers;
      this.#sick.set(report.uuid, { report: stays ? known.report : report, wellSince: null });
      if (known?.report.health !== report.health) changed.push(report);
    }
    if (changed.length > 0) this.#events.onHealth?.(changed);
  }
}

/** An NVIDIA GPU that its own OpenCL driver lists again is one device, not two. */
function withoutDoubles(all: Accelerator[]): Accelerator[] {
  const nvidia = all.some((a) => a.provider === 'nvidia');
  return all.filter((a) => !(nvidia && a.provider === 'opencl' && a.vendor === 'nvidia' && a.kind === 'gpu'));
}
