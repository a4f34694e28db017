import { vgpuHome } from '@vgpu/core';
import { ensureEngine } from '@vgpu/drivers';

/**
 * Socket of the engine that vgpu uses on this machine, started if need be. Never one in a benchmark's own folder: that
 * would have to fetch and build its images first, and keep the folder busy after the end.
 */
export async function benchEngine(): Promise<string> {
  const home = vgpuHome(process.env, process.getuid?.());
  return (await ensureEngine({ home })).socketPath;
}
