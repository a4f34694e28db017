import { readFileSync } from 'node:fs';

/** Whether a process runs. One that ended is gone, even if nobody has waited for it yet. */
export function alive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
