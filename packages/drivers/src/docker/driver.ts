import { existsSync, readdirSync } from 'node:fs';
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
import { type BoundsInfo, requireBounds, rootlessOf, unboundedOf } from './bounds.ts';
import { isWritable, type Limits, readUsage, writeLimits } from './cgroup.ts';
import { EngineClient } from './client.ts';
import { limitsOf } from './container-spec.ts';
import type { DockerContext } from './context.ts';
import { connectInside } from './control-channel.ts';
import { removeEgressNetwork } from './egress-network.ts';
import { type ContainerDescription, EngineContainers } from './engine-containers.ts';
import { engineDialect } from './engine-dialect.ts';
import { followEngine } from './engine-events.ts';
import { folderSettings, homeIdentity, stageRuntime } from './host-settings.ts';
import { checkLaunch, startCold } from './launch-worker.ts';
import { LiveWorker } from './live-worker.ts';
import { collectTree } from './outputs.ts';
import { readRecord, type TaskRecord } from './task-record.ts';
import { mountsUnder } from './tmpfs.ts';
import { WarmPool } from './warm-pool.ts';
import { removeFolders, workerPaths } from './worker-folders.ts';

export interface DockerDriverOptions {
  /** The engine's Unix socket. */
  socketPath: string;
  /** VGPU_HOME. */
  home: string;
  /** OCI runtime by its name in the engine; default: crun where the engine has it and control groups are v2. */
  ociRuntime?: string;
  log?: (line: string) => void;
}

interface EngineInfo extends BoundsInfo {
  DefaultRuntime?: string;
  Runtimes?: Record<string, unknown>;
  SwapLimit?: boolean;
  CDISpecDirs?: string[];
}

/** Runs workers in Docker, or in Podman through the same API. */
export class DockerDriver implements Driver, UpdatesLimits, ConnectsPorts, KeepsWarm {
  readonly name = 'docker';
  readonly context: DockerContext;
  readonly #info: EngineInfo;
  readonly #workers = new Map<string, LiveWorker>();
  readonly #attempts = new Set<string>();
  readonly #listeners = new Set<(event: DriverEvent) => void>();
  readonly #destroying = new Map<string, Promise<{ teardownMs: number }>>();
  readonly #pool: WarmPool;
  readonly #stopFollowing: () => void;

  private constructor(context: DockerContext, info: EngineInfo) {
    this.context = context;
    this.#info = info;
    this.#pool = new WarmPool(context, (worker) => this.#destroyParts(worker.id, worker));
    this.#stopFollowing = followEngine(context.client, (connected, message) => {
      this.#emit({ type: 'engine', at: Date.now(), connected, message });
    });
  }

  /** Connects to the engine. Throws ENGINE_UNREACHABLE, ENGINE_REFUSED or UNSUPPORTED. */
  static async open(options: DockerDriverOptions): Promise<DockerDriver> {
    const client = new EngineClient(options.socketPath);
    const { engine } = await client.version();
    const info = await client.json<EngineInfo>('GET', '/info');
    const homeId = homeIdentity(options.home);
    const dialect = engineDialect(engine, rootlessOf(info), options.home);
    if (dialect.rootless && process.getuid?.() === 0) {
      await client.close();
      throw new DriverError(
        'UNSUPPORTED',
        `the rootless engine at ${client.socketPath} belongs to a user, and vgpu runs as root here`,
        'Run vgpu as that user: the engine reads nothing of what belongs to root.',
      );
    }
    const unbounded = await unboundedOf(client, info);
    const runtimes = Object.keys(info.Runtimes ?? {});
    const context: DockerContext = {
      client,
      containers: new EngineContainers(client),
      homeId,
      folders: folderSettings(options.home, homeId, client.socketPath, dialect),
      runtime: stageRuntime(options.home),
      // crun starts and ends containers faster; it refuses hosts that mix both control group versions.
      ociRuntime:
        options.ociRuntime ?? (runtimes.includes('crun') && info.CgroupVersion === '2' ? 'crun' : undefined),
      dialect,
      unbounded,
      cgroup: info.CgroupVersion === '2' ? 'v2' : info.CgroupVersion === '1' ? 'v1' : 'unknown',
      young: new Set(),
      log: options.log ?? (() => {}),
    };
    return new DockerDriver(context, info);
  }

  async fingerprint(): Promise<DriverFingerprint> {
    const version = await this.context.client.version();
    const warnings: string[] = [];
    if (!this.#info.SecurityOptions?.some((o) => o.includes('seccomp')))
      warnings.push('the engine has no seccomp: workers run without a system-call filter');
    const { unbounded } = this.context;
    if (this.#info.SwapLimit === false)
      warnings.push('the engine cannot limit swap: a worker may swap beyond its memory');
    return {
      driver: this.name,
      healthy: true,
      engine: version.engine,
      version: version.version,
      apiVersion: version.apiVersion,
      cgroup: this.context.cgroup,
      rootless: this.context.dialect.rootless,
      capabilities: {
        warmPool: true,
        updateLimits: true,
        ports: true,
        egress: process.getuid?.() === 0 && !this.context.dialect.rootless,
        cdi: Array.isArray(this.#info.CDISpecDirs) && this.#info.CDISpecDirs.length > 0,
        outputBounds: this.context.folders.canMount ? 'hard' : 'watched',
      },
      ...(unbounded.bounds.length > 0 ? { unbounded } : {}),
      warnings,
    };
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
    return c && this.#status(c);
  }

  async list(): Promise<WorkerStatus[]> {
    const all = await this.context.containers.list(this.context.homeId);
    return all.map((c) => this.#status(c)).filter((s): s is WorkerStatus => s !== undefined);
  }

  /** Undefined for an idle worker of the pool: it has no task. */
  #status(c: ContainerDescription): WorkerStatus | undefined {
    const record = this.#recordOf(c);
    if (!record) return undefined;
    const ended = c.State.Status === 'exited' || c.State.Status === 'dead' || c.State.Status === 'removing';
    return {
      handle: { ...record.handle, name: c.Name.replace(/^\//, '') },
      phase: c.State.Running ? 'running' : ended ? 'exited' : 'created',
      image: record.image,
      imageId: c.Image,
      createdAt: Date.parse(c.Created),
      ...(ended ? { exitCode: c.State.ExitCode, oomKilled: c.State.OOMKilled } : {}),
      ...(c.State.Pid ? { pid: c.State.Pid } : {}),
      ports: record.ports,
      labels: c.Config.Labels,
    };
  }

  /** The task of a container: its folder's record, else (a crash before it was written) its labels. */
  #recordOf(c: ContainerDescription): TaskRecord | undefined {
    const labels = c.Config.Labels;
    const paths = workerPaths(this.context.folders, labels[LABEL.folder] ?? '');
    const record = readRecord(paths.record);
    if (record || labels[LABEL.role] !== 'worker') return record;
    const handle: WorkerHandle = {
      driver: this.name,
      id: c.Id,
      name: c.Name.replace(/^\//, ''),
      attemptId: labels[LABEL.attempt] ?? '',
      taskId: labels[LABEL.task] ?? '',
      jobId: labels[LABEL.job] ?? '',
      project: labels[LABEL.project] ?? '',
      workerName: labels[LABEL.worker] ?? '',
      ringDir: paths.ctl,
      ringPath: paths.ring,
      warm: false,
      startedAt: Date.parse(c.Created),
    };
    return {
      handle,
      memoryBytes: c.HostConfig.Memory,
      timeLimitMs: 0,
      outputLimits: { bytes: 0, files: 0 },
      ports: [],
      image: c.Config.Image,
    };
  }

  async recover(): Promise<WorkerHandle[]> {
    const found = await this.context.containers.list(this.context.homeId);
    const handles: WorkerHandle[] = [];
    for (const c of found) {
      const record = this.#recordOf(c);
      if (!record || this.#workers.has(c.Id)) continue;
      const worker = new LiveWorker(
        this.context.containers,
        c.Id,
        workerPaths(this.context.folders, c.Config.Labels[LABEL.folder] ?? ''),
      );
      worker.record = record;
      this.#watch(worker);
      handles.push(record.handle);
      if (!c.State.Running) void worker.settleFromEngine();
      else {
        // One that cannot be spoken to can still be watched.
        await worker.attach().catch(() => void worker.settleFromEngine());
        if (!this.context.folders.canMount || worker.paths.out.startsWith(worker.paths.disk))
          worker.watchOutput();
      }
    }
    return handles;
  }

  async stats(handle: WorkerHandle): Promise<WorkerStats | undefined> {
    const worker = this.#workers.get(handle.id);
    if (!worker || worker.hasEnded) return undefined;
    const limit = worker.record?.memoryBytes ?? 0;
    const cgroup = await worker.cgroup();
    if (cgroup) {
      try {
        return { at: Date.now(), ...readUsage(cgroup), memoryLimitBytes: limit };
      } catch {
        return undefined; // it ended between the two looks
      }
    }
    const raw = await this.context.client.json<{
      cpu_stats: { cpu_usage: { total_usage: number } };
      memory_stats: { usage?: number; stats?: Record<string, number> };
      pids_stats: { current?: number };
    }>('GET', `/containers/${handle.id}/stats`, { query: { stream: false, 'one-shot': true } });
    const { usage = 0, stats = {} } = raw.memory_stats;
    return {
      at: Date.now(),
      cpuMs: raw.cpu_stats.cpu_usage.total_usage / 1e6,
      memoryBytes: usage - (stats.inactive_file ?? stats.total_inactive_file ?? 0),
      memoryLimitBytes: limit,
      pids: raw.pids_stats.current ?? 0,
    };
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

  /** Container, mounts, folders; once per container however often it is asked for. */
  #destroyParts(id: string, worker?: LiveWorker): Promise<{ teardownMs: number }> {
    const running = this.#destroying.get(id);
    if (running) return running;
    const work = async () => {
      const from = performance.now();
      const container = worker ? undefined : await this.context.containers.inspect(id);
      const key = worker?.paths.key ?? container?.Config.Labels[LABEL.folder];
      const folders = async () => {
        if (key) await removeFolders(workerPaths(this.context.folders, key), this.context.folders.canMount);
      };
      // Once its processes are gone nobody needs the folders, and the engine's part takes a while.
      const early = worker?.hasEnded ? folders() : undefined;
      await this.context.containers.remove(id);
      // Whoever waits for its end hears of it even though the container is gone.
      if (worker && !worker.hasEnded) await worker.settleFromEngine();
      worker?.detach();
      await (early ?? folders());
      this.#workers.delete(id);
      return { teardownMs: performance.now() - from };
    };
    const promise = work().finally(() => this.#destroying.delete(id));
    this.#destroying.set(id, promise);
    return promise;
  }

  async reap(keepAttempts: ReadonlySet<string>): Promise<ReapResult> {
    const result: ReapResult = { containers: [], networks: [], folders: [] };
    const found = await this.context.containers.list(this.context.homeId);
    const keptKeys = new Set<string>([...this.#workers.values()].map((w) => w.paths.key));
    await Promise.all(
      found.map(async (c) => {
        const record = this.#recordOf(c);
        const young = this.context.young.has(c.Config.Labels[LABEL.folder] ?? '');
        const kept = young || (record ? keepAttempts.has(record.handle.attemptId) : this.#pool.holds(c.Id));
        if (kept) keptKeys.add(c.Config.Labels[LABEL.folder] ?? '');
        else {
          await this.#destroyParts(c.Id, this.#workers.get(c.Id));
          if (record) this.#attempts.delete(record.handle.attemptId);
          result.containers.push(c.Name.replace(/^\//, ''));
        }
      }),
    );
    // Folders whose container is already gone: a crash between the two.
    const alive = new Set(
      (await this.context.containers.list(this.context.homeId)).map((c) => c.Config.Labels[LABEL.folder]),
    );
    const { diskRoot, volatileRoot, canMount } = this.context.folders;
    const keys = new Set(
      [diskRoot, volatileRoot].flatMap((dir) => (existsSync(dir) ? readdirSync(dir) : [])),
    );
    for (const point of canMount ? mountsUnder(volatileRoot) : [])
      keys.add(point.slice(volatileRoot.length + 1).split('/')[0]!);
    for (const key of keys) {
      if (alive.has(key) || keptKeys.has(key) || this.context.young.has(key)) continue;
      await removeFolders(workerPaths(this.context.folders, key), canMount);
      result.folders.push(key);
    }
    return result;
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
        (c) => c.Config.Labels[LABEL.role] === 'warm' && !this.#recordOf(c) && !this.#pool.holds(c.Id),
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
