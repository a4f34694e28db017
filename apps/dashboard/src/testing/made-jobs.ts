import type { Job, Task } from '@vgpu/api';
import { jobStateOf, type TaskState, taskStates } from '@vgpu/core';
import { GiB, id, random, startedAt } from './seed.ts';

/** Datasets of the jobs that have some of their own. */
export const sets: Record<string, string[]> = {
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
