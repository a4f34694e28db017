import type { Accelerator, Dataset, Job } from '@vgpu/api';
import type { TaskState } from '@vgpu/core';
import { makeJob, sets } from './made-jobs.ts';
import { makeAccelerators } from './made-machine.ts';
import { id, random, startedAt } from './seed.ts';

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
