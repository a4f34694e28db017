import { createLogUpdate } from 'log-update';
import { Detached } from '../follow/detached.ts';

/**
 * Draws a picture again and again until Ctrl-C, on a terminal; elsewhere once.
 * @param everyMs time between pictures.
 */
export async function liveScreen(draw: () => Promise<string>, everyMs = 1000): Promise<void> {
  if (!process.stdout.isTTY) {
    process.stdout.write(`${await draw()}\n`);
    return;
  }
  const update = createLogUpdate(process.stdout);
  let stopped = false;
  let wake = (): void => {};
  const stop = (): void => {
    stopped = true;
    wake();
  };
  process.once('SIGINT', stop);
  try {
    while (!stopped) {
      const height = Math.max(2, (process.stdout.rows || 24) - 1);
      update((await draw()).split('\n').slice(0, height).join('\n'));
      if (stopped) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, everyMs);
      });
    }
  } finally {
    update.done();
    process.removeListener('SIGINT', stop);
  }
  throw new Detached();
}
