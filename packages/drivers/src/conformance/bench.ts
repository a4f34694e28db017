import { expect } from 'vitest';
import { WorkerHarness } from '../testing/worker-harness.ts';
import type { Driver } from '../types.ts';

export interface ConformanceOptions {
  /** Opens a driver over `home`; called again to stand for a server that restarts. */
  open: (home: string) => Promise<Driver>;
  /** An image with Python and scikit-learn that the driver can start. */
  image: string;
}

/** What the parts of the suite work on: one driver over one home, and what tests do with it. */
export class Bench {
  readonly name: string;
  readonly image: string;
  readonly harness: WorkerHarness;
  readonly #open: ConformanceOptions['open'];
  #driver: Driver | undefined;

  constructor(name: string, options: ConformanceOptions) {
    this.name = name;
    this.image = options.image;
    this.harness = new WorkerHarness(options.image);
    this.#open = options.open;
  }

  /** The driver of the server that runs now. */
  get driver(): Driver {
    if (!this.#driver) throw new Error('no driver is open');
    return this.#driver;
  }

  async open(): Promise<void> {
    this.#driver = await this.#open(this.harness.home);
  }

  async close(): Promise<void> {
    await this.#driver?.purge();
    await this.#driver?.close();
    this.harness.cleanup();
  }

  /** Nothing of any task is left. */
  async gone(): Promise<void> {
    expect(await this.driver.list()).toEqual([]);
    const left = await this.driver.reap(new Set());
    expect(left).toEqual({ containers: [], networks: [], folders: [] });
  }
}

export const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  for (let n = 0; n < 6000; n++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('it never came true');
};
