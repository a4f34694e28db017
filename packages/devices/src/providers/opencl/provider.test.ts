import { describe, expect, it } from 'vitest';
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

  it('names equal devices apart and the same device the same', () => {
    const device = { platform: 'p', name: 'd' };
    expect(clUuid('m', device, 0)).toBe(clUuid('m', device, 0));
    expect(clUuid('m', device, 0)).not.toBe(clUuid('m', device, 1));
    expect(clUuid('m', device, 0)).not.toBe(clUuid('n', device, 0));
  });
});
