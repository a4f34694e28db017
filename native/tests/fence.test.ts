// Memory partitions of NVIDIA's driver, played by the fake one on control groups of the kernel's own: what a slice's
// control group may hold, whoever goes around the limiter.
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bed, build, fields } from './bed.ts';
import { mountGroups } from './cgroup2.ts';

const MiB = 1 << 20;
const CONTEXT = 256 * MiB;

const root = mountGroups();
const groups: string[] = [];
let bed: Bed;
beforeAll(async () => {
  build();
  bed = new Bed();
  await bed.start();
});
afterAll(async () => {
  await bed.close();
  for (const group of groups) rmdirSync(group);
  if (root) {
    execFileSync('umount', [root]);
    rmdirSync(root);
  }
});

function group(name: string): string {
  const path = join(root as string, `vgpu-test-${process.pid}-${name}`);
  mkdirSync(path);
  groups.push(path);
  return path;
}
/** Runs a program of the build folder in a control group: under a slice, or past the limiter. */
async function inGroup(path: string, slice: string | undefined, ...command: string[]) {
  const [program, ...args] = command as [string, ...string[]];
  const enter = ['-c', 'echo $$ > "$0/cgroup.procs" && exec "$@"', path, join(bed.build, program), ...args];
  return bed.run(slice, 'sh', enter);
}
const exhaust = async (path: string, slice?: string) =>
  fields((await inGroup(path, slice, 'tests/cuda_probe', 'exhaust', String(MiB))).out).pieces;

describe.runIf(root)('the memory of a slice’s control group', () => {
  it('is what NVIDIA’s driver lets it have, also where the limiter is gone around', async () => {
    const path = group('a');
    await bed.slice('a', `share=500 memory=${512 * MiB + 1} cgroup=${path}`);
    expect(await bed.row('a')).toMatchObject({ fence: 'driver', memoryCap: 512 * MiB + 1 });
    // In whole MiB, rounded up, the context counted.
    expect(await exhaust(path)).toBe((513 * MiB - CONTEXT) / MiB);
    const seen = await inGroup(path, undefined, 'tests/cuda_probe', 'info');
    expect(fields(seen.out)).toMatchObject({ total: 513 * MiB, free: 513 * MiB - CONTEXT });
    // Within the limiter: to the byte, and no sooner than before.
    expect(await exhaust(path, 'a')).toBe((512 * MiB - CONTEXT) / MiB);
    // Neither other groups nor the rest of the host.
    const r = await bed.run(undefined, 'tests/cuda_probe', ['info']);
    expect(fields(r.out).total).toBe(16384 * MiB);
  });

  it('is that of all its processes together', async () => {
    const path = group('many');
    await bed.slice('many', `share=500 memory=${1024 * MiB} cgroup=${path}`);
    const holder = inGroup(path, undefined, 'bench/cuda_load', 'ms=3000', `bytes=${100 * MiB}`);
    await expect
      .poll(async () => (await exhaust(path)) ?? 0, { timeout: 5000 })
      .toBe(1024 - 256 - 256 - 100 - 2);
    expect((await holder).code).toBe(0);
  });

  it('follows the slice’s, and is let go with it', async () => {
    const path = group('change');
    await bed.slice('change', `share=500 memory=${512 * MiB}`);
    expect((await bed.row('change')).fence).toBeUndefined();
    expect(await exhaust(path)).toBe(16384 - 256);
    expect(await bed.control(`set id=change cgroup=${path}`)).toBe('ok'); // known once the container is there
    expect(await exhaust(path)).toBe(512 - 256);
    expect(await bed.control(`set id=change memory=${600 * MiB}`)).toBe('ok');
    expect(await exhaust(path)).toBe(600 - 256);
    await bed.stop('SIGKILL');
    expect(await exhaust(path)).toBe(600 - 256);
    await bed.start();
    expect(await bed.row('change')).toMatchObject({ fence: 'driver' });
    expect(await bed.control('remove id=change')).toBe('ok');
    expect(await exhaust(path)).toBe(16384 - 256);
  });

  it('is nobody’s but the limiter’s where the group cannot be had', async () => {
    await bed.slice('none', `share=500 memory=${512 * MiB} cgroup=${join(root as string, 'no-such-group')}`);
    expect((await bed.row('none')).fence).toBeUndefined();
    expect(await bed.control('set id=none cgroup=relative/path')).toMatch(/^error code=bad_request/);
  });
});
