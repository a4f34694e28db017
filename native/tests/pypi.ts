// Programs and libraries by others, from the Python package index; kept in build/pypi.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './bed.ts';

/** The folder that holds the packages (`name==version`), or why it does not. They are downloaded once. */
export function packages(...wanted: string[]): { folder: string } | { missing: string } {
  const folder = join(root, 'build/pypi', wanted.join('+').replaceAll('==', '-'));
  if (existsSync(folder)) return { folder };
  const partial = `${folder}.${process.pid}`;
  mkdirSync(partial, { recursive: true });
  const pip = spawnSync(
    'python3',
    ['-m', 'pip', 'install', '-q', '--no-deps', '--only-binary=:all:', '--retries=1', '--timeout=10'].concat(
      ['--target', partial],
      wanted,
    ),
    { encoding: 'utf8', timeout: 90_000 },
  );
  if (pip.status !== 0) {
    rmSync(partial, { recursive: true, force: true });
    const why = pip.error?.message ?? pip.stderr.trim().split('\n').at(-1);
    return { missing: `${wanted.join(', ')} could not be installed: ${why}` };
  }
  renameSync(partial, folder);
  return { folder };
}
