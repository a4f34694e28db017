import { describe, expect, it } from 'vitest';
import { offerOf } from './offers.ts';
import type { Pending } from './pending.ts';
import type { AcceleratorView } from './view.ts';

const GIB = 1024 ** 3;

const device = (over: Partial<AcceleratorView> = {}): AcceleratorView => ({
  uuid: 'g',
  model: 'A100',
  mode: 'shared',
  milli: 1000,
  freeMilli: 1000,
  vramBytes: 40 * GIB,
  freeVramBytes: 40 * GIB,
  ...over,
});

const task = (over: Partial<Pending> = {}): Pending => ({
  taskId: 't',
  jobId: 'j',
  project: 'p',
  submittedAt: 0,
  cpuMilli: 1,
  memoryBytes: 1,
  gpuMilli: 250,
  gpuCount: 1,
  ...over,
});

const shareOf = (asked: Pending, of: AcceleratorView) => {
  const offer = offerOf(asked, of, false);
  return typeof offer === 'string' ? offer : offer.share;
};

describe('memory that nobody named', () => {
  it('is the same part as of the compute', () => {
    expect(shareOf(task(), device())).toMatchObject({ milli: 250, vramBytes: 10 * GIB });
    expect(shareOf(task({ gpuMilli: 1000 }), device({ milli: 2000, freeMilli: 2000 }))).toMatchObject({
      vramBytes: 20 * GIB,
    });
    expect(shareOf(task(), device({ freeVramBytes: 9 * GIB }))).toBe('vram');
  });

  it('is all that is free with a whole device', () => {
    expect(shareOf(task({ gpuMilli: 1000 }), device({ freeVramBytes: 39 * GIB }))).toMatchObject({
      vramBytes: 39 * GIB,
    });
  });

  it('does not override what was named', () => {
    expect(shareOf(task({ vramBytes: 2 * GIB }), device())).toMatchObject({ vramBytes: 2 * GIB });
    expect(shareOf(task({ vramBytes: 0 }), device({ freeVramBytes: 0 }))).toMatchObject({ vramBytes: 0 });
  });
});

describe('hard isolation', () => {
  it('is all of a device, but not of one that knows none', () => {
    const asked = task({ gpuMilli: 1000, isolation: 'hard' });
    expect(shareOf(asked, device())).toMatchObject({ milli: 1000 });
    expect(shareOf(asked, device({ alwaysSoft: true }))).toBe('no-isolation');
    expect(shareOf(task({ isolation: 'any' }), device({ alwaysSoft: true }))).toMatchObject({ milli: 250 });
  });
});
