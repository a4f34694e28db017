import { taskStates } from '@vgpu/core';
import type { Store } from '@vgpu/store';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { registerAcceleratorMetrics } from './accelerator-metrics.ts';
import type { Changes } from './changes.ts';
import type { Devices } from './devices.ts';
import type { Engine } from './engine.ts';
import type { Execution } from './execution.ts';
import type { Scheduling } from './scheduling.ts';

export interface MetricsParts {
  store: Store;
  changes: Changes;
  scheduling: Scheduling;
  engine: Engine;
  devices: Devices;
  execution: Execution;
}

const SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** What Prometheus reads at /metrics. Gauges are computed when asked; events feed the counters. */
export class Metrics {
  readonly registry = new Registry();
  readonly #parts: MetricsParts;

  constructor(parts: MetricsParts) {
    this.#parts = parts;
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry, prefix: 'vgpu_server_' });
    this.#gauges(registers);
    const ends = new Counter({
      name: 'vgpu_tasks_ended_total',
      help: 'Tasks that ended, by state and reason.',
      labelNames: ['state', 'reason'],
      registers,
    });
    const timings = new Histogram({
      name: 'vgpu_task_seconds',
      help: 'Seconds that tasks spent queued, starting, running and in teardown.',
      labelNames: ['phase'],
      buckets: SECONDS,
      registers,
    });
    parts.changes.subscribe((change) => {
      if (change.task) void this.#observe(change.task, ends, timings).catch(() => undefined);
    });
  }

  #gauges(registers: Registry[]): void {
    const { store, scheduling, engine, devices, execution } = this.#parts;
    new Gauge({
      name: 'vgpu_tasks',
      help: 'Tasks by state.',
      labelNames: ['state'],
      registers,
      async collect() {
        const rows = await store.read
          .selectFrom('tasks')
          .select(['state', (e) => e.fn.countAll<number>().as('count')])
          .groupBy('state')
          .execute();
        for (const state of taskStates) {
          this.set({ state }, Number(rows.find((row) => row.state === state)?.count ?? 0));
        }
      },
    });
    new Gauge({
      name: 'vgpu_queue_depth',
      help: 'Tasks that wait for capacity.',
      registers,
      collect() {
        this.set(scheduling.queue().length);
      },
    });
    new Gauge({
      name: 'vgpu_capacity',
      help: 'CPU in cores, memory in bytes: total and held by tasks.',
      labelNames: ['resource', 'kind'],
      registers,
      collect() {
        const [node] = scheduling.view().nodes;
        if (!node) return;
        this.set({ resource: 'cpu', kind: 'total' }, node.cpuMilli / 1000);
        this.set({ resource: 'cpu', kind: 'used' }, (node.cpuMilli - node.freeCpuMilli) / 1000);
        this.set({ resource: 'memory', kind: 'total' }, node.memoryBytes);
        this.set({ resource: 'memory', kind: 'used' }, node.memoryBytes - node.freeMemoryBytes);
      },
    });
    new Gauge({
      name: 'vgpu_engine_up',
      help: '1 while the container engine answers.',
      registers,
      collect() {
        this.set(engine.connected ? 1 : 0);
      },
    });
    new Gauge({
      name: 'vgpu_warm_workers',
      help: 'Warm workers ready.',
      registers,
      collect() {
        this.set(engine.warm()?.ready ?? 0);
      },
    });
    registerAcceleratorMetrics(this.registry, { devices, execution });
  }

  async #observe(
    task: string,
    ends: Counter<'state' | 'reason'>,
    timings: Histogram<'phase'>,
  ): Promise<void> {
    const row = await this.#parts.store.read
      .selectFrom('tasks')
      .select(['state', 'reason', 'queued_ms', 'start_ms', 'run_ms', 'teardown_ms'])
      .where('id', '=', task)
      .executeTakeFirst();
    if (!row || !['COMPLETED', 'FAILED', 'CANCELLED'].includes(row.state)) return;
    const reason = row.reason ? (JSON.parse(row.reason) as { code: string }).code : '';
    ends.inc({ state: row.state, reason });
    for (const phase of ['queued', 'start', 'run', 'teardown'] as const) {
      const ms = row[`${phase}_ms`];
      if (ms !== null) timings.observe({ phase }, ms / 1000);
    }
  }
}
