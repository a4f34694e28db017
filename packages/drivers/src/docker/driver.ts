import { rmdir } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import { DriverError } from '../errors.ts';
import {
  type CollectedOutputs,
  type ConnectsPorts,
  type Driver,
  type DriverEvent,
  type DriverFingerprint,
  type KeepsWarm,
  LABEL,
  type OutputLimits,
  type ReapResult,
  type TaskLaunch,
  type UpdatesLimits,
  type WarmPoolConfig,
  type WarmPoolStatus,
  type WorkerExit,
  type WorkerHandle,
  type WorkerStats,
  type WorkerStatus,
} from '../types.ts';
import { requireBounds } from './bounds.ts';
import { isWritable, type Limits, writeLimits } from './cgroup.ts';
import { limitsOf } from './container-spec.ts';
import type { DockerContext } from './context.ts';
import { connectInside } from './control-channel.ts';
import { removeEgressNetwork } from './egress-network.ts';
import { followEngine } from './engine-events.ts';
import { checkLaunch, startCold } from './launch-worker.ts';
import type { LiveWorker } from './live-worker.ts';
import { type DockerDriverOptions, type EngineInfo, fingerprintOf, openEngine } from './open-engine.ts';
import { collectTree } from './outputs.ts';
import { attend, earlierWorker, reapWorkers } from './recovery.ts';
import { Teardown } from './teardown.ts';
import { WarmPool } from './warm-pool.ts';
import { recordOf, statusOf } from './worker-status.ts';
import { usageOf } from './worker-usage.ts';

/** Runs workers in Docker, or in Podman through the same API. */
export class DockerDriver implements Driver, UpdatesLimits, ConnectsPorts, KeepsWarm {
  readonly name = 'docker';
  readonly context: DockerContext;
  readonly #info: EngineInfo;
  readonly #workers = new Map<string, LiveWorker>();
  readonly #attempts = new Set<string>();
  readonly #listeners = new Set<(event: DriverEvent) => void>();
  readonly #teardown: Teardown;
  readonly #pool: WarmPool;
  readonly #stopFollowing: () => void;

  private constructor(context: DockerContext, info: EngineInfo) {
    this.context = context;
    this.#info = info;
    this.#teardown = new Teardown(context);
    this.#pool = new WarmPool(context, (worker) => this.#destroyParts(worker.id, worker));
    this.#stopFollowing = followEngine(context.client, (connected, message) => {
      this.#emit({ type: 'engine', at: Date.now(), connected, message });
    });
  }

  /** Connects to the engine. Throws ENGINE_UNREACHABLE, ENGINE_REFUSED or UNSUPPORTED. */
  static async open(options: DockerDriverOptions): Promise<DockerDriver> {
    const { context, info } = await openEngine(options);
    return new DockerDriver(context, info);
  }

  fingerprint(): Promise<DriverFingerprint> {
    return fingerprintOf(this.name, this.context, this.#info);
  }

  async start(launch: TaskLaunch, signal?: AbortSignal): Promise<WorkerHandle> {
    const startedAt = Date.now();
    checkLaunch(launch);
    requireBounds(this.context.unbounded.bounds, this.context.unbounded.hint);
    if (this.#attempts.has(launch.attemptId))
      throw new DriverError('NAME_CONFLICT', `attempt ${launch.attemptId} already has a worker`);
    this.#attempts.add(launch.attemptId);
    try {
      const worker =
        (await this.#pool.adopt(launch, startedAt)) ??
        (await startCold(this.context, launch, startedAt, signal));
      this.#watch(worker);
      this.#emit({ type: 'started', handle: worker.handle, at: Date.now() });
      return worker.handle;
    } catch (error) {
      this.#attempts.delete(launch.attemptId);
      throw error;
    }
  }

  #watch(worker: LiveWorker): void {
    this.#workers.set(worker.id, worker);
    this.#attempts.add(worker.handle.attemptId);
    void worker.exited.then((exit) =>
      this.#emit({ type: 'exit', handle: worker.handle, at: Date.now(), exit }),
    );
  }

  #emit(event: DriverEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  onEvent(listener: (event: DriverEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async stop(handle: WorkerHandle, options: { graceMs?: number } = {}): Promise<void> {
    await this.#workers.get(handle.id)?.stop(options.graceMs ?? 5000);
  }

  wait(handle: WorkerHandle): Promise<WorkerExit> {
    return this.#require(handle).exited;
  }

  #require(handle: WorkerHandle): LiveWorker {
    const worker = this.#workers.get(handle.id);
    if (!worker)
      throw new DriverError(
        'WORKER_NOT_FOUND',
        `no worker ${handle.name}`,
        'It was destroyed, or belongs to an earlier server: recover() takes those up.',
      );
    return worker;
  }

  async inspect(handle: WorkerHandle): Promise<WorkerStatus | undefined> {
    const c = await this.context.containers.inspect(handle.id);
    return c && statusOf(this.context, c);
  }

  async list(): Promise<WorkerStatus[]> {
    const all = await this.context.containers.list(this.context.homeId);
    return all.map((c) => statusOf(this.context, c)).filter((s): s is WorkerStatus => s !== undefined);
  }

  async recover(): Promise<WorkerHandle[]> {
    const found = await this.context.containers.list(this.context.homeId);
    const handles: WorkerHandle[] = [];
    for (const c of found) {
      const record = recordOf(this.context, c);
      if (!record || this.#workers.has(c.Id)) continue;
      const worker = earlierWorker(this.context, c, record);
      this.#watch(worker);
      handles.push(record.handle);
      await attend(this.context, c, worker);
    }
    return handles;
  }

  async stats(handle: WorkerHandle): Promise<WorkerStats | undefined> {
    const worker = this.#workers.get(handle.id);
    return worker && usageOf(this.context, worker);
  }

  async updateLimits(handle: WorkerHandle, limits: Limits): Promise<void> {
    const worker = this.#require(handle);
    const cgroup = await worker.cgroup();
    if (cgroup && isWritable(cgroup)) writeLimits(cgroup, limits);
    const all = limitsOf({
      cpuMilli: limits.cpuMilli ?? 0,
      memoryBytes: limits.memoryBytes ?? 0,
      pidsLimit: limits.pidsLimit ?? 0,
    });
    const wanted = Object.entries(all).filter(
      ([k]) =>
        (limits.cpuMilli && k.startsWith('Cpu')) ||
        (limits.memoryBytes && k.startsWith('Memory')) ||
        (limits.pidsLimit && k === 'PidsLimit'),
    );
    await this.context.containers.update(handle.id, Object.fromEntries(wanted));
    if (limits.memoryBytes && worker.record) worker.record.memoryBytes = limits.memoryBytes;
  }

  async collectOutputs(
    handle: WorkerHandle,
    intoDir: string,
    limits?: OutputLimits,
  ): Promise<CollectedOutputs> {
    const worker = this.#require(handle);
    return collectTree(
      worker.paths.out,
      intoDir,
      limits ?? worker.record?.outputLimits ?? { bytes: 0, files: 0 },
    );
  }

  async connectPort(handle: WorkerHandle, port: number): Promise<Duplex> {
    const worker = this.#require(handle);
    if (!worker.record?.ports.includes(port))
      throw new DriverError(
        'PORT_REFUSED',
        `the task did not declare port ${port}`,
        `Add it to the job: ports: [${port}].`,
      );
    return connectInside(`${worker.paths.sockets}/port-${port}.sock`);
  }

  async destroy(handle: WorkerHandle): Promise<{ teardownMs: number }> {
    const worker = this.#workers.get(handle.id);
    const result = await this.#destroyParts(handle.id, worker);
    this.#attempts.delete(handle.attemptId);
    return result;
  }

  #destroyParts(id: string, worker?: LiveWorker): Promise<{ teardownMs: number }> {
    return this.#teardown.remove(id, worker, () => this.#workers.delete(id));
  }

  reap(keepAttempts: ReadonlySet<string>): Promise<ReapResult> {
    return reapWorkers(this.context, {
      keeps: (c, record) => (record ? keepAttempts.has(record.handle.attemptId) : this.#pool.holds(c.Id)),
      folders: () => [...this.#workers.values()].map((worker) => worker.paths.key),
      remove: async (c, record) => {
        await this.#destroyParts(c.Id, this.#workers.get(c.Id));
        if (record) this.#attempts.delete(record.handle.attemptId);
      },
    });
  }

  /** Gives everything of this home back, the network of egress workers included: before an uninstall. */
  async purge(): Promise<ReapResult> {
    const result = await this.reap(new Set());
    if (await removeEgressNetwork(this.context.client, this.context.homeId)) result.networks.push('egress');
    return result;
  }

  async configurePool(pool: WarmPoolConfig): Promise<void> {
    const found = await this.context.containers.list(this.context.homeId);
    await this.#pool.configure(
      pool,
      found.filter(
        (c) =>
          c.Config.Labels[LABEL.role] === 'warm' && !recordOf(this.context, c) && !this.#pool.holds(c.Id),
      ),
    );
  }

  poolStatus(): WarmPoolStatus {
    return this.#pool.status;
  }

  /** Resolves once the pool starts nothing more. */
  poolSettled(): Promise<void> {
    return this.#pool.settled();
  }

  /** Lets go of everything without ending it: workers run on, and `recover()` of the next process takes them up. */
  async close(): Promise<void> {
    this.#stopFollowing();
    await this.#pool.close();
    for (const worker of this.#workers.values()) worker.detach();
    this.#listeners.clear();
    // Goes only when it is empty; the next worker makes it anew.
    await rmdir(this.context.folders.volatileRoot).catch(() => {});
    await this.context.client.close();
  }
}
