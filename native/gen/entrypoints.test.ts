import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { build } from '../tests/bed.ts';
import { dispositionOf, harmless, hookOf, hooks, nvmlHooks, refused } from './entrypoints.ts';
import { folder, generateAll } from './generate.ts';
import { deriveSymbols, parseSymbols } from './symbols.ts';

const symbols = parseSymbols(readFileSync(join(import.meta.dirname, 'cuda-symbols.txt'), 'utf8'));
let out: string;
beforeAll(() => {
  out = build();
});

describe('the list of entry points', () => {
  it('covers the driver API of CUDA 13', () => {
    expect(symbols.length).toBeGreaterThan(680);
    expect(symbols.some((s) => s.symbol === 'cuCtxCreate_v4')).toBe(true);
  });

  it('gives every symbol a disposition, with a reason where it is not hooked', () => {
    for (const s of symbols) {
      const d = dispositionOf(s.symbol);
      if (d.kind !== 'hooked') expect(d.reason.length, s.symbol).toBeGreaterThan(5);
    }
  });

  it('names no symbol that does not exist, and no rule that matches nothing', () => {
    const known = new Set(symbols.map((s) => s.symbol));
    expect(Object.keys(hooks).filter((h) => !known.has(h))).toEqual([]);
    for (const rule of [...harmless, ...refused])
      expect(
        symbols.some((s) => rule.match.test(s.symbol)),
        String(rule.match),
      ).toBe(true);
  });

  it('hooks or refuses everything that allocates, launches or instantiates', () => {
    const risky =
      /^cu(MemAlloc(?!Host)|MemCreate$|ArrayCreate|Array3DCreate|MipmappedArrayCreate|Launch(?!HostFunc)|GraphLaunch|GraphInstantiate|CtxCreate|GreenCtxCreate|DevicePrimaryCtxRetain|Memset|MulticastCreate)/;
    const open = symbols.filter((s) => risky.test(s.symbol) && dispositionOf(s.symbol).kind === 'harmless');
    expect(open.map((s) => s.symbol)).toEqual([]);
  });

  it('gives a thunk of the per-thread stream the hook of its sibling', () => {
    for (const s of symbols.filter((x) => x.thread)) {
      const sibling = s.symbol.replace(/_pts[zd]|_ptds/, '');
      expect(hookOf(s.symbol), s.symbol).toBe(hooks[sibling]);
    }
  });

  it('agrees with the generated files', () => {
    for (const [name, text] of generateAll())
      expect(readFileSync(join(folder, name), 'utf8'), name).toBe(text);
  });

  it('agrees with the headers, where they are to be had (VGPU_CUDA_HEADERS)', (context) => {
    const headers = process.env.VGPU_CUDA_HEADERS;
    if (!headers || !existsSync(join(headers, 'cuda.h'))) return context.skip();
    expect(deriveSymbols(headers)).toEqual(symbols);
  });
});

describe('the library', () => {
  const exported = (library: string): string[] =>
    execFileSync('nm', ['-D', '--defined-only', join(out, library)], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map((line) => line.split(' ').at(-1) as string)
      .sort();

  it('exports the hooks, what refuses, and dlsym, and nothing else', () => {
    const ours = symbols.map((s) => s.symbol).filter((s) => dispositionOf(s).kind !== 'harmless');
    expect(exported('libvgpu-limiter.so')).toEqual([...ours, ...Object.keys(nvmlHooks), 'dlsym'].sort());
  });

  it('exports what the OpenCL loader calls, and nothing else', () => {
    expect(exported('libvgpu-opencl-layer.so')).toEqual(['clGetLayerInfo', 'clInitLayer']);
  });

  it.each(['libvgpu-limiter.so', 'libvgpu-opencl-layer.so'])(
    '%s needs no glibc newer than 2.28 and nothing but libc',
    (library) => {
      const text = execFileSync('objdump', ['-T', '-p', join(out, library)], { encoding: 'utf8' });
      const minors = [...text.matchAll(/GLIBC_2\.(\d+)/g)].map((m) => Number(m[1]));
      expect(Math.max(...minors)).toBeLessThanOrEqual(28);
      const needed = [...text.matchAll(/NEEDED\s+(\S+)/g)].map((m) => m[1]).sort();
      expect(needed).toEqual(['libc.so.6', 'libdl.so.2', 'libpthread.so.0']);
    },
  );

  it('sets no signal handler and no umask', () => {
    const text = execFileSync('nm', ['-D', '--undefined-only', join(out, 'libvgpu-limiter.so')], {
      encoding: 'utf8',
    });
    expect(text).not.toMatch(/\b(sigaction|signal|umask|printf|puts|fopen|creat|mkstemp)\b/);
  });
});
