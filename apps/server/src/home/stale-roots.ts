import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { mountsUnder, unmount } from '@vgpu/drivers';

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

/** What a process has open; nothing for one that ended or that we may not look into. */
function openFiles(pid: string): string[] {
  const dir = `/proc/${pid}/fd`;
  try {
    return readdirSync(dir).flatMap((fd) => {
      try {
        return [readlinkSync(join(dir, fd))];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}

/** Whether a server outlived the home that was deleted under it: its database is open still. */
function outlivedBySomebody(home: string): boolean {
  const deleted = (path: string) => path.startsWith(`${home}/`) && path.endsWith(' (deleted)');
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .some((pid) => openFiles(pid).some(deleted));
}

/**
 * Removes the folders in memory (`/dev/shm/vgpu-<home id>`) of homes that were deleted without `vgpu down`, as tests
 * and people do, with what is mounted in them: nobody else would ever give that memory back. A mark beside each folder
 * says whose it is. A home whose server still runs keeps its folder.
 * @param home the home that is in use now; it gets its mark
 * @param base default `/dev/shm`
 * @returns what was removed
 */
export async function removeStaleRoots(home: string, base = '/dev/shm'): Promise<string[]> {
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
    const owner = readFileSync(mark, 'utf8');
    if (idOf(owner) === id || outlivedBySomebody(owner)) continue;
    const root = join(base, `vgpu-${id}`);
    if (isOurs(root)) {
      await Promise.all(mountsUnder(root).map(unmount));
      // Removing a folder with something mounted below would reach into what is mounted.
      if (mountsUnder(root).length > 0) continue;
      rmSync(root, { recursive: true, force: true });
      removed.push(root);
    }
    rmSync(mark, { force: true });
  }
  return removed;
}
