import { chmodSync, chownSync, existsSync, mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createRing } from '@vgpu/telemetry';
import type { OutputLimits } from '../types.ts';
import { mountTmpfs, resizeTmpfs, type TmpfsOptions, unmount } from './tmpfs.ts';

/** The ring's own size is 4 MiB + a page; the rest is for sockets. */
const CTL_BYTES = 5 * 1024 * 1024;
const CTL_INODES = 64;

/** Host folders of one worker. `in` is on disk next to the datasets (hard links), the rest on tmpfs. */
export interface WorkerPaths {
  key: string;
  /** Folder on disk: `in/` and `task.json`. */
  disk: string;
  in: string;
  record: string;
  /** Folder on tmpfs: `ctl/` and `out/`. */
  volatile: string;
  ctl: string;
  /** Folder in `ctl` that the worker may write: its sockets and its last word. */
  sockets: string;
  ring: string;
  out: string;
}

export interface FolderSettings {
  /** `<VGPU_HOME>/workers` */
  diskRoot: string;
  /** `/dev/shm/vgpu-<home id>` */
  volatileRoot: string;
  /** Owner of what a worker may write. */
  uid: number;
  gid: number;
  /** Whether this process may mount file systems (root in the host's mount namespace). */
  canMount: boolean;
}

export function workerPaths(settings: FolderSettings, key: string): WorkerPaths {
  const disk = join(settings.diskRoot, key);
  const volatile = join(settings.volatileRoot, key);
  const ctl = join(volatile, 'ctl');
  const onDisk = join(disk, 'out');
  return {
    key,
    disk,
    in: join(disk, 'in'),
    record: join(disk, 'task.json'),
    volatile,
    ctl,
    sockets: join(ctl, 's'),
    ring: join(ctl, 'ring'),
    out: existsSync(onDisk) ? onDisk : join(volatile, 'out'),
  };
}

/**
 * Makes a worker's folders. Where this process may mount, `ctl` and `out` are file systems of their own: their
 * bounds are the kernel's, whatever the program does. Elsewhere the driver watches `out`.
 */
export async function makeFolders(
  settings: FolderSettings,
  key: string,
  out: { limits: OutputLimits; onDisk: boolean },
): Promise<WorkerPaths> {
  if (out.onDisk) mkdirSync(join(settings.diskRoot, key, 'out'), { recursive: true });
  const paths = workerPaths(settings, key);
  mkdirSync(settings.volatileRoot, { recursive: true, mode: 0o700 });
  mkdirSync(join(paths.in, 'data'), { recursive: true, mode: 0o755 });
  mkdirSync(paths.ctl, { recursive: true });
  mkdirSync(paths.out, { recursive: true });
  if (settings.canMount) {
    mountTmpfs('vgpu-ctl', paths.ctl, { bytes: CTL_BYTES, inodes: CTL_INODES, noexec: true });
    if (!out.onDisk) {
      const { uid, gid } = settings;
      mountTmpfs('vgpu-out', paths.out, { ...boundsOf(out.limits), owner: { uid, gid } });
    }
  }
  // Only its own folder inside: the ring can be neither removed nor replaced.
  mkdirSync(paths.sockets);
  for (const dir of [paths.sockets, ...(settings.canMount && !out.onDisk ? [] : [paths.out])]) {
    chmodSync(dir, 0o777);
    if (process.getuid?.() === 0) chownSync(dir, settings.uid, settings.gid);
  }
  createRing(
    paths.ring,
    process.getuid?.() === 0 ? { uid: settings.uid, gid: settings.gid } : { mode: 0o666 },
  );
  return paths;
}

/** The root folder itself takes an inode. */
const boundsOf = (limits: OutputLimits): TmpfsOptions => ({ bytes: limits.bytes, inodes: limits.files + 1 });

/** Changes the bounds of a mounted output folder. */
export function resizeOut(paths: WorkerPaths, limits: OutputLimits): void {
  resizeTmpfs(paths.out, boundsOf(limits));
}

/** Gives everything back. Idempotent; safe against whatever lies in the folders. */
export async function removeFolders(paths: WorkerPaths, mounted: boolean): Promise<void> {
  if (mounted) await Promise.all([paths.ctl, join(paths.volatile, 'out')].map(unmount));
  await Promise.all(
    [paths.disk, paths.volatile].map((dir) => rm(dir, { recursive: true, force: true, maxRetries: 3 })),
  );
}
