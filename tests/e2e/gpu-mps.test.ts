// Slices under MPS through everything: the command line, the server, containers, and the fake driver with its daemon.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Accelerator, type Job, routes } from '@vgpu/api';
import { arbiterDir, arbiterRoot, mpsFolders } from '@vgpu/devices';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { accelerators, buildNative, printed, resultOf, submit } from './harness/accelerators.ts';
import { alive } from './harness/alive.ts';
import { eventually } from './harness/eventually.ts';
import { FAKE_GPU, FakeNvidia } from './harness/fake-nvidia.ts';
import { root } from './harness/run-cli.ts';
import { TestServer } from './harness/test-server.ts';

const GIB = 2 ** 30;
const native = join(root, 'native/build');
const script = join(import.meta.dirname, 'gpu/mps_client.py');
const base = mkdtempSync(join(tmpdir(), 'vgpu-mps-'));
let server: TestServer;

beforeAll(async () => {
  buildNative();
  const fake = new FakeNvidia(base);
  const control = join(native, 'fakedriver/nvidia-cuda-mps-control');
  server = await TestServer.start({ ...fake.serverEnv, VGPU_MPS_CONTROL: control });
  fake.open();
});
afterAll(async () => {
  await server?.close();
  rmSync(base, { recursive: true, force: true });
});

const gpu = async (): Promise<Accelerator> =>
  eventually('the device is found', async () =>
    (await accelerators(server)).find((one) => one.uuid === FAKE_GPU),
  );
const folders = () => mpsFolders(arbiterDir(server.home, FAKE_GPU));
const daemon = () => Number(readFileSync(join(folders().pipes, 'nvidia-cuda-mps-control.pid'), 'utf8'));
const completed = (job: Job) => {
  expect(job.tasks.map((task) => [task.state, task.reason?.message ?? null])).toEqual([['COMPLETED', null]]);
  return job.tasks[0]!;
};
const flags = (gpuShare: string, ...more: string[]) => [
  '--gpu',
  gpuShare,
  '--vram',
  '1GiB',
  '--model',
  'Fake GPU',
  ...more,
];

test('a pool is put under MPS, and says so', async () => {
  const done = await server.vgpu(['gpu', 'pool', 'set', 'default', '--mps', 'required']);
  expect(done.code).toBe(0);
  const pools = (await server.vgpu(['gpu', 'pool', 'ls', '--json'])).json;
  expect(pools).toMatchObject([
    { name: 'default', mps: 'required', mpsAcrossProjects: false, deviceSplitCount: 10 },
  ]);
  // One setting is changed, and the others stay.
  await server.vgpu(['gpu', 'pool', 'set', 'default', '--split', '4']);
  expect((await server.vgpu(['gpu', 'pool', 'ls', '--json'])).json).toMatchObject([
    { mps: 'required', deviceSplitCount: 4 },
  ]);
  expect((await gpu()).mps).toEqual({ use: true, why: null });
  const wrong = await server.vgpu(['gpu', 'pool', 'set', 'default', '--mps', 'perhaps']);
  expect(wrong.stderr).toContain('"perhaps" is none of off, auto, required');
});

test('two guaranteed slices run at the same time, each on its own multiprocessors, with no more memory than its part', async () => {
  const more = ['--qos', 'guaranteed', '--env', 'SECONDS=600'];
  const small = await submit(server, script, flags('0.3', ...more));
  const large = await submit(server, script, flags('0.7', ...more));
  await Promise.all([printed(server, small, 'READY'), printed(server, large, 'READY')]);
  const { slices } = await gpu();
  expect(slices).toHaveLength(2);
  for (const slice of slices)
    expect(slice).toMatchObject({ mode: 'shared', isolation: 'soft', enforcement: 'limiter + MPS' });
  const top = await server.vgpu(['gpu', 'top', '--once']);
  expect(top.stdout).toMatch(/vgpu-worker-01 .* limiter \+ MPS +0\.3/);
  expect((await server.vgpu(['show', small])).stdout).toMatch(
    /slices +0\.3 of Fake GPU, 1 GiB, enforced by: limiter \+ MPS/,
  );

  // Both work beside each other; then they are asked to end, and tell what they saw.
  for (const id of [small, large]) await server.vgpu(['stop', id]);
  const ended = await Promise.all([server.ended(small), server.ended(large)]);
  const tasks = ended.map((job) => job.tasks[0]!);
  for (const task of tasks) expect(task).toMatchObject({ exitCode: 0, attempts: 1 });
  const seen = await Promise.all(tasks.map((task) => resultOf(server, task.id)));
  // 30 and 70 % of 132 multiprocessors; the driver rounds up.
  expect(seen.map((one) => one.multiprocessors)).toEqual([40, 93]);
  for (const one of seen) {
    // The context, 256 MiB on this device, takes its part of the slice; the rest can be had to the byte.
    expect(one).toMatchObject({ mps: 1, total: GIB, free: GIB - GIB / 4, others_slices: 0 });
    expect(one).toMatchObject({ more: 2, fits: 0, one_byte_more: 2 });
    expect(one).toMatchObject({ pipes: folders().pipes, pipes_writable: false });
    expect(one.kernels).toBeGreaterThan(0);
  }
  expect(tasks[0]!.slices).toMatchObject([{ enforcement: 'limiter + MPS' }]);
});

test('another project’s task waits while one has the device under MPS', async () => {
  await server.vgpu(['project', 'set', 'others']);
  const made = await server.client.call(routes.access.createToken, {
    body: { name: 'others', project: 'others' },
  });
  const ours = await submit(server, script, flags('0.25', '--env', 'SECONDS=600'));
  await printed(server, ours, 'READY');
  const env = { VGPU_SERVER: server.file.url, VGPU_TOKEN: made.secret };
  const asked = await server.vgpu(['run', script, ...flags('0.25'), '--json'], { env });
  const theirs = asked.json.job as string;
  const task = async () => ((await server.vgpu(['show', theirs, '--json'], { env })).json as Job).tasks[0]!;
  await eventually('it waits, and says for what', async () =>
    /another project.s tasks run there under MPS/.test((await task()).waiting?.message ?? ''),
  );
  await server.vgpu(['stop', ours]);
  await eventually('its turn comes', async () => (await task()).state === 'COMPLETED');
});

test('isolation: hard gets a whole device, never a client of MPS', async () => {
  const id = await submit(server, join(import.meta.dirname, 'gpu/cuda_memory.py'), [
    '--gpu',
    '1',
    '--isolation',
    'hard',
  ]);
  const task = completed(await server.ended(id));
  expect(task.slices).toMatchObject([
    { mode: 'passthrough', isolation: 'hard', enforcement: 'whole device' },
  ]);
});

test('kill -9 of the server: the daemon and its clients go on; vgpu down leaves nothing', async () => {
  const id = await submit(server, script, flags('0.5', '--env', 'SECONDS=600'));
  await printed(server, id, 'READY');
  const before = daemon();
  await server.kill();
  await server.up();
  expect(daemon()).toBe(before);
  expect((await server.job(id)).tasks[0]).toMatchObject({ state: 'RUNNING', attempts: 1 });
  expect((await gpu()).slices).toMatchObject([{ enforcement: 'limiter + MPS' }]);
  await server.vgpu(['stop', id]);
  await eventually('it is given back', async () => (await gpu()).slices.length === 0);

  const paths = [...Object.values(folders()), arbiterRoot(server.home)];
  await server.vgpu(['down']);
  await eventually('the daemon is gone', () => !alive(before));
  for (const path of paths) expect(existsSync(path), path).toBe(false);
});
