import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Accelerator } from '../accelerator.ts';
import { mpsFeatures } from '../mps/mps-tool.ts';

/** Where cgroup v2 is mounted; VGPU_CGROUP_ROOT names another place than the usual one. */
export const cgroupRoot = (env: NodeJS.ProcessEnv = process.env): string =>
  env.VGPU_CGROUP_ROOT || '/sys/fs/cgroup';

/**
 * Whether NVIDIA's driver can hold a control group to an amount of this device's memory, and would let this process
 * tell it to: driver 615, cgroup v2, no MIG, root (NVIDIA, *MPS v3 Memory Partitioning*).
 */
export function hasMemoryPartitions(device: Accelerator, root = cgroupRoot()): boolean {
  if (device.provider !== 'nvidia' || device.migEnabled || process.getuid?.() !== 0) return false;
  return mpsFeatures(device.driverVersion, root).kernelMemory;
}

const groupName = (pid: number | 'self'): string | undefined => {
  try {
    return /^0::(\/.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1];
  } catch {
    return undefined; // it has ended
  }
};

/** The folder of the control group that a process is in; undefined where that is the root, and so everybody's. */
export function groupOf(pid: number, root = cgroupRoot()): string | undefined {
  const name = groupName(pid);
  return name && name !== '/' && existsSync(join(root, name)) ? join(root, name) : undefined;
}

const PREFIX = 'vgpu-';

/** Makes a control group for the programs of a slice of the host; undefined where that cannot be done. */
export function makeGroup(slice: string, root = cgroupRoot()): string | undefined {
  const path = join(root, `${PREFIX}${slice}`);
  try {
    // a limit can only be set where the controller is on; without it the driver counts by itself
    if (readFileSync(join(root, 'cgroup.controllers'), 'utf8').split(/\s/).includes('dmem'))
      appendFileSync(join(root, 'cgroup.subtree_control'), '+dmem');
    mkdirSync(path);
    return path;
  } catch {
    return undefined;
  }
}

/** What `start` starts begins in the group; this process goes back to where it was. */
export function startIn<T>(group: string | undefined, start: () => T, root = cgroupRoot()): T {
  const before = groupName('self');
  if (!group || !before) return start();
  const move = (path: string) => writeFileSync(join(path, 'cgroup.procs'), String(process.pid));
  move(group);
  try {
    return start();
  } finally {
    move(join(root, before));
  }
}

/** Removes the groups of slices that are gone: whoever made them was killed before it could. */
export function removeDeadGroups(gone: (slice: string) => boolean, root = cgroupRoot()): void {
  if (!existsSync(join(root, 'cgroup.controllers'))) return;
  for (const name of readdirSync(root)) {
    if (!name.startsWith(PREFIX) || !gone(name.slice(PREFIX.length))) continue;
    try {
      rmdirSync(join(root, name));
    } catch {
      // programs go on in it
    }
  }
}

/** Removes a group once its processes are gone; leaves it to them where some go on. */
export async function removeGroup(group: string): Promise<void> {
  for (let i = 0; i < 25; i++) {
    try {
      return rmdirSync(group);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      await sleep(20);
    }
  }
}
