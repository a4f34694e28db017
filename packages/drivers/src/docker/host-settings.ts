import { createHash, randomBytes } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WORKER_UID } from '../image/base-files.ts';
import type { EngineDialect } from './engine-dialect.ts';
import type { FolderSettings } from './worker-folders.ts';

/** The name under which this home's things appear in an engine; made once, kept in a file. */
export function homeIdentity(home: string): string {
  const dir = join(home, 'driver');
  const file = join(dir, 'home-id');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  try {
    writeFileSync(file, randomBytes(6).toString('hex'), { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readFileSync(file, 'utf8').trim();
}

/** Folder of the worker's runtime in the source tree. `VGPU_RUNTIME_DIR` points elsewhere in a bundled install. */
export function runtimeSourceDir(): string {
  return (
    process.env.VGPU_RUNTIME_DIR ?? fileURLToPath(new URL('../../../../worker/runtime', import.meta.url))
  );
}

/**
 * A copy of the runtime under a name that is its content's hash: readable by any worker whatever the source
 * tree's permissions, and unchanged under running workers when vgpu is upgraded. Returns folder and hash.
 */
export function stageRuntime(home: string, source = runtimeSourceDir()): { dir: string; hash: string } {
  const files = (readdirSync(source, { recursive: true }) as string[])
    .filter((f) => f.endsWith('.py') && !f.split('/').some((p) => p.startsWith('test_') || p === 'tests'))
    .sort();
  const digest = createHash('sha256');
  for (const file of files) digest.update(`${file}\0`).update(readFileSync(join(source, file)));
  const hash = digest.digest('hex').slice(0, 16);
  const dir = join(home, 'driver', 'runtime', hash);
  if (!existsSync(dir)) {
    const fresh = `${dir}.${process.pid}`;
    for (const file of files) cpSync(join(source, file), join(fresh, file), { recursive: true });
    for (const file of files)
      writeFileSync(join(fresh, file), readFileSync(join(source, file)), { mode: 0o644 });
    try {
      renameSync(fresh, dir);
    } catch {
      rmSync(fresh, { recursive: true, force: true });
    }
  }
  return { dir, hash };
}

/** Who workers run as, and what this process may do for them. */
export function folderSettings(
  home: string,
  homeId: string,
  socketPath: string,
  dialect: Pick<EngineDialect, 'rootless' | 'userns'>,
): FolderSettings {
  const root = process.getuid?.() === 0;
  // A rootless Docker's number 0 is the caller; any other is one whose files the caller could neither read nor remove.
  const mapped = dialect.rootless && dialect.userns === undefined;
  return {
    diskRoot: join(home, 'workers'),
    volatileRoot: join('/dev/shm', `vgpu-${homeId}`),
    uid: root ? WORKER_UID : mapped ? 0 : process.getuid!(),
    gid: root ? WORKER_UID : mapped ? 0 : process.getgid!(),
    canMount: root && sharesMountsWithEngine(socketPath),
  };
}

/**
 * A mount made elsewhere than in the engine's namespace would never be seen by a worker (an engine inside another
 * container, a service with private mounts). True only if every engine process that may own the socket shares ours.
 */
function sharesMountsWithEngine(socketPath: string): boolean {
  if (process.env.VGPU_NO_MOUNTS) return false;
  const engines = readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .flatMap((pid) => {
      try {
        const name = readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
        if (name !== 'dockerd' && name !== 'podman') return [];
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        return [{ mounts: readlinkSync(`/proc/${pid}/ns/mnt`), named: command.includes(socketPath) }];
      } catch {
        return []; // it ended meanwhile, or is none of ours
      }
    });
  const owners = engines.some((e) => e.named) ? engines.filter((e) => e.named) : engines;
  const own = readlinkSync('/proc/self/ns/mnt');
  return owners.length > 0 && owners.every((e) => e.mounts === own);
}
