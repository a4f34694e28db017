import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seccompProfile } from './seccomp.ts';

export interface TmpfsBounds {
  bytes: number;
  files: number;
  /** Octal. */
  mode: string;
  owner?: { uid: number; gid: number };
}

/** Where Docker and Podman read the same request differently. */
export interface EngineDialect {
  engine: 'docker' | 'podman';
  rootless: boolean;
  /** Value of the security option `seccomp=`: Docker takes the profile itself, Podman the path of a file that holds it. */
  seccomp: string;
  /** Options of a file system in memory. */
  tmpfs: (bounds: TmpfsBounds) => string;
  /** Bounds per user that must be said, since the engine's own default may be more than it may set. */
  ulimits: { Name: string; Soft: number; Hard: number }[];
  /** Podman without root: the caller keeps its number inside, so that files of a worker belong to whoever runs vgpu. */
  userns?: 'keep-id';
}

const dockerTmpfs = ({ bytes, files, mode, owner }: TmpfsBounds): string =>
  `size=${bytes},nr_inodes=${files},mode=${mode}${owner ? `,uid=${owner.uid},gid=${owner.gid}` : ''}`;

/**
 * Podman takes neither a bound on the number of files (the worker's memory bounds them too) nor an owner. What is
 * alone in its container may as well share: the mode becomes that of `/tmp`.
 */
const podmanTmpfs = ({ bytes, mode, owner }: TmpfsBounds): string =>
  `size=${bytes},mode=${owner ? '1777' : mode}`;

const PROFILE = JSON.stringify(seccompProfile());

/**
 * How to speak to an engine.
 * @param home VGPU_HOME; Podman reads the system-call filter from a file in it.
 */
export function engineDialect(
  engine: 'docker' | 'podman',
  rootless: boolean,
  home: string,
  profile = PROFILE,
): EngineDialect {
  if (engine === 'docker') return { engine, rootless, seccomp: profile, tmpfs: dockerTmpfs, ulimits: [] };
  return {
    engine,
    rootless,
    seccomp: profileFile(home, profile),
    tmpfs: podmanTmpfs,
    ulimits: processLimit(),
    ...(rootless ? { userns: 'keep-id' as const } : {}),
  };
}

/** Podman's service may lower its own limit to this (the kernel's default number of process ids). */
const SERVICE_PROCESSES = 32_768;

/**
 * A limit of processes that Podman may set. It would ask for its own default, and fail where that is more than it has
 * itself. What bounds a worker is its control group: this limit counts the processes of all workers together.
 */
function processLimit(limits = readFileSync('/proc/self/limits', 'utf8')): EngineDialect['ulimits'] {
  const own = Number(/^Max processes\s+\S+\s+(\d+)/m.exec(limits)?.[1] ?? SERVICE_PROCESSES);
  const most = Math.min(own, SERVICE_PROCESSES);
  return [{ Name: 'nproc', Soft: most, Hard: most }];
}

/** Named by its content: running workers of another version of vgpu keep theirs. */
function profileFile(home: string, profile: string): string {
  const hash = createHash('sha256').update(profile).digest('hex').slice(0, 16);
  const dir = join(home, 'driver');
  const path = join(dir, `seccomp-${hash}.json`);
  if (!existsSync(path)) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const fresh = `${path}.${process.pid}`;
    writeFileSync(fresh, profile, { mode: 0o644 });
    renameSync(fresh, path);
  }
  return path;
}
