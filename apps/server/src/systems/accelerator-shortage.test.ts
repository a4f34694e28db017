import type { AcceleratorView, Pending } from '@vgpu/scheduler';
import { expect, it } from 'vitest';
import { acceleratorShortage } from './accelerator-shortage.ts';

const GIB = 2 ** 30;
const gpu = {
  uuid: 'g',
  model: 'A100',
  mode: 'shared',
  milli: 1000,
  freeMilli: 0,
  vramBytes: 40 * GIB,
  freeVramBytes: 0,
} as AcceleratorView;
const task = (over: Partial<Pending>) => ({ gpuCount: 1, gpuMilli: 500, ...over }) as Pending;

it('names what is asked for and what there is', () => {
  expect(acceleratorShortage(task({}), [])).toMatch(/0\.5 GPUs, and there is no accelerator here/);
  expect(acceleratorShortage(task({ gpuCount: 2, gpuMilli: 1000 }), [gpu])).toBe(
    'it asks for 2 accelerators, and there is 1 (A100)',
  );
  expect(acceleratorShortage(task({ models: ['H100'] }), [gpu])).toMatch(/model H100, and there is A100/);
  expect(acceleratorShortage(task({ vramBytes: 41 * GIB }), [gpu])).toMatch(/41 GiB .* 40 GiB/);
  expect(acceleratorShortage(task({ isolation: 'hard' }), [gpu])).toMatch(/only a whole accelerator/);
  expect(acceleratorShortage(task({ isolation: 'hard' }), [{ ...gpu, alwaysSoft: true }])).toMatch(/limiter/);
});

it('says nothing where accelerators are not the reason', () => {
  expect(acceleratorShortage(task({ gpuCount: 0 }), [])).toBeUndefined();
  expect(acceleratorShortage(task({ cpuMilli: 1e9 }), [gpu])).toBeUndefined();
});
