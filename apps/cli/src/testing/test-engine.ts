import { join } from 'node:path';
import { ensureEngine, stopEngine } from '@vgpu/drivers';
import { cache } from '../context/home.ts';

export interface TestEngine {
  /** What the tests are told: `VGPU_TEST_DOCKER`. */
  env: NodeJS.ProcessEnv;
  /** Ends the engine where this run started it; its images stay for the next run. */
  stop(): Promise<void>;
}

/**
 * The engine of a whole test run: what `VGPU_TEST_DOCKER`, `VGPU_ENGINE` or the machine offers, else one of our own
 * that keeps its images in the cache folder. Without one the tests that need it fail and say so.
 */
export async function testEngine(say: (text: string) => void): Promise<TestEngine> {
  const named = process.env.VGPU_TEST_DOCKER;
  if (named) return { env: { VGPU_TEST_DOCKER: named }, stop: async () => {} };
  const home = join(cache(), 'test-engine');
  try {
    const { socketPath, origin } = await ensureEngine({ home, install: true, onProgress: say });
    const stop = async () => {
      if (origin === 'own') await stopEngine({ home });
    };
    return { env: { VGPU_TEST_DOCKER: `unix://${socketPath}` }, stop };
  } catch (error) {
    say(`no container engine: ${(error as Error).message}`);
    return { env: {}, stop: async () => {} };
  }
}
