import type { Accelerator, Health, HealthReport, Reading } from './accelerator.ts';
import { ReadingHistory } from './history.ts';
import type { Provider } from './provider.ts';
import { NvidiaProvider } from './providers/nvidia/provider.ts';
import { OpenClProvider } from './providers/opencl/provider.ts';

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
  readonly #health = new Map<string, HealthReport>();
  #watches: { stop(): void }[] = [];

  constructor(
    events: InventoryEvents = {},
    providers: Provider[] = [new NvidiaProvider(), new OpenClProvider()],
  ) {
    this.#events = events;
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
    return this.#health.get(uuid) ?? { health: 'healthy', reason: null };
  }

  note(reading: Reading): void {
    this.#readings.set(reading.uuid, reading);
    this.history.add(reading);
  }

  /** Takes health reports in; tells the listener of those that change something. Unhealthy stays until reset. */
  report(reports: readonly HealthReport[]): void {
    const changed = reports.filter((report) => this.health(report.uuid).health !== report.health);
    for (const report of changed) this.#health.set(report.uuid, report);
    if (changed.length > 0) this.#events.onHealth?.(changed);
  }
}

/** An NVIDIA GPU that its own OpenCL driver lists again is one device, not two. */
function withoutDoubles(all: Accelerator[]): Accelerator[] {
  const nvidia = all.some((a) => a.provider === 'nvidia');
  return all.filter((a) => !(nvidia && a.provider === 'opencl' && a.vendor === 'nvidia' && a.kind === 'gpu'));
}
