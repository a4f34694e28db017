import { createHash } from 'node:crypto';
import { closeSync, constants, type Dirent, mkdirSync, opendirSync, openSync, readlinkSync } from 'node:fs';
import { type FileHandle, mkdir, open, opendir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { CollectedOutputs, OutputLimits } from '../types.ts';

const MAX_DEPTH = 64;
const MAX_SKIPPED = 100;
const MAX_NAME_BYTES = 1024;
/** Where the bundle lies inside a worker: links to it are the working folder's own furniture. */
const BUNDLE = '/vgpu/in/';
const O_PATH = 0o10000000;

/**
 * Copies what a program left behind. The tree is hostile: every folder and file is opened relative to the
 * descriptor of its parent without following links, only regular files are read, and bytes, files and depth are
 * bounded. Nothing but regular files with plain names is ever made under `intoDir`.
 */
export async function collectTree(
  outDir: string,
  intoDir: string,
  limits: OutputLimits,
): Promise<CollectedOutputs> {
  const result: CollectedOutputs = { files: [], bytes: 0, skipped: [], skippedTotal: 0, truncated: false };
  const skip = (path: string, why: string) => {
    result.skippedTotal++;
    if (result.skipped.length < MAX_SKIPPED) result.skipped.push({ path, why });
  };
  // Looked-at entries are bounded too: a million empty folders are not files, yet cost time.
  let budget = limits.files * 4 + 1000;
  mkdirSync(intoDir, { recursive: true });
  if (holdsNothing(outDir)) return result;

  const visit = async (folder: FileHandle, path: string, depth: number): Promise<void> => {
    for await (const entry of await opendir(`/proc/self/fd/${folder.fd}`, { encoding: 'buffer' as 'utf8' })) {
      if (--budget < 0) {
        result.truncated = true;
        skip(path || '.', 'too many entries');
        return;
      }
      const name = plainName(entry as unknown as Dirent<Buffer>);
      const shown = path ? `${path}/${name.text}` : name.text;
      if (!name.usable) skip(shown, 'its name cannot be kept');
      else await visitEntry(folder, name.text, shown, depth);
      if (result.truncated) return;
    }
  };

  const visitEntry = async (folder: FileHandle, name: string, path: string, depth: number): Promise<void> => {
    const at = `/proc/self/fd/${folder.fd}/${name}`;
    let seen: FileHandle;
    try {
      // O_PATH opens nothing: no FIFO blocks, no device wakes.
      seen = await open(at, O_PATH | constants.O_NOFOLLOW);
    } catch {
      return skip(path, 'it vanished');
    }
    try {
      const stat = await seen.stat();
      if (stat.isSymbolicLink()) {
        if (!(await pointsToBundle(at))) skip(path, 'a link');
      } else if (stat.isDirectory()) {
        if (depth >= MAX_DEPTH) return skip(path, 'too deep');
        const inner = await open(at, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
        try {
          await visit(inner, path, depth + 1);
        } finally {
          await inner.close();
        }
      } else if (!stat.isFile())
        skip(path, stat.isFIFO() ? 'a FIFO' : stat.isSocket() ? 'a socket' : 'a device');
      else if (result.files.length >= limits.files) {
        result.truncated = true;
        skip(path, `more than ${limits.files} files`);
      } else await keep(at, path);
    } catch (error) {
      skip(path, (error as NodeJS.ErrnoException).code ?? 'unreadable');
    } finally {
      await seen.close();
    }
  };

  const keep = async (at: string, path: string): Promise<void> => {
    const source = await open(at, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stat = await source.stat();
      if (!stat.isFile()) return skip(path, 'not a regular file');
      if (result.bytes + stat.size > limits.bytes) {
        result.truncated = true;
        return skip(path, `more than ${limits.bytes} bytes in all`);
      }
      const target = join(intoDir, path);
      await mkdir(dirname(target), { recursive: true });
      const { bytes, sha256 } = await copy(source, target, stat.size);
      result.bytes += bytes;
      result.files.push({ path, bytes, sha256 });
    } finally {
      await source.close();
    }
  };

  const root = await open(outDir, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    await visit(root, '', 0);
  } finally {
    await root.close();
  }
  result.files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return result;
}

/** Entries up to which a look without leaving the event loop is worth it. */
const MAX_FURNITURE = 100;

/**
 * Whether there is nothing to keep: the folder is empty but for the links to the bundle. So it is after most tasks, and
 * 20 that end at once would otherwise wait for each other's dozen turns in the thread pool.
 */
function holdsNothing(outDir: string): boolean {
  const fd = openSync(outDir, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    const folder = opendirSync(`/proc/self/fd/${fd}`);
    try {
      for (let n = 0; n < MAX_FURNITURE; n++) {
        const entry = folder.readSync();
        if (!entry) return true;
        if (!entry.isSymbolicLink()) return false;
        if (!readlinkSync(`/proc/self/fd/${fd}/${entry.name}`).startsWith(BUNDLE)) return false;
      }
      return false;
    } finally {
      folder.closeSync();
    }
  } catch {
    return false; // a name that is no UTF-8, or one that vanished: the long way tells what it is
  } finally {
    closeSync(fd);
  }
}

/** A name that is valid UTF-8, has no control characters and is not overlong. */
function plainName(entry: Dirent<Buffer>): { text: string; usable: boolean } {
  const raw = entry.name;
  const text = raw.toString('utf8');
  const usable =
    Buffer.from(text, 'utf8').equals(raw) &&
    raw.length <= MAX_NAME_BYTES &&
    !/[\u0000-\u001f\u007f]/.test(text) &&
    text !== '.' &&
    text !== '..';
  return { text: text.replace(/[\u0000-\u001f\u007f]/g, '�'), usable };
}

async function pointsToBundle(at: string): Promise<boolean> {
  const { readlink } = await import('node:fs/promises');
  return (await readlink(at).catch(() => '')).startsWith(BUNDLE);
}

/** Copies at most `size` bytes: a file that grows meanwhile is cut where it stood. */
async function copy(
  source: FileHandle,
  target: string,
  size: number,
): Promise<{ bytes: number; sha256: string }> {
  const sink = await open(
    target,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
    0o644,
  );
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(Math.max(1, Math.min(size, 1 << 20)));
  let bytes = 0;
  try {
    while (bytes < size) {
      const { bytesRead } = await source.read(buffer, 0, Math.min(buffer.length, size - bytes), bytes);
      if (bytesRead === 0) break;
      const part = buffer.subarray(0, bytesRead);
      hash.update(part);
      await sink.write(part);
      bytes += bytesRead;
    }
  } finally {
    await sink.close();
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** Size of a tree as disk blocks and entries, given up as soon as a bound is passed. Follows no link. */
export async function measureTree(
  dir: string,
  limits: OutputLimits,
): Promise<{ bytes: number; files: number; exceeded?: string }> {
  const total = { bytes: 0, files: 0 };
  let exceeded: string | undefined;
  const visit = async (folder: FileHandle, depth: number): Promise<void> => {
    for await (const entry of await opendir(`/proc/self/fd/${folder.fd}`)) {
      const at = `/proc/self/fd/${folder.fd}/${entry.name}`;
      total.files++;
      const seen = await open(at, O_PATH | constants.O_NOFOLLOW).catch(() => undefined);
      if (!seen) continue;
      try {
        const stat = await seen.stat();
        total.bytes += stat.blocks * 512;
        if (total.bytes > limits.bytes) exceeded = `over ${limits.bytes} bytes`;
        else if (total.files > limits.files) exceeded = `over ${limits.files} files`;
        else if (stat.isDirectory() && depth < MAX_DEPTH * 4) {
          const inner = await open(
            at,
            constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW,
          ).catch(() => undefined);
          if (inner) await visit(inner, depth + 1).finally(() => inner.close());
        }
      } finally {
        await seen.close();
      }
      if (exceeded) return;
    }
  };
  const root = await open(dir, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  await visit(root, 0).finally(() => root.close());
  return { ...total, exceeded };
}
