import { LABEL } from '../types.ts';
import type { DockerContext } from './context.ts';
import type { LiveWorker } from './live-worker.ts';
import { removeFolders, workerPaths } from './worker-folders.ts';

/** Gives back what workers held. */
export class Teardown {
  readonly #context: DockerContext;
  readonly #running = new Map<string, Promise<{ teardownMs: number }>>();

  constructor(context: DockerContext) {
    this.#context = context;
  }

  /**
   * Container, mounts, folders; once per container however often it is asked for.
   * @param done called once all of it is gone.
   */
  remove(id: string, worker: LiveWorker | undefined, done: () => void): Promise<{ teardownMs: number }> {
    const running = this.#running.get(id);
    if (running) return running;
    const work = async () => {
      const from = performance.now();
      const container = worker ? undefined : await this.#context.containers.inspect(id);
      const key = worker?.paths.key ?? container?.Config.Labels[LABEL.folder];
      const folders = async () => {
        if (key) await removeFolders(workerPaths(this.#context.folders, key), this.#context.folders.canMount);
      };
      // Once its processes are gone nobody needs the folders, and the engine's part takes a while.
      const early = worker?.hasEnded ? folders() : undefined;
      await this.#context.containers.remove(id);
      // Whoever waits for its end hears of it even though the container is gone.
      if (worker && !worker.hasEnded) await worker.settleFromEngine();
      worker?.detach();
      await (early ?? folders());
      done();
      return { teardownMs: performance.now() - from };
    };
    const promise = work().finally(() => this.#running.delete(id));
    this.#running.set(id, promise);
    return promise;
  }
}
