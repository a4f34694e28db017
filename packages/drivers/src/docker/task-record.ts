import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { OutputLimits, TaskLaunch, WorkerHandle } from '../types.ts';

/**
 * What a worker's folder on disk says about the task it was given. A container's labels cannot change after its
 * creation, so for a warm worker this file is the label: it is written before the task is sent, and because it
 * is created exclusively a worker is adopted once or never.
 */
export interface TaskRecord {
  handle: WorkerHandle;
  memoryBytes: number;
  timeLimitMs: number;
  outputLimits: OutputLimits;
  ports: number[];
  image: string;
}

export function recordOf(launch: TaskLaunch, handle: WorkerHandle, outputLimits: OutputLimits): TaskRecord {
  return {
    handle,
    memoryBytes: launch.memoryBytes,
    timeLimitMs: launch.timeLimitMs ?? 0,
    outputLimits,
    ports: launch.ports,
    image: launch.image,
  };
}

/** Throws EEXIST when the worker already has a task. */
export function writeRecord(path: string, record: TaskRecord): void {
  const fd = openSync(path, 'wx', 0o600);
  try {
    writeSync(fd, JSON.stringify(record));
  } finally {
    closeSync(fd);
  }
}

/** Undefined where there is none, or a crash left half of one (its task was never sent). */
export function readRecord(path: string): TaskRecord | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as TaskRecord;
  } catch {
    return undefined;
  }
}
