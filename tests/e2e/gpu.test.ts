import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Accelerator, Job } from '@vgpu/api';
import { arbiterDir, arbiterRoot } from '@vgpu/devices';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  buildNative,
  cpuDevice,
  ensureOpenclImage,
  metric,
  printed,
  resultOf,
  submit,
} from './harness/accelerators.ts';
import { classification } from './harness/datasets.ts';
import { eventually } from './harness/eventually.ts';
import { TestServer } from './harness/test-server.ts';

const MIB = 2 ** 20;
const scripts = join(import.meta.dirname, 'gpu');
const opencl = ['--image', 'opencl', '--time', '5m'];
let server: TestServer;
let device: Accelerator;

beforeAll(async () => {
  buildNative();
  server = await TestServer.start();
  await ensureOpenclImage(server);
  device = await cpuDevice(server);
}, 600_000);
afterEach(async () => {
  // what a failed test left running must not fail the next
  const { json } = await server.vgpu(['ps', '--json']);
  const running = (json as Job[]).filter((job) => !['COMPLETED', 'FAILED', 'CANCELLED'].includes(job.state));
  for (const job of running) await server.vgpu(['stop', job.id]);
});
afterAll(() => server?.close());

const now = () => cpuDevice(server);
const states = (job: Job) => job.tasks.map((task) => [task.state, task.reason?.message ?? null]);

async function nothingHeld(): Promise<void> {
  const idle = await eventually('the slices are given back', async () => {
    const one = await now();
    return one.slices.length === 0 && one;
  });
  expect(idle).toMatchObject({ allocatedMilli: 0, allocatedBytes: 0 });
  expect(await metric(server, 'vgpu_slice_memory_bytes')).toEqual([]);
}

test('four workers at once, each with a quarter: results exact, caps exact, no way around', async () => {
  const cap = 64 * MIB;
  const data = [1, 2, 3, 4].flatMap((n) => ['--data', server.write(`part-${n}.csv`, classification(20, n))]);
  const flags = [...data, '--gpu', '0.25', '--vram', '64MiB', '--env', `CAP=${cap}`, '--cpu', '0.25'];
  const id = await submit(server, join(scripts, 'exact.py'), [...flags, '--env', 'SECONDS=600', ...opencl]);
  await printed(server, id, 'READY');
  const busy = await now();
  expect(busy.slices.map((slice) => [slice.milli, slice.bytes, slice.mode, slice.isolation])).toEqual(
    Array.from({ length: 4 }, () => [250, cap, 'shared', 'soft']),
  );
  expect(busy.slices.map((slice) => slice.worker).sort()).toEqual(
    [1, 2, 3, 4].map((n) => `vgpu-worker-0${n}`),
  );
  expect(busy).toMatchObject({ allocatedMilli: 1000, allocatedBytes: 4 * cap });

  // All four compute beside each other for a while; then they are asked to end, and tell what they found.
  await sleep(5000);
  await server.vgpu(['stop', id]);
  const job = await server.ended(id);
  for (const task of job.tasks) {
    expect(task).toMatchObject({ exitCode: 0, attempts: 1 });
    expect(await resultOf(server, task.id)).toMatchObject({
      memory: cap,
      memory_of_child: cap,
      memory_of_child_with_tricks: cap,
      one_byte_more_at_once: 'MEM_OBJECT_ALLOCATION_FAILURE',
      one_byte_more: 'MEM_OBJECT_ALLOCATION_FAILURE',
      third_half: 'MEM_OBJECT_ALLOCATION_FAILURE',
      again: null,
      escaped: [],
      wrong: 0,
    });
  }
  await nothingHeld();
});

test('shares hold by the ledger: three quarters and one quarter', async () => {
  const busy = join(scripts, 'busy.py');
  const flags = ['--vram', '32MiB', '--qos', 'guaranteed', '--cpu', '0.5', '--env', 'SECONDS=600', ...opencl];
  const large = await submit(server, busy, ['--gpu', '0.75', ...flags]);
  const small = await submit(server, busy, ['--gpu', '0.25', ...flags]);
  await Promise.all([printed(server, large, 'READY'), printed(server, small, 'READY')]);

  const seconds = async (job: string) => {
    const rows = await metric(server, 'vgpu_slice_device_seconds_total');
    return rows.find((row) => row.labels.job === job)!.value;
  };
  const begin = [await seconds(large), await seconds(small)];
  const started = performance.now();
  await eventually('time passes', () => performance.now() - started > 10_000);
  const end = [await seconds(large), await seconds(small)];
  const wall = (performance.now() - started) / 1000;
  const [most, least] = end.map((value, i) => (value - begin[i]!) / wall) as [number, number];
  console.log(`device time by the ledger: ${most.toFixed(3)} and ${least.toFixed(3)} of 0.75 and 0.25`);
  // A guaranteed slice is bounded from above; on a machine that others use as well it may get less.
  expect(most / least).toBeGreaterThan(1.8);
  expect(most).toBeLessThan(0.8);
  expect(least).toBeLessThan(0.3);
  expect(least).toBeGreaterThan(0.1);

  const text = (await server.vgpu(['gpu', 'top', '--once'])).stdout;
  expect(text).toContain(large);
  expect(text).toMatch(/vgpu-worker-01 .* limiter +0\.75 +0\.\d+ +32 MiB +1 MiB/);
  const top = (await server.vgpu(['gpu', 'top', '--json'])).json;
  expect(top.items[0].slices).toHaveLength(2);
  expect(top.items[0].utilisation).toBeGreaterThan(50);
  for (const id of [large, small]) await server.vgpu(['stop', id]);
  await nothingHeld();
});

test('kill -9 of the server and of the arbiter: the worker keeps its slice and computes on', async () => {
  const flags = ['--gpu', '0.5', '--vram', '64MiB', '--env', `CAP=${64 * MIB}`, '--env', 'SECONDS=600'];
  const id = await submit(server, join(scripts, 'exact.py'), [...flags, ...opencl]);
  await printed(server, id, 'READY');
  const [slice] = (await now()).slices;

  await server.kill();
  await server.up();
  expect((await now()).slices).toMatchObject([{ id: slice!.id, milli: 500, bytes: 64 * MIB }]);
  expect((await server.job(id)).tasks[0]).toMatchObject({ state: 'RUNNING', attempts: 1 });

  const pidFile = `${arbiterDir(server.home, device.uuid)}.pid`;
  const before = readFileSync(pidFile, 'utf8');
  process.kill(Number(before), 'SIGKILL');
  await eventually('another arbiter serves', () => readFileSync(pidFile, 'utf8') !== before, 20_000);
  const launches = async () => (await metric(server, 'vgpu_slice_launches_total'))[0]?.value ?? 0;
  const seen = await eventually('the slice is back', async () => (await launches()) || undefined, 20_000);
  await eventually('the worker computes on', async () => (await launches()) > seen, 20_000);

  await server.vgpu(['stop', id]);
  const job = await server.ended(id);
  expect(job.tasks[0]!.attempts).toBe(1);
  expect(await resultOf(server, job.tasks[0]!.id)).toMatchObject({ wrong: 0, again: null });
  await nothingHeld();
});

test('running out of accelerator memory is said so', async () => {
  const id = await submit(server, join(scripts, 'too_much.py'), [
    '--gpu',
    '0.1',
    '--vram',
    '16MiB',
    ...opencl,
  ]);
  const job = await server.ended(id);
  expect(job.tasks[0]!.reason).toMatchObject({ code: 'OUT_OF_VRAM' });
  expect(job.tasks[0]!.reason!.message).toContain('16 MiB');
});

test('a share without named memory gets the same part of it, and what can never run is refused', async () => {
  const shown = await server.vgpu(['run', join(scripts, 'busy.py'), '--gpu', '2', ...opencl]);
  expect(shown.code).toBe(1);
  expect(shown.stderr).toMatch(/asks for 2 accelerators, and there is 1/);
  const large = await server.vgpu([
    'run',
    join(scripts, 'busy.py'),
    '--gpu',
    '0.5',
    '--vram',
    '4TiB',
    ...opencl,
  ]);
  expect(large.stderr).toMatch(/asks for 4 TiB of accelerator memory, and the most/);
  const hard = await server.vgpu([
    'run',
    join(scripts, 'busy.py'),
    '--gpu',
    '1',
    '--isolation',
    'hard',
    ...opencl,
  ]);
  expect(hard.stderr).toMatch(/hard isolation/);

  const id = await submit(server, join(scripts, 'busy.py'), [
    '--gpu',
    '0.5',
    '--env',
    'SECONDS=5',
    ...opencl,
  ]);
  const [slice] = await eventually('it has its slice', async () => {
    const { slices } = await now();
    return slices.length > 0 && slices;
  });
  expect(slice!.bytes).toBe(Math.floor(device.memory / 2));
  expect(states(await server.ended(id))).toEqual([['COMPLETED', null]]);
});

test('a pool bounds how many share a device, and scales what it hands out', async () => {
  const set = await server.vgpu(['gpu', 'pool', 'set', 'default', '--split', '1', '--memory-scaling', '1.5']);
  expect(set.code).toBe(0);
  expect((await server.vgpu(['gpu', 'pool', 'ls', '--json'])).json).toMatchObject([
    { name: 'default', deviceSplitCount: 1, deviceMemoryScaling: 1.5 },
  ]);
  const busy = join(scripts, 'busy.py');
  const flags = ['--gpu', '0.1', '--vram', '16MiB', '--env', 'SECONDS=600', ...opencl];
  const first = await submit(server, busy, flags);
  const second = await submit(server, busy, flags);
  await printed(server, first, 'READY');
  const [waiting] = await eventually('the second waits', async () => {
    const { json } = await server.vgpu(['queue', '--json']);
    return json.length === 1 && json;
  });
  expect(waiting).toMatchObject({ job: second });
  expect((await now()).slices).toHaveLength(1);
  await server.vgpu(['gpu', 'pool', 'set', 'default', '--split', '2', '--memory-scaling', '1']);
  await printed(server, second, 'READY');
  expect((await now()).slices).toHaveLength(2);
  for (const id of [first, second]) await server.vgpu(['stop', id]);
  await nothingHeld();
});

test('after the server nothing is left: no arbiter, no sockets', async () => {
  await nothingHeld();
  await server.vgpu(['down']);
  expect(() => readFileSync(join(arbiterRoot(server.home), 'arbiter.log'))).toThrow(/ENOENT/);
  await server.up();
});
