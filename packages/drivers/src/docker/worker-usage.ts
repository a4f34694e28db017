import type { WorkerStats } from '../types.ts';
import { readUsage } from './cgroup.ts';
import type { DockerContext } from './context.ts';
import type { LiveWorker } from './live-worker.ts';

/** What a running worker uses: from its control group, else from the engine. Undefined once it ended. */
export async function usageOf(context: DockerContext, worker: LiveWorker): Promise<WorkerStats | undefined> {
  if (worker.hasEnded) return undefined;
  const limit = worker.record?.memoryBytes ?? 0;
  const cgroup = await worker.cgroup();
  if (cgroup) {
    try {
      return { at: Date.now(), ...readUsage(cgroup), memoryLimitBytes: limit };
    } catch {
      return undefined; // it ended between the two looks
    }
  }
  const raw = await context.client.json<{
    cpu_stats: { cpu_usage: { total_usage: number } };
    memory_stats: { usage?: number; stats?: Record<string, number> };
    pids_stats: { current?: number };
  }>('GET', `/containers/${worker.id}/stats`, { query: { stream: false, 'one-shot': true } });
  const { usage = 0, stats = {} } = raw.memory_stats;
  return {
    at: Date.now(),
    cpuMs: raw.cpu_stats.cpu_usage.total_usage / 1e6,
    memoryBytes: usage - (stats.inactive_file ?? stats.total_inactive_file ?? 0),
    memoryLimitBytes: limit,
    pids: raw.pids_stats.current ?? 0,
  };
}
