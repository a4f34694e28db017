// MPS through the whole of this package, on the fake driver and its fake control daemon.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Inventory } from '../inventory.ts';
import { defaultPool, type Pool } from '../pool.ts';
import { NvidiaProvider } from '../providers/nvidia/provider.ts';
import { devicesForScheduling } from '../scheduler-view.ts';
import { arbiterDir, arbiterRoot, stopIdleArbiters } from '../slices/arbiter-process.ts';
import { limiterEnv } from '../slices/limiter-grant.ts';
import { SliceManager } from '../slices/slice-manager.ts';
import { ensureMpsDaemon, hasMpsDaemon, mpsCommand, mpsFolders } from './mps-daemon.ts';

const native = fileURLToPath(new URL('../../../../native', import.meta.url));
const control = join(native, 'build/fakedriver/nvidia-cuda-mps-control');
const root = process.getuid?.() === 0;
const pool: Pool = { ...defaultPool, mps: 'required' };
const options = (change: Partial<Pool> = {}) => ({ pools: [{ ...pool, ...change }], cdi: false });
let home: string;
let inventory: Inventory;
let uuid: string;
let dir: string;

beforeAll(async () => {
  execFileSync('make', ['-s', '-C', native], { stdio: 'pipe' });
  home = mkdtempSync(join(tmpdir(), 'vgpu-mps-'));
  process.env.VGPU_NVML_LIBRARY = `${native}/build/fakedriver/libnvidia-ml.so.1`;
  process.env.VGPU_FAKE_GPU = join(home, 'gpu');
  process.env.VGPU_MPS_CONTROL = control;
  process.env.LD_LIBRARY_PATH = `${native}/build/fakedriver`;
  inventory = new Inventory({}, [new NvidiaProvider()]);
  await inventory.start();
  inventory.stop();
  uuid = inventory.accelerators[0]!.uuid;
  dir = arbiterDir(home, uuid);
});
afterAll(async () => {
  await stopIdleArbiters(home);
  for (const name of ['VGPU_NVML_LIBRARY', 'VGPU_FAKE_GPU', 'VGPU_MPS_CONTROL', 'LD_LIBRARY_PATH'])
    delete process.env[name];
  rmSync(home, { recursive: true, force: true });
});

const request = (
  attempt: string,
  project: string,
  milli = 250,
  qos: 'burstable' | 'guaranteed' = 'burstable',
) => ({
  attempt,
  task: `task-${attempt}`,
  project,
  shares: [{ uuid, milli, bytes: 2 ** 30 }],
  qos,
});
const manager = () => new SliceManager(home, inventory);
const pid = () => Number(readFileSync(join(mpsFolders(dir).pipes, 'nvidia-cuda-mps-control.pid'), 'utf8'));
const alive = (id: number) =>
  existsSync(`/proc/${id}`) && !/\) Z /.test(readFileSync(`/proc/${id}/stat`, 'utf8'));
/** A program of the host in a slice, for as long as it takes. */
const load = (attempt: string, ms: number) =>
  spawn(join(native, 'build/bench/cuda_load'), [`ms=${ms}`, 'ns=200000'], {
    env: { ...process.env, ...limiterEnv([join(dir, 'slices', `${attempt}.0`)]) },
    stdio: 'ignore',
  });
const ended = (child: ReturnType<typeof load>) =>
  new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));

describe.runIf(root)('slices of a pool with MPS', () => {
  it('bring the daemon’s pipes, its shared memory and the driver’s own bounds, beside the limiter', async () => {
    const slices = manager();
    const { grant } = await slices.grant(request('a', 'p', 300, 'guaranteed'), options());
    const folders = mpsFolders(dir);
    expect(grant.env).toMatchObject({
      CUDA_MPS_PIPE_DIRECTORY: folders.pipes,
      CUDA_MPS_ACTIVE_THREAD_PERCENTAGE: '30.0',
      CUDA_MPS_PINNED_DEVICE_MEM_LIMIT: '0=1024M',
    });
    expect(grant.mounts).toContainEqual({ source: folders.shm, target: '/dev/shm', readOnly: false });
    expect(grant.mounts.map((mount) => mount.target)).toContain('/etc/ld.so.preload');
    expect(slices.usage(uuid)?.slices).toMatchObject([{ id: 'a.0', mpsMilli: 300, spatial: true }]);
    const child = load('a', 2000);
    await expect.poll(() => mpsCommand(control, folders, 'get_server_list')).toMatch(/^\d+$/);
    expect(await ended(child)).toBe(0);
    await slices.release('a');
  });

  it('have no process beyond the largest of them, by the server: also one that drops the limiter and its environment', async () => {
    const slices = manager();
    await slices.grant(request('s', 'p'), options()); // 1 GiB
    const folders = mpsFolders(dir);
    const bare = (bytes: number) =>
      ended(
        spawn(join(native, 'build/bench/cuda_load'), ['ms=10', `bytes=${bytes}`], {
          env: { ...process.env, CUDA_MPS_PIPE_DIRECTORY: folders.pipes },
          stdio: 'ignore',
        }),
      );
    expect(await bare(700 * 2 ** 20)).toBe(0);
    expect(await bare(800 * 2 ** 20)).toBe(1); // with its context more than 1 GiB
    const larger = { ...request('t', 'p'), shares: [{ uuid, milli: 250, bytes: 2 ** 31 }] };
    await slices.grant(larger, options()); // the server that runs learns of it
    expect(await bare(800 * 2 ** 20)).toBe(0);
    for (const id of ['s', 't']) await slices.release(id);
  });

  it('are of one project at a time, unless the pool says otherwise', async () => {
    const slices = manager();
    await slices.grant(request('b', 'ours'), options());
    await expect(slices.grant(request('c', 'theirs'), options())).rejects.toMatchObject({ code: 'CONFLICT' });
    await slices.grant(request('d', 'ours'), options());
    await slices.grant(request('e', 'theirs'), options({ mpsAcrossProjects: true }));
    for (const id of ['b', 'd', 'e']) await slices.release(id);
  });

  it('are placed by that: the scheduler sees whose the device is', () => {
    const view = (
      change: Partial<Pool>,
      ...held: { uuid: string; milli: number; bytes: number; project: string }[]
    ) => devicesForScheduling(inventory, options(change).pools, held, 0, () => true)[0]?.oneProject;
    const share = { uuid, milli: 100, bytes: 1, project: 'ours' };
    expect(view({})).toBeNull();
    expect(view({}, share)).toBe('ours');
    expect(view({ mpsAcrossProjects: true }, share)).toBeUndefined();
  });

  it('and slices without it do not mix: what is there decides, and a pool that requires MPS refuses', async () => {
    const slices = manager();
    await slices.grant(request('plain', 'p'), options({ mps: 'off' }));
    const beside = await slices.grant(request('f', 'p'), options({ mps: 'auto' }));
    expect(beside.grant.env.CUDA_MPS_PIPE_DIRECTORY).toBeUndefined();
    await expect(slices.grant(request('g', 'p'), options())).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    for (const id of ['plain', 'f']) await slices.release(id);
    await slices.grant(request('h', 'p'), options());
    const joined = await slices.grant(request('i', 'p'), options({ mps: 'off' }));
    expect(joined.grant.env.CUDA_MPS_PIPE_DIRECTORY).toBe(mpsFolders(dir).pipes);
    for (const id of ['h', 'i']) await slices.release(id);
  });

  it('that cannot have it are refused where it is required, and do without where it is not', async () => {
    const slices = new SliceManager(home, inventory, () => ({ control: null, root: true }));
    await expect(slices.grant(request('j', 'p'), options())).rejects.toThrow(
      /nvidia-cuda-mps-control is not installed/,
    );
    const { grant } = await slices.grant(request('k', 'p'), options({ mps: 'auto' }));
    expect(grant.env.CUDA_MPS_PIPE_DIRECTORY).toBeUndefined();
    await slices.release('k');
  });
});

describe.runIf(root)('the daemon', () => {
  it('outlives its manager, and is found again', async () => {
    await manager().grant(request('l', 'p'), options());
    const first = pid();
    const after = manager();
    await after.adopt(after.describe(request('l', 'p'), [pool]));
    await after.keepArbiters();
    expect(pid()).toBe(first);
    await after.release('l');
  });

  it('that was killed is started again, and its programs and new ones go on', async () => {
    const slices = manager();
    await slices.grant(request('m', 'p'), options());
    const child = load('m', 2500);
    await expect.poll(() => mpsCommand(control, mpsFolders(dir), 'ps')).toMatch(/\n\d+ 1 /);
    const first = pid();
    process.kill(first, 'SIGKILL');
    await expect.poll(() => alive(first)).toBe(false);
    await slices.keepArbiters();
    expect(pid()).not.toBe(first);
    expect(await ended(load('m', 100))).toBe(0);
    expect(await ended(child)).toBe(0);
    await slices.release('m');
  });

  it('has a /dev/shm of its own, and leaves nothing behind when it is stopped', async () => {
    const slices = manager();
    await slices.grant(request('n', 'p'), options());
    expect(await ended(load('n', 100))).toBe(0);
    const folders = mpsFolders(dir);
    const mounts = readFileSync(`/proc/${pid()}/mounts`, 'utf8');
    expect(mounts).toMatch(/ \/dev\/shm /);
    expect(readFileSync(`/proc/${pid()}/mountinfo`, 'utf8')).toContain(folders.shm.replace('/dev/shm', ''));
    const [daemon, server] = [pid(), Number(await mpsCommand(control, folders, 'get_server_list'))];
    // A server that outlived its daemon goes with the rest.
    process.kill(daemon, 'SIGKILL');
    await slices.release('n');
    await stopIdleArbiters(home);
    expect([alive(daemon), alive(server)]).toEqual([false, false]);
    for (const path of Object.values(folders)) expect(existsSync(path)).toBe(false);
    expect(existsSync(arbiterRoot(home))).toBe(false);
  });

  it('says why it does not start', async () => {
    const broken = ensureMpsDaemon('/bin/false', dir, uuid);
    await expect(broken).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    expect(hasMpsDaemon(dir)).toBe(false);
  });
});
