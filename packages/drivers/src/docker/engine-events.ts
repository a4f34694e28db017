import { LABEL } from '../types.ts';
import type { EngineClient } from './client.ts';
import { jsonLines } from './json-lines.ts';

const MAX_PAUSE_MS = 5_000;

/**
 * Holds the engine's event stream open to notice when the engine goes and when it is back. Workers are watched
 * through their own supervisors, so an engine that restarts does not hide how a task ended. Returns a stopper.
 */
export function followEngine(
  client: EngineClient,
  onChange: (connected: boolean, message: string) => void,
): () => void {
  const abort = new AbortController();
  const filters = JSON.stringify({ type: ['container'], label: [`${LABEL.managed}=true`], event: ['oom'] });
  void (async () => {
    let connected = true;
    let pause = 100;
    while (!abort.signal.aborted) {
      let why = 'the event stream ended';
      try {
        const stream = await client.stream('GET', '/events', {
          query: { filters },
          signal: abort.signal,
          timeoutMs: 0,
        });
        if (!connected) onChange(true, 'the engine answers again');
        connected = true;
        pause = 100;
        for await (const _ of jsonLines(stream));
      } catch (error) {
        why = (error as Error).message;
      }
      if (abort.signal.aborted) return;
      // Asked once more before it is called gone: some engines close idle streams.
      const alive = await client.status('GET', '/_ping', { timeoutMs: 3_000 }).then(
        () => true,
        () => false,
      );
      if (!alive && connected) {
        connected = false;
        onChange(false, why);
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
      pause = Math.min(MAX_PAUSE_MS, pause * 2);
    }
  })();
  return () => abort.abort();
}
