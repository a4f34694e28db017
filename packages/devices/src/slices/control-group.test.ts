// What NVIDIA's driver holds for control groups, on the fake driver and the kernel's own groups.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mountGroups } from '../../../../native/tests/cgroup2.ts';
import { Inventory } from '../inventory.ts';
import { NvidiaProvider } from '../providers/nvidia/provider.ts';
import { stopIdleArbiters } from './arbiter-process.ts';
import { groupOf, hasMemoryPartitions } from './control-group.ts';
import { execUnderSlice } from './exec.ts';
import { SliceManager } from './slice-manager.ts';

const native = fileURLToPath(new URL('../../../../native', import.meta.url));
const load = join(native, 'build/bench/cuda_load');
const MiB = 2 ** 20;

const root = mountGroups();
const variables = {
  VGPU_NVML_LIBRARY: `${native}/build/fakedriver/libnvidia-ml.so.1`,
  LD_LIBRARY_PATH: `${native}/build/fakedriver`,
  VGPU_CGROUP_ROOT: root ?? '',
};
let home: string;
let inventory: Inventory;

beforeAll(async () => {
  execFileSync('make', ['-s', '-C', native], { stdio: 'pipe' });
  home = mkdtempSync(join(tmpdir(), 'vgpu-group-'));
  Object.assign(process.env, variables, { VGPU_FAKE_GPU: join(home, 'gpu') });
  inventory = new Inventory({}, [new NvidiaProvider()]);
  await inventory.start();
  inventory.stop();
});
afterAll(async () => {
  await stopIdleArbiters(home);
  for (const name of [...Object.keys(variables), 'VGPU_FAKE_GPU']) delete process.env[name];
  rmSync(home, { recursive: true, force: true });
  if (!root) return;
  execFileSync('umount', [root]);
  rmdirSync(root);
});

describe.runIf(root)('memory that NVIDIA’s driver holds for a control group', () => {
  it('is had from driver 615 on, by root, without MIG', () => {
    const [device] = inventory.accelerators;
    expect(hasMemoryPartitions(device!)).toBe(true);
    expect(hasMemoryPartitions({ ...device!, driverVersion: '580.95' })).toBe(false);
    expect(hasMemoryPartitions({ ...device!, migEnabled: true })).toBe(false);
    expect(hasMemoryPartitions({ ...device!, provider: 'opencl' })).toBe(false);
    expect(hasMemoryPartitions(device!, '/nowhere')).toBe(false);
  });

  it('bounds a program under `vgpu exec` that drops the limiter', async () => {
    const run = (bytes: number, ...wrapper: string[]) =>
      execUnderSlice(home, inventory.accelerators, {
        milli: 300,
        bytes: 512 * MiB,
        qos: 'burstable',
        command: ['env', ...wrapper, load, 'ms=10', `bytes=${bytes}`],
      });
    const past = ['-u', 'LD_PRELOAD', '-u', 'VGPU_SLICE', 'sh', '-c', 'exec "$0" "$@" 2> /dev/null'];
    expect(await run(200 * MiB)).toBe(0);
    expect(await run(200 * MiB, ...past)).toBe(0);
    expect(await run(300 * MiB, ...past)).toBe(1); // with its context that is more than 512 MiB
    expect(readdirSync(root!).filter((name) => name.startsWith('vgpu-exec'))).toEqual([]);
    mkdirSync(join(root!, 'vgpu-exec.999999999.1')); // of one that was killed
    expect(await run(200 * MiB)).toBe(0);
    expect(readdirSync(root!).filter((name) => name.startsWith('vgpu-exec'))).toEqual([]);
    expect(groupOf(process.pid)).toBeUndefined(); // this process is back in the group of everybody
  });

  it('bounds an attempt’s container, once its first process is known', async () => {
    const [device] = inventory.accelerators;
    const manager = new SliceManager(home, inventory);
    const shares = [{ uuid: device!.uuid, milli: 250, bytes: 512 * MiB }];
    await manager.grant({ attempt: 'a', task: 't', qos: 'burstable', shares }, { pools: [], cdi: false });
    const fence = () => manager.usage(device!.uuid)?.slices[0]?.fence;
    const group = join(root!, `vgpu-test-container-${process.pid}`);
    mkdirSync(group);
    const first = spawn('sleep', ['60'], { stdio: 'ignore' });
    try {
      await manager.confine('a', async () => process.pid); // in no group of its own
      expect(fence()).toBeUndefined();
      writeFileSync(join(group, 'cgroup.procs'), String(first.pid));
      await manager.confine('a', async () => first.pid);
      expect(fence()).toBe('driver');
    } finally {
      const ended = new Promise((resolve) => first.once('exit', resolve));
      first.kill('SIGKILL');
      await ended;
      await manager.release('a');
      rmdirSync(group);
    }
  });
});
