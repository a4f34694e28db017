import { chownSync, closeSync, constants, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { DriverError } from '../errors.ts';
import type { WorkerExit, WorkerHandle } from '../types.ts';
import { type Cgroup, findCgroup } from './cgroup.ts';
import {
  ControlChannel,
  parseMessage,
  type SupervisorExit,
  type SupervisorMessage,
} from './control-channel.ts';
import type { ContainerDescription, EngineContainers } from './engine-containers.ts';
import { decideExit } from './exit-reason.ts';
import { measureTree } from './outputs.ts';
import type { TaskRecord } from './task-record.ts';
import type { WorkerPaths } from './worker-folders.ts';

const READY_TIMEOUT_MS = 60_000;
/** Past the supervisor's own limit, its grace and this, the host kills. */
const HOST_SLACK_MS = 3_000;
const WATCH_OUTPUT_MS = 500;
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** One container that runs our supervisor, from its start to its end; with or without a task yet. */
export class LiveWorker {
  readonly id: string;
  readonly paths: WorkerPaths;
  readonly containers: EngineContainers;
  /** Set at adoption (warm) or at the start (cold). */
  record: TaskRecord | undefined;
  pid: number | undefined;
  stopRequested = false;
  readonly exited: Promise<WorkerExit>;
  #settle!: (exit: WorkerExit) => void;
  #settled = false;
  #channel: ControlChannel | undefined;
  #ready = Promise.withResolvers<void>();
  #started = Promise.withResolvers<number>();
  #startedAt: number | undefined;
  #said: SupervisorExit | undefined;
  #timer: NodeJS.Timeout | undefined;
  #watch: NodeJS.Timeout | undefined;
  #hostTimedOut = false;
  #outputExceeded: string | undefined;
  #closed = false;

  constructor(containers: EngineContainers, id: string, paths: WorkerPaths) {
    this.containers = containers;
    this.id = id;
    this.paths = paths;
    this.exited = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#ready.promise.catch(() => {});
    this.#started.promise.catch(() => {});
  }

  get handle(): WorkerHandle {
    if (!this.record) throw new DriverError('WORKER_NOT_FOUND', 'this worker has no task');
    return this.record.handle;
  }

  get hasEnded(): boolean {
    return this.#settled;
  }

  /** Connects to the supervisor as soon as it listens. Throws WORKER_START_FAILED when the container ends first. */
  async attach(): Promise<void> {
    const path = join(this.paths.sockets, 'sup.sock');
    const deadline = Date.now() + READY_TIMEOUT_MS;
    for (let tries = 1; !existsSync(path); tries++) {
      await sleep(3);
      if (tries % 50 !== 0) continue;
      const state = (await this.containers.inspect(this.id))?.State;
      if (!state?.Running)
        throw new DriverError(
          'WORKER_START_FAILED',
          `the worker ended at once (exit code ${state?.ExitCode ?? 'unknown'})`,
          'Does the image have python3, version 3.9 or later?',
        );
      if (Date.now() > deadline)
        throw new DriverError('WORKER_START_FAILED', 'the worker did not come up within 60 s');
    }
    this.#channel = await ControlChannel.open(path, {
      message: (m) => this.#hear(m),
      close: () => void this.#lostChannel(),
    });
  }

  /** Resolves once the worker can take a task. */
  ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Sends the task; resolves with the epoch ms at which user code began. */
  run(order: Record<string, unknown>): Promise<number> {
    // The supervisor has the ring mapped by now; nobody else in the worker needs to open it ever again. (A ring
    // that shrinks under its writer ends the writer.) Only root can take a file away from its owner.
    if (process.getuid?.() === 0) chownSync(this.paths.ring, 0, 0);
    this.#channel?.send({ op: 'run', ...order });
    return this.#started.promise;
  }

  #hear(message: SupervisorMessage): void {
    if (message.event === 'ready') this.#ready.resolve();
    else if (message.event === 'started') {
      if (this.#startedAt === undefined) this.beginClock(message.at);
      this.#started.resolve(message.at);
    } else if (message.event === 'refused')
      this.#started.reject(new DriverError('WORKER_START_FAILED', message.message));
    else {
      this.#said = message;
      this.#finish();
    }
  }

  /** The host's own limits, from the moment user code runs. */
  beginClock(startedAt: number): void {
    this.#startedAt = startedAt;
    const limit = this.record?.timeLimitMs;
    if (limit) {
      const left = Math.max(0, startedAt + limit + 5_000 + HOST_SLACK_MS - Date.now());
      // Node's timers hold 2^31 ms; a longer limit is left to the supervisor.
      if (left < 2 ** 31) {
        this.#timer = setTimeout(() => {
          this.#hostTimedOut = true;
          void this.kill();
        }, left);
      }
    }
  }

  /** Where the output folder has no bounds of its own, looks and kills. */
  watchOutput(): void {
    const look = async () => {
      const limits = this.record?.outputLimits;
      if (limits && !this.#settled) {
        const size = await measureTree(this.paths.out, limits).catch(() => undefined);
        if (size?.exceeded) {
          this.#outputExceeded = size.exceeded;
          await this.kill();
          return;
        }
      }
      if (!this.#settled && !this.#closed) this.#watch = setTimeout(look, WATCH_OUTPUT_MS);
    };
    this.#watch = setTimeout(look, WATCH_OUTPUT_MS);
  }

  /** Asks, then insists. Resolves when the worker has ended. */
  async stop(graceMs: number): Promise<void> {
    if (this.#settled) return;
    this.stopRequested = true;
    await this.containers.kill(this.id, 'SIGTERM').catch(() => {});
    const timer = setTimeout(() => void this.kill(), graceMs);
    await this.exited;
    clearTimeout(timer);
  }

  /** Ends it now. */
  async kill(): Promise<void> {
    await this.containers.kill(this.id).catch(() => {});
  }

  async #lostChannel(): Promise<void> {
    if (this.#settled || this.#closed) return;
    await this.settleFromEngine();
  }

  /** Waits until the engine says that the container has ended (or is gone), however long the engine takes to answer. */
  async settleFromEngine(): Promise<void> {
    for (let pause = 5; !this.#settled && !this.#closed; pause = Math.min(1000, pause * 2)) {
      let state: ContainerDescription | undefined;
      try {
        state = await this.containers.inspect(this.id);
      } catch {
        await sleep(pause);
        continue;
      }
      if (!state) return this.#finish('gone');
      if (!state.State.Running) {
        this.#said ??= readExitFile(this.paths.sockets);
        return this.#finish({
          exitCode: state.State.ExitCode,
          oomKilled: state.State.OOMKilled,
          error: state.State.Error,
        });
      }
      await sleep(pause);
    }
  }

  #finish(engine?: { exitCode: number; oomKilled: boolean; error: string } | 'gone'): void {
    if (this.#settled) return;
    this.#settled = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#watch);
    const exit = decideExit({
      supervisor: this.#said,
      engine,
      hostTimedOut: this.#hostTimedOut,
      outputExceeded: this.#outputExceeded,
      stopRequested: this.stopRequested,
      askedAt: this.record?.handle.startedAt ?? Date.now(),
      startedAt: this.#startedAt,
      endedAt: Date.now(),
      timeLimitMs: this.record?.timeLimitMs,
      memoryBytes: this.record?.memoryBytes ?? 0,
    });
    this.#settle(exit);
    const failed = new DriverError('WORKER_START_FAILED', exit.message);
    this.#ready.reject(failed);
    this.#started.reject(failed);
  }

  /** The container's control group, where this process may use it directly. */
  async cgroup(): Promise<Cgroup | undefined> {
    this.pid ??= (await this.containers.inspect(this.id))?.State.Pid || undefined;
    return this.pid ? findCgroup(this.pid, this.id) : undefined;
  }

  /** Lets go of the worker without ending it. */
  detach(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#watch);
    this.#channel?.close();
  }
}

const MAX_EXIT_FILE = 256 * 1024;

/** The supervisor's last word, for a server that was away when it was spoken. Read as hostile. */
function readExitFile(folder: string): SupervisorExit | undefined {
  let fd: number;
  try {
    fd = openSync(
      join(folder, 'exit.json'),
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
  } catch {
    return undefined;
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size > MAX_EXIT_FILE) return undefined;
    const buffer = Buffer.alloc(stat.size);
    const length = readSync(fd, buffer, 0, stat.size, 0);
    const message = parseMessage(buffer.toString('utf8', 0, length));
    return message?.event === 'exit' ? message : undefined;
  } finally {
    closeSync(fd);
  }
}
