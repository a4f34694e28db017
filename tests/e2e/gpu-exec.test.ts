import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { arbiterRoot } from '@vgpu/devices';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accelerators, buildNative, resultOf, submit } from './harness/accelerators.ts';
import { eventually } from './harness/eventually.ts';
import { FakeNvidia } from './harness/fake-nvidia.ts';
import { root, runCli } from './harness/run-cli.ts';
import { TestServer } from './harness/test-server.ts';

const GIB = 2 ** 30;
const native = join(root, 'native/build');
const probe = (name: string) => join(native, 'tests', name);
const base = mkdtempSync(join(tmpdir(), 'vgpu-exec-'));
const home = join(base, 'home');
let fake: FakeNvidia;
const exec = (args: string[], env: NodeJS.ProcessEnv = {}) =>
  runCli(['exec', ...args], { env: { VGPU_HOME: home, ...env } });

beforeAll(() => {
  buildNative();
  mkdirSync(home);
  fake = new FakeNvidia(base);
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
    const named = await exec(['--gpu', '0.3', '--vram', '1GiB', '--', probe('cuda_probe'), 'info'], fake.env);
    expect(named.stdout).toMatch(new RegExp(`total=${GIB} device_total=${GIB}`));
    const whole = await runCli(['exec', '--gpu', '1', '--', probe('cuda_probe'), 'info'], {
      env: { VGPU_HOME: home, ...fake.env },
    });
    const half = await exec(['--gpu', '0.5', '--', probe('cuda_probe'), 'info'], fake.env);
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
    server = await TestServer.start(fake.serverEnv);
    fake.open();
  });
  afterAll(() => server?.close());

  const script = join(import.meta.dirname, 'gpu/cuda_memory.py');
  const run = async (...flags: string[]) => {
    const job = await server.ended(await submit(server, script, flags));
    expect(job.tasks[0]!.state, JSON.stringify(job.tasks[0]!.reason)).toBe('COMPLETED');
    return { task: job.tasks[0]!, seen: await resultOf(server, job.tasks[0]!.id) };
  };

  test('a fraction goes through the limiter: its cap is the device’s memory, to the byte', async () => {
    const gpu = await eventually('it tells its temperature', async () =>
      (await accelerators(server)).find((one) => one.temperature !== null),
    );
    expect(gpu).toMatchObject({ model: 'Fake GPU', health: 'healthy', provider: 'nvidia', temperature: 45 });
    const { seen } = await run('--gpu', '0.25', '--vram', '1GiB', '--model', 'Fake GPU');
    expect(seen).toMatchObject({
      total: GIB,
      free: GIB - GIB / 4,
      fits: 0,
      one_byte_more: 2,
      limiter: true,
      visible: gpu.uuid,
    });
  });

  test('a whole device is passed through by its UUID, without the limiter', async () => {
    const [gpu] = (await accelerators(server)).filter((one) => one.provider === 'nvidia');
    const { task, seen } = await run('--gpu', '1', '--isolation', 'hard');
    expect(seen).toMatchObject({ total: gpu!.memory, limiter: false, visible: gpu!.uuid });
    expect(task.slices).toMatchObject([{ mode: 'passthrough', isolation: 'hard', milli: 1000 }]);
  });
});
