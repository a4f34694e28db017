import { availableParallelism, hostname, totalmem } from 'node:os';
import type { Topology } from '@vgpu/api';
import type { WorkerStats, WorkerStatus } from '@vgpu/drivers';
import { acceleratorViews } from './accelerator-views.ts';
import type { Devices } from './devices.ts';
import type { Engine } from './engine.ts';
import type { Execution } from './execution.ts';
import type { Pools } from './pools.ts';
import type { Telemetry } from './telemetry.ts';

type Service = Topology['services'][number];

export interface TopologyParts {
  engine: Engine;
  execution: Execution;
  devices: Devices;
  pools: Pools;
  telemetry: Telemetry;
  url: () => string;
  version: string;
}

/** Splits `vgpu/sklearn:latest` into name and tag; a digest counts as the tag. */
export function splitImage(image: string): { image: string; tag: string } {
  const match = /^(.+?)(?:@(.+)|:([^/:]+))?$/.exec(image);
  return { image: match?.[1] ?? image, tag: match?.[2] ?? match?.[3] ?? 'latest' };
}

/** The table of services, workers and accelerators: asked from the engine each time, never remembered. */
export class TopologySystem {
  readonly #parts: TopologyParts;
  /** CPU time at the last look, to tell the use since then. */
  readonly #lastCpu = new Map<string, { cpuMs: number; at: number }>();

  constructor(parts: TopologyParts) {
    this.#parts = parts;
  }

  async look(): Promise<Topology> {
    const { engine, execution, devices, pools } = this.#parts;
    const workers = engine.connected ? await engine.list().catch(() => [] as WorkerStatus[]) : [];
    // Figures come from the control groups, not from the engine: all at once is cheap.
    const stats = await Promise.all(
      workers.map((worker) => engine.stats(worker.handle).catch(() => undefined)),
    );
    const seen = new Set(workers.map((worker) => worker.handle.id));
    for (const id of this.#lastCpu.keys()) if (!seen.has(id)) this.#lastCpu.delete(id);
    return {
      takenAt: Date.now(),
      host: {
        name: hostname(),
        cpus: availableParallelism(),
        memory: totalmem(),
        engine: engine.known ? `${engine.known.engine} ${engine.known.version}` : null,
      },
      services: [
        this.#server(),
        this.#engineService(),
        ...workers.map((worker, i) => this.#worker(worker, stats[i])),
        ...this.#warm(),
      ],
      accelerators: await acceleratorViews(devices, pools, execution),
    };
  }

  #server(): Service {
    const memory = process.memoryUsage.rss();
    return {
      ...blank,
      name: 'vgpu-server',
      kind: 'server',
      image: 'vgpu',
      tag: this.#parts.version,
      created: Math.round(Date.now() - process.uptime() * 1000),
      ports: [new URL(this.#parts.url()).host],
      state: 'running',
      memory,
    };
  }

  #engineService(): Service {
    const { engine } = this.#parts;
    return {
      ...blank,
      name: engine.known?.engine ?? 'engine',
      kind: 'engine',
      image: engine.known?.engine ?? '',
      tag: engine.known?.version ?? '',
      state: engine.connected ? 'running' : 'unreachable',
      lastLine: engine.connected ? null : engine.problem,
    };
  }

  #worker(worker: WorkerStatus, stats: WorkerStats | undefined): Service {
    const { execution, devices, telemetry } = this.#parts;
    const { handle } = worker;
    const active = execution.active().find((one) => one.attempt === handle.attemptId);
    return {
      name: handle.name,
      kind: 'worker',
      job: handle.jobId || null,
      task: handle.taskId || null,
      ...splitImage(worker.image),
      created: worker.createdAt,
      ports: worker.ports.map((port) => `/proxy/${handle.taskId}/${port}/`),
      state: worker.phase,
      cpu: stats ? this.#cpu(handle.id, stats) : null,
      memory: stats?.memoryBytes ?? null,
      memoryLimit: stats?.memoryLimitBytes ?? active?.spec.resources.memory ?? null,
      slices: devices.slices
        .filter((slice) => slice.attempt === handle.attemptId)
        .map((slice) => ({ accelerator: slice.uuid, milli: slice.milli, bytes: slice.bytes })),
      lastLine: telemetry.snapshot(handle.taskId)?.lastLine ?? null,
    };
  }

  /** Idle workers of the pool have no task and so no row of their own in the engine's list. */
  #warm(): Service[] {
    const status = this.#parts.engine.warm();
    if (!status) return [];
    const service =
      (state: string) =>
      (_: unknown, i: number): Service => ({
        ...blank,
        name: `warm-${state}-${i + 1}`,
        kind: 'warm',
        image: 'vgpu/sklearn',
        tag: 'latest',
        state,
      });
    return [
      ...Array.from({ length: status.ready }, service('ready')),
      ...Array.from({ length: status.starting }, service('starting')),
    ];
  }

  #cpu(id: string, stats: WorkerStats): number | null {
    const last = this.#lastCpu.get(id);
    this.#lastCpu.set(id, { cpuMs: stats.cpuMs, at: stats.at });
    if (!last || stats.at <= last.at) return null;
    return Math.max(0, (stats.cpuMs - last.cpuMs) / (stats.at - last.at));
  }
}

const blank: Omit<Service, 'name' | 'kind' | 'image' | 'tag' | 'state'> = {
  job: null,
  task: null,
  created: null,
  ports: [],
  cpu: null,
  memory: null,
  memoryLimit: null,
  slices: [],
  lastLine: null,
};
