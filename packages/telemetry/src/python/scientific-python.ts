import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const repository = new URL('../../../../', import.meta.url).pathname;
/** The worker's runtime, to be put on PYTHONPATH. */
export const runtime = join(repository, 'worker/runtime');
export const examples = join(repository, 'examples');

const PACKAGES = ['numpy', 'scikit-learn==1.9.1', 'pandas'];
const PROBE = 'import numpy, sklearn, pandas';

/**
 * A Python that has NumPy, scikit-learn and pandas, for tests: the system's, or one under .cache/ that
 * is made on first use. Where that fails (no network), the reason.
 */
export function scientificPython(): { python: string } | { missing: string } {
  if (spawnSync('python3', ['-c', PROBE]).status === 0) return { python: 'python3' };
  const home = join(repository, '.cache/test-python');
  const python = join(home, 'bin/python');
  if (existsSync(python) && spawnSync(python, ['-c', PROBE]).status === 0) return { python };
  // Made beside and then moved into place, so that a half-made one is never used.
  const draft = `${home}.${process.pid}`;
  mkdirSync(join(repository, '.cache'), { recursive: true });
  for (const command of [
    ['python3', '-m', 'venv', draft],
    [
      join(draft, 'bin/python'),
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      ...PACKAGES,
    ],
  ]) {
    const run = spawnSync(command[0]!, command.slice(1), { encoding: 'utf8' });
    if (run.status !== 0) {
      rmSync(draft, { recursive: true, force: true });
      return {
        missing: `no NumPy and scikit-learn: ${(run.stderr ?? String(run.error)).trim().split('\n').at(-1)}`,
      };
    }
  }
  rmSync(home, { recursive: true, force: true });
  renameSync(draft, home);
  return { python };
}
