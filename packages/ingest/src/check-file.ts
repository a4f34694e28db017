import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CleanOptions } from '@vgpu/core';
import { cleanFile } from './clean-file.ts';
import { validateClean } from './clean-options.ts';
import type { CheckResult, OnProgress } from './result.ts';
import { writeRejected } from './write-rejected.ts';

export interface CheckOptions {
  /** Column to predict: never imputed, clipped or rewritten; rows without it are rejected. */
  target?: string | undefined;
  clean?: CleanOptions | undefined;
  /** Name of the file for messages; default the path's last part. */
  file?: string | undefined;
  signal?: AbortSignal | undefined;
  /** Bound of the engine's buffers in MiB; default 256, up to 512 for files of up to 256 MiB. The process needs about 200 MiB on top. */
  memoryMiB?: number | undefined;
  /** Where temporary files go; default the system's temporary folder. */
  temporary?: string | undefined;
  /** Values that may be sorted in memory at once for a quantile; default 1 million. */
  heldValues?: number | undefined;
  /** Bytes from which on a regular file is read by threads; default 4 MiB. */
  threadsFrom?: number | undefined;
}

/**
 * Dry run: reads the whole file as an import would and reports what was detected and what cleaning
 * would do; writes nothing that stays.
 * @throws VgpuError `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `BAD_DATASET`, `BAD_SPEC`, `UNKNOWN_KEY`.
 */
export async function checkFile(
  path: string,
  options: CheckOptions = {},
  onProgress?: OnProgress,
): Promise<CheckResult> {
  const clean = validateClean(options.clean);
  const work = await mkdtemp(join(options.temporary ?? tmpdir(), 'vgpu-check-'));
  try {
    const result = await cleanFile(path, {
      clean,
      name: options.file,
      target: options.target,
      work,
      copyTo: null,
      signal: options.signal,
      onProgress,
      memoryMiB: options.memoryMiB,
      held: options.heldValues,
      threadsFrom: options.threadsFrom,
      after: false,
      onMeasured: (done) => onProgress?.({ stage: 'measure', done }),
    });
    await using _engine = result!.engine;
    const { opened, cleaned } = result!;
    await cleaned.outcomes.count();
    return {
      ...(await cleaned.complete()),
      rejections: await writeRejected(opened, cleaned, null, options.signal),
    };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
