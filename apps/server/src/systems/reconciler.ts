import type { JobSpec } from '@vgpu/core';
import type { Driver, WorkerHandle } from '@vgpu/drivers';
import type { AttemptTable, JobTable, Store, TaskTable } from '@vgpu/store';
import type { Logger } from 'pino';
import type { Active } from './active-attempt.ts';
import type { Devices, Holding } from './devices.ts';
import type { Execution } from './execution.ts';
import type { Outcome, Reason } from './outcome.ts';
import type { Placement } from './placement.ts';
import { type RunHistory, workOf } from './run-history.ts';
import type { Scheduling } from './scheduling.ts';
import { pendingOf } from './shares.ts';
import type { Telemetry } from './telemetry.ts';

export interface ReconcilerParts {
  store: Store;
  driver: Driver;
  execution: Execution;
  scheduling: Scheduling;
  telemetry: Telemetry;
  devices: Devices;
  history: RunHistory;
  log: Logger;
}

interface Unfinished {
  task: TaskTable;
  job: JobTable;
  attempt: AttemptTable | undefined;
}

/** Looks in a row at which a worker must be missing before it counts as lost. */
const MISSES = 2;

/**
 * Makes the store and the engine agree after any crash: what runs is taken up, what ended is finished, what is
 * gone is queued again, and what nobody knows is removed. The engine's labels decide what runs.
 */
export class Reconciler {
  readonly #parts: ReconcilerParts;
  readonly #missed = new Map<string, number>();
  #busy: Promise<void> | undefined;

  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
  }

  /** What a restart does, before anything is placed. Without an engine only the waiting tasks are loaded. */
  async restore(engineUp: boolean): Promise<void> {
    const { scheduling, execution, history, log } = this.#parts;
    const unfinished = await this.#unfinished();
    await history.knowSizes(unfinished.map(({ task }) => task.dataset_version));
    for (const { task, job, attempt } of unfinished) {
      if (task.state === 'QUEUED') {
        scheduling.add(pendingOf(task, job, JSON.parse(job.spec) as JobSpec, history), task.not_before);
        continue;
      }
      const placement = attempt && (JSON.parse(attempt.placement) as Placement);
      if (!attempt || !placement) {
        log.error({ task: task.id, state: task.state }, 'a task runs without an attempt');
        continue;
      }
      const spec = JSON.parse(job.spec) as JobSpec;
      scheduling.hold({
        taskId: task.id,
        jobId: job.id,
        project: job.project,
        priority: job.priority,
        qos: spec.resources.qos,
        node: placement.node,
        cpuMilli: placement.cpuMilli,
        memoryBytes: placement.memoryBytes,
        accelerators: placement.accelerators,
        startedAt: attempt.created_at,
        expectedEndAt: attempt.created_at + history.expected(workOf(job, task), spec.limits.time),
      });
      execution.adopt({
        attempt: attempt.id,
        task,
        job,
        spec,
        ...(attempt.preempted ? { preempted: JSON.parse(attempt.preempted) as Reason } : {}),
        handle: attempt.handle ? (JSON.parse(attempt.handle) as WorkerHandle) : undefined,
        restored: true,
        shaken: true,
      });
    }
    if (engineUp) await this.takeUp();
  }

  /** Connects adopted attempts with the workers that the engine still has; the rest of them is lost. */
  async takeUp(): Promise<void> {
    const { driver, execution, devices, store, log } = this.#parts;
    const handles = new Map((await driver.recover()).map((handle) => [handle.attemptId, handle]));
    const present = new Map((await driver.list()).map((worker) => [worker.handle.attemptId, worker]));
    const held: Holding[] = [];
    for (const active of execution.active()) {
      const { restored } = active;
      active.restored = false;
      const row = await store.read
        .selectFrom('attempts')
        .select(['outcome', 'placement'])
        .where('id', '=', active.attempt)
        .executeTakeFirst();
      const shares = row ? (JSON.parse(row.placement) as Placement).accelerators : [];
      const { qos } = active.spec.resources;
      if (!row?.outcome) {
        const { project } = active.job;
        held.push({ attempt: active.attempt, task: active.task.id, project, shares, qos });
      }
      const handle = handles.get(active.attempt);
      if (handle) active.handle = handle;
      if (row?.outcome && restored) {
        this.#finish(active, JSON.parse(row.outcome) as Outcome);
        continue;
      }
      // Without a handle it is being started by this very process, which hears of a failure by itself.
      if (active.ended || (!restored && !active.handle)) continue;
      const worker = present.get(active.attempt);
      // Nobody knows whether its program was told to start: it is replaced, which costs nobody a retry.
      const unsure = restored && active.task.state === 'STARTING' && worker?.phase !== 'exited';
      if (!worker || unsure) execution.lose(active);
      else if (handle) {
        this.#follow(active, handle.ringPath);
        // The server ended between writing this down and saying it to the worker, or right after.
        if (active.preempted) execution.stop(active.task.id);
      }
    }
    await devices.adopt(held);
    const reaped = await driver.reap(execution.attempts());
    const count = reaped.containers.length + reaped.networks.length + reaped.folders.length;
    if (count > 0) log.info({ reaped }, 'removed what nobody needs');
    log.info({ adopted: handles.size }, 'took up running workers');
  }

  /** One look at whether the engine still has what should run, and nothing else. Calls do not overlap. */
  check(): Promise<void> {
    this.#busy ??= this.#check()
      .catch((error) => this.#parts.log.warn({ err: error }, 'reconciling failed; it is tried again'))
      .finally(() => {
        this.#busy = undefined;
      });
    return this.#busy;
  }

  async #check(): Promise<void> {
    const { driver, execution } = this.#parts;
    // Asked in this order: an attempt that starts or ends in between is never taken for lost.
    const before = execution.active().filter((active) => active.handle && !active.ended);
    const present = new Set((await driver.list()).map((worker) => worker.handle.attemptId));
    for (const active of before) {
      if (present.has(active.attempt) || active.ended) {
        this.#missed.delete(active.attempt);
        continue;
      }
      const misses = (this.#missed.get(active.attempt) ?? 0) + 1;
      this.#missed.set(active.attempt, misses);
      if (misses < MISSES) continue;
      this.#missed.delete(active.attempt);
      execution.lose(active);
    }
    await driver.reap(execution.attempts());
  }

  #follow(active: Active, ringPath: string): void {
    const { task, job } = active;
    this.#parts.telemetry.attach({
      task: task.id,
      job: job.id,
      attempt: task.attempts,
      ringPath,
      resumed: true,
    });
  }

  /** The outcome was on disk when the server ended: give back what is left, and say so. */
  #finish(active: Active, outcome: Outcome): void {
    active.ended = true;
    active.steps = active.steps
      .then(() => this.#parts.execution.giveBack(active, outcome))
      .catch((error) =>
        this.#parts.log.error({ err: error, attempt: active.attempt }, 'an end was not finished'),
      );
  }

  async #unfinished(): Promise<Unfinished[]> {
    const { read } = this.#parts.store;
    const tasks = await read
      .selectFrom('tasks')
      .selectAll()
      .where('state', 'not in', ['COMPLETED', 'FAILED', 'CANCELLED'])
      .orderBy('queued_at')
      .orderBy('id')
      .execute();
    const jobs = new Map<string, JobTable>();
    const found: Unfinished[] = [];
    for (const task of tasks) {
      let job = jobs.get(task.job);
      if (!job) {
        job = await read.selectFrom('jobs').selectAll().where('id', '=', task.job).executeTakeFirstOrThrow();
        jobs.set(task.job, job);
      }
      const attempt = task.attempt
        ? await read.selectFrom('attempts').selectAll().where('id', '=', task.attempt).executeTakeFirst()
        : undefined;
      found.push({ task, job, attempt });
    }
    return found;
  }
}
