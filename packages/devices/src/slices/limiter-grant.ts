import { existsSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { emptyGrant, type Grant } from './grant.ts';
import { type NativeFiles, nativeFiles } from './native-files.ts';

/** Where the limiter lives inside a container. */
const LIBRARY_DIR = '/usr/local/lib/vgpu';

/**
 * What puts a container under slices: the limiter, the file by which the loader takes it into every process,
 * and the slices' folders, all read-only, so that the worker can neither drop nor edit them.
 * @param sliceDirs the arbiters' folders of this worker's slices.
 */
export function limiterGrant(sliceDirs: readonly string[], files: NativeFiles = nativeFiles()): Grant {
  if (!existsSync(files.preload)) writeFileSync(files.preload, `${LIBRARY_DIR}/${basename(files.limiter)}\n`);
  const readOnly = true;
  return {
    ...emptyGrant(),
    mounts: [
      { source: files.limiter, target: `${LIBRARY_DIR}/${basename(files.limiter)}`, readOnly },
      { source: files.layer, target: `${LIBRARY_DIR}/${basename(files.layer)}`, readOnly },
      { source: files.preload, target: '/etc/ld.so.preload', readOnly },
      ...sliceDirs.map((dir) => ({ source: dir, target: `/run/vgpu/slices/${basename(dir)}`, readOnly })),
    ],
  };
}

/** The environment that puts a process of the host under slices. */
export function limiterEnv(
  sliceDirs: readonly string[],
  files: NativeFiles = nativeFiles(),
): Record<string, string> {
  const preload = [files.limiter, process.env.LD_PRELOAD].filter(Boolean).join(':');
  return { LD_PRELOAD: preload, VGPU_SLICE: sliceDirs.join(':') };
}
