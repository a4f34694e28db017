import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Inventory } from '../inventory.ts';
import { defaultPool, type Pool } from '../pool.ts';
import { keepPools } from '../pool-file.ts';
import { OpenClProvider } from '../providers/opencl/provider.ts';
import { ArbiterClient } from './arbiter-client.ts';
import { arbiterDir, arbiterRoot, stopIdleArbiters } from './arbiter-process.ts';
import { execUnderSlice } from './exec.ts';
import { SliceManager } from './slice-manager.ts';

const native = fileURLToPath(new URL('../../../../native', import.meta.url));
const options = { pools: [], cdi: false };
let home: string;
let inventory: Inventory;
let uuid: string;

beforeAll(async () => {
  execFileSync('make', ['-s', '-C', native], { stdio: 'pipe' });
  home = mkdtempSync(join(tmpdir(), 'vgpu-home-'));
  inventory = new Inventory({}, [new OpenClProvider()]);
  await inventory.start();
  uuid = inventory.accelerators.find((a) => a.kind === 'cpu')!.uuid;
});

afterAll(async () => {
  for (const row of await client()
    .list()
    .catch(() => [])) {
    await client().remove(row.id);
  }
  await stopIdleArbiters(home);
  rmSync(home, { recursive: true });
});

const client = () => new ArbiterClient(arbiterDir(home, uuid));
const ids = async () => (await client().list()).map((row) => row.id).sort();
const share = () => ({ uuid, milli: 250, bytes: 2 ** 28 });
const request = (attempt: string) => ({ attempt, task: 't', shares: [share()], qos: 'burstable' as const });

describe('slices', () => {
  it('are made at the arbiter, mounted read-only, and taken back', async () => {
    const manager = new SliceManager(home, inventory);
    const { grant, slices } = await manager.grant(request('a'), options);
    expect(slices).toMatchObject([{ id: 'a.0', mode: 'shared', isolation: 'soft', milli: 250 }]);
    expect(grant.mounts.every((mount) => mount.readOnly)).toBe(true);
    expect(grant.mounts.map((mount) => mount.target)).toContain('/etc/ld.so.preload');
    expect(await ids()).toEqual(['a.0']);
    await manager.release('a');
    await manager.release('a');
    expect(await ids()).toEqual([]);
  });

  it('are all or none: what was made before a failure is taken back', async () => {
    const manager = new SliceManager(home, inventory);
    const bad = { ...request('b'), shares: [share(), { uuid: 'GPU-none', milli: 100, bytes: 1 }] };
    await expect(manager.grant(bad, options)).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(manager.slices).toEqual([]);
    expect(await ids()).toEqual([]);
  });

  it('outlive their manager; adoption keeps those that run and removes the rest', async () => {
    const before = new SliceManager(home, inventory);
    const kept = await before.grant(request('c'), options);
    await before.grant(request('d'), options);
    const after = new SliceManager(home, inventory);
    expect(await after.adopt(kept.slices)).toEqual({ removed: ['d.0'] });
    expect(await ids()).toEqual(['c.0']);
    await after.release('c');
  });

  it('outlive their arbiter: it is started again and still knows them', async () => {
    const manager = new SliceManager(home, inventory);
    await manager.grant(request('e'), options);
    process.kill(Number(readFileSync(`${arbiterDir(home, uuid)}.pid`, 'utf8')), 'SIGKILL');
    await expect
      .poll(() =>
        client()
          .ping()
          .then(
            () => true,
            () => false,
          ),
      )
      .toBe(false);
    await manager.keepArbiters();
    expect(await ids()).toEqual(['e.0']);
    await manager.release('e');
  });
});

describe('a program of the host under a slice', () => {
  it('gives its own exit code and leaves nothing behind', async () => {
    const run = (...command: string[]) =>
      execUnderSlice(home, inventory.accelerators, { milli: 300, bytes: 2 ** 28, qos: 'burstable', command });
    expect(await run('sh', '-c', 'test -n "$VGPU_SLICE" && exit 7')).toBe(7);
    expect(await run('sh', '-c', 'kill -9 $$')).toBe(137);
    await expect(run('/no/such/program')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    await expect
      .poll(() =>
        client()
          .ping()
          .then(
            () => true,
            () => false,
          ),
      )
      .toBe(false);
    expect(() => readFileSync(join(arbiterRoot(home), 'arbiter.log'))).toThrow();
  });

  it('is given what its pool offers: compute, memory and places', async () => {
    const device = inventory.accelerators.find((a) => a.uuid === uuid)!;
    const request = { milli: 300, bytes: 2 ** 28, qos: 'burstable', command: ['true'] } as const;
    const exec = (change: object) => execUnderSlice(home, [device], { ...request, ...change });
    const pool = (change: Partial<Pool>) => keepPools(home, [{ ...defaultPool, ...change }]);
    await expect(exec({ bytes: device.memory + 1 })).rejects.toMatchObject({ code: 'UNSATISFIABLE' });
    pool({ deviceMemoryScaling: 2 });
    expect(await exec({ bytes: device.memory + 1 })).toBe(0);
    pool({ deviceMemoryScaling: 0.5 });
    await expect(exec({ bytes: Math.ceil(device.memory * 0.6) })).rejects.toMatchObject({
      code: 'UNSATISFIABLE',
    });

    // A task holds 0.8 of the device.
    const manager = new SliceManager(home, inventory);
    const shares = [{ uuid, milli: 800, bytes: 2 ** 20 }];
    await manager.grant({ attempt: 'x', task: 'x', qos: 'burstable', shares }, options);
    pool({});
    await expect(exec({})).rejects.toMatchObject({ code: 'CONFLICT' });
    pool({ deviceCoreScaling: 1.5 });
    expect(await exec({})).toBe(0);
    pool({ deviceCoreScaling: 1.5, deviceSplitCount: 1 });
    await expect(exec({})).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await ids()).toEqual(['x.0']);
    await manager.release('x');
  });
});
