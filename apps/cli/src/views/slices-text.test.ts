import type { Accelerator } from '@vgpu/api';
import { expect, it } from 'vitest';
import { slicesTable } from './slices-text.ts';

const GIB = 2 ** 30;
const slice = (id: string, paging: Accelerator['slices'][number]['paging']) => ({
  id,
  accelerator: 'GPU-1',
  task: 't',
  job: 'j',
  worker: `vgpu-worker-${id}`,
  mode: 'shared',
  enforcement: 'limiter' as const,
  milli: 250,
  bytes: 12 * GIB,
  isolation: 'soft' as const,
  usedMilli: 200,
  usedBytes: 10 * GIB,
  paging,
});
const device = (...slices: ReturnType<typeof slice>[]) =>
  ({ index: 0, model: 'A100', slices }) as unknown as Accelerator;

it('says of over-committed slices what is on the device, what was moved, and how long their turns are', () => {
  const moving = {
    workingSetBytes: 10 * GIB,
    residentBytes: 4 * GIB,
    pagedInBytes: 3 * GIB,
    pagedOutBytes: 2 * GIB,
    quantumMs: 512.4,
  };
  const [head, ...rows] = slicesTable([device(slice('01', moving), slice('02', null))]).split('\n');
  expect(head).toMatch(/resident +paged +quantum/);
  expect(rows.find((row) => row.includes('worker-01'))).toMatch(/4 GiB \/ 10 GiB +5 GiB +512 ms/);
  expect(rows.find((row) => row.includes('worker-02'))).toMatch(/10 GiB +– +– +–/);
});

it('does not speak of that where nothing is over-committed', () => {
  expect(slicesTable([device(slice('01', null))])).not.toMatch(/resident|quantum/);
});
