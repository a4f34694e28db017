// Over-committed pools through the whole of this package, on the fake driver.
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Inventory } from '../inventory.ts';
import { defaultPool } from '../pool.ts';
import { NvidiaProvider } from '../providers/nvidia/provider.ts';
import { ArbiterClient } from './arbiter-client.ts';
import { arbiterDir, stopIdleArbiters } from './arbiter-process.ts';
import { limiterEnv } from './limiter-grant.ts';
import { SliceManager } from './slice-manager.ts';

const run = promisify(execFile);
const native = fileURLToPath(new URL('../../../../native', import.meta.url));
const MIB = 2 ** 20;
const fake = (home: string) => ({
  VGPU_NVML_LIBRARY: `${native}/build/fakedriver/libnvidia-ml.so.1`,
  VGPU_FAKE_GPU: join(home, 'gpu'),
  VGPU_FAKE_MEMORY: String(1024 * MIB),
  VGPU_FAKE_CONTEXT: String(64 * MIB),
  LD_LIBRARY_PATH: `${native}/build/fakedriver`,
});
let home: string;
let inventory: Inventory;
let uuid: string;

beforeAll(async () => {
  execFileSync('make', ['-s', '-C', native], { stdio: 'pipe' });
  home = mkdtempSync(join(tmpdir(), 'vgpu-over-'));
  Object.assign(process.env, fake(home));
  inventory = new Inventory({}, [new NvidiaProvider()]);
  await inventory.start();
  inventory.stop();
  uuid = inventory.accelerators[0]!.uuid;
});
afterAll(async () => {
  const client = new ArbiterClient(arbiterDir(home, uuid));
  for (const { id } of await client.list().catch(() => [])) await client.remove(id);
  await stopIdleArbiters(home);
  for (const name of Object.keys(fake(home))) delete process.env[name];
  rmSync(home, { recursive: true, force: true });
});

const options = { pools: [{ ...defaultPool, deviceMemoryScaling: 1.5 }], cdi: false };
const request = (attempt: string, mib: number) => ({
  attempt,
  task: `task-${attempt}`,
  project: 'p',
  shares: [{ uuid, milli: 300, bytes: mib * MIB }],
  qos: 'burstable' as const,
});
const use = (manager: SliceManager, attempt: string) =>
  manager.usage(uuid)?.slices.find((slice) => slice.id === `${attempt}.0`);

it('hands out more memory than there is, up to the scaling, backed by the host', async () => {
  const manager = new SliceManager(home, inventory);
  const first = await manager.grant(request('a', 768), options);
  expect(first.grant.hostBytes).toBe(768 * MIB);
  expect(use(manager, 'a')).toMatchObject({ capBytes: 768 * MIB, paging: { physicalCap: 512 * MIB } });
  await manager.grant(request('b', 768), options);
  await expect(manager.grant(request('c', 1), options)).rejects.toMatchObject({ code: 'CONFLICT' });
  expect(use(manager, 'c')).toBeUndefined();
  for (const attempt of ['a', 'b']) await manager.release(attempt);
});

it('asks nothing of the host where nothing is over-committed', async () => {
  const manager = new SliceManager(home, inventory);
  const { grant } = await manager.grant(request('plain', 512), { ...options, pools: [defaultPool] });
  expect(grant.hostBytes).toBeUndefined();
  expect(use(manager, 'plain')?.paging).toBeUndefined();
  await manager.release('plain');
});

it('lets two programs work whose memory does not fit, and shows what moves', async () => {
  const manager = new SliceManager(home, inventory);
  const work = async (attempt: string) => {
    await manager.grant(request(attempt, 768), options);
    const env = { ...process.env, ...limiterEnv([join(arbiterDir(home, uuid), 'slices', `${attempt}.0`)]) };
    return run(
      join(native, 'build/bench/cuda_set'),
      [`bytes=${640 * MIB}`, 'parts=10', 'ns=1000000', 'ms=2500'],
      { env },
    );
  };
  const [x, y] = await Promise.all([work('x'), work('y')]);
  for (const { stdout } of [x, y]) expect(stdout).toContain('wrong=0');
  for (const attempt of ['x', 'y']) {
    const seen = use(manager, attempt)?.paging;
    expect(seen?.pagedIn).toBeGreaterThan(0);
    expect(seen?.pagedOut).toBeGreaterThan(0);
    expect(seen?.resident).toBe(0); // they have ended
    await manager.release(attempt);
  }
});
