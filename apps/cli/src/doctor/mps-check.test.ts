import { expect, it } from 'vitest';
import { checkMps } from './mps-check.ts';

it('says nothing of MPS where there is no NVIDIA driver', () => {
  expect(checkMps(null, false, [])).toEqual([]);
});

it('says whether MPS can be had', () => {
  expect(checkMps('/usr/bin/nvidia-cuda-mps-control', true, ['Default'])).toMatchObject([
    { name: 'mps', level: 'ok', text: expect.stringContaining('/usr/bin/nvidia-cuda-mps-control') },
  ]);
  expect(checkMps(null, true, ['Default'])[0]!.text).toContain('not installed');
});

it('warns of compute modes that keep slices from working, and says that they are left as they are', () => {
  const found = checkMps(null, true, ['Default', 'Exclusive_Process', 'Prohibited']);
  expect(found.slice(1)).toMatchObject([
    { level: 'warn', text: expect.stringContaining('GPU 1: exclusive process') },
    { level: 'warn', text: expect.stringContaining('GPU 2: prohibited') },
  ]);
  expect(found.slice(1).every((one) => one.advice?.includes('vgpu never does'))).toBe(true);
});
