import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vgpuHome } from '@vgpu/core';
import { EngineClient, findEngine, ImageStore } from '@vgpu/drivers';

/** The engine that tests with real workers use, or why they cannot run here. */
export type TestEngine = { socket: string } | { skip: string };

/** Looks for an engine that has the standard worker image. */
export async function testEngine(): Promise<TestEngine> {
  const { engine } = await findEngine(vgpuHome(process.env, process.getuid?.()));
  if (!engine) return { skip: 'no container engine answers here (vgpu setup)' };
  const client = new EngineClient(engine.socketPath);
  try {
    const image = await new ImageStore(client).find('sklearn');
    return image
      ? { socket: engine.socketPath }
      : { skip: 'the engine has no worker image (vgpu image build)' };
  } finally {
    await client.close();
  }
}

/** A home of a test's own. */
export function testHome(): { home: string; remove: () => void } {
  const home = mkdtempSync(join(tmpdir(), 'vgpu-home-'));
  return { home, remove: () => rmSync(home, { recursive: true, force: true }) };
}
