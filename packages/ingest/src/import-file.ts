import type { CheckOptions } from './check-file.ts';
import type { OnProgress, VersionResult } from './result.ts';

export interface ImportOptions extends Omit<CheckOptions, 'temporary'> {
  /** Folder that holds the versions; the new one becomes `<outDir>/<hash>/`. */
  outDir: string;
  /** Name of the dataset, for messages; default the file's name without its extension. */
  name?: string | undefined;
  /** Keep a copy of the original in the version's folder; default true. */
  keepOriginal?: boolean | undefined;
}

export async function importFile(
  _path: string,
  _options: ImportOptions,
  _onProgress?: OnProgress,
): Promise<VersionResult> {
  throw new Error('not yet');
}

/** Removes what imports that were killed left under `outDir`; returns how many. */
export async function sweepUnfinished(_outDir: string): Promise<number> {
  throw new Error('not yet');
}
