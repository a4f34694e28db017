import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { VgpuError } from '@vgpu/core';

export interface NativeFiles {
  limiter: string;
  layer: string;
  arbiter: string;
  /** Holds the one line that makes every process of a container load the limiter. */
  preload: string;
}

/** The folder that `make -C native` fills; VGPU_NATIVE_DIR names another (a packaged install, say). */
export function nativeDir(): string {
  return process.env.VGPU_NATIVE_DIR ?? fileURLToPath(new URL('../../../../native/build', import.meta.url));
}

/** Where the limiter's files are, or would be. */
export const nativePaths = (dir = nativeDir()): NativeFiles => ({
  limiter: join(dir, 'libvgpu-limiter.so'),
  layer: join(dir, 'libvgpu-opencl-layer.so'),
  arbiter: join(dir, 'vgpu-arbiter'),
  preload: join(dir, 'ld.so.preload'),
});

/**
 * The limiter's files.
 * @throws VgpuError `UNSUPPORTED` when they were not built.
 */
export function nativeFiles(dir = nativeDir()): NativeFiles {
  const files = nativePaths(dir);
  const missing = [files.limiter, files.layer, files.arbiter].find((path) => !existsSync(path));
  if (missing) {
    throw new VgpuError('UNSUPPORTED', {
      what: 'a share of an accelerator',
      problem: `the limiter is not built (${missing} is missing); run \`vgpu setup\``,
    });
  }
  return files;
}
