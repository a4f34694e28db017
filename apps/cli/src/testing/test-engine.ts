import { join } from 'node:path';
import { EngineClient, ensureEngine, ImageStore, stopEngine } from '@vgpu/drivers';
import { cache } from '../context/home.ts';
import { duration } from '../output/words.ts';

export interface TestEngine {
  /** What the tests are told: `VGPU_TEST_DOCKER`. */
  env: NodeJS.ProcessEnv;
  /** Ends the engine where this run started it; its images stay for the next run. */
  stop(): Promise<void>;
}

const envOf = (address: string): NodeJS.ProcessEnv => ({
  VGPU_TEST_DOCKER: address,
  VGPU_ENGINE: address,
  VGPU_TEST_CACHE: cache(),
});

/** Builds the worker image unless the engine has it. */
async function ensureImage(socketPath: string, say: (text: string) => void): Promise<void> {
  const client = new EngineClient(socketPath);
  try {
    const startedAt = performance.now();
    const { id } = await new ImageStore(client).build('sklearn', { cacheDir: cache() });
    say(
      `worker image ${id.replace('sha256:', '').slice(0, 12)} in ${duration(performance.now() - startedAt)}`,
    );
  } finally {
    await client.close();
  }
}

/**
 * The engine of a whole test run, with the worker image in it: what `VGPU_TEST_DOCKER`, `VGPU_ENGINE` or the machine
 * offers, else one of our own that keeps its images in the cache folder. Without one the tests that need it fail and
 * say so.
 */
export async function testEngine(say: (text: string) => void): Promise<TestEngine> {
  const named = process.env.VGPU_TEST_DOCKER;
  const home = join(cache(), 'test-engine');
  const env = named ? { ...process.env, VGPU_ENGINE: named } : process.env;
  let stop = async () => {};
  try {
    const { socketPath, origin } = await ensureEngine({ home, env, install: true, onProgress: say });
    if (origin === 'own') {
      stop = async () => {
        await stopEngine({ home });
      };
    }
    await ensureImage(socketPath, say);
    return { env: envOf(`unix://${socketPath}`), stop };
  } catch (error) {
    say(`no container engine for the tests: ${(error as Error).message}`);
    return { env: {}, stop };
  }
}
