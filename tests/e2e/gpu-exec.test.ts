import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { arbiterRoot } from '@vgpu/devices';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accelerators, buildNative, ended, resultOf, submit } from './harness/accelerators.ts';
import { eventually } from './harness/eventually.ts';
import { root, runCli } from './harness/run-cli.ts';
import { TestServer } from './harness/test-server.ts';

const GIB = 2 ** 30;
const native = join(root, 'native/build');
const probe = (name: string) => join(native, 'tests', name);
const base = mkdtempSync(join(tmpdir(), 'vgpu-exec-'));
const home = join(base, 'home');
const fakeDir = join(base, 'fake');
/** The fake driver in place of NVIDIA's. */
const fake = {
  VGPU_NVML_LIBRARY: join(native, 'fakedriver/libnvidia-ml.so.1'),
  LD_LIBRARY_PATH: join(native, 'fakedriver'),
  VGPU_FAKE_GPU: join(fakeDir, 'gpu'),
};
const exec = (args: string[], env: NodeJS.ProcessEnv = {}) =>
  runCli(['exec', ...args], { env: { VGPU_HOME: home, ...env } });

beforeAll(() => {
  buildNative();
  mkdirSync(home);
  mkdirSync(fakeDir);
  chmodSync(fakeDir, 0o777);
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

describe('vgpu exec', () => {
  test('bounds an OpenCL program of the host, and leaves nothing behind', async () => {
    const done = await exec(['--gpu', '0.3', '--vram', '1GiB', '--', probe('opencl_probe'), 'info']);
    expect(done.stdout).toContain(`total=${GIB} most=${GIB}`);
    expect(done.code).toBe(0);
    expect(existsSync(arbiterRoot(home))).toBe(false);
  });

  test('bounds a CUDA program: named memory, and the same part of it by default', async () => {
    const named = await exec(['--gpu', '0.3', '--vram', '1GiB', '--', probe('cuda_probe'), 'info'], fake);
    expect(named.stdout).toMatch(new RegExp(`total=${GIB} device_total=${GIB}`));
    const whole = await runCli(['exec', '--gpu', '1', '--', probe('cuda_probe'), 'info'], {
      env: { VGPU_HOME: home, ...fake },
    });
    const half = await exec(['--gpu', '0.5', '--', probe('cuda_probe'), 'info'], fake);
    const total = (text: string) => Number(/ total=(\d+)/.exec(text)?.[1]);
    expect(total(half.stdout)).toBe(Math.floor(total(whole.stdout) / 2));
  });

  test('gives the program’s exit code, and says what is wrong with a request', async () => {
    expect((await exec(['--gpu', '0.1', '--', 'sh', '-c', 'exit 7'])).code).toBe(7);
    expect((await exec(['--gpu', '0.1', '--', 'sh', '-c', 'kill -TERM $$'])).code).toBe(143);
    const missing = await exec(['--gpu', '0.1', '--', '/no/such/program']);
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain('/no/such/program');
    const large = await exec(['--gpu', '0.1', '--vram', '4TiB', '--', 'true']);
    expect(large.code).toBe(1);
    expect(large.stderr).toMatch(/the largest accelerator has/);
    expect((await exec(['--gpu', '1.5', '--', 'true'])).code).toBe(2);
  });

  test('shares a device between calls, and says when it is full', async () => {
    const marker = join(base, 'running');
    const first = exec([
      '--gpu',
      '0.7',
      '--',
      'sh',
      '-c',
      `touch ${marker}; while [ -e ${marker} ]; do sleep 0.1; done`,
    ]);
    await eventually('the first runs', () => existsSync(marker));
    const second = await exec(['--gpu', '0.5', '--', 'true']);
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(/has 0\.3 GPU/);
    expect((await exec(['--gpu', '0.3', '--', 'true'])).code).toBe(0);
    rmSync(marker);
    expect((await first).code).toBe(0);
  });

  test('kill -9 leaves nothing after the next call', async () => {
    const marker = join(base, 'held');
    const env = { ...process.env, VGPU_HOME: home, VGPU_NO_BUILD: '1' };
    const args = ['exec', '--gpu', '0.9', '--', 'sh', '-c', `touch ${marker}; exec sleep 2`];
    const child = spawn(join(root, 'vgpu'), args, { env, stdio: 'ignore' });
    await eventually('it runs', () => existsSync(marker));
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('close', resolve));
    expect(existsSync(arbiterRoot(home))).toBe(true);
    const next = await exec(['--gpu', '0.9', '--', 'true']);
    expect(next.code).toBe(0);
    expect(existsSync(arbiterRoot(home))).toBe(false);
  });
});

describe('an NVIDIA device in containers, played by the fake driver', () => {
  let server: TestServer;

  beforeAll(async () => {
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
      devices: [{ name: 'GPU-76677075-6661-6b65-0000-000000000001', containerEdits: {} }],
    };
    writeFileSync(join(specs, 'nvidia.json'), JSON.stringify(spec));
    server = await TestServer.start({ ...fake, VGPU_CDI_DIRS: specs });
    chmodSync(fake.VGPU_FAKE_GPU, 0o666);
  });
  afterAll(() => server?.close());

  const script = join(import.meta.dirname, 'gpu/cuda_memory.py');
  const run = async (...flags: string[]) => {
    const job = await ended(server, await submit(server, script, flags));
    expect(job.tasks[0]!.state, JSON.stringify(job.tasks[0]!.reason)).toBe('COMPLETED');
    return { task: job.tasks[0]!, seen: await resultOf(server, job.tasks[0]!.id) };
  };

  test('a fraction goes through the limiter: its cap is the device’s memory, to the byte', async () => {
    const gpu = await eventually('it tells its temperature', async () =>
      (await accelerators(server)).find((one) => one.temperature !== null),
    );
    expect(gpu).toMatchObject({ model: 'Fake GPU', health: 'healthy', provider: 'nvidia', temperature: 45 });
    const { seen } = await run('--gpu', '0.25', '--vram', '1GiB', '--model', 'Fake GPU');
    expect(seen).toMatchObject({ total: GIB, fits: 0, one_byte_more: 2, limiter: true, visible: gpu.uuid });
  });

  test('a whole device is passed through by its UUID, without the limiter', async () => {
    const [gpu] = (await accelerators(server)).filter((one) => one.provider === 'nvidia');
    const { task, seen } = await run('--gpu', '1', '--isolation', 'hard');
    expect(seen).toMatchObject({ total: gpu!.memory, limiter: false, visible: gpu!.uuid });
    expect(task.slices).toMatchObject([{ mode: 'passthrough', isolation: 'hard', milli: 1000 }]);
  });
});
