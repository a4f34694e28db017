import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bed, build, fields, finished, now } from './bed.ts';

const MiB = 1 << 20;
const CONTEXT = 256 * MiB; // what the fake driver takes for a context
const MODULE = 2 * MiB;

let bed: Bed;
beforeAll(async () => {
  build();
  bed = new Bed({ arbiter: ['--host-memory-mib', String(64 * 1024)] });
  await bed.start();
});
afterAll(() => bed.close());

async function probe(slice: string | undefined, ...args: string[]): Promise<string> {
  const r = await bed.run(slice, 'tests/cuda_probe', args);
  expect(r.err).toBe('');
  expect(r.code).toBe(0);
  return r.out;
}

describe('memory of a CUDA slice', () => {
  it('is what the process sees of the device, its context counted', async () => {
    await bed.slice('seen', `share=500 memory=${1024 * MiB}`);
    expect(fields(await probe('seen', 'info'))).toEqual({
      free: 1024 * MiB - CONTEXT,
      total: 1024 * MiB,
      device_total: 1024 * MiB,
    });
  });

  it('is the whole device without a slice', async () => {
    expect(fields(await probe(undefined, 'info')).total).toBe(16384 * MiB);
  });

  it('counts every kind of allocation, and takes all of it back', async () => {
    await bed.slice('kinds', `share=500 memory=${1024 * MiB}`);
    const lines = (await probe('kinds', 'kinds')).trim().split('\n');
    const taken = Object.fromEntries(lines.map((l) => [/kind=(\w+)/.exec(l)?.[1], fields(l).taken]));
    expect(taken).toEqual({
      alloc: 3 * MiB,
      pitch: 1024 * 1024, // rows of 1000 bytes, aligned to 256
      managed: 4 * MiB,
      async: 5 * MiB,
      async_ptsz: 6 * MiB,
      vmm: 8 * MiB,
      array: 4 * MiB,
      array3d: 4 * MiB,
      mipmap: (512 * 512 + 256 * 256 + 128 * 128) * 4,
      graph: 7 * MiB, // in a child graph
      captured: 0, // recorded, not allocated
      captured_graph: 9 * MiB,
    });
    for (const line of lines) expect(fields(line).left, line).toBe(0);
  });

  it('of graphs is what the driver reserves: when they are launched, shared by those of a stream, until it is trimmed', async () => {
    const room = 512 * MiB;
    await bed.slice('graphs', `share=500 memory=${CONTEXT + room}`);
    expect(fields(await probe('graphs', 'graphs', String(room)))).toEqual({
      instantiated: 0,
      launched: room / 2, // three of half the room in a row, in each of two graphs
      too_large: 2, // three halves at once
      two_streams: room / 2, // what the first stream no longer uses makes way
      alloc: 0,
      destroyed: room / 2,
      trimmed: 0,
    });
    expect((await bed.row('graphs')).memory.graph).toBe(0);
  });

  it('is exact: what is left can be had, and not a byte more', async () => {
    await bed.slice('exact', `share=500 memory=${1000 * MiB + 12345}`);
    const f = fields(await probe('exact', 'exhaust', String(32 * MiB)));
    expect(f).toMatchObject({ code: 2, over: 2, async: 2, exact: 0, one: 2 });
    expect(f.pieces).toBe(Math.floor((1000 * MiB + 12345 - CONTEXT) / (32 * MiB)));
    expect((await bed.row('exact')).memoryDenied).toBeGreaterThanOrEqual(4);
  });

  it('is refused to a context that does not fit', async () => {
    await bed.slice('small', `share=500 memory=${100 * MiB}`);
    expect(fields(await probe('small', 'context')).retain).toBe(2);
  });

  it('is shared by the processes of a slice', async () => {
    await bed.slice('shared', `share=500 memory=${1024 * MiB}`);
    const holder = bed.spawn('shared', 'tests/cuda_probe', ['hold', String(300 * MiB)]);
    const done = finished(holder);
    await new Promise((resolve) => holder.stdout?.once('data', resolve));
    const f = fields(await probe('shared', 'exhaust', String(MiB)));
    expect(f.pieces).toBe(1024 - 2 * 256 - 300);
    expect(f.exact).toBe(0);
    holder.stdin?.end();
    expect((await done).code).toBe(0);
  });

  it('comes back from a process that is killed', async () => {
    await bed.slice('killed', `share=500 memory=${1024 * MiB}`);
    const holder = bed.spawn('killed', 'tests/cuda_probe', ['hold', String(400 * MiB)]);
    const done = finished(holder);
    await new Promise((resolve) => holder.stdout?.once('data', resolve));
    holder.kill('SIGKILL');
    expect((await done).signal).toBe('SIGKILL');
    expect(fields(await probe('killed', 'info')).free).toBe(1024 * MiB - CONTEXT);
  });

  it('stays within the cap while processes race for it, and is whole again after', async () => {
    const cap = 4 * CONTEXT + 24 * MiB;
    await bed.slice('race', `share=500 memory=${cap}`);
    const from = String(now() + 2_000_000_000n); // all have their contexts by then
    let most = 0;
    let physical = 0;
    const watch = setInterval(() => {
      const { memoryPhysicalUsed, slices } = bed.ledger();
      const row = slices.find((s) => s.id === 'race');
      if (!row) return;
      most = Math.max(most, row.memoryUsed);
      physical = Math.max(physical, memoryPhysicalUsed);
      expect(Object.values(row.memory).reduce((a, b) => a + b, 0)).toBe(row.memoryUsed);
    }, 5);
    const results = await Promise.all([1, 2, 3, 4].map(() => probe('race', 'race', '700', from)));
    clearInterval(watch);
    const sum = (name: string) => results.reduce((total, r) => total + (fields(r)[name] ?? 0), 0);
    expect(sum('allocations')).toBeGreaterThan(1000);
    expect(sum('refusals')).toBeGreaterThan(0);
    const row = await bed.row('race');
    expect(row.memoryUsed).toBe(0);
    expect(row.memoryPeak).toBeGreaterThan(cap - 24 * MiB);
    // What was reserved, what the ledger ever showed, and what the device says it held.
    expect(row.memoryPeak).toBeLessThanOrEqual(cap);
    expect(most).toBeLessThanOrEqual(row.memoryPeak);
    expect(physical).toBeLessThanOrEqual(cap);
  });

  it('keeps its peak when its processes end, when the arbiter is killed, and to the byte', async () => {
    const cap = 1000 * MiB + 12345;
    const own = new Bed();
    try {
      await own.start();
      await own.slice('peak', `share=500 memory=${cap}`);
      expect((await own.run('peak', 'tests/cuda_probe', ['exhaust', String(32 * MiB)])).code).toBe(0);
      // One after another in one millisecond each: what the arbiter sees every 100 ms would be less.
      expect((await own.row('peak')).memoryPeak).toBe(cap);
      await own.stop('SIGKILL');
      await own.start();
      expect(await own.row('peak')).toMatchObject({ memoryPeak: cap, memoryUsed: 0 });
      expect(await own.control('remove id=peak')).toBe('ok');
      await own.slice('peak', `share=500 memory=${cap}`);
      expect((await own.row('peak')).memoryPeak).toBe(0);
    } finally {
      await own.close();
    }
  });

  it('is not touched by a forked child', async () => {
    await bed.slice('fork', `share=500 memory=${1024 * MiB}`);
    expect(fields(await probe('fork', 'fork')).child).toBe(0);
  });

  it('is what NVML shows, without the neighbours', async () => {
    await bed.slice('nvml', `share=500 memory=${1024 * MiB}`);
    await bed.slice('neighbour', `share=500 memory=${1024 * MiB}`);
    const holder = bed.spawn('neighbour', 'tests/cuda_probe', ['hold', String(300 * MiB)]);
    await new Promise((resolve) => holder.stdout?.once('data', resolve));
    expect(fields(await probe('nvml', 'nvml'))).toMatchObject({
      total: 1024 * MiB,
      total2: 1024 * MiB,
      used: CONTEXT,
      used2: CONTEXT,
      free: 1024 * MiB - CONTEXT,
      processes: 1,
    });
    expect(fields(await probe(undefined, 'nvml'))).toMatchObject({ total: 16384 * MiB, processes: 2 });
    holder.stdin?.end();
  });

  it('counts what modules take', async () => {
    await bed.slice('module', `share=500 memory=${1024 * MiB}`);
    const child = bed.spawn('module', 'bench/cuda_load', ['ms=1500', 'ns=1000000']);
    const done = finished(child);
    await expect
      .poll(() => bed.ledger().slices.find((s) => s.id === 'module')?.memory.context, { timeout: 5000 })
      .toBe(CONTEXT + MODULE);
    expect((await done).code).toBe(0);
  });

  it('follows a cap that is changed while the slice runs', async () => {
    await bed.slice('grow', `share=500 memory=${300 * MiB}`);
    expect(fields(await probe('grow', 'exhaust', String(MiB))).pieces).toBe(44);
    expect(await bed.control(`set id=grow memory=${310 * MiB}`)).toBe('ok');
    expect(fields(await probe('grow', 'exhaust', String(MiB))).pieces).toBe(54);
  });

  it('may exceed the device where over-commitment is on', async () => {
    await bed.slice('over', `share=500 memory=${24 * 1024 * MiB} overcommit=1`);
    const f = fields(await probe('over', 'exhaust', String(1024 * MiB)));
    expect(f.pieces).toBe(23);
    expect(f.exact).toBe(0);
  });
});
