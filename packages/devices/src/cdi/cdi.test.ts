import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Accelerator } from '../accelerator.ts';
import { findDriverFiles, nvidiaCdiSpec } from './nvidia-spec.ts';
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
      '/usr/lib/libnvidia-ml.so.580.1',
    ]);
    expect(grant.mounts.every((m) => m.readOnly)).toBe(true);
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
