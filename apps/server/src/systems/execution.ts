import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { newId, VgpuError } from '@vgpu/core';
import type { Driver, DriverEvent, WorkerExit, WorkerHandle } from '@vgpu/drivers';
import type { Bind, Preempt } from '@vgpu/scheduler';
import type { Store } from '@vgpu/store';
import type { Logger } from 'pino';
import { brokenDeviceReason, vramReason } from './accelerator-blame.ts';
import type { Active } from './active-attempt.ts';
import { AttemptRows } from './attempt-rows.ts';
import { type Devices, slicesOf } from './devices.ts';
import { decideOutcome, type Outcome, type Reason, reasonOf } from './outcome.ts';
import type { Placement } from './placement.ts';
import { type RunHistory, workOf } from './run-history.ts';
import type { Scheduling } from './scheduling.ts';
import { settleOutcome } from './settle-outcome.ts';
import { exitOfStartFailure, reasonOfStartFailure } from './start-failure.ts';
import type { TaskLaunches } from './task-launch.ts';
import type { TaskStates } from './task-states.ts';
import type { Telemetry } from './telemetry.ts';

export interface ExecutionParts {
  store: Store;
  driver: Driver;
  states: TaskStates;
  scheduling: Scheduling;
  telemetry: Telemetry;
  launches: TaskLaunches;
  history: RunHistory;
  devices: Devices;
  filesDir: string;
  log: Logger;
}

/** What a task has to end by itself when its room is needed. */
const PREEMPTION_GRACE_MS = 5000;

/** Runs attempts: from a placement to a worker, from its end to a durable outcome and everything given back. */
export class Execution {
  readonly #parts: ExecutionParts;
  readonly #rows: AttemptRows;
  readonly #active = new Map<string, Active>();
  readonly #off: () => void;

  constructor(parts: ExecutionParts) {
    this.#parts = parts;
    this.#rows = new AttemptRows(parts.store, parts.states);
    this.#off = parts.driver.onEvent((event) => this.#onEvent(event));
  }

  /** Attempts in progress; the reconciler keeps their workers. */
  attempts(): ReadonlySet<string> {
    return new Set(this.#active.keys());
  }

  active(): readonly Active[] {
    return [...this.#active.values()];
  }

  activeOf(task: string): Active | undefined {
    for (const active of this.#active.values()) if (active.task.id === task) return active;
    return undefined;
  }

  /** Carries out a placement. Never throws: what goes wrong becomes the task's outcome. */
  start(bind: Bind): void {
    this.#begin(bind).catch((error) => {
      this.#parts.scheduling.release(bind.taskId);
      const known = error instanceof VgpuError && ['BAD_TRANSITION', 'NOT_FOUND'].includes(error.code);
      // Cancelled or deleted between its placement and its start: nothing to run any more.
      if (!known) this.#parts.log.error({ err: error, task: bind.taskId }, 'a placement failed');
    });
  }

  /** Asks the task's worker to end; its exit brings the outcome. */
  stop(task: string, graceMs = 5000): void {
    const active = this.activeOf(task);
    if (!active || active.ended) return;
    active.abort.abort();
    const { handle } = active;
    if (!handle) return;
    this.#parts.driver.stop(handle, { graceMs }).catch((error) => {
      this.#parts.log.warn({ err: error, task }, 'stopping a worker failed');
    });
  }

  /** Whether a task's worker is there and can be told to end. */
  stoppable(task: string): boolean {
    const active = this.activeOf(task);
    return active?.handle !== undefined && !active.ended && !active.restored;
  }

  /** Ends a task's attempt so that another task can start; it goes back to the queue, and pays no retry. */
  preempt(preempt: Preempt): void {
    const active = this.activeOf(preempt.taskId);
    if (!active?.handle || active.ended) return;
    const reason = reasonOf('PREEMPTED', { why: preempt.reason });
    this.#sendBack(active, active.handle, reason, PREEMPTION_GRACE_MS, preempt.for).catch((error) => {
      this.#parts.log.error({ err: error, task: preempt.taskId }, 'a task could not be stopped to make room');
      active.preempted = undefined;
      this.#parts.scheduling.stays(preempt.taskId);
      this.#rows.preempted(active.attempt, undefined).catch(() => undefined);
    });
  }

  /** Asks an attempt to end, insists after `graceMs`; whatever end that brings, the task queues again for free. */
  async #sendBack(
    active: Active,
    handle: WorkerHandle,
    reason: Reason,
    graceMs: number,
    other?: string,
  ): Promise<void> {
    const { driver, log } = this.#parts;
    active.preempted = reason;
    // On disk first: an end that only the next server sees must not look like the script's own.
    await this.#rows.preempted(active.attempt, reason);
    log.info({ task: active.task.id, for: other, reason }, 'a task makes room');
    active.abort.abort();
    await driver.stop(handle, { graceMs });
  }

  /** Ends an attempt whose accelerator is drained: it is asked first, where there is a grace period. */
  drain(active: Active, reason: Reason, graceMs: number): void {
    if (active.ended || active.preempted) return;
    if (graceMs === 0 || !active.handle) {
      this.evict(active, reason);
      return;
    }
    this.#sendBack(active, active.handle, reason, graceMs).catch((error) => {
      this.#parts.log.warn({ err: error, task: active.task.id }, 'a drained task could not be asked to end');
      this.evict(active, reason);
    });
  }

  /** Takes up an attempt that ran before this process started. */
  adopt(active: Omit<Active, 'abort' | 'steps' | 'ended'>): Active {
    const whole = { ...active, abort: new AbortController(), steps: Promise.resolve(), ended: false };
    this.#active.set(whole.attempt, whole);
    return whole;
  }

  /** Says that an attempt's worker is gone without an exit. */
  lose(active: Active): void {
    const message = 'The worker disappeared.';
    const timings = { start: 0, run: 0 };
    this.#end(active, { reason: 'lost', exitCode: -1, oomKilled: false, timings, message }, Date.now());
  }

  /** Ends an attempt whose accelerator broke; the task goes back to the queue without paying for it. */
  evict(active: Active, reason: Reason): void {
    if (active.ended) return;
    active.evicted = reason;
    // One that is still starting ends by that: its worker must not come after its end.
    if (!active.handle) {
      active.abort.abort();
      return;
    }
    const timings = { start: 0, run: 0 };
    const exit = { exitCode: -1, oomKilled: false, timings, message: reason.message };
    this.#end(active, { ...exit, reason: 'lost' }, Date.now());
  }

  /** Waits for the steps in progress, so that nothing is cut off in the middle. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.active().map((active) => active.steps));
  }

  close(): void {
    this.#off();
  }

  async #begin(bind: Bind): Promise<void> {
    const { launches, driver, telemetry, devices, log } = this.#parts;
    const attempt = newId('attempt');
    const loaded = await launches.load(bind.taskId);
    const { job, spec } = loaded;
    const { node, cpuMilli, memoryBytes, accelerators } = bind;
    const placement: Placement = { node, cpuMilli, memoryBytes, accelerators };
    const task = await this.#rows.place(attempt, loaded.task, job, placement);
    const active = this.adopt({
      attempt,
      task,
      job,
      spec,
      handle: undefined,
      restored: false,
      shaken: false,
    });
    try {
      // A stop may have come between the commit and now.
      const stopped = await this.#rows.allowance(task.id);
      if (stopped?.stop_by) active.abort.abort();
      const holding = {
        attempt,
        task: task.id,
        project: job.project,
        shares: bind.accelerators,
        qos: spec.resources.qos,
      };
      const grant = await devices.grant(holding);
      const launch = await launches.launchOf(active, grant?.grant);
      const handle = await driver.start(launch, active.abort.signal);
      active.handle = handle;
      if (grant) await devices.confine(attempt, async () => (await driver.inspect(handle))?.pid);
      telemetry.attach({
        task: task.id,
        job: job.id,
        attempt: task.attempts,
        ringPath: handle.ringPath,
      });
      await this.#rows.hasWorker(attempt, handle, {
        ...placement,
        ...slicesOf(devices, grant?.slices ?? []),
      });
      if (active.abort.signal.aborted && !active.ended) this.stop(task.id);
    } catch (error) {
      log.warn({ err: error, task: task.id, attempt }, 'a worker did not start');
      this.#end(active, exitOfStartFailure(error), Date.now(), error);
    }
  }

  #onEvent(event: DriverEvent): void {
    switch (event.type) {
      case 'started': {
        const active = this.#active.get(event.handle.attemptId);
        if (active && !active.ended) this.#step(active, () => this.#running(active, event.handle, event.at));
        break;
      }
      case 'exit': {
        const active = this.#active.get(event.handle.attemptId);
        if (!active) break;
        active.handle ??= event.handle;
        this.#end(active, event.exit, event.at);
        break;
      }
      case 'engine':
        if (!event.connected) for (const active of this.#active.values()) active.shaken = true;
        break;
    }
  }

  async #running(active: Active, handle: WorkerHandle, at: number): Promise<void> {
    active.handle ??= handle;
    await this.#rows.runs(active.attempt, active.task.id, handle.name, at);
  }

  #end(active: Active, exit: WorkerExit, at: number, cause?: unknown): void {
    if (active.ended) return;
    active.ended = true;
    this.#step(active, () => this.#finish(active, exit, at, cause));
  }

  /** The end of an attempt: outcome on disk first, then everything given back, then the state that says so. */
  async #finish(active: Active, exit: WorkerExit, at: number, cause?: unknown): Promise<void> {
    const { telemetry, devices } = this.#parts;
    const { handle, task, spec, attempt } = active;
    if (handle && !telemetry.follows(task.id)) {
      // It ended while no server watched: what it printed is still in its ring.
      const { ringPath } = handle;
      telemetry.attach({
        task: task.id,
        job: active.job.id,
        attempt: task.attempts,
        ringPath,
        resumed: true,
      });
    }
    const summary = await telemetry.finish(task.id);
    const files = handle && exit.reason !== 'lost' ? await this.#collect(active, handle) : 0;
    const fresh = await this.#rows.allowance(task.id);
    const told = exit.exception ?? summary?.exception;
    const known = told ? { ...exit, exception: { traceback: '', ...told } } : exit;
    active.evicted ??= await brokenDeviceReason(known, attempt, devices);
    const { evicted } = active;
    const judged = evicted ? { ...known, reason: 'lost' as const } : known;
    const ourFault = active.shaken || evicted !== undefined;
    const outcome: Outcome = decideOutcome(judged, spec, fresh ?? task, {
      at,
      ourFault,
      preempted: active.preempted,
    });
    const better = evicted ?? vramReason(known, attempt, devices);
    if (better && !active.preempted && (outcome.to === 'FAILED' || outcome.to === 'QUEUED'))
      outcome.reason = better;
    const problem = cause instanceof Error ? reasonOfStartFailure(cause) : undefined;
    if (problem && outcome.to === 'FAILED') outcome.reason = problem;
    await this.#rows.ended(attempt, task.id, outcome, { ...summary?.columns, files });
    if (outcome.to === 'COMPLETED' && outcome.runMs !== null)
      this.#parts.history.note(workOf(active.job, task), outcome.runMs, this.#modelsOf(attempt));
    await this.giveBack(active, outcome);
  }

  /** Models of the accelerators that an attempt holds. */
  #modelsOf(attempt: string): string[] {
    const { devices } = this.#parts;
    const held = devices.slices.filter((slice) => slice.attempt === attempt);
    return held.flatMap((slice) => devices.find(slice.uuid)?.model ?? []);
  }

  /** Takes over what the task wants to keep. Returns the number of files. */
  async #collect({ task, attempt, spec }: Active, handle: WorkerHandle): Promise<number> {
    const { driver, filesDir, launches, log } = this.#parts;
    const output = join(filesDir, task.id, attempt);
    mkdirSync(output, { recursive: true, mode: 0o711 });
    const limits = { bytes: spec.limits.output, files: spec.limits.files };
    const collected = await driver.collectOutputs(handle, output, limits).catch((error) => {
      log.warn({ err: error, task: task.id }, 'collecting the output files failed');
      return undefined;
    });
    if (collected) await launches.noteOutputs(output, collected);
    return collected?.files.length ?? 0;
  }

  /** Second half of an end; also what a restart does for an attempt whose outcome was already written. */
  async giveBack(active: Active, outcome: Outcome): Promise<void> {
    const { driver, devices, scheduling, states, store, launches, log } = this.#parts;
    const { handle, attempt, task } = active;
    if (handle) {
      await driver.destroy(handle).catch((error) => {
        log.error({ err: error, attempt }, 'a worker was not removed; the reconciler tries again');
      });
    }
    await devices.release(attempt);
    const teardownMs = Math.max(0, Date.now() - outcome.endedAt);
    this.#active.delete(attempt);
    scheduling.release(task.id);
    const again = await settleOutcome({ store, states }, attempt, task.id, outcome, teardownMs);
    if (again) scheduling.add(await launches.pending(task.id), again.notBefore);
  }

  /** Appends to the attempt's steps; one that fails is reported and does not stop the next. */
  #step(active: Active, work: () => Promise<void>): void {
    active.steps = active.steps.then(work).catch((error) => {
      const over =
        error instanceof VgpuError && ['CONFLICT', 'NOT_FOUND', 'BAD_TRANSITION'].includes(error.code);
      if (!over)
        this.#parts.log.error({ err: error, attempt: active.attempt }, 'a step of an attempt failed');
    });
  }
}
