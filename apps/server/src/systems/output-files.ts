import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { outputFiles as contract } from '@vgpu/api';
import { VgpuError } from '@vgpu/core';
import type { TaskTable } from '@vgpu/store';
import type { z } from 'zod';
import { outputDir, refusedFile } from './task-launch.ts';

type OutputFiles = z.output<typeof contract>;

/** Types that a browser may show; anything else is only offered for download. */
const SHOWN: Record<string, string> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  svg: 'image/svg+xml',
  txt: 'text/plain; charset=utf-8',
  log: 'text/plain; charset=utf-8',
  md: 'text/plain; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  json: 'application/json; charset=utf-8',
  pdf: 'application/pdf',
};

const typeOf = (path: string): string =>
  SHOWN[path.split('.').pop()!.toLowerCase()] ?? 'application/octet-stream';

const attemptDir = (filesDir: string, task: TaskTable): string | undefined =>
  task.attempt ? outputDir(filesDir, task.id, task.attempt) : undefined;

/** The files that a task's latest attempt kept, and what of its output was refused. */
export async function outputFiles(filesDir: string, task: TaskTable): Promise<OutputFiles> {
  const dir = attemptDir(filesDir, task);
  if (!dir) return { items: [], refused: [] };
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => []);
  const items = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => {
        const path = join(entry.parentPath, entry.name);
        const { size, mtimeMs } = await stat(path);
        const name = relative(dir, path).split(sep).join('/');
        return { path: name, bytes: size, modifiedAt: Math.round(mtimeMs), type: typeOf(name) };
      }),
  );
  const refused = await readFile(refusedFile(dir), 'utf8').then(
    (text) => JSON.parse(text) as OutputFiles['refused'],
    () => [],
  );
  return { items: items.sort((a, b) => (a.path < b.path ? -1 : 1)), refused };
}

/**
 * Opens one file for reading.
 * @throws VgpuError `NOT_FOUND` for what is no kept file, wherever the path leads.
 */
export async function openOutput(filesDir: string, task: TaskTable, path: string) {
  const missing = new VgpuError('NOT_FOUND', { what: 'file', id: path, list: 'files' });
  const dir = attemptDir(filesDir, task);
  if (!dir) throw missing;
  const root = await realpath(dir).catch(() => undefined);
  const file = await realpath(join(dir, path)).catch(() => undefined);
  if (!root || !file?.startsWith(root + sep)) throw missing;
  const fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  const found = fstatSync(fd);
  if (!found.isFile()) {
    closeSync(fd);
    throw missing;
  }
  const type = typeOf(path);
  const name = path.split('/').pop()!;
  const how = type === 'application/octet-stream' ? 'attachment' : 'inline';
  return { fd, type, bytes: found.size, disposition: `${how}; filename*=UTF-8''${encodeURIComponent(name)}` };
}
