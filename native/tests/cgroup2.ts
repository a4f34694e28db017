import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A mount of cgroup v2, whatever the host itself uses; undefined where it cannot be had. */
export function mountGroups(): string | undefined {
  const dir = mkdtempSync(join(tmpdir(), 'vgpu-cgroup2-'));
  try {
    execFileSync('mount', ['-t', 'cgroup2', 'none', dir], { stdio: 'ignore' });
    return dir;
  } catch {
    rmdirSync(dir);
    return undefined;
  }
}
