import { describe, expect, it } from 'vitest';
import { pciAddress } from './cl.ts';
import { clUuid, OpenClProvider } from './provider.ts';

describe('OpenCL discovery', () => {
  it('finds the CPU through PoCL, in a process of its own', async () => {
    const { accelerators, problem } = await new OpenClProvider().discover();
    expect(problem).toBeNull();
    const cpu = accelerators.find((a) => a.kind === 'cpu');
    expect(cpu).toBeDefined();
    expect(cpu!.uuid).toMatch(/^OCL-[0-9a-f-]{36}$/);
    expect(cpu!.memory).toBeGreaterThan(2 ** 28);
    expect(cpu!.computeUnits).toBeGreaterThan(0);
    expect(cpu!.model).not.toMatch(/^pthread/);
  });

  it('reads where a device sits, in the words of Khronos and of AMD', () => {
    const khronos = Buffer.alloc(16);
    [1, 0xaf, 0, 2].forEach((n, i) => void khronos.writeUInt32LE(n, i * 4));
    expect(pciAddress('cl_khr_fp64 cl_khr_pci_bus_info', () => khronos)).toBe('0001:af:00.2');
    const amd = Buffer.alloc(24);
    amd.writeUInt32LE(1, 0);
    amd.set([0xc3, 0x1f, 1], 21);
    expect(pciAddress('cl_amd_device_attribute_query', () => amd)).toBe('0000:c3:1f.1');
    expect(pciAddress('cl_khr_fp64', () => amd)).toBeNull();
    expect(pciAddress('cl_khr_pci_bus_info', () => Buffer.alloc(0))).toBeNull();
  });

  it('names equal devices apart and the same device the same', () => {
    const device = { platform: 'p', name: 'd' };
    expect(clUuid('m', device, 0)).toBe(clUuid('m', device, 0));
    expect(clUuid('m', device, 0)).not.toBe(clUuid('m', device, 1));
    expect(clUuid('m', device, 0)).not.toBe(clUuid('n', device, 0));
  });
});
