// Slices under MPS through everything: the command line, the server, containers, and the fake driver with its daemon.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Accelerator, type Job, routes } from '@vgpu/api';
import { arbiterDir, arbiterRoot, mpsFolders } from '@vgpu/devices';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { accelerators, buildNative, ended, printed, resultOf, submit } from './harness/accelerators.ts';
import { eventually } from './harness/eventually.ts';
import { root } from './harness/run-cli.ts';
import { TestServer } from './harness/test-server.ts';

const GIB = 2 ** 30;
const UUID = 'GPU-76677075-6661-6b65-0000-000000000001';
const native = join(root, 'native/build');
const script = join(import.meta.dirname, 'gpu/mps_client.py');
const base = mkdtempSync(join(tmpdir(), 'vgpu-mps-'));
const fakeDir = join(base, 'fake');
let server: TestServer;

beforeAll(async () => {
  buildNative();
  mkdirSync(fakeDir);
  chmodSync(fakeDir, 0o777);
  const specs = join(base, 'cdi');
  mkdirSync(specs);
  const mount = (hostPath: string, containerPath: string, ...options: string[]) => ({
    hostPath,
    containerPath,
    options,
  });
  const spec = {
    cdiVersion: '0.6.0',
    kind: 'nvidia.com/gpu',
    containerEdits: {
      env: ['VGPU_FAKE_GPU=/run/fake/gpu'],
      mounts: [
        mount(join(native, 'fakedriver/libcuda.so.1'), '/usr/lib/libcuda.so.1', 'ro'),
        mount(join(native, 'fakedriver/libnvidia-ml.so.1'), '/usr/lib/libnvidia-ml.so.1', 'ro'),
        mount(fakeDir, '/run/fake', 'rw'),
      ],
    },
    devices: [{ name: UUID, containerEdits: {} }],
  };
  writeFileSync(join(specs, 'nvidia.json'), JSON.stringify(spec));
  server = await TestServer.start({
    VGPU_NVML_LIBRARY: join(native, 'fakedriver/libnvidia-ml.so.1'),
    LD_LIBRARY_PATH: join(native, 'fakedriver'),
    VGPU_FAKE_GPU: join(fakeDir, 'gpu'),
    VGPU_CDI_DIRS: specs,
    VGPU_MPS_CONTROL: join(native, 'fakedriver/nvidia-cuda-mps-control'),
  });
  chmodSync(join(fakeDir, 'gpu'), 0o666);
});
afterAll(async () => {
  await server?.close();
  rmSync(base, { recursive: true, force: true });
});

const gpu = async (): Promise<Accelerator> =>
  eventually('the device is found', async () =>
    (await accelerators(server)).find((one) => one.uuid === UUID),
  );
const folders = () => mpsFolders(arbiterDir(server.home, UUID));
const daemon = () => Number(readFileSync(join(folders().pipes, 'nvidia-cuda-mps-control.pid'), 'utf8'));
/** A process that nobody has waited for yet is gone all the same. */
const alive = (pid: number): boolean => {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};
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
  const more = ['--qos', 'guaranteed', '--env', 'SECONDS=25'];
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

  const [a, b] = await Promise.all([ended(server, small), ended(server, large)]);
  const seen = [await resultOf(server, completed(a).id), await resultOf(server, completed(b).id)];
  // 30 and 70 % of 132 multiprocessors; the driver rounds up.
  expect(seen.map((one) => one.multiprocessors)).toEqual([40, 93]);
  for (const one of seen) {
    // The context takes some of it.
    expect(one).toMatchObject({ mps: 1, total: GIB, whole: 2, half: 0, half_again: 2, others_slices: 0 });
    expect(one).toMatchObject({ pipes: folders().pipes, pipes_writable: false });
    expect(one.kernels).toBeGreaterThan(0);
  }
  expect(a.tasks[0]!.slices).toMatchObject([{ enforcement: 'limiter + MPS' }]);
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
  const task = completed(await ended(server, id));
  expect(task.slices).toMatchObject([
    { mode: 'passthrough', isolation: 'hard', enforcement: 'whole device' },
  ]);
});

test('kill -9 of the server: the daemon and its clients go on; vgpu down leaves nothing', async () => {
  const id = await submit(server, script, flags('0.5', '--env', 'SECONDS=600'));
  await printed(server, id, 'READY');
  const before = daemon();
  server.kill();
  await eventually('it is gone', () => !existsSync(`/proc/${server.file.pid}`));
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
