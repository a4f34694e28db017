import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Accelerator } from '../accelerator.ts';
import { deviceGrant } from '../slices/device-grant.ts';
import { ensureOwnSpec, findDriverFiles, nvidiaCdiSpec } from './nvidia-spec.ts';
import { expand, installedSpecs, specFor, writeSpec } from './spec.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vgpu-cdi-'));
  for (const dir of ['usr/lib64', 'usr/bin', 'dev']) mkdirSync(join(root, dir), { recursive: true });
  for (const file of [
    'usr/lib64/libcuda.so.580.1',
    'usr/lib64/libnvidia-ml.so.580.1',
    'usr/lib64/libz.so.1',
    'dev/nvidiactl',
  ]) {
    writeFileSync(join(root, file), '');
  }
});
afterEach(() => rmSync(root, { recursive: true }));

const gpu = { uuid: 'GPU-7', provider: 'nvidia', minor: 3 } as Accelerator;

describe('CDI', () => {
  it('describes a device with its own node, the control nodes and the driver read-only', () => {
    const spec = nvidiaCdiSpec([gpu], findDriverFiles(root));
    const grant = expand(spec, 'GPU-7');
    expect(grant.devices.map((d) => d.path)).toEqual(['/dev/nvidiactl', '/dev/nvidia3']);
    expect(grant.mounts.map((m) => m.target)).toEqual([
      '/usr/lib/libcuda.so.580.1',
      '/usr/lib/libcuda.so.1',
      '/usr/lib/libnvidia-ml.so.580.1',
      '/usr/lib/libnvidia-ml.so.1',
    ]);
    expect(grant.mounts.every((m) => m.readOnly)).toBe(true);
  });

  it('gives engines without CDI the short names that a hook would have linked', () => {
    const library = '/usr/lib/x86_64-linux-gnu/libcuda.so.580.95.05';
    const spec = {
      cdiVersion: '0.6.0',
      kind: 'nvidia.com/gpu',
      containerEdits: { mounts: [{ hostPath: library, containerPath: library, options: ['ro'] }] },
      devices: [{ name: 'GPU-7', containerEdits: { env: ['A=b=c'] } }],
    };
    const grant = expand(spec, 'GPU-7');
    expect(grant.mounts).toEqual([
      { source: library, target: library, readOnly: true },
      { source: library, target: '/usr/lib/libcuda.so.1', readOnly: true },
    ]);
    expect(grant.env).toEqual({ A: 'b=c' });
  });

  it('is named where the engine knows it and a specification is installed, and expanded elsewhere', () => {
    const spec = {
      cdiVersion: '0.6.0',
      kind: 'nvidia.com/gpu',
      devices: [{ name: 'GPU-7', containerEdits: { deviceNodes: [{ path: '/dev/nvidia3' }] } }],
    };
    expect(deviceGrant(gpu, true, [spec])).toMatchObject({ cdi: ['nvidia.com/gpu=GPU-7'], devices: [] });
    const expanded = deviceGrant(gpu, false, [spec]);
    expect(expanded.cdi).toEqual([]);
    expect(expanded.devices.map((node) => node.path)).toContain('/dev/nvidia3');
    expect(expanded.env).toMatchObject({ CUDA_VISIBLE_DEVICES: 'GPU-7' });
    expect(deviceGrant(gpu, true, [])).toMatchObject({ cdi: [] });
  });

  it('is written by vgpu where no specification names the device, and left alone where one does', () => {
    const dir = join(root, 'cdi');
    expect(ensureOwnSpec([gpu], [dir])).toBe(join(dir, 'vgpu.json'));
    expect(specFor('GPU-7', installedSpecs([dir]))!.name).toBe('vgpu.dev/gpu=GPU-7');
    expect(ensureOwnSpec([gpu], [dir])).toBeNull();
    expect(ensureOwnSpec([], [join(root, 'other')])).toBeNull();
    expect(ensureOwnSpec([gpu], [join(root, 'dev/nvidiactl/cdi')])).toBeNull();
  });

  it('prefers NVIDIA’s own specification where the toolkit wrote one, and passes over broken files', () => {
    const dir = join(root, 'cdi');
    writeSpec(nvidiaCdiSpec([gpu], findDriverFiles(root)), dir);
    expect(specFor('GPU-7', installedSpecs([dir]))!.name).toBe('vgpu.dev/gpu=GPU-7');
    writeFileSync(join(dir, 'broken.yaml'), '{');
    writeFileSync(
      join(dir, 'nvidia.yaml'),
      'cdiVersion: 0.6.0\nkind: nvidia.com/gpu\ndevices:\n- name: GPU-7\n  containerEdits: {}\n',
    );
    expect(specFor('GPU-7', installedSpecs([dir]))!.name).toBe('nvidia.com/gpu=GPU-7');
    expect(specFor('GPU-8', installedSpecs([dir]))).toBeNull();
  });
});
