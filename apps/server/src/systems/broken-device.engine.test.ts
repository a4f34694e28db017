import { hostname } from 'node:os';
import { routes } from '@vgpu/api';
import { type Accelerator, Inventory, type Provider } from '@vgpu/devices';
import { DockerDriver } from '@vgpu/drivers';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configFromEnv, type ServerConfig } from '../config.ts';
import { createServer, type VgpuServer } from '../create-server.ts';
import { TestClient } from '../testing/client.ts';
import { testEngine, testHome } from '../testing/engine.ts';

const engine = await testEngine();
if ('skip' in engine) console.warn(`Tests with real workers are left out: ${engine.skip}`);

/** Two whole devices without nodes or a driver: what is tested here is what becomes of their tasks. */
const gpu = (uuid: string, index: number): Accelerator => ({
  uuid,
  index,
  provider: 'nvidia',
  vendor: 'nvidia',
  model: 'Test GPU',
  kind: 'gpu',
  host: hostname(),
  memory: 2 ** 34,
  computeUnits: 8,
  driverVersion: '1',
  pciBusId: null,
  numaNode: null,
  migEnabled: null,
  minor: null,
});
const provider: Provider = {
  name: 'nvidia',
  discover: async () => ({ accelerators: [gpu('GPU-a', 0), gpu('GPU-b', 1)], problem: null }),
  watch: () => ({ stop: () => {} }),
};

describe.skipIf('skip' in engine)('a device that breaks', () => {
  const { home, remove } = testHome();
  const log = pino({ level: process.env.VGPU_LOG ?? 'silent' });
  let server: VgpuServer;
  let client: TestClient;

  beforeAll(async () => {
    const { socket: socketPath } = engine as { socket: string };
    const warm = { image: 'sklearn', size: 0, memoryBytes: 0 };
    const config: ServerConfig = { ...configFromEnv({}), home, port: 0, checkAnswers: true, warm };
    server = await createServer(config, {
      log,
      openDriver: () => DockerDriver.open({ socketPath, home }),
      inventory: (events) => new Inventory(events, [provider]),
    });
    client = TestClient.of(await server.start(), home);
  });
  afterAll(async () => {
    await server?.stop();
    remove();
  });

  const breakDevice = (uuid: string) =>
    server.resources.devices.inventory.report([{ uuid, health: 'unhealthy', reason: 'Xid 79' }]);
  const runsOn = () => server.resources.devices.slices.map((slice) => slice.uuid);

  test('sends its tasks back to the queue, at no cost to them, and takes no more', async () => {
    const script = 'import os, time\nprint("on", os.environ["CUDA_VISIBLE_DEVICES"])\ntime.sleep(600)';
    const job = await client.submit(script, { resources: { gpu: 1, cpu: 0.5, memory: '128MiB' } });
    await client.until(job.id, ({ tasks }) => tasks[0]!.state === 'RUNNING');
    const [first] = runsOn();

    breakDevice(first!);
    const second = first === 'GPU-a' ? 'GPU-b' : 'GPU-a';
    const moved = await client.until(
      job.id,
      ({ tasks }) => tasks[0]!.state === 'RUNNING' && tasks[0]!.attempts === 2,
    );
    expect(runsOn()).toEqual([second]);
    const row = await server.resources.store.read
      .selectFrom('tasks')
      .select(['retries_used', 'losses'])
      .where('id', '=', moved.tasks[0]!.id)
      .executeTakeFirst();
    expect(row).toEqual({ retries_used: 0, losses: 1 });

    breakDevice(second);
    const waits = await client.until(job.id, ({ tasks }) => tasks[0]!.waiting?.code === 'unhealthy');
    expect(waits.tasks[0]).toMatchObject({
      state: 'QUEUED',
      reason: { code: 'ACCELERATOR_LOST', message: expect.stringContaining('Xid 79') },
      waiting: { code: 'unhealthy' },
    });
    expect(runsOn()).toEqual([]);
    const { items } = await client.call(routes.accelerators.list, {});
    expect(items.map((one) => [one.health, one.healthReason])).toEqual([
      ['unhealthy', 'Xid 79'],
      ['unhealthy', 'Xid 79'],
    ]);
    await client.call(routes.jobs.stop, { params: { job: job.id } });
  });
});
