import { mkdirSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { EngineClient } from '../docker/client.ts';
import { ensureEngine } from '../engine/setup-engine.ts';
import { ImageStore } from '../image/image-store.ts';

/** Image of the tests; the standard one. */
export const TEST_IMAGE = 'vgpu/sklearn:latest';

let ready: Promise<string> | undefined;

/**
 * Socket of the engine that tests use: VGPU_TEST_DOCKER, else whatever vgpu itself would use. A machine without one
 * fails the tests: they prove nothing without it. Builds the worker image on first use.
 */
export function testEngine(): Promise<string> {
  ready ??= prepare();
  return ready;
}

async function prepare(): Promise<string> {
  const home = process.env.VGPU_TEST_HOME ?? join(tmpdir(), `vgpu-test-engine-${process.getuid?.() ?? 0}`);
  mkdirSync(home, { recursive: true });
  const env = process.env.VGPU_TEST_DOCKER
    ? { ...process.env, VGPU_ENGINE: process.env.VGPU_TEST_DOCKER }
    : process.env;
  const { socketPath } = await ensureEngine({ home, env });
  const client = new EngineClient(socketPath);
  try {
    const cacheDir =
      process.env.VGPU_TEST_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'vgpu');
    await new ImageStore(client).build('sklearn', { cacheDir });
  } finally {
    await client.close();
  }
  return socketPath;
}
