import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Telemetry } from '../systems/telemetry.ts';

/** Deletes what deleted tasks left: logs, series, output files. Doing it twice does no harm. */
export async function purgeTasks(
  tasks: readonly string[],
  telemetry: Telemetry,
  filesDir: string,
): Promise<void> {
  for (const task of tasks) {
    await telemetry.remove(task);
    await rm(join(filesDir, task), { recursive: true, force: true });
  }
}
