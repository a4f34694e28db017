import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { nativeDir, nativePaths } from './native-files.ts';

export interface NativeBuild {
  state: 'ready' | 'built' | 'impossible';
  /** Why it could not be built, for people; empty otherwise. */
  problem: string;
}

/** What is still to be built. */
const missingFrom = (dir: string): string[] =>
  wantedOf(dir)
    .map(([, path]) => path)
    .filter((path) => !existsSync(path));

const wantedOf = (dir: string) => Object.entries(nativePaths(dir)).filter(([name]) => name !== 'preload');

/** Whether the limiter is there, and takes no building. */
export const isNativeBuilt = (dir = nativeDir()): boolean => missingFrom(dir).length === 0;

/** Building from scratch takes seconds; a machine under load gets more. */
const TIMEOUT_MS = 300_000;

/**
 * Builds the limiter where it is missing and its sources, gcc and make are there. Where VGPU_NATIVE_DIR names a
 * packaged one nothing is built.
 */
export async function buildNative(dir = nativeDir()): Promise<NativeBuild> {
  const missing = missingFrom(dir);
  if (missing.length === 0) return { state: 'ready', problem: '' };
  const source = dirname(dir);
  if (!existsSync(join(source, 'Makefile'))) {
    return { state: 'impossible', problem: `${missing[0]} is missing, and there are no sources beside it` };
  }
  const targets = wantedOf(dir).map(([, path]) => join(basename(dir), basename(path)));
  try {
    await promisify(execFile)('make', ['-s', '-C', source, '-j2', ...targets], { timeout: TIMEOUT_MS });
    return { state: 'built', problem: '' };
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    const said = stderr?.trim().split('\n').slice(-3).join('\n');
    const problem =
      code === 'ENOENT' || /gcc: (command )?not found/i.test(said ?? '')
        ? 'gcc and make are needed (Debian: apt-get install gcc make libc6-dev)'
        : said || String(error);
    return { state: 'impossible', problem };
  }
}
