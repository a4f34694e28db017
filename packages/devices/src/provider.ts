import type { Accelerator, HealthReport, Reading } from './accelerator.ts';

export interface ProviderUpdate {
  readings?: readonly Reading[];
  health?: readonly HealthReport[];
}

/** A source of accelerators. A new kind of device is a new folder beside `providers/nvidia` and `providers/opencl`. */
export interface Provider {
  readonly name: 'nvidia' | 'opencl';
  /**
   * The devices that are there now; empty where the driver is absent.
   * @throws never: what is wrong with an installed driver comes back as `problem`.
   */
  discover(): Promise<{ accelerators: Accelerator[]; problem: string | null }>;
  /** Calls back with live figures until stopped. Providers without any never call. */
  watch(onUpdate: (update: ProviderUpdate) => void): { stop(): void };
}
