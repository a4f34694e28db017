import { routes, VgpuClient } from '@vgpu/api';
import { VgpuError } from '@vgpu/core';
import { publicUrl } from './public-url.ts';

async function isVgpu(url: string): Promise<boolean> {
  try {
    await new VgpuClient({ url, token: '' }).call(
      routes.machine.health,
      {},
      { signal: AbortSignal.timeout(1000) },
    );
    return true;
  } catch {
    return false;
  }
}

/** What to say where the address to listen on is taken: by another vgpu server, or by something else. */
export async function portTaken(host: string, port: number): Promise<VgpuError> {
  const url = publicUrl(host, port);
  if (await isVgpu(url)) {
    return new VgpuError('CONFLICT', {
      problem: `${host}:${port} is taken by another vgpu server, with a VGPU_HOME of its own`,
      advice: `Use that one (\`vgpu login ${url}\`, or set its VGPU_HOME), or name another port: \`vgpu up --port 0\` takes a free one.`,
    });
  }
  return new VgpuError('CONFLICT', {
    problem: `${host}:${port} is taken by another program`,
    advice: 'Stop it, or name another port: `vgpu up --port 0` takes a free one.',
  });
}
