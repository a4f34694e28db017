import { describe, expect, it } from 'vitest';
import type { Accelerator } from '../accelerator.ts';
import { defaultPool } from '../pool.ts';
import { mpsPlan } from './mps-plan.ts';
import { mpsFeatures } from './mps-tool.ts';

const device: Accelerator = {
  uuid: 'GPU-1',
  index: 0,
  provider: 'nvidia',
  vendor: 'nvidia',
  model: 'Fake GPU',
  kind: 'gpu',
  host: 'here',
  memory: 2 ** 34,
  computeUnits: 132,
  driverVersion: '615.00',
  pciBusId: null,
  numaNode: null,
  migEnabled: null,
  minor: 0,
};
const pool = { ...defaultPool, mps: 'auto' as const };
const host = { control: '/usr/bin/nvidia-cuda-mps-control', root: true };

describe('MPS for a device', () => {
  it('is used where the pool asks for it and all that it needs is there', () => {
    expect(mpsPlan(device, pool, host)).toEqual({ use: true, control: host.control });
  });

  it.each([
    ['the pool leaves it off', device, { ...pool, mps: 'off' as const }, host, 'off in the pool default'],
    ['memory is over-committed', device, { ...pool, deviceMemoryScaling: 1.5 }, host, 'over-committed'],
    ['the control program is missing', device, pool, { ...host, control: null }, 'not installed'],
    ['vgpu is not root', device, pool, { ...host, root: false }, 'root'],
    ['the device is cut by MIG', { ...device, migEnabled: true }, pool, host, 'MIG'],
    ['the driver is too old', { ...device, driverVersion: '390.12' }, pool, host, 'driver 390.12'],
    ['it is no NVIDIA device', { ...device, provider: 'opencl' as const }, pool, host, 'NVIDIA devices only'],
  ])('is not where %s', (_, one, asked, machine, why) => {
    expect(mpsPlan(one, asked, machine)).toEqual({ use: false, why: expect.stringContaining(why) });
  });
});

it('knows what each driver can bound', () => {
  expect(mpsFeatures('470.1', '/nowhere')).toEqual({
    percentages: true,
    clientMemory: false,
    kernelMemory: false,
  });
  expect(mpsFeatures('535.0', '/nowhere')).toMatchObject({ clientMemory: true });
  expect(mpsFeatures('615.00', '/nowhere').kernelMemory).toBe(false); // needs cgroup v2
  expect(mpsFeatures(null)).toEqual({ percentages: false, clientMemory: false, kernelMemory: false });
});
