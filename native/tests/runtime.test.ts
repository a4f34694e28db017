// The roads of the CUDA runtime and of other people's programs.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dispositionOf } from '../gen/entrypoints.ts';
import { type DriverSymbol, parseSymbols } from '../gen/symbols.ts';
import { Bed, build, fields, root } from './bed.ts';
import { packages } from './pypi.ts';

const MiB = 1 << 20;
const CONTEXT = 256 * MiB;
const MODULE = 2 * MiB;

let bed: Bed;
beforeAll(async () => {
  build();
  bed = new Bed();
  await bed.start();
});
afterAll(() => bed.close());

const symbols = parseSymbols(readFileSync(join(root, 'gen/cuda-symbols.txt'), 'utf8'));

/** The symbol that cuGetProcAddress chooses, by NVIDIA's documentation of it: the newest that the version has. */
function chosen(base: string, version: number, thread: boolean): DriverSymbol | undefined {
  const known = symbols.filter((s) => s.base === base && (s.version ?? 0) <= version);
  const own = known.filter((s) => s.thread);
  return (thread && own.length > 0 ? own : known.filter((s) => !s.thread)).sort(
    (a, b) => (b.version ?? 0) - (a.version ?? 0),
  )[0];
}

describe.each([
  {
    name: 'nvidia-cuda-runtime-cu12==12.9.79',
    library: 'nvidia/cuda_runtime/lib/libcudart.so.12',
    runtime: 12090,
  },
  { name: 'nvidia-cuda-runtime==13.5.37', library: 'nvidia/cu13/lib/libcudart.so.13', runtime: 13050 },
])('NVIDIA’s libcudart $runtime', ({ name, library, runtime }) => {
  it('finds our function for everything that is hooked, and the driver’s for the rest', async (context) => {
    const wheel = packages(name);
    if ('missing' in wheel) return context.skip(wheel.missing);
    await bed.slice(`rt${runtime}`, `share=500 memory=${1 << 30}`);
    const r = await bed.run(`rt${runtime}`, 'tests/cudart_probe', [join(wheel.folder, library)], {
      VGPU_DEBUG: '1',
    });
    // It refuses a driver that cannot prove to be NVIDIA's, as the fake one does not (see fakedriver/cuda/tables.c),
    // but only once it has looked everything up.
    expect(fields(r.out)).toEqual({ count: -1, error: 801, driver: 13050, runtime });
    const found = [...r.err.matchAll(/look-up (\w+) (\d+) (thread|legacy): (\w+)/g)].map((m) => ({
      base: m[1] as string,
      version: Number(m[2]),
      thread: m[3] === 'thread',
      answer: m[4],
    }));
    expect(found.length).toBeGreaterThan(350);
    expect(found.filter((f) => f.answer === 'hook').length).toBeGreaterThan(90);
    for (const f of found) {
      const symbol = chosen(f.base, f.version, f.thread);
      if (!symbol) continue; // of the graphics APIs
      const kind = dispositionOf(symbol.symbol).kind;
      const answer = { hooked: 'hook', refused: 'refused', harmless: 'driver' }[kind];
      expect({ ...f, symbol: symbol.symbol }).toEqual({ ...f, symbol: symbol.symbol, answer });
    }
  });
});

describe('the road of the runtime: functions by name and version', () => {
  const road = { VGPU_TEST_ROAD: 'versions' };

  it('counts memory, exactly', async () => {
    await bed.slice('memory', `share=500 memory=${1000 * MiB + 4321}`);
    const kinds = await bed.run('memory', 'tests/cuda_probe', ['kinds'], road);
    expect(kinds.err).toBe('');
    const lines = kinds.out.trim().split('\n');
    expect(lines.length).toBe(12);
    for (const line of lines) {
      expect(fields(line).left, line).toBe(0);
      if (!line.includes('kind=captured ')) expect(fields(line).taken, line).toBeGreaterThan(0);
    }
    const full = await bed.run('memory', 'tests/cuda_probe', ['exhaust', String(32 * MiB)], road);
    expect(fields(full.out)).toMatchObject({ code: 2, over: 2, async: 2, exact: 0, one: 2 });
    expect(fields(full.out).pieces).toBe(Math.floor((1000 * MiB + 4321 - CONTEXT) / (32 * MiB)));
  });

  it.each(['chunk=1', 'graph=4', 'coop=1'])('counts every launch, %s', async (how) => {
    const id = `launches-${how.replace('=', '')}`;
    await bed.slice(id, `share=500 memory=${1 << 30}`);
    const r = await bed.run(id, 'bench/cuda_load', ['ms=200', 'ns=1000000', how], road);
    expect(r.err).toBe('');
    const row = await bed.row(id);
    expect(row.launches).toBe(fields(r.out).launches);
    expect(row.launches).toBeGreaterThan(10);
  });

  it.each(['own', 'legacy', 'thread'])(
    'counts the last launches of a process too, %s stream',
    async (stream) => {
      await bed.slice(`last-${stream}`, `share=500 memory=${1 << 30}`);
      const r = await bed.run(`last-${stream}`, 'bench/cuda_launch', ['7', 'nothing_0', stream], road);
      expect(r.err).toBe('');
      expect((await bed.row(`last-${stream}`)).launches).toBe(7 * 200);
    },
  );

  it('gives right results', async () => {
    await bed.slice('result', `share=500 memory=${1 << 30}`);
    const r = await bed.run('result', 'tests/cuda_probe', ['result', '60'], road);
    expect({ out: r.out, code: r.code }).toEqual({ out: 'wrong=0 host=1\n', code: 0 });
  });
});

describe('a CUDA program by others', () => {
  it('NVIDIA’s cuda-bindings: results right, memory counted, cap exact', async (context) => {
    const wheels = packages('cuda-bindings==13.5.0', 'cuda-pathfinder==1.9.0');
    if ('missing' in wheels) return context.skip(wheels.missing);
    await bed.slice('bindings', `share=500 memory=${1024 * MiB}`);
    const r = await bed.run('bindings', 'python3', [join(root, 'tests/bindings_probe.py')], {
      PYTHONPATH: wheels.folder,
    });
    expect(r.err).toBe('');
    expect(fields(r.out)).toEqual({
      total: 1024 * MiB,
      wrong: 0,
      alloc: 3 * MiB,
      pitch: 1024 * 1024,
      managed: 4 * MiB,
      async: 5 * MiB,
      array: 2 * MiB,
      free: 1024 * MiB - CONTEXT - MODULE,
      over: 2,
      exact: 0,
      one: 2,
    });
  });
});
