import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { routes } from '@vgpu/api';
import { Inventory, NvidiaProvider, type Provider } from '@vgpu/devices';
import { DockerDriver } from '@vgpu/drivers';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configFromEnv, type ServerConfig } from '../config.ts';
import { createServer, type VgpuServer } from '../create-server.ts';
import { TestClient } from '../testing/client.ts';
import { testEngine, testHome } from '../testing/engine.ts';

const engine = await testEngine();
if ('skip' in engine) console.warn(`Tests with real workers are left out: ${engine.skip}`);
const native = fileURLToPath(new URL('../../../../native', import.meta.url));

/** NVIDIA's provider itself; but the fake GPU has no /dev/nvidia0 that a container could be given. */
const nvidia = new NvidiaProvider();
const provider: Provider = {
  name: 'nvidia',
  discover: async () => {
    const { accelerators, problem } = await nvidia.discover();
    return { accelerators: accelerators.map((one) => ({ ...one, minor: null })), problem };
  },
  watch: (onUpdate) => nvidia.watch(onUpdate),
};

/** Faults as NVML tells them, from the fake driver's, through the monitor, to the queue. */
describe.skipIf('skip' in engine)('a GPU that raises an Xid, or is lost', () => {
  const { home, remove } = testHome();
  const state = join(tmpdir(), `vgpu-fake-gpu-${process.pid}-xid`);
  let server: VgpuServer;
  let client: TestClient;
  const fault = (...args: string[]) => execFileSync(`${native}/build/tests/fake_fault`, args);

  beforeAll(async () => {
    execFileSync('make', ['-s', '-C', native], { stdio: 'pipe' });
    process.env.VGPU_NVML_LIBRARY = `${native}/build/fakedriver/libnvidia-ml.so.1`;
    process.env.VGPU_FAKE_GPU = state;
    const { socket: socketPath } = engine as { socket: string };
    const warm = { image: 'sklearn', size: 0, memoryBytes: 0 };
    const config: ServerConfig = { ...configFromEnv({}), home, port: 0, checkAnswers: true, warm };
    server = await createServer(config, {
      log: pino({ level: process.env.VGPU_LOG ?? 'silent' }),
      openDriver: () => DockerDriver.open({ socketPath, home }),
      inventory: (events, cordons) => new Inventory(events, [provider], cordons),
    });
    client = TestClient.of(await server.start(), home);
  });
  afterAll(async () => {
    await server?.stop();
    delete process.env.VGPU_NVML_LIBRARY;
    delete process.env.VGPU_FAKE_GPU;
    rmSync(state, { force: true });
    remove();
  });

  const device = async () => (await client.call(routes.accelerators.list, {})).items[0]!;
  const submit = () =>
    client.submit('import time\ntime.sleep(600)', { resources: { gpu: 1, cpu: 0.5, memory: '128MiB' } });
  const running = (attempts: number) => (view: { tasks: { state: string; attempts: number }[] }) =>
    view.tasks[0]!.state === 'RUNNING' && view.tasks[0]!.attempts === attempts;

  test('gives its task back to the queue, takes none, and works again once it is uncordoned', async () => {
    const { uuid } = await device();
    const job = await submit();
    await client.until(job.id, running(1));
    fault('xid', '31'); // of a program: the device is fine
    fault('xid', '79');
    const waits = await client.until(job.id, ({ tasks }) => tasks[0]!.waiting?.code === 'unhealthy');
    expect(waits.tasks[0]).toMatchObject({
      state: 'QUEUED',
      reason: { code: 'ACCELERATOR_LOST', message: expect.stringContaining('Xid 79') },
      waiting: { code: 'unhealthy' },
    });
    expect(await device()).toMatchObject({ health: 'unhealthy', slices: [] });

    await client.call(routes.accelerators.uncordon, { params: { uuid } });
    await client.until(job.id, running(2));
    expect(await device()).toMatchObject({ health: 'healthy', healthReason: null });

    fault('lost');
    await client.until(job.id, ({ tasks }) => tasks[0]!.waiting?.code === 'unhealthy');
    expect(await device()).toMatchObject({ health: 'unhealthy', healthReason: 'the device is lost' });
    // Taken back in while it is still lost, it goes out again with the next look.
    await client.call(routes.accelerators.uncordon, { params: { uuid } });
    await expect.poll(async () => (await device()).health, { timeout: 30_000 }).toBe('unhealthy');
    fault('found');
    await client.call(routes.accelerators.uncordon, { params: { uuid } });
    await client.until(job.id, ({ tasks }) => tasks[0]!.state === 'RUNNING');
    await client.call(routes.jobs.stop, { params: { job: job.id } });
  });

  test('that is drained with a grace period asks its task first', async () => {
    const { uuid } = await device();
    const script = [
      'import signal, sys, time',
      'def leave(*_):',
      '    print("saved", flush=True)',
      '    sys.exit(0)',
      'signal.signal(signal.SIGTERM, leave)',
      'print("ready", flush=True)',
      'time.sleep(600)',
    ].join('\n');
    const job = await client.submit(script, { resources: { gpu: 1, cpu: 0.5, memory: '128MiB' } });
    await client.until(job.id, ({ tasks }) => tasks[0]!.lines === 1);
    const body = { drain: true, grace: 60_000 };
    await client.call(routes.accelerators.cordon, { params: { uuid }, body });
    const waits = await client.until(job.id, ({ tasks }) => Boolean(tasks[0]!.waiting));
    expect(waits.tasks[0]).toMatchObject({ state: 'QUEUED', reason: { code: 'ACCELERATOR_DRAINED' } });
    const { items } = await client.call(routes.tasks.logs, { params: { task: job.tasks[0]!.id } });
    expect(items.map((line) => line.text)).toContain('saved');
    await client.call(routes.accelerators.uncordon, { params: { uuid } });
    await client.until(job.id, running(2));
    await client.call(routes.jobs.stop, { params: { job: job.id } });
  });

  test('that is drained gives its task back too, and cordoned keeps what runs', async () => {
    const { uuid } = await device();
    const first = await submit();
    await client.until(first.id, running(1));
    const body = { drain: false, reason: 'new fans' };
    const cordoned = await client.call(routes.accelerators.cordon, { params: { uuid }, body });
    expect(cordoned).toMatchObject({ health: 'draining', healthReason: expect.stringContaining('new fans') });
    expect(cordoned.slices.length).toBe(1);
    await client.call(routes.accelerators.cordon, { params: { uuid }, body: { ...body, drain: true } });
    const waits = await client.until(first.id, ({ tasks }) => Boolean(tasks[0]!.waiting));
    expect(waits.tasks[0]).toMatchObject({ state: 'QUEUED', reason: { code: 'ACCELERATOR_DRAINED' } });
    await client.call(routes.accelerators.uncordon, { params: { uuid } });
    await client.until(first.id, running(2));
    await client.call(routes.jobs.stop, { params: { job: first.id } });
  });
});
