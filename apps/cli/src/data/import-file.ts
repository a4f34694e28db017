import { createReadStream, existsSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { type RouteOutput, routes, type VgpuClient } from '@vgpu/api';
import { formatBytes, VgpuError } from '@vgpu/core';
import { stderrStyle as style } from '../output/style.ts';

export interface ImportRequest {
  path: string;
  name?: string | undefined;
  target?: string | undefined;
  /** Cleaning options, as the job spec has them. */
  clean?: object | undefined;
}

export type Imported = RouteOutput<typeof routes.datasets.add>;

/** @throws VgpuError `FILE_NOT_FOUND` or `FILE_UNREADABLE`. */
export function assertFile(path: string): number {
  if (!existsSync(path)) throw new VgpuError('FILE_NOT_FOUND', { path, cwd: process.cwd() });
  const stat = statSync(path);
  if (!stat.isFile()) throw new VgpuError('FILE_UNREADABLE', { path, problem: 'it is not a regular file' });
  return stat.size;
}

/** Small files go so fast that a progress line would only flicker. */
const showProgressFrom = 8 * 2 ** 20;

/** The bytes of a file, with a progress line on a terminal while a large one is on its way. */
export async function* readWithProgress(path: string, size: number): AsyncGenerator<Uint8Array> {
  const stream = createReadStream(path, { highWaterMark: 1 << 20 });
  const show = process.stderr.isTTY && size >= showProgressFrom;
  let sent = 0;
  let shownAt = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      yield chunk;
      sent += chunk.length;
      if (show && Date.now() - shownAt > 100) {
        shownAt = Date.now();
        const percent = Math.floor((100 * sent) / size);
        const text = `${basename(path)}  ${percent} %  ${formatBytes(sent)} of ${formatBytes(size)}`;
        process.stderr.write(`\r\x1b[K${style.dim(text)}`);
      }
    }
    if (show) process.stderr.write(`\r\x1b[K${style.dim(`${basename(path)}  cleaning …`)}`);
  } finally {
    stream.destroy();
  }
}

const clearProgress = (size: number): void => {
  if (process.stderr.isTTY && size >= showProgressFrom) process.stderr.write('\r\x1b[K');
};

const queryOf = ({ path, name, target, clean }: ImportRequest) => ({
  file: basename(path),
  name,
  target,
  clean: clean && Object.keys(clean).length > 0 ? JSON.stringify(clean) : undefined,
});

/**
 * Imports a file as a version of a dataset; the same bytes with the same options are not imported twice.
 * @throws VgpuError `FILE_NOT_FOUND`, `FILE_UNREADABLE`, or what the server found wrong with it.
 */
export async function importFile(client: VgpuClient, request: ImportRequest): Promise<Imported> {
  const size = assertFile(request.path);
  try {
    const body = readWithProgress(request.path, size);
    return await client.call(routes.datasets.add, { query: queryOf(request), body });
  } finally {
    clearProgress(size);
  }
}

/** What an import would do, without keeping anything. */
export async function checkFile(
  client: VgpuClient,
  request: ImportRequest,
): Promise<RouteOutput<typeof routes.datasets.check>> {
  const size = assertFile(request.path);
  try {
    const body = readWithProgress(request.path, size);
    return await client.call(routes.datasets.check, { query: queryOf(request), body });
  } finally {
    clearProgress(size);
  }
}
