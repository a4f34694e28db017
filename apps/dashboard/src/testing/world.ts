import type { Accelerator, Dataset, Job, Task, Topology } from '@vgpu/api';
import { jobStateOf, type TaskState, taskStates } from '@vgpu/core';

const GiB = 2 ** 30;
export const startedAt = Date.now();

/** Pseudo-random numbers that are the same at each start (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
const random = randomOf(7);
const id = (kind: string, n: number) => `${kind}_${String(n).padStart(18, '0')}`;

export interface World {
  jobs: Job[];
  datasets: Dataset[];
  accelerators: Accelerator[];
}

/** Lines of the one task with a very long log. */
export const longLog = 1_000_000;
export const manySeries = 100;

const names = [
  'churn',
  'churn-deep',
  'house-prices',
  'credit-risk',
  'wine-quality',
  'sensor-drift',
  'demand-forecast',
  'fraud-xgb',
  'click-through',
  'energy-load',
];
const sets: Record<string, string[]> = {
  churn: ['telco-2025', 'telco-2026'],
  'house-prices': ['ames', 'boston', 'california'],
  'credit-risk': ['german-credit', 'home-credit'],
};

export function makeTask(
  job: string,
  index: number,
  name: string,
  state: TaskState,
  at: number,
  gpu: boolean,
): Task {
  const began = state === 'QUEUED' ? null : at + 900;
  const ended = ['COMPLETED', 'FAILED', 'CANCELLED'].includes(state)
    ? at + 40_000 + random() * 900_000
    : null;
  const accuracy = 0.78 + random() * 0.18;
  const done = state === 'COMPLETED';
  return {
    id: id('task', Number(job.slice(-6)) * 100 + index),
    job,
    index,
    name,
    worker: began ? `vgpu-worker-${String(index + 1).padStart(2, '0')}` : null,
    container: began ? `${job.slice(4, 12)}${index}` : null,
    dataset: `${name}@1`,
    datasetVersion: '9f2c41ab77d0',
    target: 'label',
    state,
    reason:
      state === 'FAILED'
        ? {
            code: 'SCRIPT_EXCEPTION',
            message: "KeyError: 'tenure_months'",
            hint: 'Read the traceback with `vgpu logs`.',
          }
        : state === 'CANCELLED'
          ? { code: 'STOPPED', message: 'stopped by admin', hint: 'Run it again with `vgpu retry`.' }
          : null,
    exitCode: done ? 0 : state === 'FAILED' ? 1 : null,
    attempts: began ? 1 : 0,
    metrics: done
      ? {
          accuracy,
          f1: accuracy - 0.03,
          precision: accuracy - 0.01,
          recall: accuracy - 0.05,
          roc_auc: accuracy + 0.03,
          val_loss: 1 - accuracy,
        }
      : state === 'RUNNING'
        ? { val_loss: 0.41, val_accuracy: 0.83 }
        : {},
    confusion: done
      ? {
          labels: ['no', 'yes'],
          matrix: [
            [812, 61],
            [97, 430],
          ],
        }
      : null,
    progress:
      state === 'RUNNING'
        ? { label: 'Epoch 12', current: 12, total: 40, fraction: 0.3, unit: 'epoch', rate: 0.8, eta: 35 }
        : null,
    lastLine: done
      ? 'Saved model to /output/model.joblib'
      : state === 'FAILED'
        ? "KeyError: 'tenure_months'"
        : state === 'RUNNING'
          ? 'epoch 12/40 loss=0.41'
          : null,
    lines: began ? 4200 : 0,
    droppedBytes: 0,
    timings: {
      queued: began ? 900 : null,
      start: began ? 71 : null,
      run: ended ? ended - at : null,
      teardown: ended ? 212 : null,
    },
    slices:
      gpu && began
        ? [
            {
              accelerator: 'GPU-5d1f7a1e',
              model: 'NVIDIA H100 80GB HBM3',
              mode: 'shared',
              milli: 250,
              bytes: 16 * GiB,
              isolation: 'soft',
            },
          ]
        : [],
    waiting:
      state === 'QUEUED'
        ? {
            position: index + 1,
            code: 'NO_CAPACITY',
            message: 'needs 4 cores, 1.5 are free',
            hint: 'Lower --cpu, or wait.',
            estimatedStart: startedAt + 240_000,
          }
        : null,
    ports: [],
    files: done ? 3 : 0,
    submittedAt: at,
    startedAt: began,
    endedAt: ended ? Math.round(ended) : null,
  };
}

export function makeJob(
  n: number,
  name: string,
  states: TaskState[],
  at: number,
  gpu = false,
  data?: string[],
): Job {
  const job = id('job', n);
  const from = data ?? sets[name] ?? ['train-a', 'train-b', 'train-c', 'train-d'];
  const tasks = states.map((state, i) =>
    makeTask(job, i, from[i % from.length]! + (i >= from.length ? `-${i}` : ''), state, at, gpu),
  );
  const counts = Object.fromEntries(
    taskStates.map((s) => [s, tasks.filter((one) => one.state === s).length]),
  ) as Job['counts'];
  const scored = tasks.filter((one) => one.metrics.accuracy !== undefined);
  const best = scored.sort((a, b) => b.metrics.accuracy! - a.metrics.accuracy!)[0];
  const ends = tasks.map((one) => one.endedAt);
  const resources = {
    gpu: gpu ? 250 : 0,
    vram: gpu ? 16 * GiB : 0,
    cpu: 2000,
    memory: 4 * GiB,
    isolation: 'any' as const,
    qos: 'burstable' as const,
    models: [],
  };
  return {
    id: job,
    name,
    project: 'default',
    user: n % 3 ? 'admin' : 'mira',
    state: jobStateOf(states),
    script: 'train.py',
    image: 'sklearn',
    priority: 0,
    counts,
    tasksTotal: tasks.length,
    fraction:
      tasks.reduce((sum, one) => sum + (one.state === 'COMPLETED' ? 1 : (one.progress?.fraction ?? 0)), 0) /
      tasks.length,
    primary: 'accuracy',
    goal: 'maximize',
    best: best ? { task: best.id, name: best.name, value: best.metrics.accuracy! } : null,
    resources,
    submittedAt: at,
    startedAt: at + 900,
    endedAt: ends.every((one) => one !== null) ? Math.max(...(ends as number[])) : null,
    tasks: tasks.sort((a, b) => a.index - b.index),
    spec: {
      name,
      script: 'train.py',
      args: { lr: 0.01 / (1 + (n % 4)), depth: 3 + (n % 5), estimators: 100 * (1 + (n % 3)) },
      data: from.map((one) => ({ dataset: `${one}@1`, target: 'label' })),
      image: 'sklearn',
      resources,
      env: {},
      secrets: [],
      metrics: { primary: 'accuracy', goal: 'maximize' },
      limits: { time: 86_400_000, retries: 0, output: GiB, files: 10_000 },
      priority: 0,
      network: 'none',
      ports: [],
    },
    bundle: 'b1946ac92492d2347c6235b4d2611184',
  };
}

export function makeWorld(withGpus: boolean): World {
  const jobs: Job[] = [];
  const now = startedAt;
  jobs.push(makeJob(9001, 'churn', ['RUNNING', 'RUNNING'], now - 95_000, withGpus));
  jobs.push(
    makeJob(9000, 'marathon', ['RUNNING', 'RUNNING'], now - 7_200_000, withGpus, ['million-lines', 'second']),
  );
  jobs.push(makeJob(8999, 'energy-load', ['QUEUED', 'QUEUED', 'QUEUED'], now - 30_000));
  jobs.push(makeJob(8998, 'demand-forecast', ['COMPLETED', 'RUNNING', 'RUNNING', 'QUEUED'], now - 400_000));
  for (let i = 0; i < 60; i++) {
    const name = names[i % names.length]!;
    const r = random();
    const state: TaskState = r < 0.74 ? 'COMPLETED' : r < 0.9 ? 'FAILED' : 'CANCELLED';
    const width = (sets[name] ?? [1, 2, 3, 4]).length;
    const states = Array.from({ length: width }, (_, k): TaskState => (k === 0 ? state : 'COMPLETED'));
    jobs.push(makeJob(8900 - i, name, states, now - 3_600_000 * (i * 3 + 1), withGpus && i % 2 === 0));
  }
  return { jobs, datasets: makeDatasets(), accelerators: withGpus ? makeAccelerators() : [] };
}

function makeDatasets(): Dataset[] {
  return ['telco-2025', 'telco-2026', 'ames', 'california', 'german-credit', 'home-credit', 'sensors-north']
    .map((name, i) => {
      const versions = Array.from({ length: 1 + (i % 3) }, (_, k) => ({
        version: `${(i * 7919 + k * 104729 + 1e8).toString(16)}c41ab77d0e2`,
        number: k + 1,
        createdAt: startedAt - 86_400_000 * (i + 2 - k * 0.4),
        rows: 7043 * (i + 1) + k * 120,
        rejected: k === 0 ? 3 : 0,
        columns: 21,
        bytes: 977_501 * (i + 1),
        file: `${name}.csv`,
        target: 'label',
      }));
      return {
        id: id('ds', i + 1),
        name,
        project: 'default',
        createdAt: versions[0]!.createdAt,
        latest: versions.at(-1)!,
        versions,
      };
    })
    .map((one) => ({
      ...one,
      createdAt: Math.round(one.createdAt),
      versions: one.versions.map((v) => ({ ...v, createdAt: Math.round(v.createdAt) })),
      latest: { ...one.latest, createdAt: Math.round(one.latest.createdAt) },
    }));
}

function makeAccelerators(): Accelerator[] {
  return ['GPU-5d1f7a1e', 'GPU-91cc03b2'].map((uuid, i) => ({
    uuid,
    index: i,
    vendor: 'NVIDIA',
    model: 'NVIDIA H100 80GB HBM3',
    kind: 'gpu',
    host: 'lab-01',
    provider: 'nvidia',
    mode: 'shared',
    pool: 'default',
    health: 'healthy',
    healthReason: null,
    memory: 80 * GiB,
    computeUnits: 132,
    utilisation: i ? 23 : 71,
    memoryUsed: (i ? 9 : 41) * GiB,
    temperature: i ? 44 : 63,
    power: i ? 190 : 412,
    allocatedMilli: i ? 250 : 750,
    allocatedBytes: (i ? 16 : 48) * GiB,
    mps: null,
    slices: Array.from({ length: i ? 1 : 3 }, (_, k) => ({
      id: `slice-${i}${k}`,
      accelerator: uuid,
      task: id('task', 900100 + k),
      job: id('job', 9001 - (k > 1 ? 1 : 0)),
      worker: `vgpu-worker-0${k + 1}`,
      mode: 'shared',
      milli: 250,
      bytes: 16 * GiB,
      isolation: 'soft',
      enforcement: 'limiter',
      usedMilli: 180 + 20 * k,
      usedBytes: (9 + k) * GiB,
    })),
  }));
}

export function topologyOf(world: World): Topology {
  const running = world.jobs.flatMap((job) =>
    job.tasks.filter((one) => one.state === 'RUNNING').map((task) => ({ job, task })),
  );
  const wobble = () => Math.random();
  return {
    takenAt: Date.now(),
    host: { name: 'lab-01', cpus: 32, memory: 128 * GiB, engine: 'Docker 29.1.2' },
    accelerators: world.accelerators,
    services: [
      {
        name: 'vgpu',
        kind: 'server',
        job: null,
        task: null,
        image: 'vgpu',
        tag: '0.1.0',
        created: startedAt - 3e6,
        ports: ['127.0.0.1:8470'],
        state: 'running',
        cpu: 0.04,
        memory: 121 * 2 ** 20,
        memoryLimit: null,
        slices: [],
        lastLine: null,
      },
      {
        name: 'docker',
        kind: 'engine',
        job: null,
        task: null,
        image: 'dockerd',
        tag: '29.1.2',
        created: null,
        ports: [],
        state: 'running',
        cpu: 0.1,
        memory: 88 * 2 ** 20,
        memoryLimit: null,
        slices: [],
        lastLine: null,
      },
      ...running.map(({ job, task }) => ({
        name: `${task.worker}`,
        kind: 'worker' as const,
        job: job.id,
        task: task.id,
        image: 'vgpu/sklearn',
        tag: 'c41ab7',
        created: startedAt - 4e6,
        ports: [],
        state: 'running',
        cpu: 1 + wobble(),
        memory: Math.round((1.2 + wobble()) * GiB),
        memoryLimit: 4 * GiB,
        slices: task.slices.map(({ accelerator, milli, bytes }) => ({ accelerator, milli, bytes })),
        lastLine: task.lastLine,
      })),
      {
        name: 'vgpu-warm-1',
        kind: 'warm',
        job: null,
        task: null,
        image: 'vgpu/sklearn',
        tag: 'c41ab7',
        created: startedAt - 1e5,
        ports: [],
        state: 'paused',
        cpu: 0,
        memory: 64 * 2 ** 20,
        memoryLimit: 512 * 2 ** 20,
        slices: [],
        lastLine: null,
      },
    ],
  };
}
