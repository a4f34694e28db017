import type { Duplex } from 'node:stream';
import {
  type CollectedOutputs,
  canConnectPorts,
  canKeepWarm,
  type Driver,
  DriverError,
  type DriverEvent,
  type DriverFingerprint,
  type OutputLimits,
  type ReapResult,
  type TaskLaunch,
  type WarmPoolStatus,
  type WorkerExit,
  type WorkerHandle,
  type WorkerStats,
  type WorkerStatus,
} from '@vgpu/drivers';
import type { Logger } from 'pino';

/** Opens the real driver; throws `DriverError` while there is no engine. */
export type OpenDriver = () => Promise<Driver>;

/** How the server gets at its engine. */
export interface EngineAccess {
  open: OpenDriver;
  /** Starts an engine again that went away; false where it is not ours to start. */
  revive?(): Promise<boolean>;
}

const RETRY_MS = 2000;
const MAX_REVIVE_PAUSE_MS = 30_000;

/**
 * The engine as the server sees it: a driver that may be away. While it is, calls throw ENGINE_UNREACHABLE, and
 * it is looked for until it is there; then `onUp` runs.
 */
export class Engine implements Driver {
  readonly name = 'engine';
  readonly #access: EngineAccess;
  readonly #log: Logger;
  readonly #listeners = new Set<(event: DriverEvent) => void>();
  readonly #upListeners = new Set<() => void>();
  #inner: Driver | undefined;
  #connected = false;
  #problem = 'it was not looked for yet';
  #retry: NodeJS.Timeout | undefined;
  #fingerprint: DriverFingerprint | undefined;
  #closed = false;
  #reviving = false;

  constructor(access: EngineAccess, log: Logger) {
    this.#access = access;
    this.#log = log;
  }

  /** Looks for the engine once, and goes on looking in the background where there is none. */
  async connect(): Promise<boolean> {
    if (this.#closed) return false;
    try {
      const driver = await this.#access.open();
      this.#fingerprint = await driver.fingerprint();
      driver.onEvent((event) => this.#onEvent(event));
      this.#inner = driver;
      this.#connected = true;
      return true;
    } catch (error) {
      this.#problem = (error as Error).message;
      this.#log.warn({ problem: this.#problem }, 'no container engine yet');
      this.#retry = setTimeout(() => {
        void this.connect().then((up) => up && this.#tellUp());
      }, RETRY_MS);
      this.#retry.unref();
      return false;
    }
  }

  get connected(): boolean {
    return this.#connected;
  }

  get problem(): string {
    return this.#problem;
  }

  /** What the engine can do; undefined until it was reached once. */
  get known(): DriverFingerprint | undefined {
    return this.#fingerprint;
  }

  /** The driver itself, for its optional capabilities. */
  get inner(): Driver | undefined {
    return this.#inner;
  }

  /** Calls back whenever the engine is (again) there. */
  onUp(listener: () => void): void {
    this.#upListeners.add(listener);
  }

  warm(): WarmPoolStatus | undefined {
    return this.#inner && canKeepWarm(this.#inner) ? this.#inner.poolStatus() : undefined;
  }

  async keepWarm(pool: { image: string; size: number; memoryBudgetBytes: number }): Promise<void> {
    if (this.#inner && canKeepWarm(this.#inner)) await this.#inner.configurePool(pool);
  }

  async connectPort(handle: WorkerHandle, port: number): Promise<Duplex> {
    const driver = this.#driver();
    if (!canConnectPorts(driver))
      throw new DriverError('UNSUPPORTED', 'this driver reaches no ports of workers');
    return driver.connectPort(handle, port);
  }

  fingerprint(): Promise<DriverFingerprint> {
    return this.#driver().fingerprint();
  }
  async start(launch: TaskLaunch, signal?: AbortSignal): Promise<WorkerHandle> {
    return this.#driver().start(launch, signal);
  }
  async stop(handle: WorkerHandle, options?: { graceMs?: number }): Promise<void> {
    return this.#driver().stop(handle, options);
  }
  async inspect(handle: WorkerHandle): Promise<WorkerStatus | undefined> {
    return this.#driver().inspect(handle);
  }
  async list(): Promise<WorkerStatus[]> {
    return this.#driver().list();
  }
  async recover(): Promise<WorkerHandle[]> {
    return this.#driver().recover();
  }
  async wait(handle: WorkerHandle): Promise<WorkerExit> {
    return this.#driver().wait(handle);
  }
  async stats(handle: WorkerHandle): Promise<WorkerStats | undefined> {
    return this.#driver().stats(handle);
  }
  async collectOutputs(handle: WorkerHandle, into: string, limits?: OutputLimits): Promise<CollectedOutputs> {
    return this.#driver().collectOutputs(handle, into, limits);
  }
  async destroy(handle: WorkerHandle): Promise<{ teardownMs: number }> {
    return this.#driver().destroy(handle);
  }
  async reap(keep: ReadonlySet<string>): Promise<ReapResult> {
    return this.#driver().reap(keep);
  }

  async purge(): Promise<ReapResult> {
    return this.#driver().purge();
  }

  onEvent(listener: (event: DriverEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    await this.#inner?.close();
  }

  #driver(): Driver {
    if (!this.#inner) throw new DriverError('ENGINE_UNREACHABLE', this.#problem);
    return this.#inner;
  }

  #onEvent(event: DriverEvent): void {
    if (event.type === 'engine') {
      const back = event.connected && !this.#connected;
      this.#connected = event.connected;
      if (!event.connected) {
        this.#problem = event.message;
        void this.#revive();
      }
      for (const listener of this.#listeners) listener(event);
      if (back) this.#tellUp();
      return;
    }
    for (const listener of this.#listeners) listener(event);
  }

  /** Starts the engine again until it answers, where that is ours to do. That it does is heard as an event. */
  async #revive(): Promise<void> {
    if (this.#reviving) return;
    this.#reviving = true;
    for (
      let pause = 500;
      !this.#connected && !this.#closed;
      pause = Math.min(MAX_REVIVE_PAUSE_MS, pause * 2)
    ) {
      try {
        if (!(await this.#access.revive?.())) break;
      } catch (error) {
        this.#log.error({ err: error }, 'the container engine cannot be started; it is tried again');
      }
      await new Promise((resolve) => setTimeout(resolve, pause).unref());
    }
    this.#reviving = false;
  }

  #tellUp(): void {
    for (const listener of this.#upListeners) listener();
  }
}
