import { constants } from 'node:fs';
import { chmod, copyFile, link, lstat, mkdir, opendir, readlink, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DriverError } from '../errors.ts';

/** Bounds on a script's folder, so that a mistaken `--script /` ends in a message rather than a full disk. */
const MAX_BUNDLE_ENTRIES = 50_000;

/**
 * Puts a dataset and a script's folder where a worker that has already started sees them: hard links in a
 * folder that it mounts read-only; copies where another file system or unreadable permission bits forbid links.
 */
export async function stageInputs(
  inDir: string,
  launch: { bundleDir?: string; datasetPath?: string; datasetName?: string },
): Promise<{ dataset?: string }> {
  const bundle = join(inDir, 'bundle');
  await mkdir(join(inDir, 'data'), { recursive: true });
  await mkdir(bundle, { recursive: true });
  const work: Promise<unknown>[] = [];
  let dataset: string | undefined;
  if (launch.datasetPath) {
    dataset = safeName(launch.datasetName ?? basename(launch.datasetPath));
    work.push(place(launch.datasetPath, join(inDir, 'data', dataset)));
  }
  if (launch.bundleDir) work.push(placeTree(launch.bundleDir, bundle, { left: MAX_BUNDLE_ENTRIES }));
  await Promise.all(work);
  return { dataset };
}

function safeName(name: string): string {
  const clean = basename(name).replace(/[\0/]/g, '_');
  return clean === '' || clean === '.' || clean === '..' ? 'data.csv' : clean;
}

/** One file: a link where possible. The worker runs as another user, so others must be able to read it. */
async function place(source: string, target: string): Promise<void> {
  const stat = await lstat(source);
  if (!stat.isFile()) throw new DriverError('BAD_LAUNCH', `${source} is not a regular file`);
  if (stat.mode & 0o004) {
    try {
      await link(source, target);
      return;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code !== 'EXDEV' && code !== 'EPERM' && code !== 'EMLINK') throw error;
    }
  }
  await copyFile(source, target, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
  await chmod(target, stat.mode & 0o111 ? 0o755 : 0o644);
}

async function placeTree(source: string, target: string, budget: { left: number }): Promise<void> {
  const pending: Promise<void>[] = [];
  const add = (one: Promise<void>): void => {
    // Waited for below, and then it tells of a failure.
    one.catch(() => {});
    pending.push(one);
  };
  for await (const entry of await opendir(source)) {
    if (--budget.left < 0) {
      throw new DriverError(
        'BAD_LAUNCH',
        `the script's folder ${source} has more than ${MAX_BUNDLE_ENTRIES} entries`,
        'Leave out what the script does not need (.vgpuignore).',
      );
    }
    const [from, to] = [join(source, entry.name), join(target, entry.name)];
    if (entry.isDirectory()) {
      await mkdir(to, { mode: 0o755, recursive: true });
      await chmod(to, 0o755);
      add(placeTree(from, to, budget));
    } else if (entry.isFile()) add(place(from, to));
    // A link is only ever followed inside the container, where it can reach nothing of the host.
    else if (entry.isSymbolicLink()) add(readlink(from).then((to_) => symlink(to_, to)));
    if (pending.length >= 64) await Promise.all(pending.splice(0));
  }
  await Promise.all(pending);
}
