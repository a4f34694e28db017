import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bed, build, fields } from './bed.ts';

let bed: Bed;
beforeAll(async () => {
  build();
  bed = new Bed();
  await bed.start();
  await bed.slice('a', `share=500 memory=${1 << 30}`);
});
afterAll(() => bed.close());

describe('every road that leads to the driver', () => {
  it('passes the limiter under a slice', async () => {
    const r = await bed.run('a', 'tests/cuda_probe', ['roads']);
    const homes = Object.fromEntries([...r.out.matchAll(/^(\w+)=(\S+)/gm)].map((m) => [m[1], m[2]]));
    const ours = 'libvgpu-limiter.so';
    expect(homes).toEqual({
      dlsym: ours,
      dlsym_default: ours,
      dlsym_unhooked: 'libcuda.so.1',
      dlsym_refused: 'none',
      dlsym_absent: 'none',
      proc: ours,
      proc_ptsz: ours,
      proc_old: ours,
      proc_unhooked: 'libcuda.so.1',
      proc_itself: ours,
      table_size: '16',
      table_runtime: 'libcuda.so.1', // handed on as it is
      table_unknown: '1',
    });
    expect(r.out).toMatch(/ table_context=libvgpu-limiter.so$/m);
    expect([...r.out.matchAll(/same=(\d)/g)].map((m) => m[1])).toEqual(['1', '1', '1']);
  });

  it('tells whoever asks which private tables are looked up, and which of them nobody knows', async () => {
    const { err } = await bed.run('a', 'tests/cuda_probe', ['roads'], { VGPU_DEBUG: '1' });
    expect(err).toMatch(/private table 0ca50b8c1004929a89a7d0df10e77286 \(context creation\): 0$/m);
    expect(err).toMatch(/private table 7369787465656e2062797465732e2e2e \(not on the list\): 1$/m);
  });

  it('leads to the driver itself without a slice', async () => {
    const env = { LD_PRELOAD: `${bed.build}/libvgpu-limiter.so` };
    const r = await bed.run(undefined, 'tests/cuda_probe', ['roads'], env);
    expect(r.out).toMatch(/^dlsym=libcuda.so.1$/m);
    expect(r.out).toMatch(/^proc=libcuda.so.1/m);
  });

  it('includes linking to the driver', async () => {
    const r = await bed.run('a', 'tests/cuda_linked');
    expect(fields(r.out)).toEqual({
      free: (1 << 30) - (256 << 20),
      total: 1 << 30,
      over: 2,
      lacking: 801, // CUDA_ERROR_NOT_SUPPORTED, by the limiter
      small: 0,
    });
    const preload = { LD_PRELOAD: `${bed.build}/libvgpu-limiter.so` };
    const alone = await bed.run(undefined, 'tests/cuda_linked', [], preload);
    expect(fields(alone.out)).toMatchObject({ lacking: 0, small: 2 ** 31 }); // the driver's own, with its arguments
  });

  it('is no road where there is no driver: as if we were not there', async () => {
    const r = await bed.run('a', 'tests/cuda_probe', ['info'], { LD_LIBRARY_PATH: '' });
    expect(r.code).toBe(77);
    expect(r.err).toContain('libcuda.so.1');
    expect(r.out).toBe('');
  });

  it('gives the same results as without the limiter', async () => {
    for (const slice of [undefined, 'a']) {
      const r = await bed.run(slice, 'tests/cuda_probe', ['result', '60']);
      expect({ out: r.out, code: r.code }).toEqual({ out: 'wrong=0 host=1\n', code: 0 });
    }
  });

  it('leaves stream capture alone, while the device is contended', async () => {
    await bed.slice('b', `share=500 memory=${1 << 30}`);
    const other = bed.run('b', 'bench/cuda_load', ['ms=1500']);
    const r = await bed.run('a', 'tests/cuda_probe', ['capture', '25']);
    expect({ out: r.out, err: r.err }).toEqual({ out: 'captures=25\n', err: '' });
    expect((await other).code).toBe(0);
  });

  it('keeps the standard streams clean', async () => {
    const r = await bed.run('a', 'tests/cuda_probe', ['init']);
    expect(r).toMatchObject({ out: 'init=0\n', err: '', code: 0 });
  });
});
