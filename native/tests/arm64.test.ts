// The same C for arm64, built by a cross-compiler and run under an emulator, where both are installed: on Debian
// gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bed, fields, has, root } from './bed.ts';

const MiB = 1 << 20;
const CONTEXT = 256 * MiB;
const wanted = ['aarch64-linux-gnu-gcc', 'qemu-aarch64'];
const missing: string[] = [];
for (const tool of wanted) if (!(await has(tool))) missing.push(tool);
if (missing.length > 0) console.warn(`The limiter is not tested for arm64: no ${missing.join(', no ')} here`);

describe.skipIf(missing.length > 0)('the limiter on arm64, emulated', () => {
  const out = join(root, 'build/arm64');
  let bed: Bed;
  beforeAll(async () => {
    const variables = ['BUILD=build/arm64', 'CC=aarch64-linux-gnu-gcc'];
    execFileSync('make', ['-j2', ...variables], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
    bed = new Bed({ build: out, emulator: ['qemu-aarch64', '-L', '/usr/aarch64-linux-gnu'] });
    await bed.start();
    await bed.slice('a', `share=500 memory=${1024 * MiB}`);
  });
  afterAll(() => bed?.close());

  it('stands in front of the driver on every road', async () => {
    const r = await bed.run('a', 'tests/cuda_probe', ['roads']);
    const ours = 'libvgpu-limiter.so';
    expect(r.err).toBe('');
    const homes = Object.fromEntries([...r.out.matchAll(/(\w+)=(\S+)/g)].map((m) => [m[1], m[2]]));
    expect(homes).toMatchObject({
      dlsym: ours,
      dlsym_default: ours,
      dlsym_unhooked: 'libcuda.so.1',
      dlsym_refused: 'none',
      proc: ours,
      proc_ptsz: ours,
      proc_unhooked: 'libcuda.so.1',
      table_context: ours,
    });
  });

  it('also where a program is linked to it, and keeps the arguments of what it passes on', async () => {
    const r = await bed.run('a', 'tests/cuda_linked');
    expect(fields(r.out)).toMatchObject({ total: 1024 * MiB, over: 2, lacking: 801, small: 0 });
    const alone = await bed.run(undefined, 'tests/cuda_linked', [], {
      LD_PRELOAD: `${out}/libvgpu-limiter.so`,
    });
    expect(fields(alone.out)).toMatchObject({ lacking: 0, small: 2 ** 31 });
  });

  it('counts memory, exactly', async () => {
    const r = await bed.run('a', 'tests/cuda_probe', ['exhaust', String(32 * MiB)]);
    expect(r.err).toBe('');
    expect(fields(r.out)).toMatchObject({
      pieces: (1024 * MiB - CONTEXT) / (32 * MiB),
      code: 2,
      over: 2,
      async: 2,
      one: 2,
    });
  });

  it('lets work through, right and counted', async () => {
    const result = await bed.run('a', 'tests/cuda_probe', ['result', '20']);
    expect({ out: result.out, err: result.err }).toEqual({ out: 'wrong=0 host=1\n', err: '' });
    const launches = await bed.run('a', 'bench/cuda_launch', ['5', 'nothing_0', 'thread']);
    expect({ err: launches.err, code: launches.code }).toEqual({ err: '', code: 0 });
    expect((await bed.row('a')).launches).toBeGreaterThanOrEqual(1000);
  });

  it('needs no glibc newer than 2.28', () => {
    execFileSync('make', ['-s', 'check-abi', 'BUILD=build/arm64'], { cwd: root, stdio: 'pipe' });
  });
});
