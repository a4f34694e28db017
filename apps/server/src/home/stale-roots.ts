import { existsSync, lstatSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MARK = /^\.vgpu-home-([0-9a-f]+)$/;

const idOf = (home: string): string | undefined => {
  const file = join(home, 'driver', 'home-id');
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
};

/** Whether the path is there and belongs to this user; anybody may put things into /dev/shm. */
function isOurs(path: string): boolean {
  try {
    return lstatSync(path).uid === process.getuid?.();
  } catch {
    return false;
  }
}

const hasMounts = (root: string): boolean =>
  readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .some((line) => (line.split(' ')[1] ?? '').startsWith(`${root}/`));

/**
 * Removes the folders in memory (`/dev/shm/vgpu-<home id>`) of homes that were deleted without `vgpu down`, as tests
 * and people do: nobody else would ever give that memory back. A mark beside each folder says whose it is. Folders
 * with something mounted below stay: removing them would reach into what is mounted.
 * @param home the home that is in use now; it gets its mark
 * @param base default `/dev/shm`
 * @returns what was removed
 */
export function removeStaleRoots(home: string, base = '/dev/shm'): string[] {
  const own = idOf(home);
  if (own) {
    const mark = join(base, `.vgpu-home-${own}`);
    if (!existsSync(mark)) writeFileSync(mark, home, { mode: 0o600, flag: 'wx' });
  }
  const removed: string[] = [];
  for (const name of readdirSync(base)) {
    const id = MARK.exec(name)?.[1];
    const mark = join(base, name);
    if (!id || id === own || !isOurs(mark) || !lstatSync(mark).isFile()) continue;
    if (idOf(readFileSync(mark, 'utf8')) === id) continue;
    const root = join(base, `vgpu-${id}`);
    if (isOurs(root)) {
      if (hasMounts(root)) continue;
      rmSync(root, { recursive: true, force: true });
      removed.push(root);
    }
    rmSync(mark, { force: true });
  }
  return removed;
}
