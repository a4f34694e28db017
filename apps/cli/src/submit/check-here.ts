import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { basename, isAbsolute, join } from 'node:path';
import { type JobSpec, parseJobSpec, VgpuError } from '@vgpu/core';

/** Something that can only be a file: a path with folders, or with an extension of tables. */
const looksLikeFile = (text: string): boolean =>
  text.includes('/') || /\.(csv|tsv|txt|data|dat|parquet|json|gz|zip)$/i.test(text);

/** A path of a spec, as it is on this machine. */
export const pathHere = (path: string, folder: string): string =>
  isAbsolute(path) ? path : join(folder, path);

/** A dataset given by a path that is no file here: an error, unless it may be the name of one that is known. */
export function checkDataFile(path: string, folder: string): void {
  if (looksLikeFile(path) && !existsSync(pathHere(path, folder)))
    throw new VgpuError('FILE_NOT_FOUND', { path, cwd: folder });
}

function mayExecute(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A script is Python, or a program that may be executed. */
function checkScript(script: string, folder: string): void {
  const path = pathHere(script, folder);
  if (!existsSync(path)) throw new VgpuError('FILE_NOT_FOUND', { path: script, cwd: folder });
  if (!statSync(path).isFile()) {
    const advice = 'Name the script itself; the folder that it is in is uploaded with it.';
    throw new VgpuError('BAD_SCRIPT', { path: script, problem: 'it is not a regular file', advice });
  }
  if (path.endsWith('.py')) return;
  if (path.endsWith('.ipynb')) {
    const advice = `Make a script of it: jupyter nbconvert --to script ${basename(script)}`;
    throw new VgpuError('BAD_SCRIPT', { path: script, problem: 'it is a notebook', advice });
  }
  if (!mayExecute(path)) {
    const advice = `Make it so with \`chmod +x ${script}\`; a Python script’s name ends in .py.`;
    throw new VgpuError('BAD_SCRIPT', {
      path: script,
      problem: 'it is a program that is not executable',
      advice,
    });
  }
}

/**
 * Checks all of a submission that needs no server, so that what is wrong is told before one is started.
 * @param spec as the user wrote it.
 * @param folder that its relative paths start from.
 * @throws VgpuError `BAD_SPEC`, `UNKNOWN_KEY`, `BAD_UNIT`, `FILE_NOT_FOUND`, `BAD_SCRIPT`.
 */
export function checkHere(spec: Record<string, unknown>, folder: string): JobSpec {
  const parsed = parseJobSpec(spec);
  checkScript(parsed.script, folder);
  for (const { path } of parsed.data) if (path !== undefined) checkDataFile(path, folder);
  return parsed;
}
