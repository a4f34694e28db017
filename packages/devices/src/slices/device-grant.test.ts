import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderNodes } from './device-grant.ts';

/** A machine with two GPUs of AMD and one of Intel, as its files show them. */
const root = mkdtempSync(join(tmpdir(), 'vgpu-sysfs-'));
const write = (path: string, text = '') => {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), text);
};

beforeAll(() => {
  write('dev/kfd');
  for (const [node, pci, vendor] of [
    ['renderD128', '0000:00:02.0', '0x8086'],
    ['renderD129', '0000:03:00.0', '0x1002'],
    ['renderD130', '0000:c3:00.0', '0x1002'],
  ] as const) {
    write(`dev/dri/${node}`);
    write(`sys/bus/pci/devices/${pci}/drm/${node}/dev`);
    write(`sys/class/drm/${node}/device/vendor`, `${vendor}\n`);
  }
  write('dev/dri/card0');
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('the nodes of a device with an open driver', () => {
  it('are its own and no other’s', () => {
    expect(renderNodes({ vendor: 'amd', pciBusId: '0000:C3:00.0' }, root)).toEqual([
      '/dev/dri/renderD130',
      '/dev/kfd',
    ]);
    expect(renderNodes({ vendor: 'intel', pciBusId: '0000:00:02.0' }, root)).toEqual(['/dev/dri/renderD128']);
    expect(renderNodes({ vendor: 'intel', pciBusId: '0000:99:00.0' }, root)).toEqual([]);
  });

  it('are its vendor’s where the driver does not say which', () => {
    expect(renderNodes({ vendor: 'intel', pciBusId: null }, root)).toEqual(['/dev/dri/renderD128']);
    expect(renderNodes({ vendor: 'amd', pciBusId: null }, root)).toEqual([
      '/dev/dri/renderD129',
      '/dev/dri/renderD130',
      '/dev/kfd',
    ]);
  });
});
