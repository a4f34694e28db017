import { readdirSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Accelerator } from '../accelerator.ts';
import { type CdiEdits, type CdiSpec, cdiDirs, installedSpecs, specFor, writeSpec } from './spec.ts';

/**
 * User-space parts of NVIDIA's driver that compute work needs; the names are those that NVIDIA lists in the
 * driver's README, "Installed components". Their version is part of the file name.
 */
const libraries = [
  'libcuda.so',
  'libcudadebugger.so',
  'libnvidia-ml.so',
  'libnvidia-ptxjitcompiler.so',
  'libnvidia-nvvm.so',
  'libnvidia-opencl.so',
  'libnvidia-gpucomp.so',
];

const libraryDirs = [
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
  '/usr/lib64',
  '/usr/lib',
  '/usr/local/nvidia/lib64',
];
const controlNodes = ['/dev/nvidiactl', '/dev/nvidia-uvm', '/dev/nvidia-uvm-tools', '/dev/nvidia-modeset'];

export interface DriverFiles {
  libraries: string[];
  nodes: string[];
  programs: string[];
}

const entries = (dir: string): string[] => {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
};

/** The driver's files on this host. @param root another root than `/`, for a driver in a container. */
export function findDriverFiles(root = '/'): DriverFiles {
  const found = new Map<string, string>();
  for (const dir of libraryDirs.map((d) => join(root, d))) {
    for (const name of entries(dir)) {
      if (!libraries.some((library) => name.startsWith(`${library}.`)) || found.has(name)) continue;
      found.set(name, join(dir, name));
    }
  }
  const dev = entries(join(root, 'dev'));
  return {
    libraries: [...found.values()].sort(),
    nodes: controlNodes.filter((path) => dev.includes(basename(path))),
    programs: ['/usr/bin/nvidia-smi'].filter((path) =>
      entries(join(root, '/usr/bin')).includes(basename(path)),
    ),
  };
}

/**
 * A CDI specification of these NVIDIA devices, one CDI device for each by UUID, written by vgpu where NVIDIA's
 * Container Toolkit is absent. Format: github.com/cncf-tags/container-device-interface, SPEC.md, version 0.6.0.
 */
export function nvidiaCdiSpec(
  devices: readonly Accelerator[],
  files: DriverFiles = findDriverFiles(),
): CdiSpec {
  const mounts = [...files.libraries, ...files.programs].map((path) => ({
    hostPath: realpathSync(path),
    containerPath: path.startsWith('/usr/bin') ? path : `/usr/lib/${basename(path)}`,
    options: ['ro', 'nosuid', 'nodev', 'bind'],
  }));
  const shared: CdiEdits = {
    env: ['NVIDIA_VISIBLE_DEVICES=void'],
    deviceNodes: files.nodes.map((path) => ({ path })),
    mounts,
  };
  return {
    cdiVersion: '0.6.0',
    kind: 'vgpu.dev/gpu',
    containerEdits: shared,
    devices: devices
      .filter((device) => device.provider === 'nvidia' && device.minor !== null)
      .map((device) => ({
        name: device.uuid,
        containerEdits: { deviceNodes: [{ path: `/dev/nvidia${device.minor}` }] },
      })),
  };
}

/**
 * Writes our specification where none is installed that names these devices, so that the engine can be told them by
 * name. Without the right to write there the devices are expanded instead, to the same effect.
 * @returns the file, or null where nothing was written.
 */
export function ensureOwnSpec(devices: readonly Accelerator[], dirs = cdiDirs()): string | null {
  const mine = devices.filter((device) => device.provider === 'nvidia' && device.minor !== null);
  const installed = installedSpecs(dirs);
  if (mine.every((device) => specFor(device.uuid, installed))) return null;
  try {
    return writeSpec(nvidiaCdiSpec(mine), dirs.at(-1));
  } catch {
    return null;
  }
}
