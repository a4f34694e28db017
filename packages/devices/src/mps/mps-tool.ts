import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const NAME = 'nvidia-cuda-mps-control';

/**
 * NVIDIA's MPS control program, which comes with its driver; null where it is not installed. VGPU_MPS_CONTROL names
 * another one than that of the PATH.
 */
export function findMpsControl(env: NodeJS.ProcessEnv = process.env): string | null {
  const folders = [...(env.PATH ?? '').split(delimiter), '/usr/bin'].filter(Boolean);
  const candidates = env.VGPU_MPS_CONTROL ? [env.VGPU_MPS_CONTROL] : folders.map((dir) => join(dir, NAME));
  return candidates.find(executable) ?? null;
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The control program's own version, such as `13040`; null where it does not tell (before CUDA 13). */
export async function mpsVersion(control: string): Promise<string | null> {
  const { stdout } = await promisify(execFile)(control, ['-v'], { timeout: 5000 }).catch(() => ({
    stdout: '',
  }));
  return /\d{4,}/.exec(stdout)?.[0] ?? null;
}

/** What the MPS of a driver can bound. */
export interface MpsFeatures {
  /** Active thread percentages for each client (Volta and later; driver 396). */
  readonly percentages: boolean;
  /** A limit on the device memory of each client (CUDA 11.5; driver 495). */
  readonly clientMemory: boolean;
  /** Memory limits for each cgroup that the kernel enforces (CUDA 13.4; driver 615; cgroup v2). */
  readonly kernelMemory: boolean;
}

/**
 * Versions as NVIDIA's documentation of MPS gives them (release 615).
 * @param driver its version, such as `615.00`; null: unknown, taken for one that can do nothing.
 */
export function mpsFeatures(driver: string | null, cgroups = '/sys/fs/cgroup'): MpsFeatures {
  const major = Number.parseInt(driver ?? '0', 10) || 0;
  return {
    percentages: major >= 396,
    clientMemory: major >= 495,
    kernelMemory: major >= 615 && existsSync(join(cgroups, 'cgroup.controllers')),
  };
}
