import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type JobSpec, newId, VgpuError } from '@vgpu/core';
import type { Driver, DriverEvent, WorkerExit, WorkerHandle } from '@vgpu/drivers';
import type { Bind, Preempt } from '@vgpu/scheduler';
import type { JobTable, Store, TaskTable } from '@vgpu/store';
import type { Logger } from 'pino';
import { brokenDeviceReason, vramReason } from './accelerator-blame.ts';
import { type Devices, slicesOf } from './devices.ts';
import type { Durations } from './durations.ts';
import { decideOutcome, type Outcome, type Reason, reasonOf } from './outcome.ts';
import { type Placement, workerName } from './placement.ts';
import type { Scheduling } from './scheduling.ts';
import { settleOutcome } from './settle-outcome.ts';
import { exitOfStartFailure, reasonOfStartFailure } from './start-failure.ts';
import type { TaskLaunches } from './task-launch.ts';
import type { TaskStates } from './task-states.ts';
import type { Telemetry } from './telemetry.ts';

/** An attempt in progress. Its steps run one after the other along `steps`. */
export interface Active {
  readonly attempt: string;
  readonly task: TaskTable;
  readonly job: JobTable;
  readonly spec: JobSpec;
  readonly abort: AbortController;
  handle: WorkerHandle | undefined;
  steps: Promise<void>;
  /** Set once its end is being dealt with; a second end is ignored. */
  ended: boolean;
  /** Taken over from an earlier process, and not yet matched with the engine's workers. */
  restored: boolean;
  /** The engine was away while it ran, or the server was: losing it is not the script's fault. */
  shaken: boolean;
  /** Why it was taken off its accelerator, where that broke. */
  evicted?: Reason;
  /** Why it was told to end, where another task needs its room. */
  preempted?: Reason;
}

export interface ExecutionParts {
  store: Store;
  driver: Driver;
  states: TaskStates;
  scheduling: Scheduling;
  telemetry: Telemetry;
  launches: TaskLaunches;
  durations: Durations;
  devices: Devices;
  filesDir: string;
  log: Logger;
}

/** What a task has to end by itself when its room is needed. */
const PREEMPTION_GRACE_MS = 5000;

/** Runs attempts: from a placement to a worker, from its end to a durable outcome and everything given back. */
export class Execution {
  readonly #parts: ExecutionParts;
  readonly #active = new Map<string, Active>();
  readonly #off: () => void;

  constructor(parts: ExecutionParts) {
    this.#parts = parts;
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
    this.#preempt(active, active.handle, preempt).catch((error) => {
      this.#parts.log.error({ err: error, task: preempt.taskId }, 'a task could not be stopped to make room');
      active.preempted = undefined;
      this.#parts.scheduling.stays(preempt.taskId);
      this.#notePreemption(active).catch(() => undefined);
    });
  }

  async #preempt(active: Active, handle: WorkerHandle, { reason, for: other }: Preempt): Promise<void> {
    const { driver, log } = this.#parts;
    active.preempted = reasonOf('PREEMPTED', { why: reason });
    // On disk first: an end that only the next server sees must not look like the script's own.
    await this.#notePreemption(active);
    log.info({ task: active.task.id, for: other, reason }, 'a task makes room');
    active.abort.abort();
    await driver.stop(handle, { graceMs: PREEMPTION_GRACE_MS });
  }

  async #notePreemption({ attempt, preempted }: Active): Promise<void> {
    const text = preempted ? JSON.stringify(preempted) : null;
    await this.#parts.store.write((trx) =>
      trx.updateTable('attempts').set({ preempted: text }).where('id', '=', attempt).execute(),
    );
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
    const { store, states, launches, driver, telemetry, devices, log } = this.#parts;
    const now = Date.now();
    const attempt = newId('attempt', now);
    const { task, job, spec } = await launches.load(bind.taskId);
    const placement: Placement = {
      node: bind.node,
      cpuMilli: bind.cpuMilli,
      memoryBytes: bind.memoryBytes,
      accelerators: bind.accelerators,
    };
    let worker = '';
    const placed = await states.moveWith(
      async (trx, { task: moved }) => {
        const row = await trx
          .updateTable('jobs')
          .set((e) => ({ workers: e('workers', '+', 1) }))
          .where('id', '=', job.id)
          .returning('workers')
          .executeTakeFirstOrThrow();
        worker = workerName(Number(row.workers));
        await trx.updateTable('tasks').set({ worker }).where('id', '=', task.id).execute();
        await trx
          .insertInto('attempts')
          .values({
            id: attempt,
            project: job.project,
            task: task.id,
            job: job.id,
            number: moved.attempts,
            worker,
            placement: JSON.stringify(placement),
            created_at: now,
          })
          .execute();
      },
      {
        task: task.id,
        to: 'SCHEDULED',
        at: now,
        set: { attempt, attempts: task.attempts + 1, queued_ms: now - task.queued_at, reason: null },
      },
      { task: task.id, to: 'STARTING', at: now },
    );
    const active = this.adopt({
      attempt,
      task: { ...placed.task, worker },
      job,
      spec,
      handle: undefined,
      restored: false,
      shaken: false,
    });
    try {
      // A stop may have come between the commit and now.
      const stopped = await store.read
        .selectFrom('tasks')
        .select('stop_by')
        .where('id', '=', task.id)
        .executeTakeFirst();
      if (stopped?.stop_by) active.abort.abort();
      const holding = { attempt, task: task.id, shares: bind.accelerators, qos: spec.resources.qos };
      const grant = await devices.grant(holding);
      const launch = await launches.launchOf(active, grant?.grant);
      const handle = await driver.start(launch, active.abort.signal);
      active.handle = handle;
      telemetry.attach({
        task: task.id,
        job: job.id,
        attempt: placed.task.attempts,
        ringPath: handle.ringPath,
      });
      await store.write((trx) =>
        trx
          .updateTable('attempts')
          .set({
            handle: JSON.stringify(handle),
            placement: JSON.stringify({ ...placement, ...slicesOf(devices, grant?.slices ?? []) }),
          })
          .where('id', '=', attempt)
          .execute(),
      );
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
    await this.#parts.states.moveWith(
      async (trx) => {
        await trx.updateTable('attempts').set({ started_at: at }).where('id', '=', active.attempt).execute();
      },
      {
        task: active.task.id,
        to: 'RUNNING',
        at,
        attempt: active.attempt,
        set: { started_at: at, container: handle.name },
      },
    );
  }

  #end(active: Active, exit: WorkerExit, at: number, cause?: unknown): void {
    if (active.ended) return;
    active.ended = true;
    this.#step(active, () => this.#finish(active, exit, at, cause));
  }

  /** The end of an attempt: outcome on disk first, then everything given back, then the state that says so. */
  async #finish(active: Active, exit: WorkerExit, at: number, cause?: unknown): Promise<void> {
    const { store, driver, telemetry, devices, filesDir, log } = this.#parts;
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
    const output = join(filesDir, task.id, attempt);
    let files = 0;
    if (handle && exit.reason !== 'lost') {
      mkdirSync(output, { recursive: true, mode: 0o711 });
      const limits = { bytes: spec.limits.output, files: spec.limits.files };
      const collected = await driver.collectOutputs(handle, output, limits).catch((error) => {
        log.warn({ err: error, task: task.id }, 'collecting the output files failed');
        return undefined;
      });
      files = collected?.files.length ?? 0;
      if (collected) await this.#parts.launches.noteOutputs(output, collected);
    }
    const fresh = await store.read
      .selectFrom('tasks')
      .select(['retries_used', 'losses', 'stop_by'])
      .where('id', '=', task.id)
      .executeTakeFirst();
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
    if (better && (outcome.to === 'FAILED' || outcome.to === 'QUEUED')) outcome.reason = better;
    const problem = cause instanceof Error ? reasonOfStartFailure(cause) : undefined;
    if (problem && outcome.to === 'FAILED') outcome.reason = problem;
    await store.write(async (trx) => {
      await trx
        .updateTable('attempts')
        .set({ outcome: JSON.stringify(outcome), ended_at: at })
        .where('id', '=', attempt)
        .where('outcome', 'is', null)
        .execute();
      await trx
        .updateTable('tasks')
        .set({ ...(summary ? summary.columns : {}), files })
        .where('id', '=', task.id)
        .where('attempt', '=', attempt)
        .execute();
    });
    if (outcome.to === 'COMPLETED' && outcome.runMs !== null)
      this.#parts.durations.note(active.job, outcome.runMs);
    await this.giveBack(active, outcome);
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
