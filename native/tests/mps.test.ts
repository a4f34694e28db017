// MPS, played by the fake driver: the daemon and what its clients get, and slices that run at the same time.
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Bed, build, fields, finished, type Load, now, sideBySide } from './bed.ts';
import { MpsDaemon } from './mps-daemon.ts';

const MiB = 1 << 20;
const GiB = 1 << 30;
let bed: Bed;
let mps: MpsDaemon;
beforeAll(() => {
  build();
});
afterEach(async () => {
  mps?.stop();
  await bed?.close();
});

async function started(...args: ConstructorParameters<typeof Bed>): Promise<void> {
  bed = new Bed(...args);
  await bed.start();
  mps = new MpsDaemon(bed);
  await mps.start();
}
const row = (id: string) => bed.rowNow(id);
/** Each slice's part of what all of them had of the device over a window, by the arbiter's clock. */
async function parts(loads: readonly Load[], windowMs = 2000): Promise<Record<string, number>> {
  const lead = 600;
  const read = (after: number) =>
    new Promise<Map<string, number>>((resolve) =>
      setTimeout(() => resolve(new Map(bed.ledger().slices.map((s) => [s.id, s.deviceNs]))), after),
    );
  const [from, to] = await Promise.all([
    read(lead),
    read(lead + windowMs),
    sideBySide(bed, loads, windowMs + 300, lead - 200),
  ]);
  const had = [...to].map(([id, ns]) => [id, ns - (from.get(id) ?? 0)] as const);
  const all = had.reduce((sum, [, ns]) => sum + ns, 0);
  return Object.fromEntries(had.map(([id, ns]) => [id, ns / all]));
}
const points = (part: number | undefined, asked: number) => Math.abs((part ?? 0) - asked) * 100;

describe('the fake daemon', () => {
  it('speaks NVIDIA’s command language', async () => {
    await started();
    expect(mps.command('get_server_list')).toBe('');
    expect(mps.command('set_default_active_thread_percentage 50')).toBe('50.0');
    expect(mps.command('get_default_active_thread_percentage')).toBe('50.0');
    mps.command('set_default_device_pinned_mem_limit 0 512M');
    expect(mps.command('get_default_device_pinned_mem_limit 0')).toBe('512M');
    expect(mps.command('make_coffee')).toBe('Unknown command: make_coffee');
    const load = bed.spawn(undefined, 'bench/cuda_load', ['ms=60000'], {
      CUDA_MPS_PIPE_DIRECTORY: mps.pipes,
    });
    const ended = finished(load);
    await expect.poll(() => mps.command('get_server_list'), { timeout: 5000 }).toMatch(/^\d+$/);
    const server = mps.command('get_server_list');
    await expect.poll(() => mps.command(`get_client_list ${server}`)).toMatch(/^\d+$/);
    expect(mps.command(`get_active_thread_percentage ${server}`)).toBe('50.0');
    load.kill('SIGKILL');
    await ended;
    await expect.poll(() => mps.command(`get_client_list ${server}`), { timeout: 5000 }).toBe('');
    mps.command('quit');
    await expect
      .poll(() => mps.command('get_server_list'), { timeout: 5000 })
      .toBe('Cannot find MPS control daemon process');
  });

  it('holds its clients to their memory', async () => {
    await started();
    const env = { CUDA_MPS_PIPE_DIRECTORY: mps.pipes, CUDA_MPS_PINNED_DEVICE_MEM_LIMIT: '0=512M' };
    const within = await bed.run(undefined, 'bench/cuda_load', ['ms=50', `bytes=${200 * MiB}`], env);
    expect(within.code).toBe(0);
    const beyond = await bed.run(undefined, 'bench/cuda_load', ['ms=50', `bytes=${300 * MiB}`], env);
    expect(beyond.err).toContain('cuMemAlloc_v2');
  });
});

describe('guaranteed slices', () => {
  it('run at the same time, each on its own multiprocessors, and take turns with nobody', async () => {
    await started();
    await mps.slice('a', `share=300 qos=guaranteed memory=${2 * GiB}`);
    await mps.slice('b', `share=700 qos=guaranteed memory=${2 * GiB}`);
    expect([row('a'), row('b')]).toMatchObject([
      { mpsMilli: 300, spatial: true },
      { mpsMilli: 700, spatial: true },
    ]);
    const loads = [
      { slice: 'a', args: ['ns=5000000', 'blocks=8'] },
      { slice: 'b', args: ['ns=5000', 'chunk=20'] },
    ];
    expect(points((await parts(loads, 1000)).a, 0.3)).toBeLessThan(2);
    expect(row('a').turns).toBe(1);
    expect(row('b').turns).toBe(1);
  });

  it('keep their part from those who share the rest, and those share it out', async () => {
    await started();
    await mps.slice('mine', `share=400 qos=guaranteed memory=${2 * GiB}`);
    await mps.slice('x', `share=200 memory=${2 * GiB}`);
    await mps.slice('y', `share=400 memory=${2 * GiB}`);
    expect(row('x')).toMatchObject({ mpsMilli: 600, spatial: false });
    const had = await parts(
      ['mine', 'x', 'y'].map((slice) => ({ slice, args: ['ns=100000', 'blocks=1320'] })),
    );
    expect(points(had.mine, 0.4)).toBeLessThan(2);
    expect(points(had.x, 0.2)).toBeLessThan(2);
    expect(points(had.y, 0.4)).toBeLessThan(2);
  });

  it('that come too late for multiprocessors of their own take turns within their ceiling', async () => {
    await started();
    await mps.slice('first', `share=500 memory=${2 * GiB}`);
    const busy = bed.run('first', 'bench/cuda_load', ['ms=3400']);
    await expect.poll(() => row('first').launches, { timeout: 5000 }).toBeGreaterThan(10);
    await mps.slice('late', `share=300 qos=guaranteed memory=${2 * GiB}`);
    expect(row('late')).toMatchObject({ spatial: false, mpsMilli: 1000 });
    expect(points((await parts([{ slice: 'late', args: ['ns=100000'] }])).late, 0.3)).toBeLessThan(2);
    expect((await busy).code).toBe(0);
  });
});

describe('slices that share', () => {
  it('run at the same time where their work fits beside each other', async () => {
    await started();
    for (const id of ['a', 'b', 'c', 'd']) await mps.slice(id, `share=250 memory=${2 * GiB}`);
    const small = (slice: string) => ({ slice, args: ['ns=2000000', 'blocks=8'] });
    const done = await sideBySide(bed, ['a', 'b', 'c', 'd'].map(small), 1200, 800);
    // Taking turns, each would be at a quarter.
    for (const work of done) expect(work).toBeGreaterThan(0.4e9);
  });

  it('take turns where it does not, in proportion to their shares', async () => {
    await started();
    await mps.slice('small', `share=300 memory=${2 * GiB}`);
    await mps.slice('large', `share=700 memory=${2 * GiB}`);
    const had = await parts(['small', 'large'].map((slice) => ({ slice, args: ['ns=200000'] })));
    expect(points(had.small, 0.3)).toBeLessThan(3); // a turn at each end of the window makes one
  });

  it('ask again when their work grows', async () => {
    await started();
    await mps.slice('a', `share=500 memory=${2 * GiB}`);
    await mps.slice('b', `share=500 memory=${2 * GiB}`);
    const until = (now() + 1_500_000_000n).toString();
    const [narrow, wide] = await Promise.all([
      bed.run('a', 'bench/cuda_load', ['ns=1000000', 'blocks=8', 'streams=12', `to=${until}`]),
      bed.run('b', 'bench/cuda_load', ['ns=1000000', `to=${until}`]),
    ]);
    expect([narrow.code, wide.code]).toEqual([0, 0]);
    expect(Math.min(row('a').turns, row('b').turns)).toBeGreaterThan(20);
  });
});

describe('two fences', () => {
  it('ours counts to the byte for the slice, the driver’s holds each process', async () => {
    await started();
    await mps.slice('a', `share=500 memory=${1024 * MiB}`);
    const r = await bed.run('a', 'tests/cuda_probe', ['exhaust', String(32 * MiB)]);
    expect(fields(r.out)).toMatchObject({ exact: 0, over: 2, one: 2 });
    // Without the limiter in it, the same environment meets the driver's own limit.
    const env = { CUDA_MPS_PIPE_DIRECTORY: mps.pipes, CUDA_MPS_PINNED_DEVICE_MEM_LIMIT: '0=1024M' };
    const bare = await bed.run(undefined, 'bench/cuda_load', ['ms=10', `bytes=${1025 * MiB}`], env);
    expect(bare.err).toContain('cuMemAlloc_v2');
  });

  it('a process cannot talk itself out of its part', async () => {
    await started();
    await mps.slice('a', `share=250 qos=guaranteed memory=${1024 * MiB}`);
    const tricks = {
      CUDA_MPS_PIPE_DIRECTORY: '/nowhere',
      CUDA_MPS_ACTIVE_THREAD_PERCENTAGE: '100',
      CUDA_MPS_PINNED_DEVICE_MEM_LIMIT: '0=16G',
    };
    const load = bed.run('a', 'bench/cuda_load', ['ms=1000', 'blocks=1320'], tricks);
    await expect.poll(() => mps.command('get_server_list')).toMatch(/^\d+$/);
    expect((await load).code).toBe(0);
    // 33 of 132 multiprocessors: 40 waves of 0.1 ms for each kernel that would take 10 alone.
    expect(fields((await load).out).launches).toBeLessThan(1000 / 4 + 80);
  });

  it('is refused without its daemon', async () => {
    await started();
    await mps.slice('a', `share=500 memory=${1024 * MiB}`);
    mps.stop();
    const r = await bed.run('a', 'tests/cuda_probe', ['init']);
    expect(fields(r.out).init).toBe(805);
  });
});

describe('the arbiter', () => {
  it('keeps slices with and without MPS apart', async () => {
    await started();
    await mps.slice('a', 'share=500');
    expect(await bed.control('add id=b share=500')).toMatch(/^error code=mixed message=slices under MPS/);
    await bed.control('remove id=a');
    await bed.slice('b', 'share=500');
    expect(await bed.control(`add id=a share=500 mps=${mps.pipes}`)).toMatch(/^error code=mixed/);
  });

  it('that was killed knows again who has multiprocessors of its own', async () => {
    await started();
    await mps.slice('a', `share=300 qos=guaranteed memory=${2 * GiB}`);
    await mps.slice('b', `share=700 memory=${2 * GiB}`);
    const loads = ['a', 'b'].map((slice) => bed.run(slice, 'bench/cuda_load', ['ms=2500', 'ns=500000']));
    await expect
      .poll(() => Math.min(row('a').launches, row('b').launches), { timeout: 5000 })
      .toBeGreaterThan(10);
    await bed.stop('SIGKILL');
    await bed.start();
    expect([row('a'), row('b')]).toMatchObject([
      { mpsMilli: 300, spatial: true },
      { mpsMilli: 700, spatial: false },
    ]);
    await expect
      .poll(() => Math.min(row('a').launches, row('b').launches), { timeout: 5000 })
      .toBeGreaterThan(10);
    for (const load of loads) expect((await load).code).toBe(0);
  });
});
