import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Reading } from '../../accelerator.ts';
import { healthAfterXid } from './health.ts';
import { NvidiaProvider } from './provider.ts';

const native = fileURLToPath(new URL('../../../../../native', import.meta.url));

describe('NVIDIA discovery on the fake driver', () => {
  beforeAll(() => {
    execFileSync('make', ['-s', '-C', native], { stdio: 'pipe' });
    process.env.VGPU_NVML_LIBRARY = `${native}/build/fakedriver/libnvidia-ml.so.1`;
  });
  afterAll(() => {
    delete process.env.VGPU_NVML_LIBRARY;
  });

  it('reads UUID, model and memory, then live figures', async () => {
    const provider = new NvidiaProvider();
    const { accelerators, problem } = await provider.discover();
    expect(problem).toBeNull();
    expect(accelerators[0]).toMatchObject({ provider: 'nvidia', vendor: 'nvidia', kind: 'gpu', index: 0 });
    expect(accelerators[0]!.uuid).toMatch(/^GPU-/);
    expect(accelerators[0]!.memory).toBeGreaterThan(2 ** 30);
    const reading = await new Promise<Reading>((resolve) => {
      const watch = provider.watch(({ readings }) => {
        if (!readings?.[0]) return;
        watch.stop();
        resolve(readings[0]);
      });
    });
    expect(reading.uuid).toBe(accelerators[0]!.uuid);
    expect(reading.temperature).toBeGreaterThan(0);
    expect(reading.power).toBeGreaterThan(0);
  });
});

describe('without a driver', () => {
  it('finds nothing and sees no problem in that', async () => {
    process.env.VGPU_NVML_LIBRARY = 'libno-such-nvml.so.1';
    expect(await new NvidiaProvider().discover()).toEqual({ accelerators: [], problem: null });
    delete process.env.VGPU_NVML_LIBRARY;
  });
});

describe('Xid errors', () => {
  it('of a program leave the device healthy, of the device do not', () => {
    expect(healthAfterXid('GPU-1', 13)).toBeNull();
    expect(healthAfterXid('GPU-1', 79)).toMatchObject({ uuid: 'GPU-1', health: 'unhealthy' });
  });
});
