import { type AcceleratorView, makeView, type Pending, plan } from '@vgpu/scheduler';
import { expect, test } from 'vitest';
import { ExpectedWork } from './expected-work.ts';

const GIB = 2 ** 30;
const gpu = (uuid: string, milli = 1000): AcceleratorView => ({
  uuid,
  model: 'A100',
  mode: 'shared',
  milli,
  freeMilli: milli,
  vramBytes: 40 * GIB,
  freeVramBytes: 40 * GIB,
});
const machine = (...accelerators: AcceleratorView[]) => ({
  id: 'n',
  cpuMilli: 32_000,
  freeCpuMilli: 32_000,
  memoryBytes: 64 * GIB,
  freeMemoryBytes: 64 * GIB,
  accelerators,
});
const task = (id: string, gpuMilli: number, gpuCount = 1): Pending => ({
  taskId: id,
  jobId: 'j',
  project: 'p',
  submittedAt: 0,
  cpuMilli: 1000,
  memoryBytes: GIB,
  gpuMilli,
  gpuCount,
});

test('a few tasks make no picture; more make one that stays until many more came or the machine changed', () => {
  const work = new ExpectedWork();
  for (let i = 0; i < 7; i++) work.note(task(`t${i}`, 500));
  const node = machine(gpu('a'), gpu('b'));
  expect(work.outlook(node)).toEqual({});
  work.note(task('t7', 1000));
  const first = work.outlook(node);
  expect(first.expected!.map((shape) => [shape.gpuMilli, shape.weight])).toEqual([
    [500, 7 / 8],
    [1000, 1 / 8],
  ]);
  work.note(task('t8', 250));
  expect(work.outlook(node)).toBe(first);
  const scaled = work.outlook(machine(gpu('a', 2000), gpu('b')));
  expect(scaled).not.toBe(first);
  expect(scaled.memo).not.toBe(first.memo);
  for (let i = 0; i < 64; i++) work.note(task(`m${i}`, 250));
  expect(work.outlook(machine(gpu('a', 2000), gpu('b'))).expected).not.toBe(scaled.expected);
});

test('a machine without accelerators needs nothing learned about them', () => {
  const work = new ExpectedWork(Array.from({ length: 20 }, () => task('t', 0, 0)));
  expect(work.outlook(machine()).waste).toBeUndefined();
});

test('plans that go on from each other decide as plans that begin anew', () => {
  const work = new ExpectedWork([250, 500, 500, 1000, 1000, 250, 750, 500].map((milli) => task('t', milli)));
  const node = machine(gpu('a'), gpu('b'), gpu('c'));
  for (const free of [1000, 500, 250, 750]) {
    const view = makeView({
      nodes: [{ ...node, accelerators: [{ ...gpu('a'), freeMilli: free }, gpu('b')] }],
    });
    const tasks = [task('x', 250), task('y', 500), task('z', 1000)];
    const { expected, waste, memo } = work.outlook(view.nodes[0]!);
    const anew = plan(view, tasks, { now: 1, expected, waste });
    expect(plan(view, tasks, { now: 1, expected, waste, memo })).toEqual(anew);
  }
});
