import type { CleanOptions } from '@vgpu/core';
import type { CheckResult, OnProgress } from './result.ts';

export interface CheckOptions {
  /** Column to predict: never imputed, clipped or rewritten; rows without it are rejected. */
  target?: string | undefined;
  clean?: CleanOptions | undefined;
  signal?: AbortSignal | undefined;
  /** Bound of the engine's memory in MiB; default 384. */
  memoryMiB?: number | undefined;
  /** Where temporary files go; default the system's temporary folder. */
  temporary?: string | undefined;
}

/** Dry run. */
export async function checkFile(
  _path: string,
  _options: CheckOptions = {},
  _onProgress?: OnProgress,
): Promise<CheckResult> {
  throw new Error('not yet');
}
