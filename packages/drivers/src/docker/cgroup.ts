import { accessSync, constants, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CPU_PERIOD_US, cpuQuotaUs } from './container-spec.ts';

/**
 * Direct access to a container's control group. An engine's own update takes tens of milliseconds (it starts the
 * OCI runtime); writing the same files takes microseconds. `findCgroup` gives undefined away from the engine's host;
 * there, and where `isWritable` says no, the caller asks the engine.
 */
export interface Cgroup {
  version: 'v1' | 'v2';
  /** Folder per controller; for v2 the same one. */
  folder: (controller: 'memory' | 'cpu' | 'pids' | 'cpuacct') => string;
}

const ROOT = '/sys/fs/cgroup';

/** The control group of a process. `containerId` must be part of its path, which proves that the PID is still ours. */
export function findCgroup(pid: number, containerId: string): Cgroup | undefined {
  let lines: string[];
  try {
    lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n');
  } catch {
    return undefined;
  }
  const paths = new Map<string, string>();
  for (const line of lines) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (path === undefined || controllers === undefined) continue;
    for (const controller of controllers.split(',')) paths.set(controller, path);
  }
  const memory = paths.get('memory');
  if (memory?.includes(containerId)) {
    return { version: 'v1', folder: (controller) => join(ROOT, controller, paths.get(controller) ?? memory) };
  }
  const unified = paths.get('');
  if (unified?.includes(containerId) && existsSync(join(ROOT, unified, 'memory.max'))) {
    return { version: 'v2', folder: () => join(ROOT, unified) };
  }
  return undefined;
}

export interface Limits {
  cpuMilli?: number;
  memoryBytes?: number;
  pidsLimit?: number;
}

/** Whether this process may set bounds in it: root may, and whoever a rootless engine's group was delegated to. */
export function isWritable(cgroup: Cgroup): boolean {
  const file = cgroup.version === 'v2' ? 'memory.max' : 'memory.limit_in_bytes';
  try {
    accessSync(join(cgroup.folder('memory'), file), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Writes bounds. Throws the file system's error, e.g. EBUSY when memory in use exceeds the new bound. */
export function writeLimits(cgroup: Cgroup, limits: Limits): void {
  const put = (controller: 'memory' | 'cpu' | 'pids', file: string, value: string | number) =>
    writeFileSync(join(cgroup.folder(controller), file), String(value));
  const { cpuMilli, memoryBytes, pidsLimit } = limits;
  if (cgroup.version === 'v2') {
    if (memoryBytes) {
      put('memory', 'memory.max', memoryBytes);
      if (existsSync(join(cgroup.folder('memory'), 'memory.swap.max'))) put('memory', 'memory.swap.max', 0);
    }
    if (cpuMilli) put('cpu', 'cpu.max', `${cpuQuotaUs(cpuMilli)} ${CPU_PERIOD_US}`);
  } else {
    if (memoryBytes) writeMemoryV1(cgroup.folder('memory'), memoryBytes);
    if (cpuMilli) {
      put('cpu', 'cpu.cfs_period_us', CPU_PERIOD_US);
      put('cpu', 'cpu.cfs_quota_us', cpuQuotaUs(cpuMilli));
    }
  }
  if (pidsLimit) put('pids', 'pids.max', pidsLimit);
}

/** In v1, memory may at no moment exceed memory plus swap: the order of the two writes depends on the direction. */
function writeMemoryV1(folder: string, bytes: number): void {
  const memory = join(folder, 'memory.limit_in_bytes');
  const both = join(folder, 'memory.memsw.limit_in_bytes');
  if (!existsSync(both)) writeFileSync(memory, String(bytes));
  else if (BigInt(readFileSync(memory, 'utf8').trim()) < BigInt(bytes)) {
    writeFileSync(both, String(bytes));
    writeFileSync(memory, String(bytes));
  } else {
    writeFileSync(memory, String(bytes));
    writeFileSync(both, String(bytes));
  }
}

/** CPU ms, memory bytes (page cache that can be dropped left out), and processes. */
export function readUsage(cgroup: Cgroup): { cpuMs: number; memoryBytes: number; pids: number } {
  const read = (controller: 'memory' | 'pids' | 'cpuacct' | 'cpu', file: string) =>
    readFileSync(join(cgroup.folder(controller), file), 'utf8').trim();
  const field = (text: string, key: string) =>
    Number(new RegExp(`^${key} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  const pids = Number(read('pids', 'pids.current'));
  if (cgroup.version === 'v2') {
    const inactive = field(read('memory', 'memory.stat'), 'inactive_file');
    return {
      cpuMs: field(read('cpu', 'cpu.stat'), 'usage_usec') / 1000,
      memoryBytes: Number(read('memory', 'memory.current')) - inactive,
      pids,
    };
  }
  const inactive = field(read('memory', 'memory.stat'), 'total_inactive_file');
  return {
    cpuMs: Number(read('cpuacct', 'cpuacct.usage')) / 1e6,
    memoryBytes: Number(read('memory', 'memory.usage_in_bytes')) - inactive,
    pids,
  };
}
