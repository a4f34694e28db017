import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { type ServerFile, VgpuError } from '@vgpu/core';

/** Who runs with this home, by its state file. */
function runningPid(serverFile: string): string {
  try {
    return String((JSON.parse(readFileSync(serverFile, 'utf8')) as ServerFile).pid);
  } catch {
    return 'unknown';
  }
}

/**
 * Takes the home for this process alone. The lock is SQLite's lock on a file of its own, so the kernel frees it
 * whatever way the process ends; there is nothing to clean up after a crash.
 * @returns a function that gives it back.
 * @throws VgpuError `SERVER_RUNNING` when another server has it.
 */
export function lockHome(lockFile: string, serverFile: string): () => void {
  const lock = new DatabaseSync(lockFile, { timeout: 0 });
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (cause) {
    lock.close();
    if (!/locked|busy/i.test((cause as Error).message)) throw cause;
    throw new VgpuError('SERVER_RUNNING', { pid: runningPid(serverFile) }, { cause });
  }
  return () => {
    if (lock.isOpen) lock.close();
  };
}
