import { DriverError } from '../errors.ts';
import { LABEL, type TaskLaunch, type WarmPoolConfig, type WarmPoolStatus } from '../types.ts';
import { isWritable, writeLimits } from './cgroup.ts';
import { DEFAULT_PIDS, limitsOf, outputPlan } from './container-spec.ts';
import type { DockerContext } from './context.ts';
import type { ContainerDescription } from './engine-containers.ts';
import { containerName, handleOf, orderOf, startWarm } from './launch-worker.ts';
import { LiveWorker } from './live-worker.ts';
import { stageInputs } from './stage-inputs.ts';
import { recordOf, writeRecord } from './task-record.ts';
import { resizeOut, workerPaths } from './worker-folders.ts';

/** Bounds of an idle worker, until a task brings its own. */
const IDLE = { memoryBytes: 512 * 1024 * 1024, cpuMilli: 1000 };
/** What an idle worker with scikit-learn imported holds; measured, rounded up. */
const IDLE_BYTES = 160 * 1024 * 1024;
const MAX_BACKOFF_MS = 30_000;

/**
 * Workers that have already started and imported, each for one task only. A worker leaves `#idle` in the same
 * turn in which it is chosen, its record is created exclusively, and its supervisor refuses a second task:
 * three independent reasons why none is adopted twice.
 */
export class WarmPool {
  readonly #context: DockerContext;
  readonly #destroy: (worker: LiveWorker) => Promise<unknown>;
  #config: WarmPoolConfig = { image: '', size: 0, memoryBudgetBytes: 0 };
  #imageId = '';
  #idle: LiveWorker[] = [];
  #starting = 0;
  #adopted = 0;
  #discarded = 0;
  #failures = 0;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;
  #filling: Promise<void> = Promise.resolve();

  constructor(context: DockerContext, destroy: (worker: LiveWorker) => Promise<unknown>) {
    this.#context = context;
    this.#destroy = destroy;
  }

  get status(): WarmPoolStatus {
    return {
      ready: this.#idle.length,
      starting: this.#starting,
      adopted: this.#adopted,
      discarded: this.#discarded,
      size: this.#target,
    };
  }

  get #target(): number {
    return this.#config.image
      ? Math.min(this.#config.size, Math.floor(this.#config.memoryBudgetBytes / IDLE_BYTES))
      : 0;
  }

  holds(id: string): boolean {
    return this.#idle.some((w) => w.id === id);
  }

  /** Sets what to keep ready; workers of another image or runtime go, `found` ones that fit stay. */
  async configure(config: WarmPoolConfig, found: ContainerDescription[]): Promise<void> {
    const previous = this.#imageId;
    this.#config = config;
    this.#imageId = config.image ? await this.#resolve(config.image) : '';
    const outdated = this.#imageId === previous ? [] : this.#idle.splice(0);
    await Promise.all(outdated.map((w) => this.#discard(w)));
    for (const c of found) await this.#takeUp(c);
    while (this.#idle.length > this.#target) await this.#discard(this.#idle.pop()!);
    this.#topUp();
  }

  async #resolve(image: string): Promise<string> {
    const description = await this.#context.client.json<{ Id: string }>('GET', `/images/${image}/json`);
    return description.Id;
  }

  /** A worker that an earlier server left idle. */
  async #takeUp(c: ContainerDescription): Promise<void> {
    const worker = new LiveWorker(
      this.#context.containers,
      c.Id,
      workerPaths(this.#context.folders, c.Config.Labels[LABEL.folder] ?? ''),
    );
    const fits =
      c.State.Running &&
      c.Image === this.#imageId &&
      c.Config.Labels[LABEL.runtime] === this.#context.runtime.hash;
    if (!fits || this.#idle.length >= this.#target || this.holds(c.Id)) {
      if (!this.holds(c.Id)) await this.#discard(worker);
      return;
    }
    try {
      await worker.attach();
      await worker.ready();
      this.#keep(worker);
    } catch {
      await this.#discard(worker);
    }
  }

  #keep(worker: LiveWorker): void {
    this.#idle.push(worker);
    void worker.exited.then(() => {
      const at = this.#idle.indexOf(worker);
      if (at < 0) return;
      this.#idle.splice(at, 1);
      void this.#discard(worker).then(() => this.#topUp());
    });
    // Known ahead, so that adoption need not ask the engine.
    void worker.cgroup().catch(() => undefined);
  }

  async #discard(worker: LiveWorker): Promise<void> {
    this.#discarded++;
    await this.#destroy(worker);
  }

  /** Starts one at a time: topping up must not slow the tasks that run. */
  #topUp(): void {
    this.#filling = this.#filling.then(async () => {
      while (!this.#closed && !this.#retry && this.#idle.length < this.#target) {
        this.#starting++;
        const imageId = this.#imageId;
        try {
          const worker = await startWarm(this.#context, this.#config.image, IDLE);
          if (this.#closed || imageId !== this.#imageId) await this.#discard(worker);
          else this.#keep(worker);
          this.#failures = 0;
        } catch (error) {
          this.#failures++;
          const pause = Math.min(MAX_BACKOFF_MS, 500 * 2 ** this.#failures);
          this.#context.log(
            `warm worker did not start: ${(error as Error).message}; next try in ${pause / 1000} s`,
          );
          this.#retry = setTimeout(() => {
            this.#retry = undefined;
            this.#topUp();
          }, pause);
          this.#retry.unref();
        } finally {
          this.#starting--;
        }
      }
    });
  }

  /** Resolves once nothing is being started. For benchmarks, tests and shutdown. */
  async settled(): Promise<void> {
    await this.#filling;
  }

  /** Whether a task can run in a worker that was created before it: nothing of it may need another container. */
  fits(launch: TaskLaunch): boolean {
    const g = launch.grant;
    const plain =
      !g ||
      (g.devices.length === 0 &&
        g.cdi.length === 0 &&
        g.mounts.length === 0 &&
        Object.keys(g.env).length === 0);
    return (
      plain &&
      launch.image === this.#config.image &&
      launch.network === 'none' &&
      launch.command.kind === 'python' &&
      !outputPlan(launch).onDisk
    );
  }

  /** Gives a task to an idle worker; undefined when there is none that fits. */
  async adopt(launch: TaskLaunch, startedAt: number): Promise<LiveWorker | undefined> {
    if (!this.fits(launch)) return undefined;
    for (let worker = this.#idle.shift(); worker; worker = this.#idle.shift()) {
      if (!worker.hasEnded) {
        try {
          return await this.#give(worker, launch, startedAt);
        } catch (error) {
          await this.#discard(worker);
          if (error instanceof DriverError && error.code === 'BAD_LAUNCH') throw error;
          this.#context.log(`warm worker discarded at adoption: ${(error as Error).message}`);
        } finally {
          // Replacement starts once the task runs, not in its way.
          setTimeout(() => this.#topUp(), 50).unref();
        }
      }
    }
    return undefined;
  }

  async #give(worker: LiveWorker, launch: TaskLaunch, startedAt: number): Promise<LiveWorker> {
    const { containers, folders } = this.#context;
    const name = containerName(launch.workerName, launch.attemptId);
    const plan = outputPlan(launch);
    const limits = {
      cpuMilli: launch.cpuMilli,
      memoryBytes: launch.memoryBytes,
      pidsLimit: launch.pidsLimit ?? DEFAULT_PIDS,
    };
    const handle = handleOf(launch, { id: worker.id, name, paths: worker.paths, warm: true, startedAt });
    const record = recordOf(launch, handle, plan.limits);
    writeRecord(worker.paths.record, record);
    worker.record = record;
    const idlePlan = outputPlan({ memoryBytes: IDLE.memoryBytes }).limits;
    const resize =
      folders.canMount && (plan.limits.bytes !== idlePlan.bytes || plan.limits.files !== idlePlan.files);
    if (resize) resizeOut(worker.paths, plan.limits);
    const setLimits = async () => {
      const cgroup = await worker.cgroup();
      const direct = cgroup !== undefined && isWritable(cgroup);
      if (direct) writeLimits(cgroup, limits);
      else await containers.update(worker.id, limitsOf(limits));
      return direct;
    };
    const [direct, { dataset }] = await Promise.all([setLimits(), stageInputs(worker.paths.in, launch)]);
    await worker.run(orderOf(launch, dataset));
    if (!folders.canMount) worker.watchOutput();
    this.#adopted++;
    // What the engine shows follows; the bounds themselves already hold.
    const settle = async () => {
      await containers.rename(worker.id, name);
      if (direct && !worker.hasEnded) await containers.update(worker.id, limitsOf(limits));
    };
    void settle().catch(() => {});
    return worker;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    await this.#filling;
    for (const worker of this.#idle.splice(0)) worker.detach();
  }
}
